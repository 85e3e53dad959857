import { execFileSync } from 'node:child_process';
import { type Sample, streamName } from '@onair/media';
import { WebmDemuxer } from '@onair/media/webm';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { until } from '../../../test/kit/until.ts';
import { type BridgedHlsKinds, bridgedHlsKinds, bridgedTagKinds } from './bridged-kinds.ts';
import { SessionTable, StreamRegistry, systemClock } from './hub/index.ts';
import { cmafPackagerKind } from './packager/cmaf/index.ts';
import { DEFAULT_HLS_OPTIONS, hlsPackagerKind } from './packager/hls/index.ts';
import { tsPackagerKind } from './packager/ts/index.ts';
import { AudioTranscoder, PictureTranscoder } from './transcode/index.ts';

const open: (() => void)[] = [];
afterAll(() => {
  for (const close of open.reverse()) close();
});

/** Six seconds of what a browser publishes, a key frame a second. */
const samples: Sample[] = [];
beforeAll(() => {
  const args = [
    ...['-v', 'error', '-f', 'lavfi', '-i', 'testsrc2=size=64x48:rate=15', '-f', 'lavfi', '-i', 'sine'],
    ...[
      '-t',
      '6',
      '-c:v',
      'libvpx',
      '-deadline',
      'realtime',
      '-g',
      '15',
      '-c:a',
      'libopus',
      '-f',
      'webm',
      'pipe:1',
    ],
  ];
  const webm = new WebmDemuxer({ onTrack: () => undefined, onSample: (sample) => samples.push(sample) });
  webm.push(execFileSync('ffmpeg', args, { maxBuffer: 1 << 24 }));
  webm.end();
});

it('gives RTMP, HLS and transport streams H.264 and AAC of a stream in VP8 and Opus, and lets go of them', async () => {
  const sessions = new SessionTable(Date.now, () => String(Math.random()));
  const transcoder = new AudioTranscoder();
  const pictures = new PictureTranscoder(() => ({ enabled: true, program: 'ffmpeg' }));
  const bridges = { transcoder, pictures, log: () => undefined };
  const context = {
    clock: systemClock,
    policy: (windowMs: number) => ({ windowMs, lagMs: 30_000, stallMs: 30_000 }),
  };
  const limits = () => ({ maxBytes: 1 << 26, keepMs: 30_000, maxMs: 60_000 });
  const hlsOver = (cmaf: ReturnType<typeof cmafPackagerKind>) =>
    hlsPackagerKind(cmaf, systemClock, () => ({ ...DEFAULT_HLS_OPTIONS, segmentMs: 1000 }));
  const plain = hlsOver(cmafPackagerKind(limits));
  const kinds: BridgedHlsKinds = bridgedHlsKinds(
    plain,
    {
      sessions: () => sessions,
      cmaf: () => cmafPackagerKind(limits),
      hls: hlsOver,
      ts: (of) => tsPackagerKind(of, systemClock, () => ({ maxWaiters: 10 })),
    },
    bridges,
  );
  const { rtmp } = bridgedTagKinds(context, limits, bridges);
  const registry = new StreamRegistry({ clock: systemClock });
  open.push(
    () => transcoder.close(),
    () => pictures.close(),
    () => registry.close('test over'),
  );
  const publication = registry.publish(streamName('live', 'browser'), {
    protocol: 'whip',
    revoked: () => undefined,
  });
  const stream = registry.find(streamName('live', 'browser'))!;
  for (const track of new Set(samples.map(({ track }) => track))) publication.setTrack(track);
  const first = samples.slice(0, 20);
  for (const sample of first) publication.push(sample);
  expect(kinds.hls(stream)).not.toBe(plain);
  const hls = stream.packager(kinds.hls(stream));
  const ts = stream.packager(kinds.ts(stream));
  const tags = stream.packager(rtmp);
  expect(ts.refused).toBeUndefined();
  for (const sample of samples.slice(20)) publication.push(sample);
  const codecs = (tracks: readonly Sample['track'][]) => tracks.map(({ parameters }) => parameters.codec);
  await until(() => hls.renditions.length === 2 && (hls.rendition('video')?.window.listed.length ?? 0) >= 3);
  expect(codecs(hls.tracks)).toEqual(['h264', 'aac']);
  expect(codecs(tags.tracks)).toEqual(['h264', 'aac']);
  await until(() => hls.rendition('audio')?.progress !== undefined);
  expect(hls.multivariant('hls/')?.text).toContain('mp4a.40.2');
  // With the program behind them, segments come as they do of any other stream.
  await until(() => ts.playlist() !== undefined);
  // One program for all three.
  expect(pictures.running).toBe(1);
  registry.close('test over');
  expect(pictures.running).toBe(0);
});
