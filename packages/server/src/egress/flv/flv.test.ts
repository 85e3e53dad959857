import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { type Sample, streamName, type Track } from '@onair/media';
import { FlvReader, TagDemuxer } from '@onair/media/flv';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import {
  accessUnit,
  audioTrack,
  programme,
  videoParameters,
  videoTrack,
} from '../../../../../test/kit/samples.ts';
import {
  DEFAULT_PUMP_POLICY,
  type Publication,
  SessionTable,
  StreamRegistry,
  systemClock,
} from '../../hub/index.ts';
import { FLV_TAGS, tagPackagerKind } from '../../packager/tags/index.ts';
import { serveHttpFlv, serveWsFlv } from './index.ts';

const NAME = streamName('live', 'test');
const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

/** A record that a demuxer takes apart again: High profile, 160x90, 25 fps. */
const AVCC = Uint8Array.from(
  Buffer.from(
    '0164000bffe100196764000bacd9428df93011000003000100000300320f14299601000568ebecb22cfdf8f800',
    'hex',
  ),
);

async function setUp(policy: Partial<typeof DEFAULT_PUMP_POLICY> = {}) {
  const registry = new StreamRegistry();
  let serial = 0;
  const sessions = new SessionTable(
    () => Date.now(),
    () => `s${serial++}`,
  );
  const context = {
    clock: systemClock,
    policy: (windowMs: number) => ({ ...DEFAULT_PUMP_POLICY, ...policy, windowMs }),
  };
  const lines: string[] = [];
  const deps = {
    registry,
    sessions,
    kind: tagPackagerKind(FLV_TAGS, context),
    windowMs: () => 0,
    log: (message: string) => lines.push(message),
  };
  const server: Server = createServer((request) =>
    serveHttpFlv(
      request.socket,
      { stream: NAME, address: '127.0.0.1', head: request.method === 'HEAD' },
      deps,
    ),
  );
  server.on('upgrade', (request, socket, head) =>
    serveWsFlv(request, socket, head, { stream: NAME, address: '127.0.0.1' }, deps),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  closers.push(() => {
    registry.close('test over');
    server.closeAllConnections();
    server.close();
  });
  const video: Track = videoTrack({
    ...videoParameters(160, 90),
    codecString: 'avc1.64000b',
    description: AVCC,
  });
  const audio = audioTrack();
  const publication = registry.publish(NAME, { protocol: 'test', revoked: () => undefined });
  publication.setTrack(video);
  publication.setTrack(audio);
  return { registry, sessions, port, publication, video, audio, lines };
}

function feed(publication: Publication, samples: readonly Sample[]): void {
  for (const sample of samples) publication.push(sample);
}

/** Demuxes received FLV bytes. */
function demuxer() {
  const reader = new FlvReader();
  const samples: Sample[] = [];
  const tracks: Track[] = [];
  let metadata = 0;
  const tags = new TagDemuxer({
    onTrack: (track) => tracks.push(track),
    onSample: (sample) => samples.push(sample),
    onMetadata: () => {
      metadata++;
    },
    onDataEvent: () => undefined,
  });
  return {
    samples,
    tracks,
    metadata: () => metadata,
    push(bytes: Uint8Array): void {
      reader.push(bytes);
      for (let item = reader.next(); item !== undefined; item = reader.next())
        if (item.kind === 'tag') tags.push(item.tag);
    },
  };
}

describe('HTTP-FLV', () => {
  it('starts a late viewer at the keyframe and brings every frame with its time', async () => {
    const { port, publication, video, audio, sessions, lines } = await setUp();
    feed(publication, programme(video, audio, 3, 50));
    const socket = connect(port, '127.0.0.1', () =>
      socket.write('GET /live/test.flv HTTP/1.1\r\nHost: x\r\n\r\n'),
    );
    closers.push(() => socket.destroy());
    const flv = demuxer();
    let head = '';
    socket.on('data', (chunk) => {
      if (head.includes('\r\n\r\n')) {
        flv.push(chunk);
        return;
      }
      const text = chunk.toString('latin1');
      const end = text.indexOf('\r\n\r\n');
      head += end < 0 ? text : text.slice(0, end + 4);
      if (end >= 0) flv.push(chunk.subarray(end + 4));
    });
    await vi.waitFor(() => expect(flv.samples.length).toBeGreaterThan(40));
    expect(head).toMatch(/^HTTP\/1\.1 200 OK\r\nContent-Type: video\/x-flv\r\n/);
    expect(flv.samples[0]).toMatchObject({ keyframe: true, dts: 2 * 90_000 });
    feed(publication, programme(video, audio, 1, 50, 3000));
    await vi.waitFor(() => expect(flv.samples.filter((sample) => sample.track.id === 1)).toHaveLength(50));
    const times = flv.samples.filter((sample) => sample.track.id === 1).map((sample) => sample.dts);
    expect(times).toEqual(Array.from({ length: 50 }, (_, i) => 180_000 + i * 3600));
    expect(Uint8Array.from(flv.samples[0]!.data)).toEqual(accessUnit(true, 100, 2000 & 0xff));
    expect(sessions.viewers(NAME)).toBe(1);
    expect(sessions.list()[0]!.figures().bytes).toBeGreaterThan(10_000);
    socket.destroy();
    await vi.waitFor(() => expect(sessions.viewers(NAME)).toBe(0));
    expect(lines).toEqual(['viewer left']);
    expect(sessions.past(NAME).get('viewer:http-flv')!.bytes).toBeGreaterThan(10_000);
  });

  it('ends the response when the stream ends, and holds nothing of a viewer that does not read', async () => {
    const { port, publication, video, registry, sessions } = await setUp({ stallMs: 200, lagMs: 500 });
    publication.promise({ video: true, audio: false });
    const stuck = connect(port, '127.0.0.1', () =>
      stuck.write('GET /live/test.flv HTTP/1.1\r\nHost: x\r\n\r\n'),
    );
    stuck.pause();
    closers.push(() => stuck.destroy());
    await vi.waitFor(() => expect(sessions.viewers(NAME)).toBe(1));
    let at = 0;
    let worst = 0;
    await vi.waitFor(
      () => {
        for (let i = 0; i < 25; i++, at += 40) {
          const dts = (at * 90) as Sample['dts'];
          publication.push({
            track: video,
            dts,
            pts: dts,
            duration: undefined,
            keyframe: i === 0,
            data: new Uint8Array(40_000),
          });
        }
        for (const session of sessions.list()) worst = Math.max(worst, session.figures().backlog);
        expect(sessions.viewers(NAME)).toBe(0);
      },
      { timeout: 15_000, interval: 20 },
    );
    expect(worst).toBeLessThan(1_300_000);
    // It is told at once: what the system held for it is dropped, and the end does not wait behind that.
    const sent = sessions.past(NAME).get('viewer:http-flv')!.bytes;
    let received = 0;
    stuck.on('data', (bytes) => {
      received += bytes.length;
    });
    const closed = new Promise((resolve) => stuck.once('close', resolve));
    stuck.on('error', () => undefined).resume();
    await closed;
    expect(received).toBeLessThan(sent / 2);

    const polite = connect(port, '127.0.0.1', () =>
      polite.write('GET /live/test.flv HTTP/1.1\r\nHost: x\r\n\r\n'),
    );
    polite.resume();
    const ended = new Promise((resolve) => polite.on('end', resolve));
    await vi.waitFor(() => expect(sessions.viewers(NAME)).toBe(1));
    registry.find(NAME)!.end('test');
    await ended;
  });
});

describe('WS-FLV', () => {
  it('carries the same FLV in binary messages', async () => {
    const { port, publication, video, audio } = await setUp();
    feed(publication, programme(video, audio, 2, 25));
    const socket = new WebSocket(`ws://127.0.0.1:${port}/live/test.flv`);
    closers.push(() => socket.terminate());
    const flv = demuxer();
    socket.on('message', (data: Buffer, binary) => {
      expect(binary).toBe(true);
      flv.push(data);
    });
    await vi.waitFor(() => expect(flv.samples.length).toBeGreaterThan(50));
    feed(publication, programme(video, audio, 1, 25, 2000));
    await vi.waitFor(() => expect(flv.samples.filter((sample) => sample.track.id === 1)).toHaveLength(50));
    expect(flv.tracks.map((track) => track.parameters.kind).sort()).toEqual(['audio', 'video']);
    socket.send(Buffer.from([1, 2, 3]));
    const code = await new Promise((resolve) => socket.on('close', resolve));
    expect(code).toBe(1002);
  });
});
