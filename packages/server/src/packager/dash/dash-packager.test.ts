import { type Track, ticks } from '@onair/media';
import {
  checkMpd,
  compareMpds,
  fillTemplate,
  type Mpd,
  parseMpd,
  type Representation,
  type SegmentTemplate,
} from '@onair/media/dash';
import { parseChunks, parseInit } from '@onair/media/isobmff';
import { describe, expect, it } from 'vitest';
import { AUDIO, type SourceShape, setUp, source, VIDEO } from '../../../../../test/kit/hls-source.ts';
import { audioParameters, audioTrack, videoParameters, videoTrack } from '../../../../../test/kit/samples.ts';
import type { HlsOptions } from '../hls/index.ts';
import { type DashPackager, dashPackagerKind } from './dash-packager.ts';
import { DEFAULT_DASH_OPTIONS } from './options.ts';
import { placeOf, type SegmentPlace } from './segments.ts';

const rated = (frameRate: number): Track => videoTrack({ ...videoParameters(), frameRate });

/** A hub with DASH, and a judge who looks at every version of the manifest. */
function watched(options: Partial<HlsOptions> = {}, lowLatency = true) {
  const hub = setUp(options);
  const kind = dashPackagerKind(hub.kinds.hls, hub.kinds.cmaf, hub.clock, () => DEFAULT_DASH_OPTIONS);
  const dash = hub.stream.packager(kind);
  const broken = new Set<string>();
  const versions: Mpd[] = [];
  let text: string | undefined;
  const look = (): void => {
    const now = dash.manifest({ base: 'dash/', lowLatency })?.body.text;
    if (now === undefined || now === text) return;
    text = now;
    const mpd = parseMpd(now);
    const before = versions.at(-1);
    for (const { message } of [...checkMpd(mpd), ...(before === undefined ? [] : compareMpds(before, mpd))]) {
      broken.add(message);
    }
    versions.push(mpd);
  };
  return {
    ...hub,
    dash,
    look,
    broken,
    versions,
    get last(): Mpd {
      return versions.at(-1)!;
    },
  };
}

const representations = (mpd: Mpd, period = 0): Representation[] =>
  mpd.periods[period]!.adaptationSets.flatMap((set) => set.representations);

const placeIn = ({ media }: SegmentTemplate, time: number): SegmentPlace =>
  placeOf(fillTemplate(media.split('/').at(-1)!, { representationId: '', time }))!;

/** Compares the finished segments of a representation with their bytes; the places of their samples. */
function proveSegments(dash: DashPackager, { id, segmentTemplate }: Representation) {
  const { timeline, timescale } = segmentTemplate;
  const sound: { t: number; end: number }[] = [];
  for (const { t, d } of timeline) {
    const state = dash.segment(id, placeIn(segmentTemplate, t));
    if (state.kind !== 'whole') continue;
    const samples = parseChunks(state.segment.bytes).flatMap(({ tracks }) => tracks[0]!.samples);
    const first = samples[0]!;
    expect(first.pts).toBe(t);
    expect(first.keyframe).toBe(true);
    expect(Math.min(...samples.map(({ pts }) => pts))).toBe(t);
    expect(samples.reduce((sum, { duration }) => sum + duration, 0)).toBe(d);
    expect(parseInit(state.segment.init.bytes).tracks[0]!.timebase).toBe(timescale);
    sound.push({ t, end: t + d });
  }
  return sound;
}

describe('DashPackager', () => {
  it.each<[string, SourceShape]>([
    ['30 fps, keyframes every 2 s', { seconds: 30 }],
    ['keyframes every second', { seconds: 20, fps: 25, gop: 25, video: rated(25) }],
    ['keyframes every 10 s', { seconds: 60, gop: 300 }],
    ['B-frames', { seconds: 20, reorder: 2 }],
    ['23.976 fps', { seconds: 30, fps: 24000 / 1001, gop: 48, video: rated(24000 / 1001) }],
    ['60 fps that tells no rate', { seconds: 20, fps: 60, gop: 120, video: videoTrack() }],
    ['keyframes every 1.9 s', { seconds: 30, gop: 57 }],
    ['audio that comes 300 ms early', { seconds: 20, audioLead: 300 }],
    ['audio that comes 300 ms late', { seconds: 20, audioLead: -300 }],
    ['44.1 kHz audio', { seconds: 20, audio: audioTrack(audioParameters(44_100)) }],
    ['no audio', { seconds: 20, audio: undefined }],
    ['no video', { seconds: 20, video: undefined }],
  ])('breaks no rule and is exact to the tick with %s', (_, shape) => {
    for (const lowLatency of [true, false]) {
      const hub = watched({}, lowLatency);
      hub.publish(source(shape), hub.look);
      expect(hub.faults).toEqual([]);
      expect([...hub.broken]).toEqual([]);
      expect(hub.last.type).toBe('dynamic');
      expect(hub.last.periods).toHaveLength(1);
      const has = { video: VIDEO, audio: AUDIO, ...shape };
      const names = (['video', 'audio'] as const).filter((name) => has[name] !== undefined);
      expect(representations(hub.last).map(({ id }) => id)).toEqual(names);
      for (const representation of representations(hub.last)) {
        const places = proveSegments(hub.dash, representation);
        expect(places.length).toBeGreaterThanOrEqual(4);
        for (const [i, { t }] of places.entries()) if (i > 0) expect(t).toBe(places[i - 1]!.end);
        const { timeline, availabilityTimeComplete } = representation.segmentTemplate;
        expect(timeline.length - places.length).toBe(lowLatency ? 1 : 0);
        expect(availabilityTimeComplete).toBe(lowLatency ? false : undefined);
      }
    }
  });

  it.each<[string, Partial<SourceShape>]>([
    ['30 fps', { reorder: 2 }],
    [
      '25 fps and 44.1 kHz',
      { fps: 25, gop: 25, video: rated(25), audio: audioTrack(audioParameters(44_100)) },
    ],
    ['23.976 fps', { fps: 24000 / 1001, gop: 48, video: rated(24000 / 1001) }],
    ['audio that comes 300 ms late', { audioLead: -300 }],
    ['no video', { video: undefined }],
  ])('tells of every segment from the first the length it gets with %s', (_, shape) => {
    const hub = watched();
    hub.publish(source({ seconds: 20, ...shape }), hub.look);
    const told = new Map<string, number[]>();
    for (const { id, segmentTemplate } of hub.versions.flatMap((mpd) => representations(mpd))) {
      for (const { t, d } of segmentTemplate.timeline) {
        const place = `${id} ${t}`;
        told.set(place, [...(told.get(place) ?? []), d]);
      }
    }
    expect(told.size).toBeGreaterThan(8);
    // Of the first nothing is known, and where sound is cut is known once it was.
    const wrong = [...told].filter(([, lengths]) => new Set(lengths).size > 1).map(([place]) => place);
    expect(wrong.filter((place) => !/^\w+ 0$/.test(place)).length).toBeLessThanOrEqual(1);
    for (const place of wrong) {
      const lengths = told.get(place)!;
      expect(lengths[0]! - lengths.at(-1)!, place).toBeLessThanOrEqual(1024);
    }
  });

  it('never tells of sound that it ends sooner than it does, where its times are rounded as those of the pictures', () => {
    const hub = watched();
    const rounded = source({ seconds: 24, from: 1000, fps: 25, gop: 50, video: rated(25) }).map(
      ({ at, sample }) => {
        if (sample.track !== AUDIO) return { at: at + 0.5, sample };
        // A third of a millisecond early, told a keyframe's millisecond, and sent behind it.
        const dts = ticks(sample.dts - 16);
        return { at: Math.round(at - 1 / 3) + 0.6, sample: { ...sample, dts, pts: dts } };
      },
    );
    hub.publish(rounded, hub.look);
    const told = new Map<number, number[]>();
    for (const mpd of hub.versions) {
      for (const { t, d } of representations(mpd)[1]?.segmentTemplate.timeline ?? []) {
        told.set(t, [...(told.get(t) ?? []), d]);
      }
    }
    const [, ...known] = [...told].sort(([a], [b]) => a - b);
    expect(known.length).toBeGreaterThan(8);
    for (const [place, lengths] of known) {
      expect(Math.min(...lengths), `${place}`).toBe(lengths.at(-1));
      expect(Math.max(...lengths) - lengths.at(-1)!, `${place}`).toBeLessThanOrEqual(1024);
    }
  });

  it('places the presentation on the wall clock of what arrived with the least delay', () => {
    const hub = watched();
    const begun = hub.clock.wall();
    // The first second comes at once, as encoders do that have waited for a connection.
    const early = source({ seconds: 10 }).map(({ at, sample }) => ({ at: Math.max(0, at - 1000), sample }));
    hub.publish(early, () => hub.clock.wall() > begun + 500 && hub.look());
    const { availabilityStartTime, periods } = hub.last;
    const offset = availabilityStartTime! + periods[0]!.start * 1000 - begun;
    expect(offset).toBeGreaterThan(-1001);
    expect(offset).toBeLessThan(-900);
    const [time] = periods[0]!.adaptationSets[0]!.producerReferenceTimes;
    expect(time!.wallClockTime).toBeCloseTo(availabilityStartTime! + periods[0]!.start * 1000, -1);
  });

  it('begins a period when the publisher comes back, with the same parameters or others', () => {
    const hub = watched();
    const first = hub.publish(source({ seconds: 8 }), hub.look);
    first.close('gone');
    hub.clock.advance(3000);
    hub.look();
    const second = hub.publish(source({ seconds: 6 }), hub.look);
    second.close('gone');
    hub.clock.advance(500);
    const wide = videoTrack({ ...videoParameters(1280, 720), frameRate: 30 });
    hub.publish(source({ seconds: 5, video: wide, audio: AUDIO }), hub.look);
    expect([...hub.broken]).toEqual([]);
    const { periods } = hub.last;
    expect(periods).toHaveLength(3);
    expect(new Set(periods.map(({ id }) => id)).size).toBe(3);
    // 8 s of media, 3 s of nothing; then 6 s and half a second.
    expect(periods[1]!.start - periods[0]!.start).toBeCloseTo(11, 1);
    expect(periods[2]!.start - periods[1]!.start).toBeCloseTo(6.5, 1);
    expect(periods.map(({ duration }) => duration)).toEqual([undefined, undefined, undefined]);
    expect(periods.map(({ adaptationSets }) => adaptationSets[0]!.representations[0]!.width)).toEqual([
      640, 640, 1280,
    ]);
    for (const [i] of periods.entries()) {
      for (const representation of representations(hub.last, i)) {
        const { timeline, presentationTimeOffset, timescale } = representation.segmentTemplate;
        // The window has left the beginning of the first behind.
        if (i > 0) expect(Math.abs(timeline[0]!.t - presentationTimeOffset) / timescale).toBeLessThan(0.03);
        proveSegments(hub.dash, representation);
      }
    }
    const inits = periods.map(
      ({ adaptationSets }) => adaptationSets[0]!.representations[0]!.segmentTemplate.initialization,
    );
    expect(inits[0]).toBe(inits[1]);
    expect(inits[2]).not.toBe(inits[0]);
  });

  it('becomes static at the end, and dynamic again when the stream returns', () => {
    const hub = watched();
    hub.publish(source({ seconds: 9 }), hub.look).close('done');
    hub.clock.advance(120_000);
    hub.look();
    expect(hub.stream.state).toBe('ended');
    const over = hub.last;
    expect(over.type).toBe('static');
    expect(over.mediaPresentationDuration).toBeCloseTo(over.periods[0]!.start + 9, 1);
    expect(representations(over)[0]!.segmentTemplate.timeline).toHaveLength(5);
    hub.publish(source({ seconds: 5 }), hub.look);
    expect([...hub.broken]).toEqual([]);
    expect(hub.last.type).toBe('dynamic');
    expect(hub.last.availabilityStartTime).toBe(over.availabilityStartTime);
    expect(hub.last.periods).toHaveLength(1);
    expect(hub.last.periods[0]!.start).toBeGreaterThan(120);
  });

  it('hides a small hole and shows a large one', () => {
    const hub = watched();
    const all = source({ seconds: 20 });
    const lost = (from: number, to: number) => (entry: (typeof all)[number]) =>
      entry.sample.track !== AUDIO || entry.at < from || entry.at >= to;
    hub.publish(all.filter(lost(5900, 6100)).filter(lost(9500, 10_400)), hub.look);
    const sound = representations(hub.last)[1]!.segmentTemplate.timeline;
    const holes = sound.flatMap(({ t }, i) => (i > 0 && t > sound[i - 1]!.t + sound[i - 1]!.d ? [t] : []));
    expect(holes).toHaveLength(1);
    expect([...hub.broken].filter((message) => !message.includes('a hole of'))).toEqual([]);
  });

  it('knows which segments are whole, growing, coming, gone and unknown', () => {
    const hub = watched();
    hub.publish(source({ seconds: 60 }), hub.look);
    const { segmentTemplate } = representations(hub.last)[0]!;
    const { t, d } = segmentTemplate.timeline.at(-1)!;
    const kinds = [t - d, t, t + d, t + 2 * d, 0].map(
      (time) => hub.dash.segment('video', placeIn(segmentTemplate, time)).kind,
    );
    expect(kinds).toEqual(['whole', 'growing', 'coming', 'unknown', 'gone']);
    expect(hub.dash.segment('video', { init: 'i1.mp4', time: t }).kind).toBe('gone');
    expect(hub.dash.segment('video', { init: 'i999999999999.mp4', time: t }).kind).toBe('unknown');
    expect(hub.dash.segment('subtitles', placeIn(segmentTemplate, t)).kind).toBe('unknown');
  });

  it('lets requests wait for the first manifest, so many and so long', async () => {
    const hub = setUp();
    const kind = dashPackagerKind(hub.kinds.hls, hub.kinds.cmaf, hub.clock, () => ({
      ...DEFAULT_DASH_OPTIONS,
      maxWaiters: 2,
    }));
    const dash = hub.stream.packager(kind);
    const ready = (): boolean => dash.manifest({ base: '', lowLatency: true }) !== undefined;
    const gone = new AbortController();
    const waits = [dash.wait(ready, gone.signal), dash.wait(ready, new AbortController().signal)];
    expect(await dash.wait(ready, new AbortController().signal)).toBe('full');
    gone.abort();
    expect(await waits[0]).toBe('cancelled');
    hub.publish(source({ seconds: 1 }));
    expect(await waits[1]).toBe('ready');
    expect(dash.waiting).toBe(0);
    const late = dash.wait(() => false, new AbortController().signal);
    hub.clock.advance(dash.patienceMs);
    expect(await late).toBe('late');
    expect(await dash.wait(ready, AbortSignal.abort())).toBe('ready');
  });

  it('renders once per change', () => {
    const hub = watched();
    hub.publish(source({ seconds: 9 }));
    const wish = { base: 'dash/', lowLatency: true };
    const one = hub.dash.manifest(wish);
    expect(hub.dash.manifest({ ...wish })).toBe(one);
    const other = hub.dash.manifest({ ...wish, base: '../d/dash/' });
    expect(other?.tag).not.toBe(one?.tag);
  });
});
