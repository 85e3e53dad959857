import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Sample, type Track, ticks } from '@onair/media';
import { parseMediaPlaylist } from '@onair/media/hls';
import { chunk, parseChunks, parseInit, progressiveHeader } from '@onair/media/isobmff';
import { afterAll, expect, it } from 'vitest';
import {
  accessUnit,
  audioTrack,
  programme,
  videoParameters,
  videoTrack,
} from '../../../../test/kit/samples.ts';
import { Scope } from '../../../../test/kit/scope.ts';
import type { RecordingView, RunSegment, RunView } from '../record/index.ts';
import { recordingPlaylist } from './playlist.ts';
import { type PictureTurner, TurnedRuns } from './turned-runs.ts';

const scope = new Scope();
afterAll(() => scope.close());
const folder = scope.tempDir('onair-turned-');
const never = new Promise<void>(() => {});
const vp8 = videoTrack({
  ...videoParameters(),
  codec: 'vp8',
  codecString: 'vp8',
  description: new Uint8Array(0),
});
const h264 = videoParameters();
const audio = audioTrack();
/** A program in place of ffmpeg: it has the encoder. */
const program = join(folder, 'ffmpeg');
writeFileSync(program, '#!/bin/sh\necho libx264\n', { mode: 0o700 });

let runs = 0;
/** Six seconds in three segments, of which the second begins with no key frame, and a fourth of sound alone. */
function recorded(video: Track = vp8): RunView {
  const path = join(folder, `${++runs}.mp4`);
  const init = progressiveHeader([video, audio]);
  writeFileSync(path, init);
  let size = init.length;
  const segments: RunSegment[] = [];
  const write = (samples: readonly Sample[], independent: boolean): void => {
    const start = size;
    for (const sample of samples) {
      const duration = sample.track === video ? 3600 : 1024;
      const bytes = chunk({
        track: sample.track,
        sequence: size,
        baseDecodeTime: sample.dts,
        samples: [sample],
        durations: [duration],
      });
      appendFileSync(path, bytes);
      size += bytes.length;
    }
    segments.push({ start, end: size, time: segments.length * 2e6, duration: 2e6, independent });
  };
  for (const at of [0, 1, 2])
    write([...programme(video, audio, 2, at === 1 ? 500 : 50, at * 2000)], at !== 1);
  write(
    [...programme(video, audio, 1, 25, 6000)].filter(({ track }) => track === audio),
    false,
  );
  return { path, initBytes: init.length, size, wallMs: 0, segments, events: [] };
}

class FakeTurner implements PictureTurner {
  program: string | undefined = program;
  readonly batches: { readonly samples: number; readonly first: number }[] = [];
  /** Times that are not shown. */
  readonly hidden = new Set<number>();
  fault: Error | undefined;
  turn: PictureTurner['turn'] = async ({ samples, first }) => {
    this.batches.push({ samples: samples.length, first });
    if (this.fault !== undefined) throw this.fault;
    return samples
      .slice(first)
      .filter(({ pts }) => !this.hidden.has(pts))
      .map(({ pts }, i) => ({
        parameters: h264,
        keyframe: i === 0,
        time: pts,
        data: accessUnit(i === 0, 20, 7),
      }));
  };
}

function setUp() {
  const turner = new FakeTurner();
  const turned = new TurnedRuns(turner);
  return { turner, turned };
}

const samplesOf = (bytes: Uint8Array, id: number) =>
  parseChunks(bytes)
    .flatMap(({ tracks }) => tracks)
    .filter(({ trackId }) => trackId === id)
    .flatMap(({ samples }) => samples);
const bytesOf = (bytes: Uint8Array, id: number) => samplesOf(bytes, id).map(({ data }) => Buffer.from(data));
const times = (bytes: Uint8Array, id: number) =>
  samplesOf(bytes, id).map(({ dts, pts, duration }) => [dts, pts, duration]);

it('puts H.264 in place of VP8 and leaves times, sound and the rest as they are', async () => {
  const { turned, turner } = setUp();
  const run = recorded();
  expect(await turned.among([run, recorded(videoTrack())])).toEqual([true, false]);
  const recording = { id: 'r', finished: true, runs: [run] } as unknown as RecordingView;
  // Each of its own encoder: that of VP8 which begins with no key frame does now.
  for (const now of [true, false])
    expect(parseMediaPlaylist(recordingPlaylist(recording, [now])!).independentSegments).toBe(now);
  const header = parseInit(await turned.read(run, undefined, never));
  expect(header.tracks.map(({ codec, trackId }) => [codec, trackId])).toEqual([
    ['h264', 1],
    ['aac', 2],
  ]);
  expect(header.tracks[0]!.description).toEqual(h264.description);
  for (const [number, keys] of [1, 1, 1, 0].entries()) {
    const bytes = await turned.read(run, number, never);
    const { start, end } = run.segments[number]!;
    const before = readFileSync(run.path).subarray(start, end);
    for (const track of [1, 2]) expect(times(bytes, track)).toEqual(times(before, track));
    expect(bytesOf(bytes, 2)).toEqual(bytesOf(before, 2));
    const pictures = samplesOf(bytes, 1);
    expect(pictures.filter(({ keyframe }) => keyframe)).toHaveLength(keys);
    for (const { data } of pictures) expect(data.length).toBe(20);
  }
  // The header needs the first segment; the second one is led to from the first one's key frame; the last has no picture.
  expect(turner.batches).toEqual([
    { samples: 50, first: 0 },
    { samples: 100, first: 50 },
    { samples: 50, first: 0 },
  ]);
});

it('lets the picture before one that is not shown last longer', async () => {
  const { turned, turner } = setUp();
  for (const at of [0, 5, 6, 49]) turner.hidden.add(ticks(at * 3600));
  const pictures = samplesOf(await turned.read(recorded(), 0, never), 1);
  expect(pictures).toHaveLength(46);
  expect(pictures[0]).toMatchObject({ dts: 3600, duration: 3600 });
  expect(pictures.find(({ dts }) => dts === 4 * 3600)).toMatchObject({ duration: 3 * 3600 });
  expect(pictures.at(-1)).toMatchObject({ dts: 48 * 3600, duration: 2 * 3600 });
});

it('turns nothing that players take, nothing without a program, and tells why it failed', async () => {
  const { turned, turner } = setUp();
  const film = recorded(videoTrack());
  await expect(turned.read(film, 0, never)).rejects.toMatchObject({ status: 404 });
  const run = recorded();
  turner.fault = new Error('ffmpeg ended');
  await expect(turned.read(run, 0, never)).rejects.toThrow('ffmpeg ended');
  turner.fault = undefined;
  for (let at = 0; at < 50; at++) turner.hidden.add(ticks(at * 3600));
  await expect(turned.read(run, 0, never)).rejects.toThrow('no picture');
  turner.program = join(folder, 'nothing');
  expect(await turned.among([run])).toEqual([false]);
  await expect(turned.read(run, 0, never)).rejects.toMatchObject({ status: 404 });

  turner.program = program;
  expect(await turned.among([{ ...run, path: join(folder, 'gone.mp4') }])).toEqual([false]);
  turned.close();
  await expect(turned.read(run, 0, never)).rejects.toMatchObject({ code: 'OVERLOADED' });
});
