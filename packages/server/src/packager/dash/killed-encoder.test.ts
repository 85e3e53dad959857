import { checkMpd, compareMpds, fillTemplate, type Mpd, parseMpd } from '@onair/media/dash';
import { parseChunks } from '@onair/media/isobmff';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  anyLife,
  type Life,
  lifeSamples,
  marksIn,
  PLAIN_LIFE,
  WRAP_MS,
} from '../../../../../test/kit/encoder-lives.ts';
import { Judge, setUp } from '../../../../../test/kit/hls-source.ts';
import type { HlsSegment } from '../hls/index.ts';
import { dashPackagerKind } from './dash-packager.ts';
import { DEFAULT_DASH_OPTIONS } from './options.ts';
import { placeOf } from './segments.ts';

/** `ONAIR_LONG=1` goes on for three minutes, with others each time. */
const LONG_MS = process.env.ONAIR_LONG === '1' ? 180_000 : 0;
const RUNS =
  LONG_MS > 0 ? { numRuns: 1_000_000, interruptAfterTimeLimit: LONG_MS } : { numRuns: 15, seed: 1 };
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
  /** Those of every sample that a segment held. */
  const marks = new Set<string>();
  const look = (): void => {
    for (const judge of judges.values()) judge.look();
    for (const seen of manifests) {
      const now = dash.manifest({ base: '', lowLatency: seen.lowLatency })?.body.text;
      if (now === undefined || now === seen.text) continue;
      seen.text = now;
      const mpd = parseMpd(now);
      const before = seen.versions.at(-1);
      for (const { severity, message } of [...checkMpd(mpd), ...(before ? compareMpds(before, mpd) : [])]) {
        if (severity === 'must') faults.add(`MPD ${seen.lowLatency}: ${message}`);
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
          const length = Math.max(...samples.map(({ pts }) => pts)) - t;
          // A hole of half a second or less belongs to the segment before it.
          if (length >= d || d - length > timescale) faults.add(`${where}: lasts ${length}, told ${d}`);
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
      if (follows && Math.round(segment.programDateTime) < Math.round(before.programDateTime))
        faults.add(`${name} ${segment.boundary.msn}: the date goes back`);
      if (proven.has(segment)) continue;
      proven.add(segment);
      const samples = samplesOf(segment);
      for (const mark of marksIn(segment.bytes)) {
        if (marks.has(mark)) faults.add(`${name} ${segment.boundary.msn}: ${mark} comes twice`);
        marks.add(mark);
      }
      if (segment.gap !== (samples.length === 0)) faults.add(`${name}: a gap that is none`);
      if (untoldMs(segment) > 1)
        faults.add(`${name} ${segment.boundary.msn}: ${untoldMs(segment)} ms in no part`);
      const [first] = samples;
      if (first !== undefined && !first.keyframe && segment.independent)
        faults.add(`${name} ${segment.boundary.msn}: begins without key frame`);
    }
  }
  return { ...hub, hubFaults: hub.faults, hls, dash, judges, faults, look };
}

const samplesOf = ({ bytes }: HlsSegment) => parseChunks(bytes).flatMap(({ tracks }) => tracks[0]!.samples);

/** ms of media that are told by no part of a segment: what it lasts longer than they must be a hole. */
function untoldMs(segment: HlsSegment): number {
  const samples = samplesOf(segment);
  let media = 0;
  let longest = 0;
  for (const [at, { dts, duration }] of samples.entries()) {
    media += Math.min(duration, (samples[at + 1]?.dts ?? dts + duration) - dts);
    longest = Math.max(longest, duration);
  }
  let parts = 0;
  for (const { duration } of segment.parts) parts += duration / 1000;
  if (parts >= segment.duration / 1000 - 1) return 0;
  // How long the last one lasts may be a guess.
  return ((media - longest) * 1000) / segment.init.track.timebase - parts;
}

/** Publishes one life after the other. @returns what broke a rule. */
function live(lives: readonly Life[]): string[] {
  const hub = watched();
  for (const [number, one] of lives.entries()) {
    let looked = Number.NEGATIVE_INFINITY;
    const each = (): void => {
      if (hub.clock.now() - looked < LOOK_MS) return;
      looked = hub.clock.now();
      hub.look();
    };
    const publication = hub.publish(lifeSamples(one, number), each, undefined, one.announced);
    hub.look();
    publication.close('gone');
    hub.look();
    hub.clock.advance(one.awayMs);
  }
  hub.clock.advance(120_000);
  hub.look();
  const told = [...hub.judges].flatMap(([name, { faults }]) => faults.map((fault) => `${name}: ${fault}`));
  return [...hub.faults, ...told, ...hub.hubFaults.map(String)];
}

describe('an encoder that is killed and comes back', () => {
  it('wherever its tracks stand, leaves nothing listed that has no media, no date that goes back', {
    timeout: 20_000 + 2 * LONG_MS,
  }, () => {
    fc.assert(
      fc.property(fc.array(anyLife(), { minLength: 1, maxLength: 4 }), (lives) => {
        expect(live(lives)).toEqual([]);
      }),
      RUNS,
    );
  });

  it.each<[string, Partial<Life>, Partial<Life>?]>([
    ['sound that had not come to the last key frame', { lastsMs: 8050, late: [-300, -300] }],
    ['sound that ran on behind the last picture', { lastsMs: 14_000, stops: [6000, 0], gops: [78, 90] }],
    ['pictures that ran on behind the last sound', { lastsMs: 14_000, stops: [0, 6000] }],
    ['pictures ever later than sound', { lastsMs: 12_000, late: [0, 5000] }],
    ['a hole that ends within a group of pictures', { lastsMs: 12_000, hole: [3100, 1500], gops: [90] }],
    ['a hole in front of a key frame', { lastsMs: 12_000, hole: [3100, 860] }],
    ['no key frame for long', { lastsMs: 14_000, gops: [1e6] }],
    ['a clock that jumps ahead no further than a hole may reach', { jump: [6448, 2106] }],
    [
      'a rate that is known in the middle of a part',
      { fps: 15, told: false, gops: [12], hole: [467, 1867], lastsMs: 3001 },
    ],
    ['a picture alone, and sound with a hole', { lastsMs: 3025, stops: [7686, 0], soundHole: [171, 2812] }],
    ['every sixth time twice', { gops: [47, 61, 84], reorder: 1, doubled: 6 }],
    [
      'every eleventh time twice at a high rate',
      { fps: 60, gops: [76, 60, 129, 68, 119], lastsMs: 11_564, doubled: 11 },
    ],
    [
      'sound that rounds to before the first picture',
      { rate: 44_100, late: [1060, 1448], from: WRAP_MS - 2000, announced: 'unpromised' },
    ],
    [
      'hardly a picture, before sound that falls silent at once',
      { lastsMs: 691, stops: [700, 0] },
      { soundHole: [10, 6562] },
    ],
    [
      'times in whole ms that make a part a few µs too long',
      { gops: [5], codec: 'hevc', lastsMs: 500, stops: [333, 0], awayMs: 100, announced: 'first' },
      { told: false, gops: [31, 5], lastsMs: 1568, soundFrom: 1, awayMs: 100, announced: 'first' },
    ],
    [
      'sound alone, before sound that stops and pictures that nobody spoke of',
      { only: 'audio' },
      {
        rate: 22_050,
        lastsMs: 3736,
        late: [1158, -254],
        stops: [0, 5747],
        jump: [36_000_000, 166],
        announced: 'unpromised',
      },
    ],
  ])('with %s: no segment is listed without media', (_, shape, other = { fps: 25, rate: 44_100 }) => {
    expect(live([shape, other].map((one) => ({ ...PLAIN_LIFE, ...one })))).toEqual([]);
  });

  it('whose sound ran on behind its last picture, and that comes back without it: no period moves', () => {
    const shape = { fps: 15, told: false, rate: 44_100, gops: [5], awayMs: 100 } as const;
    expect(
      live([
        { ...PLAIN_LIFE, ...shape, lastsMs: 2717, stops: [2650, 0] },
        { ...PLAIN_LIFE, ...shape, fps: 25, gops: [34], late: [0, 184], lastsMs: 2934, only: 'video' },
      ]),
    ).toEqual([]);
  });
});
