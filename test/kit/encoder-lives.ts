import type { Ticks, Track } from '@onair/media';
import fc from 'fast-check';
import { AUDIO, source, type Timed, VIDEO } from './hls-source.ts';
import { hex } from './mp4-tracks.ts';
import { accessUnit, audioParameters, audioTrack, videoParameters } from './samples.ts';

const HOUR_MS = 3_600_000;
/** Where the clock of RTMP begins anew. */
const WRAP_MS = 2 ** 32;

/** H.264 with parameter sets, so that a transport stream can carry it. */
const H264 = { ...videoParameters(), description: hex('0142c01effe10004 6742c01e 010004 68ce3c80') };
const AAC_44 = { ...audioParameters(44_100), description: hex('1210') };

/** What one connection of an encoder sends. */
export interface Life {
  readonly fps: number;
  /** The track says its rate. */
  readonly told: boolean;
  /** Sound, Hz. */
  readonly rate: number;
  /** Pictures from key frame to key frame, over and over. */
  readonly gops: readonly number[];
  readonly reorder: number;
  /** ms by which pictures come later than sound of their time, at the beginning and at the end. */
  readonly late: readonly [number, number];
  readonly lastsMs: number;
  /** ms that pictures, and sound, end before the connection does. */
  readonly stops: readonly [number, number];
  /** ms until the next one comes. */
  readonly awayMs: number;
  /** ms of source time at the beginning, and the jump of its clock after so much of it. */
  readonly from: number;
  readonly jump: readonly [number, number];
  /** ms after which no pictures come, and for how many. */
  readonly hole: readonly [number, number];
  /** What it announces and sends. */
  readonly only?: 'video' | 'audio' | undefined;
}

/** A connection without anything odd. */
export const PLAIN_LIFE: Life = {
  fps: 30,
  told: true,
  rate: 48_000,
  gops: [60],
  reorder: 0,
  late: [0, 0],
  lastsMs: 8000,
  stops: [0, 0],
  awayMs: 1000,
  from: 0,
  jump: [0, 0],
  hole: [0, 0],
};

/** Any connection: holes, missing key frames, tracks that stand apart, clocks that jump and wrap. */
export const anyLife = (): fc.Arbitrary<Life> =>
  fc.record({
    fps: fc.constantFrom(15, 25, 30, 60),
    told: fc.boolean(),
    rate: fc.constantFrom(44_100, 48_000),
    gops: fc.array(
      fc.oneof(
        { weight: 20, arbitrary: fc.integer({ min: 5, max: 150 }) },
        { arbitrary: fc.constant(1e6), weight: 1 },
      ),
      { minLength: 1, maxLength: 5 },
    ),
    hole: fc.oneof(
      { weight: 3, arbitrary: fc.constant([0, 0] as const) },
      {
        weight: 1,
        arbitrary: fc.tuple(fc.integer({ min: 0, max: 6000 }), fc.integer({ min: 0, max: 8000 })),
      },
    ),
    reorder: fc.integer({ min: 0, max: 3 }),
    late: fc.tuple(fc.integer({ min: -800, max: 1500 }), fc.integer({ min: -800, max: 6000 })),
    lastsMs: fc.integer({ min: 500, max: 14_000 }),
    stops: fc.oneof(
      fc.constant([0, 0] as const),
      fc.tuple(fc.integer({ min: 0, max: 8000 }), fc.constant(0)),
      fc.tuple(fc.constant(0), fc.integer({ min: 0, max: 8000 })),
    ),
    awayMs: fc.integer({ min: 100, max: 4000 }),
    from: fc.constantFrom(0, 10 * HOUR_MS, WRAP_MS - 2000),
    jump: fc.oneof(
      { weight: 3, arbitrary: fc.constant([0, 0] as const) },
      fc.tuple(
        fc.constantFrom(10 * HOUR_MS, -9 * HOUR_MS, WRAP_MS, -WRAP_MS),
        fc.integer({ min: 0, max: 8000 }),
      ),
    ),
    only: fc.oneof(
      { weight: 6, arbitrary: fc.constant(undefined) },
      { weight: 1, arbitrary: fc.constantFrom('video' as const, 'audio' as const) },
    ),
  });

/** What a connection sends, in the order of arrival. @param number of the connection: each sample is marked with it. */
export function lifeSamples(one: Life, number = 0): Timed[] {
  const { fps, told, rate, gops, reorder, late, lastsMs, stops, from, jump, hole, only } = one;
  const video: Track = { ...VIDEO, parameters: told ? { ...H264, frameRate: fps } : H264 };
  const audio = rate === 48_000 ? AUDIO : audioTrack(AAC_44);
  const keys = new Set<number>();
  for (let at = 0, i = 0; at < 15 * fps; i++) {
    keys.add(at);
    at += gops[i % gops.length]!;
  }
  const slope = Math.max(late[1] - late[0], -lastsMs / 2) / lastsMs;
  // Times before zero cannot be sent.
  const leap = from + jump[0] < 0 ? 0 : jump[0];
  let pictures = 0;
  let sounds = 0;
  return source({
    seconds: lastsMs / 1000,
    fps,
    reorder,
    from,
    video: only === 'audio' ? undefined : video,
    audio: only === 'video' ? undefined : audio,
  })
    .flatMap(({ at, sample }) => {
      const ticks = at < jump[1] ? 0 : Math.round((leap * sample.track.timebase) / 1000);
      const [dts, pts] = [sample.dts + ticks, sample.pts + ticks];
      const moved = { ...sample, dts: dts as Ticks, pts: pts as Ticks };
      if (sample.track !== video) {
        const data = marked(sample.data, 0, `a${number}.${sounds++};`);
        return at < 100 || at < lastsMs - stops[1] ? [{ at, sample: { ...moved, data } }] : [];
      }
      const keyframe = keys.has(pictures);
      const data = marked(accessUnit(keyframe, 200, 0x5a), 5, `v${number}.${pictures++};`);
      if (at > hole[0] && at < hole[0] + hole[1]) return [];
      const came = at + late[0] + slope * at;
      return pictures === 1 || came < lastsMs - stops[0]
        ? [{ at: Math.max(0, came), sample: { ...moved, keyframe, data } }]
        : [];
    })
    .sort((a, b) => a.at - b.at);
}

/** The marks of the samples in some bytes, in order: `v0.17` is the eighteenth picture of the first connection. */
export function marksIn(bytes: Uint8Array): string[] {
  return [
    ...Buffer.from(bytes)
      .toString('latin1')
      .matchAll(/([va]\d+\.\d+);/g),
  ].map((found) => found[1]!);
}

function marked(data: Uint8Array, at: number, mark: string): Uint8Array {
  data.set(Buffer.from(mark, 'latin1'), at);
  return data;
}
