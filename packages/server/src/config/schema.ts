import { z } from 'zod';
import { key } from './field.ts';
import { admin, auth, log } from './sections/access.ts';
import { echo, files, proxy } from './sections/files.ts';
import { http } from './sections/http.ts';
import { ice } from './sections/ice.ts';
import { apps, dash, hls, hub, pulls, pushes, rtmp, transcode, webrtc } from './sections/media.ts';
import { callbacks, nginx } from './sections/nginx.ts';
import { record, upload } from './sections/recording.ts';
import { relay } from './sections/relay.ts';
import { rooms } from './sections/rooms.ts';

/** The one description of every setting: kinds, defaults, texts of `docs/config.md`. */
export const configSchema = z.strictObject({
  host: key(z.string().min(1).max(255).optional(), {
    description:
      'Address that every listener binds to. Unset: media answers every address, the operator’s routes loopback only.',
  }),
  data: key(z.string().min(1).max(4096).default('.onair'), {
    description: 'Folder for the admin token, stream keys and everything else that must outlive a restart.',
  }),
  http: key(http.prefault({}), { description: 'HTTP: pages, API, playlists, HTTP and WebSocket delivery.' }),
  rtmp: key(rtmp.prefault({}), { description: 'RTMP, publishing and playing.' }),
  transcode: key(transcode.prefault({}), {
    description: 'Pictures of another codec, for viewers who cannot use those of the stream.',
  }),
  webrtc: key(webrtc.prefault({}), { description: 'WebRTC: publishing by WHIP, playing by WHEP.' }),
  ice: key(ice.prefault({}), {
    description:
      'STUN and TURN servers, told to rooms, to clients of WHIP and WHEP, and by `GET /api/v1/ice`.',
  }),
  hub: key(hub.prefault({}), { description: 'Streams, what is kept of them, and slow viewers.' }),
  hls: key(hls.prefault({}), { description: 'HLS and low-latency HLS.' }),
  dash: key(dash.prefault({}), { description: 'DASH and low-latency DASH.' }),
  upload: key(upload.prefault({}), { description: 'Publishing from browsers.' }),
  record: key(record.prefault({}), { description: 'Recordings.' }),
  files: key(files.prefault({}), { description: 'Media files, played over WebSocket.' }),
  proxy: key(proxy.prefault({}), { description: 'Live sources that pages ask for.' }),
  echo: key(echo.prefault({}), { description: 'The sample of a WebSocket server.' }),
  apps: key(apps.prefault({}), { description: 'Application scripts: methods that clients can call.' }),
  rooms: key(rooms.prefault({}), {
    description: 'Rooms, in which one casts to others from browser to browser.',
  }),
  relay: key(relay.prefault({}), {
    description: 'The relay tree: viewers pass streams on to each other.',
  }),
  auth: key(auth.prefault({}), { description: 'Who may publish.' }),
  admin: key(admin.prefault({}), { description: 'The operator’s routes.' }),
  log: key(log.prefault({}), { description: 'Logging, to standard output.' }),
  pulls: key(pulls.default([]), {
    description: 'Sources that the server fetches by itself and publishes under a name.',
    reload: true,
  }),
  pushes: key(pushes.default([]), {
    description: 'Servers that streams are sent on to while they are live.',
    reload: true,
  }),
  callbacks: key(callbacks.default([]), {
    description: 'Addresses that are asked or told, as a form, what RTMP clients do; as nginx-rtmp does.',
    reload: true,
  }),
  nginx: key(nginx.prefault({}), { description: 'Pages of nginx-rtmp.' }),
  demo: key(z.boolean().default(false), {
    description: 'Whether the built-in test picture is published as `live/demo`.',
  }),
  compat: key(z.boolean().default(false), {
    description:
      'Whether the ports of the original servers are opened too: `rooms.compatPort` for signalling, `upload.compatPort` for uploads and `echo.compatPort` for the WebSocket sample, for pages of any origin.',
  }),
  workers: key(z.int().min(1).max(1).default(1), {
    description: 'Processes that serve. Reserved: this version runs one.',
  }),
});

/** The validated configuration, every default filled in. */
export type Config = z.infer<typeof configSchema>;
