import type { Sample, Ticks, Track } from '@onair/media';
import fc from 'fast-check';
import { type Announced, AUDIO, source, type Timed, VIDEO } from './hls-source.ts';
import { hex } from './mp4-tracks.ts';
import { accessUnit, audioParameters, audioTrack, videoParameters } from './samples.ts';

const HOUR_MS = 3_600_000;
/** Where the clock of RTMP begins anew, ms. */
export const WRAP_MS = 2 ** 32;
/** The same of MPEG-TS. */
const WRAP_TS_MS = Math.round(2 ** 33 / 90);

/** H.264 and HEVC with parameter sets, so that a transport stream can carry them. */
const PICTURES = {
  h264: { ...videoParameters(), description: hex('0142c01effe10004 6742c01e 010004 68ce3c80') },
  hevc: {
    ...videoParameters(),
    codec: 'hevc',
    codecString: 'hvc1.1.6.L93.B0',
    description: hex(
      '0101600000009000000000005df000fcfdf8f800000f 03 200001000640010c01ffff 2100010006420101016000 22000100044401c172',
    ),
  },
} as const;
/** AAC by its rate. */
const SOUNDS = new Map<number, Track>([
  [48_000, AUDIO],
  [44_100, audioTrack({ ...audioParameters(44_100), description: hex('1210') })],
  [22_050, audioTrack({ ...audioParameters(22_050), description: hex('1390') })],
]);

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
  readonly codec: 'h264' | 'hevc';
  readonly width: number;
  /** ms after which pictures have another size, from their next key frame on; 0 for never. */
  readonly turns: number;
  /** ms after which sound comes at all, and after which none comes, and for how many. */
  readonly soundFrom: number;
  readonly soundHole: readonly [number, number];
  /** How many samples are of the time of the one before: one of so many; 0 for none. */
  readonly doubled: number;
  /** When tracks are told. */
  readonly announced: Announced;
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
  codec: 'h264',
  width: 640,
  turns: 0,
  soundFrom: 0,
  soundHole: [0, 0],
  doubled: 0,
  announced: 'first',
};

/** Something most connections do not have. */
const rare = <T, N>(none: N, arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | N> =>
  fc.oneof({ weight: 5, arbitrary: fc.constant(none) }, { weight: 1, arbitrary });
/** From when on, and for how long, ms. */
const stretch = (max = 8000) => fc.tuple(fc.integer({ min: 0, max: 6000 }), fc.integer({ min: 0, max }));
const NEVER = [0, 0] as const;

/**
 * Any connection: holes, missing key frames, tracks that stand apart, come late or change, clocks that jump and wrap, times
 * that come twice, and connections as short as may be.
 */
export const anyLife = (): fc.Arbitrary<Life> =>
  fc.record({
    fps: fc.constantFrom(15, 25, 30, 60),
    told: fc.boolean(),
    rate: fc.constantFrom(...SOUNDS.keys()),
    gops: fc.array(
      fc.oneof(
        { weight: 20, arbitrary: fc.integer({ min: 5, max: 150 }) },
        { arbitrary: fc.constant(1e6), weight: 1 },
      ),
      { minLength: 1, maxLength: 5 },
    ),
    hole: rare(NEVER, stretch()),
    reorder: fc.integer({ min: 0, max: 3 }),
    late: fc.tuple(fc.integer({ min: -800, max: 1500 }), fc.integer({ min: -3000, max: 6000 })),
    lastsMs: fc.oneof(
      { weight: 4, arbitrary: fc.integer({ min: 500, max: 14_000 }) },
      { weight: 1, arbitrary: fc.integer({ min: 1, max: 700 }) },
    ),
    stops: fc.oneof(
      fc.constant(NEVER),
      fc.tuple(fc.integer({ min: 0, max: 8000 }), fc.constant(0)),
      fc.tuple(fc.constant(0), fc.integer({ min: 0, max: 5000 })),
    ),
    awayMs: fc.oneof(
      { weight: 3, arbitrary: fc.integer({ min: 100, max: 4000 }) },
      { weight: 1, arbitrary: fc.integer({ min: 0, max: 100 }) },
    ),
    from: fc.constantFrom(0, 10 * HOUR_MS, WRAP_MS - 2000, WRAP_TS_MS - 2000),
    jump: rare(
      NEVER,
      fc.tuple(
        fc.oneof(
          fc.constantFrom(10 * HOUR_MS, -9 * HOUR_MS, WRAP_MS, -WRAP_MS, WRAP_TS_MS, -WRAP_TS_MS),
          // One that goes ahead by less than ten seconds is taken for a hole, which takes its time; one that goes back by
          // less than one is made up for picture by picture, which shows some of them too early.
          fc.integer({ min: -12_000, max: -1100 }),
          fc.integer({ min: 0, max: 1500 }),
          fc.integer({ min: 10_100, max: 12_000 }),
        ),
        fc.integer({ min: 0, max: 8000 }),
      ),
    ),
    only: rare(undefined, fc.constantFrom('video' as const, 'audio' as const)),
    codec: rare('h264' as const, fc.constant('hevc' as const)),
    width: fc.constantFrom(640, 1280),
    turns: rare(0, fc.integer({ min: 1, max: 8000 })),
    soundFrom: rare(0, fc.integer({ min: 1, max: 8000 })),
    // Sound that is silent for longer in its first segment keeps DASH without low latency from telling the period.
    soundHole: rare(NEVER, stretch(3000)),
    doubled: rare(0, fc.integer({ min: 2, max: 100 })),
    announced: fc.constantFrom('first' as const, 'promised' as const, 'unpromised' as const),
  });

/** What a connection sends, in the order of arrival. @param number of the connection: each sample is marked with it. */
export function lifeSamples(one: Life, number = 0): Timed[] {
  const { fps, told, rate, gops, reorder, late, lastsMs, stops, from, jump, hole, only, soundHole } = one;
  const parameters = { ...PICTURES[one.codec], width: one.width, ...(told ? { frameRate: fps } : {}) };
  const video: Track = { ...VIDEO, parameters };
  const turned: Track = { ...VIDEO, parameters: { ...parameters, width: 320, height: 180 } };
  const audio = SOUNDS.get(rate)!;
  const keys = new Set<number>();
  for (let at = 0, i = 0; at < 15 * fps; i++) {
    keys.add(at);
    at += gops[i % gops.length]!;
  }
  const slope = Math.max(late[1] - late[0], -lastsMs / 2) / lastsMs;
  // Times before zero cannot be sent.
  const leap = from + jump[0] < 0 ? 0 : jump[0];
  const sounds = { count: 0, last: 0 };
  const pictures = { count: 0, last: 0, track: video };
  /** The source's time in ticks, in this life's clock. */
  const clocked = (at: number, { dts, track }: Sample, kind: { count: number; last: number }): Ticks => {
    const moved = dts + (at < jump[1] ? 0 : Math.round((leap * track.timebase) / 1000));
    const double = one.doubled > 0 && kind.count % one.doubled === one.doubled - 1;
    if (!double) kind.last = moved;
    return kind.last as Ticks;
  };
  return source({
    seconds: lastsMs / 1000,
    fps,
    reorder,
    from,
    video: only === 'audio' ? undefined : video,
    audio: only === 'video' ? undefined : audio,
  })
    .flatMap(({ at, sample }) => {
      if (sample.track !== video) {
        const dts = clocked(at, sample, sounds);
        const data = marked(sample.data, 0, `a${number}.${sounds.count++};`);
        if (at < one.soundFrom || (at > soundHole[0] && at < soundHole[0] + soundHole[1])) return [];
        if (sounds.count > 5 && at >= lastsMs - stops[1]) return [];
        return [{ at, sample: { ...sample, dts, pts: dts, data } }];
      }
      const keyframe = keys.has(pictures.count);
      const dts = clocked(at, sample, pictures);
      const pts = (dts + sample.pts - sample.dts) as Ticks;
      const data = marked(pictureOf(one.codec, keyframe), 6, `v${number}.${pictures.count++};`);
      if (keyframe && one.turns > 0 && at >= one.turns) pictures.track = turned;
      if (at > hole[0] && at < hole[0] + hole[1]) return [];
      const came = at + late[0] + slope * at;
      if (pictures.count > 1 && came >= lastsMs - stops[0]) return [];
      return [
        { at: Math.max(0, came), sample: { ...sample, track: pictures.track, dts, pts, keyframe, data } },
      ];
    })
    .sort((a, b) => a.at - b.at);
}

/** One slice, which no other picture can begin with. */
function pictureOf(codec: Life['codec'], keyframe: boolean): Uint8Array {
  const data = accessUnit(keyframe, 200, 0x5a);
  if (codec === 'hevc') data.set(keyframe ? [0x26, 1] : [2, 1], 4);
  return data;
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
