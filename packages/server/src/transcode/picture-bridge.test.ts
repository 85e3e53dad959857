import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Sample, streamName } from '@onair/media';
import { hasH264BSlice } from '@onair/media/bitstream';
import { FlvReader, TagDemuxer } from '@onair/media/flv';
import { WebmDemuxer } from '@onair/media/webm';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { until } from '../../../../test/kit/until.ts';
import {
  type Cut,
  type Packager,
  type PackagerKind,
  type Stream,
  StreamRegistry,
  systemClock,
} from '../hub/index.ts';
import { turnPictures } from './picture-batch.ts';
import { pictureBridgedKind } from './picture-bridge.ts';
import { PictureTranscoder } from './picture-transcoder.ts';
import { H264_FOR_HLS, H264_FOR_RTP, VP8_FOR_RTP } from './rules.ts';

const folder = mkdtempSync(join(tmpdir(), 'onair-pictures-'));
const open: (() => void)[] = [];
afterEach(() => {
  for (const close of open.splice(0).reverse()) close();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Two seconds of 25 pictures each, with two key frames. */
function film(codec: readonly string[], format: string): Buffer {
  const source = ['-f', 'lavfi', '-i', 'testsrc2=size=160x90:rate=25', '-t', '2', '-g', '25'];
  return execFileSync('ffmpeg', ['-v', 'error', ...source, ...codec, '-f', format, 'pipe:1'], {
    maxBuffer: 1 << 24,
  });
}

let vp8: Sample[];
let reordered: Sample[];
beforeAll(() => {
  vp8 = [];
  const webm = new WebmDemuxer({ onTrack: () => undefined, onSample: (sample) => vp8.push(sample) });
  webm.push(film(['-c:v', 'libvpx', '-deadline', 'realtime'], 'webm'));
  webm.end();
  reordered = [];
  const tags = new TagDemuxer({
    onTrack: () => undefined,
    onSample: (sample) => reordered.push(sample),
    onMetadata: () => undefined,
    onDataEvent: () => undefined,
  });
  const reader = new FlvReader();
  reader.push(film(['-c:v', 'libx264', '-preset', 'ultrafast', '-bf', '2', '-sc_threshold', '0'], 'flv'));
  for (let item = reader.next(); item !== undefined; item = reader.next())
    if (item.kind === 'tag') tags.push(item.tag);
});

/** A packager that keeps what it is told. */
class Keeper implements Packager {
  readonly cuts: Cut[] = [];
  readonly samples: Sample[] = [];
  closed = false;
  cut(cut: Cut): void {
    this.cuts.push(cut);
  }
  sample(sample: Sample): void {
    this.samples.push(sample);
  }
  state(): void {}
  close(): void {
    this.closed = true;
  }
}

function setUp(program = 'ffmpeg') {
  const pictures = new PictureTranscoder(() => ({ enabled: true, program, maxStreams: 1 }));
  const registry = new StreamRegistry({ clock: systemClock });
  open.push(
    () => pictures.close(),
    () => registry.close('test over'),
  );
  const told: string[] = [];
  const parts = { pictures, log: (message: string) => void told.push(message) };
  const kind = (rule = H264_FOR_HLS): PackagerKind<Keeper> =>
    pictureBridgedKind({ name: 'kept', create: () => new Keeper() }, rule, parts, { used: () => true });
  const on = (name: string, samples: readonly Sample[]): Stream => {
    const publication = registry.publish(streamName('live', name), {
      protocol: 'whip',
      revoked: () => undefined,
    });
    publication.promise({ video: true, audio: false });
    publication.setTrack(samples[0]!.track);
    for (const sample of samples) publication.push(sample);
    return registry.find(streamName('live', name))!;
  };
  return { pictures, kind, on, told };
}

it('gives two outputs the same H.264 for VP8, with the times of the source, from one program', async () => {
  const { pictures, kind, on } = setUp();
  const stream = on('vp8', vp8);
  const [first, second] = [stream.packager(kind()), stream.packager(kind())];
  // The stream remembers its last group of pictures.
  await until(() => first.samples.length === 25 && second.samples.length === 25);
  expect(pictures.running).toBe(1);
  expect(first.cuts.map(({ epoch, newEpoch }) => [epoch.tracks[0]!.parameters.codec, newEpoch])).toEqual([
    ['h264', true],
  ]);
  expect(first.samples[0]!.keyframe).toBe(true);
  expect(second.samples.map(({ data }) => data)).toEqual(first.samples.map(({ data }) => data));
  const source: number[] = [];
  const detach = stream.subscribe({
    cut: () => undefined,
    sample: ({ pts }) => void source.push(pts),
    state: () => undefined,
  });
  detach();
  expect(first.samples.map(({ pts }) => pts)).toEqual(source);
  // Somebody who comes later gets what was made since the last key frame.
  const third = stream.packager(kind());
  await until(() => third.samples.length === 25);
  stream.end('test over');
  await until(() => pictures.running === 0);
});

it('finds B-frames and takes them out', async () => {
  const { kind, on } = setUp();
  const keeper = on('reordered', reordered).packager(kind(H264_FOR_RTP));
  const made = (): Sample[] =>
    keeper.samples.filter(({ track }) => track === keeper.cuts.at(-1)!.epoch.tracks[0]);
  await until(() => keeper.cuts.length === 2 && made().length >= 22);
  expect(made()[0]!.keyframe).toBe(true);
  expect(made().some(({ data }) => hasH264BSlice(data))).toBe(false);
  expect(made().every(({ dts, pts }) => dts === pts)).toBe(true);
  expect(made().map(({ pts }) => pts)).toEqual(
    made()
      .map(({ pts }) => pts)
      .sort((a, b) => a - b),
  );
});

it('makes VP8 of H.264 for those who have no H.264', async () => {
  const { kind, on } = setUp();
  const keeper = on('other', reordered).packager(kind(VP8_FOR_RTP));
  await until(() => keeper.samples.length >= 22);
  expect(keeper.cuts[0]!.epoch.tracks[0]!.parameters).toMatchObject({ codec: 'vp8', width: 160, height: 90 });
  expect(keeper.samples[0]!.keyframe).toBe(true);
  const times = keeper.samples.map(({ pts }) => pts);
  // One picture of 25 a second after the other.
  expect(new Set(times.slice(1).map((time, i) => time - times[i]!))).toEqual(new Set([3600]));
});

it('passes the stream on as it is and says why, where there is no program', async () => {
  const { kind, on, told } = setUp(join(folder, 'nothing'));
  const stream = on('alone', vp8);
  const keeper = stream.packager(kind());
  await until(() => keeper.cuts.length === 1);
  expect(keeper.cuts[0]!.epoch.tracks[0]!.parameters.codec).toBe('vp8');
  const [warning] = stream.publication!.warnings;
  expect(warning).toMatchObject({ code: 'PICTURES_NOT_BRIDGED' });
  expect(warning!.text).toContain('is not on the PATH');
  expect(told).toContain('pictures cannot be turned into another codec');
});

it('runs so many programs and no more, and a program ends with its last output', async () => {
  const { pictures, kind, on, told } = setUp();
  const one = on('one', vp8);
  const asked = kind();
  const keeper = one.packager(asked);
  on('two', vp8).packager(kind());
  expect(told).toContain('pictures cannot be turned into another codec');
  await until(() => keeper.samples.length > 0);
  one.retire(asked);
  expect([pictures.running, keeper.closed]).toEqual([0, true]);
  expect(one.packager(asked)).not.toBe(keeper);
});

it('leaves pictures out, and says so, while the program is too slow', async () => {
  const slow = join(folder, 'slow');
  writeFileSync(slow, '#!/bin/sh\nexec sleep 60\n');
  chmodSync(slow, 0o700);
  const { pictures, kind, on } = setUp(slow);
  const stream = on('slow', vp8);
  stream.packager(kind());
  const { publication } = stream;
  const last = vp8.at(-1)!;
  const step = Math.round(last.track.timebase / 25);
  for (let i = 1; i <= 700; i++) {
    const source = vp8[25 + (i % 25)]!;
    const at = (last.dts + i * step) as typeof last.dts;
    publication!.push({ ...source, dts: at, pts: at });
  }
  expect(publication!.warnings.map(({ code }) => code)).toContain('PICTURES_LEFT_OUT');
  expect(pictures.left).toBeGreaterThan(50);
});

it('turns pictures that are all there, from wherever it is wanted, with the same parameters, and ends', async () => {
  const { signal } = new AbortController();
  const turned = (first: number, samples = vp8) =>
    turnPictures({ track: vp8[0]!.track, to: 'h264', samples, first, program: 'ffmpeg', signal });
  const [all, some, later] = await Promise.all([turned(0), turned(10), turned(0, vp8.slice(25))]);
  const times = vp8.map(({ pts }) => pts);
  expect([all, some, later].map((made) => made.map(({ time }) => time))).toEqual([
    times,
    times.slice(10),
    times.slice(25),
  ]);
  for (const [first] of [all, some, later]) {
    expect(first!.keyframe).toBe(true);
    expect(first!.parameters).toEqual(all[0]!.parameters);
  }
});

it('tells why pictures cannot be turned, and ends a program that nobody waits for', async () => {
  const slow = join(folder, 'slower');
  writeFileSync(slow, '#!/bin/sh\nexec sleep 60\n', { mode: 0o700 });
  const abort = new AbortController();
  const turned = (program: string) =>
    turnPictures({
      track: vp8[0]!.track,
      to: 'h264',
      samples: vp8,
      first: 0,
      program,
      signal: abort.signal,
    });
  await expect(turned(join(folder, 'nothing'))).rejects.toThrow('is not on the PATH');
  await expect(turned('false')).rejects.toThrow('ffmpeg ended');
  const ending = turned(slow);
  abort.abort(new Error('enough'));
  await expect(ending).rejects.toThrow('enough');
  await expect(turned('ffmpeg')).rejects.toThrow('enough');
});
