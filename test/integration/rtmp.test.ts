import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FlvReader } from '../../packages/media/src/flv/index.ts';
import { streamName } from '../../packages/media/src/index.ts';
import { parseRtmpUrl } from '../../packages/media/src/rtmp/index.ts';
import {
  Child,
  expectNoChildren,
  makeFile,
  type PlayReport,
  playWithFfmpeg,
  playWithGst,
  playWithMpv,
  playWithRtmpdump,
  Scope,
  startNginxRtmp,
  startPublisher,
  until,
} from '../kit/index.ts';
import { RtmpTestClient } from '../kit/rtmp-client.ts';
import { RtmpHub } from '../kit/rtmp-hub.ts';

const SECONDS = 3;
const FPS = 25;

const scope = new Scope();
let hub: RtmpHub;
beforeAll(async () => {
  hub = scope.own(await new RtmpHub().start());
});
afterAll(async () => {
  await scope.close();
  expect(hub.faults).toEqual([]);
  expect(hub.listener.size).toBe(0);
  await expectNoChildren();
});

function expectSmooth(report: PlayReport): void {
  expect(report).toMatchObject({ errors: [], stalls: 0 });
  expect(report.frames).toBeGreaterThan((SECONDS - 1.5) * FPS);
  expect(report.audioMs).toBeGreaterThan((SECONDS - 1.5) * 1000);
}

describe('players of a stream with B-frames, started late', () => {
  beforeAll(async () => {
    await startPublisher(scope, { url: hub.url('bframes?key=x'), fps: FPS, gopSeconds: 2, bFrames: 2 });
  });

  it.each([
    ['ffmpeg', playWithFfmpeg],
    ['rtmpdump', playWithRtmpdump],
    ['GStreamer', playWithGst],
    ['mpv', playWithMpv],
  ])('%s', async (_, play) => {
    expectSmooth(await play(hub.url('bframes'), SECONDS));
  });
});

describe('encoders', () => {
  it.each([
    ['rtmp2sink', 'gst2'],
    ['rtmpsink', 'gst1'],
  ])('GStreamer by %s', async (sink, name) => {
    const child = new Child('gst-launch', 'gst-launch-1.0', [
      ...['-q', 'flvmux', 'name=m', 'streamable=true', '!', sink, `location=${hub.url(name)}`],
      ...['videotestsrc', 'is-live=true', '!', 'video/x-raw,width=320,height=180,framerate=25/1', '!'],
      ...['x264enc', 'key-int-max=25', 'bframes=0', 'tune=zerolatency', '!', 'h264parse', '!', 'm.'],
      ...['audiotestsrc', 'is-live=true', '!', 'avenc_aac', '!', 'aacparse', '!', 'm.'],
    ]);
    scope.own({ stop: () => child.stop('SIGTERM') });
    const stream = streamName('live', name);
    await until(() => hub.registry.find(stream)?.state === 'live', { timeoutMs: 20_000 });
    expectSmooth(await playWithFfmpeg(hub.url(name), SECONDS));
    await child.stop('SIGTERM');
    await until(() => hub.registry.find(stream)?.state === 'waiting');
  });
});

describe('beside nginx', () => {
  it('pulls from it, publishes to it, and both play', async () => {
    const nginx = await startNginxRtmp(scope, ['wait_key on;', 'wait_video on;']);
    await startPublisher(scope, { url: nginx.url('source'), fps: FPS, gopSeconds: 1 });
    hub.pull(nginx.url('source'), streamName('live', 'pulled'));
    expectSmooth(await playWithFfmpeg(hub.url('pulled'), SECONDS));

    const path = join(scope.tempDir(), 'source.flv');
    await makeFile({ url: path, seconds: 8, fps: FPS, gopSeconds: 1 });
    const { port, app, tcUrl, playpath } = parseRtmpUrl(nginx.url('pushed'));
    const client = new RtmpTestClient(port, { intent: 'publish', app, tcUrl, name: playpath });
    scope.defer(() => client.stop());
    await until(() => client.ready);
    const playing = playWithFfmpeg(nginx.url('pushed'), SECONDS);
    const reader = new FlvReader();
    reader.push(readFileSync(path));
    const start = performance.now();
    for (let item = reader.next(); item !== undefined; item = reader.next()) {
      if (item.kind === 'header' || item.tag.type === 'script') continue;
      const { type, timestampMs, body } = item.tag;
      await until(() => performance.now() - start >= timestampMs, { everyMs: 5 });
      client.session.sendMedia(type, timestampMs, body);
      client.flush();
    }
    expectSmooth(await playing);
    expect(client.fault).toBe(undefined);
  });
});
