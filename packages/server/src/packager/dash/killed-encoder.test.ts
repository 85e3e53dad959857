import type { Ticks, Track } from '@onair/media';
import { checkMpd, compareMpds, fillTemplate, type Mpd, parseMpd } from '@onair/media/dash';
import { parseChunks } from '@onair/media/isobmff';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Judge, setUp, source, type Timed, VIDEO } from '../../../../../test/kit/hls-source.ts';
import { audioParameters, audioTrack, videoParameters, videoTrack } from '../../../../../test/kit/samples.ts';
import type { HlsSegment } from '../hls/index.ts';
import { dashPackagerKind } from './dash-packager.ts';
import { DEFAULT_DASH_OPTIONS } from './options.ts';
import { placeOf } from './segments.ts';

/** Many more of them, and others each time. */
const LONG = process.env.ONAIR_LONG === '1';
/** Segments of encoders that set too few keyframes; how far back one can go across several lives. */
const LEFT_ALONE = /point of type 0|left too early/;
/** A hole is told by the date of what comes after it; a rate that changes untold, by parts of other lengths. */
const HOLE = /the next date is|PART-TARGET|its parts/;
const HOUR_MS = 3_600_000;
/** Where the clock of RTMP begins anew. */
const WRAP_MS = 2 ** 32;
/** How often the playlists are looked at, ms of the clock. */
const LOOK_MS = 170;

/** Everything that serves one stream, and who watches it. */
function watched() {
  const hub = setUp();
  const kind = dashPackagerKind(hub.kinds.hls, hub.kinds.cmaf, hub.clock, () => DEFAULT_DASH_OPTIONS);
  const hls = hub.packager();
  const dash = hub.stream.packager(kind);
  const judges = new Map(['video', 'audio'].map((name) => [name, new Judge(() => hls.playlist(name)?.text)]));
  const manifests = [true, false].map((lowLatency) => {
    const versions: Mpd[] = [];
    let text: string | undefined;
    return { lowLatency, versions, text };
  });
  const faults = new Set<string>();
  /** Segments that were compared with what is told of them. */
  const proven = new Set<HlsSegment>();
  const look = (): void => {
    for (const judge of judges.values()) judge.look();
    for (const seen of manifests) {
      const now = dash.manifest({ base: '', lowLatency: seen.lowLatency })?.body.text;
      if (now === undefined || now === seen.text) continue;
      seen.text = now;
      const mpd = parseMpd(now);
      const before = seen.versions.at(-1);
      for (const { severity, message } of [...checkMpd(mpd), ...(before ? compareMpds(before, mpd) : [])]) {
        if (severity === 'must' && !LEFT_ALONE.test(message))
          faults.add(`MPD ${seen.lowLatency}: ${message}`);
      }
      seen.versions.push(mpd);
      proveManifest(mpd, seen.lowLatency);
    }
    for (const name of judges.keys()) proveWindow(name);
  };

  /** Every segment that a manifest lists has samples, from where it says and for as long as it says. */
  function proveManifest(mpd: Mpd, lowLatency: boolean): void {
    for (const { id: period, adaptationSets } of mpd.periods) {
      for (const { id, segmentTemplate } of adaptationSets.flatMap((set) => set.representations)) {
        const { timeline, timescale, media } = segmentTemplate;
        for (const [i, { t, d }] of timeline.entries()) {
          const where = `MPD ${lowLatency} ${period}/${id} ${t}`;
          const state = dash.segment(
            id,
            placeOf(fillTemplate(media, { representationId: id, time: t }).split('/').at(-1)!)!,
          );
          if (state.kind === 'growing' && lowLatency && i === timeline.length - 1) continue;
          if (state.kind !== 'whole') {
            faults.add(`${where}: is ${state.kind}`);
            continue;
          }
          if (proven.has(state.segment)) continue;
          const samples = samplesOf(state.segment);
          if (samples.length === 0) {
            faults.add(`${where}: no sample`);
            continue;
          }
          if (Math.min(...samples.map(({ pts }) => pts)) !== t) faults.add(`${where}: begins elsewhere`);
          const last = samples.at(-1)!;
          const length = last.dts + last.duration - samples[0]!.dts;
          // A hole of half a second or less belongs to the segment before it.
          if (length > d + timescale / 5 || d - length > timescale / 2)
            faults.add(`${where}: lasts ${length}, told ${d}`);
        }
      }
    }
  }

  /** What is listed begins as it must, and follows on what is before it. */
  function proveWindow(name: string): void {
    const { listed } = hls.rendition(name)?.window ?? { listed: [] };
    for (const [i, segment] of listed.entries()) {
      const before = listed[i - 1];
      // Another life may have begun with what is older than its connection.
      const follows = before !== undefined && !segment.boundary.discontinuity;
      if (follows && segment.programDateTime <= before.programDateTime)
        faults.add(`${name} ${segment.boundary.msn}: the date goes back`);
      if (proven.has(segment)) continue;
      proven.add(segment);
      const samples = samplesOf(segment);
      if (segment.gap !== (samples.length === 0)) faults.add(`${name}: a gap that is none`);
      const [first] = samples;
      if (first !== undefined && !first.keyframe && segment.independent)
        faults.add(`${name} ${segment.boundary.msn}: begins without key frame`);
    }
  }
  return { ...hub, hubFaults: hub.faults, hls, dash, judges, faults, look };
}

const samplesOf = ({ bytes }: HlsSegment) => parseChunks(bytes).flatMap(({ tracks }) => tracks[0]!.samples);

/** What one connection of the encoder sends. */
interface Life {
  readonly fps: number;
  readonly told: boolean;
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
}

const life = (): fc.Arbitrary<Life> =>
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
  });

function samples({ fps, told, rate, gops, reorder, late, lastsMs, stops, from, jump, hole }: Life): Timed[] {
  const video: Track = told
    ? { ...VIDEO, parameters: { ...videoParameters(), frameRate: fps } }
    : videoTrack();
  const audio = rate === 48_000 ? audioTrack() : audioTrack(audioParameters(rate));
  const keys = new Set<number>();
  for (let at = 0, i = 0; at < 15 * fps; i++) {
    keys.add(at);
    at += gops[i % gops.length]!;
  }
  const slope = Math.max(late[1] - late[0], -lastsMs / 2) / lastsMs;
  // Times before zero cannot be sent.
  const leap = from + jump[0] < 0 ? 0 : jump[0];
  let n = 0;
  return source({ seconds: lastsMs / 1000, fps, reorder, video, audio, from })
    .flatMap(({ at, sample }) => {
      const ticks = at < jump[1] ? 0 : Math.round((leap * sample.track.timebase) / 1000);
      const [dts, pts] = [sample.dts + ticks, sample.pts + ticks];
      const moved = { ...sample, dts: dts as Ticks, pts: pts as Ticks };
      if (sample.track !== video) return at < 100 || at < lastsMs - stops[1] ? [{ at, sample: moved }] : [];
      const keyframe = keys.has(n++);
      if (at > hole[0] && at < hole[0] + hole[1]) return [];
      const came = at + late[0] + slope * at;
      return n === 1 || came < lastsMs - stops[0]
        ? [{ at: Math.max(0, came), sample: { ...moved, keyframe } }]
        : [];
    })
    .sort((a, b) => a.at - b.at);
}

/** Publishes one life after the other. @returns what broke a rule. */
function live(lives: readonly Life[]): string[] {
  const hub = watched();
  for (const one of lives) {
    let looked = Number.NEGATIVE_INFINITY;
    const publication = hub.publish(samples(one), () => {
      if (hub.clock.now() - looked < LOOK_MS) return;
      looked = hub.clock.now();
      hub.look();
    });
    hub.look();
    publication.close('gone');
    hub.look();
    hub.clock.advance(one.awayMs);
  }
  hub.clock.advance(120_000);
  hub.look();
  const told = [...hub.judges].flatMap(([name, { faults }]) => faults.map((fault) => `${name}: ${fault}`));
  return [...hub.faults, ...told.filter((fault) => !HOLE.test(fault)), ...hub.hubFaults.map(String)];
}

describe('an encoder that is killed and comes back', () => {
  it('wherever its tracks stand, leaves nothing listed that has no media, no date that goes back', () => {
    fc.assert(
      fc.property(fc.array(life(), { minLength: 1, maxLength: 3 }), (lives) => {
        expect(live(lives)).toEqual([]);
      }),
      LONG ? { numRuns: 1000 } : { numRuns: 25, seed: 1 },
    );
  });

  const plain: Life = {
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

  it.each<[string, Partial<Life>]>([
    ['sound that had not come to the last key frame', { lastsMs: 8050, late: [-300, -300] }],
    ['sound that ran on behind the last picture', { lastsMs: 14_000, stops: [6000, 0], gops: [78, 90] }],
    ['pictures that ran on behind the last sound', { lastsMs: 14_000, stops: [0, 6000] }],
    ['pictures ever later than sound', { lastsMs: 12_000, late: [0, 5000] }],
  ])('with %s: DASH lists no segment without media', (_, shape) => {
    const other = { ...plain, fps: 25, rate: 44_100 };
    expect(live([{ ...plain, ...shape }, other])).toEqual([]);
  });
});
