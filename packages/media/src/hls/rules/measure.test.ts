import { expect, it } from 'vitest';
import { audioTrack, sampleAt, videoTrack } from '../../../../../test/kit/samples.ts';
import { concatBytes } from '../../bytes/index.ts';
import { chunk, initSegment, parseInit } from '../../isobmff/index.ts';
import type { Track } from '../../model/sample.ts';
import { leadingTrack, type MeasuredMedia, measureFmp4, secondsOf } from './measure.ts';

const VIDEO = videoTrack();
const AUDIO = audioTrack();

/** A chunk of one sample per time in ms; the first is a keyframe if `key`. */
function made(track: Track, times: readonly number[], durationMs: number, key = true): Uint8Array {
  const samples = times.map((ms, i) => sampleAt(track, ms, key && i === 0));
  const ticks = (durationMs * track.timebase) / 1000;
  return chunk({
    track,
    sequence: 1,
    baseDecodeTime: samples[0]!.dts,
    samples,
    durations: times.map(() => ticks),
  });
}

const measured = (track: Track, ...chunks: readonly Uint8Array[]): MeasuredMedia =>
  measureFmp4(concatBytes([...chunks]), parseInit(initSegment(track)));

it('measures chunks that follow one another', () => {
  const media = measured(VIDEO, made(VIDEO, [1000, 1040], 40), made(VIDEO, [1080], 40, false));
  expect(media.tracks).toEqual([
    {
      kind: 'video',
      timebase: 90_000,
      start: 90_000,
      end: 100_800,
      presentation: 90_000,
      frame: 3600,
      samples: 3,
      keyframes: 1,
      startsWithKeyframe: true,
      holes: [],
      slack: 0,
      digest: expect.any(Number),
    },
  ]);
  expect(secondsOf(leadingTrack(media)!)).toBeCloseTo(0.12, 9);
});

it('sees holes and overlaps to the tick, and a start without a keyframe', () => {
  const [late] = measured(VIDEO, made(VIDEO, [0], 40, false), made(VIDEO, [41], 40)).tracks;
  expect(late).toMatchObject({ startsWithKeyframe: false, keyframes: 1, holes: [{ at: 3600, ticks: 90 }] });
  const [early] = measured(AUDIO, made(AUDIO, [0], 20), made(AUDIO, [19], 20)).tracks;
  expect(early).toMatchObject({ kind: 'audio', keyframes: 2, holes: [{ at: 960, ticks: -48 }] });
});

it('tells other bytes from the same length apart', () => {
  const [a] = measured(VIDEO, made(VIDEO, [0, 40], 40)).tracks;
  const [same] = measured(VIDEO, made(VIDEO, [0], 40), made(VIDEO, [40], 40, false)).tracks;
  const [other] = measured(VIDEO, made(VIDEO, [0, 80], 40)).tracks;
  expect(same?.digest).toBe(a?.digest);
  expect(other?.digest).not.toBe(a?.digest);
});

it('has nothing of tracks that are not there', () => {
  expect(measured(AUDIO).tracks).toEqual([]);
  expect(leadingTrack(measured(AUDIO))).toBeUndefined();
});
