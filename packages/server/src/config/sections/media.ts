import { z } from 'zod';
import { bytes, count, key, milliseconds, port } from '../field.ts';

const tlsVersion = () => z.enum(['TLSv1.2', 'TLSv1.3']);

/** RTMP listener. */
export const rtmp = z.strictObject({
  enabled: key(z.boolean().default(true), { description: 'Whether to listen for RTMP.' }),
  host: key(z.string().min(1).max(255).optional(), {
    description: 'Address to listen on. Unset: `host`, and if that is unset too, every address.',
  }),
  port: key(port().default(1935), {
    description:
      'TCP port; 0 lets the system pick one. It takes RTMP, RTMPS, RTMPT and RTMPTS, told apart by their first bytes, and RTMPE if `rtmp.encrypted`.',
  }),
  tls: key(z.boolean().default(true), {
    description: 'Whether RTMP is spoken over TLS too, with the certificate of `http.tlsCertificate`.',
  }),
  tlsMin: key(tlsVersion().default('TLSv1.2'), { description: 'Oldest version of TLS on `rtmp.port`.' }),
  tlsMax: key(tlsVersion().default('TLSv1.2'), {
    description:
      'Newest version of TLS on `rtmp.port`. TLS 1.3 is left out because librtmp (rtmpdump, GStreamer’s rtmpsrc) breaks off where it is offered.',
  }),
  rtmpsPort: key(port().optional(), {
    description: 'TCP port for RTMPS and RTMPTS alone; 0 lets the system pick one. Unset: none.',
  }),
  rtmpsMin: key(tlsVersion().default('TLSv1.2'), {
    description: 'Oldest version of TLS on `rtmp.rtmpsPort`.',
  }),
  rtmpsMax: key(tlsVersion().default('TLSv1.3'), {
    description: 'Newest version of TLS on `rtmp.rtmpsPort`.',
  }),
  tunnel: key(z.boolean().default(true), {
    description: 'Whether RTMPT, RTMP in HTTP requests, is spoken: on the RTMP ports and on those of HTTP.',
  }),
  reconnectTo: key(
    z
      .string()
      .max(2048)
      .regex(/^rtmp(s|t|ts|e|te)?:\/\/[^\s/]+\/\S*$/)
      .optional(),
    {
      description:
        'Where clients of Enhanced RTMP that can reconnect are sent when this server stops. Unset: they are asked to come back to the same address.',
      reload: true,
    },
  ),
  webSocket: key(z.boolean().default(true), {
    description:
      'Whether RTMP over WebSocket, which pages speak, is spoken at `/rtmp`: on the RTMP ports and on those of HTTP.',
  }),
  encrypted: key(z.boolean().default(false), {
    description:
      'Whether RTMPE and RTMPTE are spoken. Their encryption keeps nothing secret from whoever sits in between; only for old players that know nothing better.',
  }),
  waitForPublisher: key(z.boolean().default(true), {
    description:
      'What a player of a stream without publisher gets: true waits for the publisher, false answers `NetStream.Play.StreamNotFound`.',
    reload: true,
  }),
  redirects: key(
    z
      .array(
        z.strictObject({
          app: key(z.string().regex(/^[A-Za-z0-9_-]{1,64}$/), { description: 'Application that moved.' }),
          url: key(
            z
              .string()
              .max(2048)
              .regex(/^rtmp(s|t|ts|e|te)?:\/\/[^\s/]+\/\S+$/),
            { description: 'Where its clients are sent, an application’s address: `rtmp://HOST/APP`.' },
          ),
        }),
      )
      .max(100)
      .default([]),
    {
      description:
        'Applications whose clients are told at `connect` to go elsewhere (`ex.code` 302). librtmp and FFmpeg do not follow; pulls and pushes of this server do.',
      reload: true,
    },
  ),
  assumeEnhanced: key(z.boolean().default(false), {
    description:
      'Whether players that list no codecs (`fourCcList` of Enhanced RTMP) are sent HEVC, AV1, VP9, Opus and the like all the same. False answers them `NetStream.Play.NoSupportedTrackFound`.',
    reload: true,
  }),
  phaseTimeoutMs: key(milliseconds(100).default(10_000), {
    description:
      'Until when each phase before publishing or playing must be over (handshake, connect, command), milliseconds from its begin.',
  }),
  pingSeconds: key(z.int().min(1).max(3600).default(30), {
    description: 'How often a silent peer is pinged, seconds. After two pings without any byte it is closed.',
    reload: true,
  }),
  windowAckBytes: key(bytes(2 ** 31 - 1).default(5_000_000), {
    description: 'Acknowledgement window that the server announces, bytes.',
  }),
  maxMessageBytes: key(bytes(16_777_215).default(16_777_215), {
    description: 'Longest message of a publisher, bytes.',
  }),
  maxConnections: key(count().default(10_000), { description: 'Connections open at one time.' }),
  maxConnectionsPerAddress: key(count().default(256), {
    description: 'Connections open at one time from one address. Loopback is not counted.',
    reload: true,
  }),
});

/** Application scripts. */
export const apps = z.strictObject({
  folder: key(z.string().min(1).max(4096).optional(), {
    description:
      'Folder of the application scripts: `live.js`, or `live.ts`, is that of the application `live`. Unset: there are none. Scripts run with the rights of the server.',
  }),
  callMs: key(milliseconds(10, 60_000).default(2000), {
    description: 'How long a method of a script may take, milliseconds.',
    reload: true,
  }),
});

/** WebRTC, publishing by WHIP and playing by WHEP. */
export const webrtc = z.strictObject({
  enabled: key(z.enum(['auto', 'on', 'off']).default('auto'), {
    description:
      'Publishing by WHIP and playing by WHEP: `on`, `off`, or `auto`, which goes on without it if the port is taken or the library does not run here.',
  }),
  port: key(port().default(8189), {
    description: 'UDP port of all media over WebRTC; 0 picks one.',
  }),
  addresses: key(z.array(z.string().min(2).max(45)).max(16).default([]), {
    description:
      'IP addresses under which clients reach the UDP port, told to them instead of those of the machine; for a server behind a port forwarding.',
    reload: true,
  }),
  maxSessions: key(count().default(2000), {
    description: 'Publishers and viewers over WebRTC at one time.',
    reload: true,
  }),
  connectTimeoutMs: key(milliseconds(100).default(15_000), {
    description: 'Until when a session must be connected, milliseconds from its begin.',
    reload: true,
  }),
  silenceMs: key(milliseconds(1000).default(15_000), {
    description: 'After how long without any packet from the other end a session is over, milliseconds.',
    reload: true,
  }),
  keyframeMs: key(milliseconds(500).default(2000), {
    description:
      'How often publishers over WebRTC are asked for a key frame, milliseconds. Segments begin there.',
    reload: true,
  }),
  maxBitrate: key(z.int().min(100_000).max(1_000_000_000).default(6_000_000), {
    description: 'Most that a publisher over WebRTC may send, bits per second.',
    reload: true,
  }),
});

/** Pictures of another codec. */
export const transcode = z.strictObject({
  enabled: key(z.boolean().default(true), {
    description:
      'Whether pictures are turned into another codec for those viewers who need it: VP8 into H.264 for RTMP, FLV, HLS and the playlists of recordings; for WebRTC HEVC and H.264 with B-frames into H.264 without, and H.264 into VP8 for browsers that have none.',
    reload: true,
  }),
  program: key(z.string().min(1).max(4096).default('ffmpeg'), {
    description: 'The program that does it: ffmpeg with libx264 and libvpx, by name on the PATH or by path.',
    reload: true,
  }),
  maxStreams: key(z.int().min(1).max(1000).optional(), {
    description:
      'Streams whose pictures are turned at one time, each of which may take a core. Unset: as many as the machine has cores, at least 2.',
    reload: true,
  }),
});

/** Streams, their memory and their viewers. */
export const hub = z.strictObject({
  maxStreams: key(count(1_000_000).default(2000), {
    description: 'Streams known at one time, those that only have viewers included.',
    reload: true,
  }),
  reconnectWindowMs: key(milliseconds(0, 1_800_000).default(30_000), {
    description: 'How long a stream waits for its publisher to come back before it ends, milliseconds.',
    reload: true,
  }),
  takeover: key(z.enum(['refuse', 'takeover', 'standby']).default('refuse'), {
    description:
      'What happens to a second publisher of a name: `refuse`, `takeover` (with the same key) or `standby` until the first one leaves.',
    reload: true,
  }),
  gopMaxBytes: key(bytes().default(16_777_216), {
    description: 'Most bytes kept since the last key frame for viewers who join, per stream.',
    reload: true,
  }),
  gopMaxMs: key(milliseconds(0).default(20_000), {
    description: 'Longest time kept since the last key frame for viewers who join, milliseconds.',
    reload: true,
  }),
  logMaxBytes: key(bytes().default(25_165_824), {
    description: 'Most bytes kept per stream and format for viewers who lag.',
    reload: true,
  }),
  logMaxMs: key(milliseconds(100).default(20_000), {
    description: 'Longest time kept per stream and format for viewers who lag, milliseconds.',
    reload: true,
  }),
  mergeWindowMs: key(milliseconds(0, 1000).default(0), {
    description:
      'Window in which writes to a viewer are merged, milliseconds; 0 writes each video frame at once. Wider costs less CPU and more delay.',
    reload: true,
  }),
  maxLagMs: key(milliseconds(100).default(6000), {
    description: 'How far a viewer may lag before it jumps to the newest key frame, milliseconds.',
    reload: true,
  }),
  stallMs: key(milliseconds(100).default(10_000), {
    description: 'After how long a viewer that takes nothing is closed, milliseconds.',
    reload: true,
  }),
  endedLingerMs: key(milliseconds(0).default(60_000), {
    description: 'How long a stream that is over stays listed as ended, milliseconds.',
    reload: true,
  }),
});

/** HLS and low-latency HLS. */
export const hls = z.strictObject({
  enabled: key(z.boolean().default(true), { description: 'Whether HLS is served.' }),
  eventId3: key(z.boolean().default(false), {
    description:
      'Whether the chunks carry timed events as ID3 tags too (`emsg` of `https://aomedia.org/emsg/ID3`), for players that know no other scheme.',
    reload: true,
  }),
  segmentMs: key(milliseconds(500, 60_000).default(2000), {
    description: 'Duration that a segment aims at, milliseconds; it ends at the key frame nearest to that.',
  }),
  partMs: key(milliseconds(100, 5000).default(334), {
    description:
      'Longest that a part may become, milliseconds. PART-TARGET of EXT-X-PART-INF is this or up to 15 % less, so that the parts of a segment are about equally long; more only if single frames last too long.',
  }),
  windowSegments: key(z.int().min(3).max(1000).default(7), {
    description: 'Segments that a live playlist lists; at least 3 target durations.',
  }),
  maxWaiters: key(count(1_000_000).default(5000), {
    description: 'Requests that may wait for one playlist or part at one time.',
    reload: true,
  }),
  endedMs: key(milliseconds(0).default(60_000), {
    description:
      'How long a stream that is over can be fetched under the same addresses, with `EXT-X-ENDLIST`, milliseconds.',
    reload: true,
  }),
  streams: key(
    z
      .array(
        z.strictObject({
          match: key(z.string().regex(/^[A-Za-z0-9_*-]{1,64}\/[A-Za-z0-9_*-]{1,64}$/), {
            description:
              'Streams it is for, `APP/NAME`; `*` stands for any characters. The first that fits counts.',
          }),
          segmentMs: key(milliseconds(500, 60_000).optional(), {
            description: 'In place of `hls.segmentMs`.',
          }),
          partMs: key(milliseconds(100, 5000).optional(), { description: 'In place of `hls.partMs`.' }),
          windowSegments: key(z.int().min(3).max(1000).optional(), {
            description: 'In place of `hls.windowSegments`.',
          }),
        }),
      )
      .max(1000)
      .default([]),
    {
      description: 'Settings for streams whose name fits, for those that begin after a change.',
      reload: true,
    },
  ),
});

/** DASH and low-latency DASH. Streams are cut as for HLS. */
export const dash = z.strictObject({
  enabled: key(z.boolean().default(true), { description: 'Whether DASH is served.' }),
  lowLatency: key(z.boolean().default(true), {
    description: 'Whether segments are listed and sent while they grow.',
    reload: true,
  }),
  latencyMs: key(milliseconds(500, 60_000).default(2000), {
    description: 'How far behind the publisher low-latency players aim to be, milliseconds.',
    reload: true,
  }),
  maxWaiters: key(count(1_000_000).default(5000), {
    description: 'Requests that may wait for a manifest or the next segment of one stream at one time.',
    reload: true,
  }),
});

/** Sources that the server fetches by itself. */
export const pulls = z
  .array(
    z
      .strictObject({
        url: key(
          z
            .string()
            .max(2048)
            .regex(/^(rtmp(s|t|ts|e|te)?|https?):\/\/[^\s/]+\/\S*$/),
          {
            description:
              'Address of the source: `rtmp://…`, `rtmps://…` (also `rtmpt`, `rtmpts`, `rtmpe`, `rtmpte`), or `http://…`, `https://…` with FLV or MPEG-TS. `{app}` and `{name}` stand for the stream’s.',
            secret: true,
          },
        ),
        stream: key(z.string().regex(/^[A-Za-z0-9_-]{1,64}\/([A-Za-z0-9_-]{1,64}|\*)$/), {
          description:
            'Stream that it is published as, `APP/NAME`; with `onDemand` also `APP/*` for every stream of an application that somebody asks for.',
        }),
        insecure: key(z.boolean().optional(), {
          description: 'Whether any certificate of an `rtmps` or `rtmpts` source is taken.',
        }),
        onDemand: key(z.boolean().default(false), {
          description: 'Whether the source is fetched only while somebody watches.',
        }),
        idleMs: key(milliseconds(1000, 3_600_000).default(10_000), {
          description:
            'How long a source `onDemand` is fetched after its last viewer has gone, milliseconds.',
        }),
      })
      .refine(({ stream, onDemand }) => onDemand || !stream.endsWith('/*'), {
        path: ['stream'],
        message: '`APP/*` needs `onDemand`',
      }),
  )
  .max(1000);

/** Servers that streams are sent on to. */
export const pushes = z
  .array(
    z.strictObject({
      url: key(
        z
          .string()
          .max(2048)
          .regex(/^rtmp(s|t|ts|e|te)?:\/\/[^\s/]+\/\S+$/),
        {
          description:
            'Address that the stream is published to, with its key: `rtmp://…`, `rtmps://…` (also `rtmpt`, `rtmpts`, `rtmpe`, `rtmpte`). `{app}` and `{name}` stand for the stream’s.',
          secret: true,
        },
      ),
      stream: key(z.string().regex(/^[A-Za-z0-9_-]{1,64}\/([A-Za-z0-9_-]{1,64}|\*)$/), {
        description:
          'Stream that is sent, `APP/NAME`, or `APP/*` for every stream of an application; once for each target.',
      }),
      insecure: key(z.boolean().optional(), {
        description: 'Whether any certificate of an `rtmps` or `rtmpts` target is taken.',
      }),
    }),
  )
  .max(1000);
