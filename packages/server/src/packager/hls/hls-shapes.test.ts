import { ticks } from '@onair/media';
import {
  checkMediaPlaylist,
  checkMultivariantPlaylist,
  parseMediaPlaylist,
  parseMultivariantPlaylist,
} from '@onair/media/hls';
import { parseChunks } from '@onair/media/isobmff';
import { describe, expect, it } from 'vitest';
import { FLAC, Judge, setUp, source, type Timed, VIDEO } from '../../../../../test/kit/hls-source.ts';
import { videoParameters, videoTrack } from '../../../../../test/kit/samples.ts';
import type { HlsPackager } from './hls-packager.ts';
import type { HlsOptions } from './options.ts';

const SMALL = { ...videoTrack({ ...videoParameters(320, 180), frameRate: 30 }), id: 5 };

/** The same pictures in another quality; `shift` ms later, keyframes `off` frames later. */
function quality(samples: readonly Timed[], off = 0): Timed[] {
  const videos = samples.filter(({ sample }) => sample.track === VIDEO);
  return videos.map(({ at, sample }, i) => ({
    at: at + 0.1,
    sample: {
      ...sample,
      track: SMALL,
      keyframe: i === 0 || videos[i - off]?.sample.keyframe === true,
      data: sample.data.subarray(0, 80),
    },
  }));
}

function mix(...parts: readonly (readonly Timed[])[]): Timed[] {
  return parts.flat().sort((a, b) => a.at - b.at);
}

/** Publishes while the playlists are watched. */
function watch(samples: readonly Timed[], names: readonly string[], options: Partial<HlsOptions> = {}) {
  const hub = setUp(options);
  const packager = hub.packager();
  const judges = new Map(names.map((name) => [name, new Judge(() => packager.playlist(name)?.text)]));
  const publication = hub.publish(samples, () => {
    for (const judge of judges.values()) judge.look();
  });
  const faults = (): string[] => [...judges.values()].flatMap((judge) => judge.faults);
  return { ...hub, packager, judge: (name: string) => judges.get(name)!, faultsSeen: faults, publication };
}

/** Keyframe flags of the first sample of each segment listed. */
function startsOf(packager: HlsPackager, name: string): boolean[] {
  return packager
    .rendition(name)!
    .window.listed.map(({ bytes }) => parseChunks(bytes)[0]!.tracks[0]!.samples[0]!.keyframe);
}

/** Video frames at the given times (ms), with keyframes where `key` says. */
function frames(times: readonly number[], key: (i: number) => boolean): Timed[] {
  const track = videoTrack();
  return times.map((ms, i) => ({
    at: ms,
    sample: {
      track,
      dts: ticks(ms * 90),
      pts: ticks(ms * 90),
      duration: undefined,
      keyframe: key(i),
      data: new Uint8Array(300).fill(i),
    },
  }));
}

describe('pictures that come late', () => {
  /** Pictures fall behind as with an encoder that is too slow, and catch up. */
  const late = (lagMs: number, gop: number): Timed[] =>
    source({ seconds: 30, gop })
      .map(({ at, sample }) => {
        const lag = sample.track === VIDEO ? lagMs * Math.sin((Math.PI * at) / 30_000) : 0;
        return { at: at + lag, sample };
      })
      .sort((a, b) => a.at - b.at);

  it.each([
    [3_000, 150],
    [9_000, 300],
    [6_000, 100_000],
  ])('by %i ms, with a key frame each %i, leave no segment without media and never go back', (lagMs, gop) => {
    const { packager, judge, faultsSeen } = watch(late(lagMs, gop), ['video', 'audio']);
    expect(faultsSeen()).toEqual([]);
    for (const name of ['video', 'audio']) {
      const { listed } = packager.rendition(name)!.window;
      expect(listed.length).toBeGreaterThan(2);
      expect(judge(name).versions.flatMap(({ segments }) => segments.filter(({ gap }) => gap))).toEqual([]);
      const dates = listed.map(({ programDateTime }) => programDateTime);
      expect(dates).toEqual([...dates].sort((a, b) => a - b));
    }
  });
});

describe('several qualities', () => {
  it('are variants with one audio group, cut at the same places, reporting on each other', () => {
    const samples = source({ seconds: 20 });
    const { packager, judge, faultsSeen } = watch(mix(samples, quality(samples)), [
      'video',
      'video-5',
      'audio',
    ]);
    expect(faultsSeen()).toEqual([]);
    const multivariant = parseMultivariantPlaylist(packager.multivariant('hls/')!.text);
    expect(checkMultivariantPlaylist(multivariant)).toEqual([]);
    expect(
      multivariant.variants.map(({ uri, resolution, audio }) => [uri, resolution?.width, audio]),
    ).toEqual([
      ['hls/video.m3u8', 640, 'audio'],
      ['hls/video-5.m3u8', 320, 'audio'],
    ]);
    const reports = judge('audio').last.renditionReports;
    expect(reports.map(({ uri }) => uri)).toEqual(['video.m3u8', 'video-5.m3u8']);
    const [high, low] = [judge('video').last, judge('video-5').last];
    expect(low.segments.map(({ duration }) => duration)).toEqual(
      high.segments.map(({ duration }) => duration),
    );
    expect(low.segments.map(({ programDateTime }) => programDateTime)).toEqual(
      high.segments.map(({ programDateTime }) => programDateTime),
    );
    expect(startsOf(packager, 'video-5').every(Boolean)).toBe(true);
  });

  it('begin each segment with a keyframe of their own, however the other’s lie', () => {
    for (const off of [1, 7, 29, 59]) {
      const samples = source({ seconds: 20 });
      const { packager, faults, judge } = watch(mix(samples, quality(samples, off)), ['video', 'video-5']);
      expect(faults).toEqual([]);
      expect(startsOf(packager, 'video').every(Boolean)).toBe(true);
      expect(startsOf(packager, 'video-5').every(Boolean)).toBe(true);
      const [high, low] = [judge('video').last, judge('video-5').last];
      expect(
        Math.abs(low.mediaSequence + low.segments.length - high.mediaSequence - high.segments.length),
      ).toBeLessThan(2);
      expect(packager.multivariant('')!.text).toContain('INDEPENDENT');
    }
  });
});

describe('keyframes', () => {
  it('that never come again: parts go on, segments stay bounded, nothing is claimed, the publisher is told', () => {
    const { packager, judge, faultsSeen, publication } = watch(source({ seconds: 60, gop: 1e6 }), [
      'video',
      'audio',
    ]);
    expect(faultsSeen()).toEqual([]);
    expect(packager.multivariant('')!.text).not.toContain('EXT-X-INDEPENDENT-SEGMENTS');
    expect(judge('video').versions.every(({ independentSegments }) => !independentSegments)).toBe(true);
    expect(
      judge('video').last.segments.every(({ duration, parts }) => duration <= 4.5 && parts.length !== 1),
    ).toBe(true);
    expect(publication.warnings.map(({ code }) => code)).toEqual(['KEYFRAMES_RARE']);
    expect(publication.warnings[0]!.text).toContain('key frame interval of 2 s');
  });

  it('of an encoder that sets them where it likes: the target leaves room, and every segment begins with one', () => {
    // Scene cuts, with the largest interval of x264's defaults.
    const cuts = new Set([0, 101, 171, 371, 391, 641, 891, 930, 1180, 1430, 1500]);
    const hub = setUp();
    const samples = source({ seconds: 55, gop: 1e6 }).map((timed, _, all) => {
      const { sample } = timed;
      if (sample.track !== VIDEO) return timed;
      const i = all.filter(({ at, sample: other }) => other.track === VIDEO && at < timed.at).length;
      return { ...timed, sample: { ...sample, keyframe: cuts.has(i) } };
    });
    const judge = new Judge(() =>
      hub.packager().rendition('video')?.window.listed.length === 0
        ? undefined
        : hub.packager().playlist('video')?.text,
    );
    const publication = hub.publish(samples, () => judge.look());
    expect(judge.faults).toEqual([]);
    expect(judge.last.targetDuration).toBe(10);
    expect(startsOf(hub.packager(), 'video').every(Boolean)).toBe(true);
    expect(publication.warnings).toEqual([]);
  });

  it.each([
    ['every 2 s, the first after 0.56 s', [0, 17, 77, 137, 197, 257, 317, 377, 437]],
    ['every 2 s, one more that was asked for', [0, 60, 120, 140, 200, 260, 320, 380, 440]],
    ['every 2 s, one more in between', [0, 60, 120, 140, 180, 240, 300, 360, 420]],
    [
      'every second, the first after 0.9 s',
      [0, 27, 57, 87, 117, 147, 177, 207, 237, 267, 297, 327, 357, 387, 417, 447],
    ],
  ])('%s: the target duration stays as wished, and every segment begins with one', (_, keys) => {
    const hub = setUp();
    const all = source({ seconds: 15, gop: 1e6 });
    const pictures = all.filter(({ sample }) => sample.track === VIDEO);
    const samples = all.map((timed) => {
      const keyframe = timed.sample.track !== VIDEO || keys.includes(pictures.indexOf(timed));
      return { ...timed, sample: { ...timed.sample, keyframe } };
    });
    for (const early of [false, true]) {
      const { packager, publish, faults } = early ? setUp() : hub;
      let waits = early;
      publish(samples, () => {
        if (!waits || packager().rendition('video') === undefined) return;
        waits = false;
        packager().whenListed('video', false, () => packager().playlist('video'));
      });
      const playlist = parseMediaPlaylist(packager().playlist('video')!.text);
      expect(playlist.targetDuration).toBe(2);
      expect(checkMediaPlaylist(playlist)).toEqual([]);
      expect(startsOf(packager(), 'video').every(Boolean)).toBe(true);
      expect(faults).toEqual([]);
    }
  });

  it.each([
    ['every second', 30, 2],
    ['every 2 s', 60, 2],
    ['every 4 s', 120, 4],
    ['every 10 s', 300, 10],
  ])('%s: the target duration is what segments need', (_, gop, target) => {
    const hub = setUp();
    hub.publish(source({ seconds: 25, gop }));
    const playlist = parseMediaPlaylist(hub.packager().playlist('video')!.text);
    expect(playlist.targetDuration).toBe(target);
    expect(checkMediaPlaylist(playlist)).toEqual([]);
    expect(startsOf(hub.packager(), 'video').every(Boolean)).toBe(true);
  });
});

describe('pictures that stop for a while', () => {
  it.each([
    ['2 s, keyframes every 2 s', 2000, 60, true],
    ['5 s, keyframes every second', 5000, 30, true],
    ['12 s, keyframes every 10 s', 12_000, 300, true],
    ['5 s, without sound', 5000, 60, false],
    ['12 s at no constant rate', 12_000, 60, true, videoTrack()],
  ])('for %s: no segment is longer than was promised', (_, hole, gop, sound, video = VIDEO) => {
    const all = source({ seconds: 34, gop, video, ...(sound ? {} : { audio: undefined }) });
    const shown = all.filter(
      ({ at, sample }) => sample.track !== video || at < 12_500 || at >= 12_500 + hole,
    );
    const names = sound ? ['video', 'audio'] : ['video'];
    const { faultsSeen, faults, judge } = watch(shown, names);
    expect(faults).toEqual([]);
    expect(faultsSeen().filter((fault) => /target duration/.test(fault))).toEqual([]);
    for (const name of names) {
      expect(new Set(judge(name).versions.map(({ targetDuration }) => targetDuration)).size).toBe(1);
    }
  });
});

describe('the first playlist of a rendition', () => {
  it('waits until it lists as much as that of the pictures, for a while', () => {
    const { publish, packager, faults } = setUp();
    const all = source({ seconds: 7 });
    const isLate = ({ at, sample }: Timed): boolean => sample.track !== VIDEO && at > 2_500;
    const publication = publish(all.filter((one) => !isLate(one)).filter(({ at }) => at < 5_000));
    const told: string[] = [];
    packager().whenListed('video', false, () => told.push('video'));
    packager().whenListed('audio', false, () => told.push('audio'));
    expect(told).toEqual(['video']);
    for (const { sample } of all.filter((one) => isLate(one) && one.at < 5_000)) publication.push(sample);
    expect(told).toEqual(['video', 'audio']);
    expect(faults).toEqual([]);
  });
});

describe('frame rates', () => {
  it('that vary keep parts and segments within their limits', () => {
    const times: number[] = [];
    for (let ms = 0; ms < 40_000; ms += [16, 33, 100, 40, 250, 17, 66][times.length % 7]!) times.push(ms);
    const { judge, faultsSeen, faults } = watch(
      frames(times, (i) => i === 0 || Math.floor(times[i]! / 2000) !== Math.floor(times[i - 1]! / 2000)),
      ['video'],
    );
    expect(faults).toEqual([]);
    // A part must not exceed its target, however long its last frame lasts; the segment tells the truth.
    expect(faultsSeen().filter((fault) => !/its parts/.test(fault))).toEqual([]);
    const { segments } = judge('video').last;
    expect(segments.length).toBeGreaterThanOrEqual(7);
    for (const { duration, parts } of segments.slice(-2)) {
      const sum = parts.reduce((total, part) => total + part.duration, 0);
      expect(duration - sum).toBeGreaterThanOrEqual(-0.001);
      expect(duration - sum).toBeLessThan(0.25);
    }
  });

  it.each([24_000 / 1001, 60, 60_000 / 1001, 50, 15])('of %s have exact durations and parts', (fps) => {
    const video = videoTrack(videoParameters());
    const samples = source({ seconds: 20, fps, gop: Math.round(fps * 2), video });
    const { judge, faultsSeen } = watch(samples, ['video', 'audio']);
    expect(faultsSeen()).toEqual([]);
    const { segments } = judge('video').last;
    for (const { duration } of segments.slice(-4)) {
      expect(Math.abs(duration - Math.round(fps * 2) / fps)).toBeLessThan(0.001);
    }
  });
});

describe('a publisher that vanishes', () => {
  it('behind a keyframe that its sound had not come to: the hole is told, and dates go on', () => {
    // There is no silence of this codec that could stand there.
    const { packager, judge, publication, faultsSeen } = watch(
      source({ seconds: 8.05, audio: FLAC }).filter(({ at, sample }) => sample.track === VIDEO || at < 7930),
      ['video', 'audio'],
    );
    publication.close('gone');
    judge('audio').look();
    judge('video').look();
    expect(faultsSeen()).toEqual([]);
    expect(judge('audio').last.segments.at(-1)!.gap).toBe(true);
    const ends = ['video', 'audio'].map((name) => packager.rendition(name)!.window.listed.at(-1)!.end);
    expect(Math.abs(ends[0]! - ends[1]!)).toBeLessThan(1500);
  });
});

describe('date ranges', () => {
  it('stand in every playlist, leave with their time, and are left out of delta updates that may', () => {
    const { packager, publish, clock } = setUp({ windowSegments: 12 });
    const first = source({ seconds: 40 });
    const at = (until: number, from: number) =>
      first.filter(({ at }) => at >= from * 1000 && at < until * 1000);
    const publication = publish(at(20, 0));
    const { dateRanges } = packager();
    const start = packager().dateOf(18_000_000)!;
    expect(Math.abs(start - clock.wall() + 2000)).toBeLessThan(60);
    const attributes = new Map([['X-TEXT', '"日本語 🎥"']]);
    dateRanges.set({ id: 'old', class: 'note', startDate: start, duration: 1, client: attributes });
    for (const { at: when, sample } of at(38, 20)) {
      clock.advance(Math.max(0, when + 1000 - clock.now()));
      publication.push(sample);
    }
    dateRanges.set({ id: 'new', startDate: packager().dateOf(38_000_000), client: new Map() });
    const whole = parseMediaPlaylist(packager().playlist('audio')!.text);
    expect(whole.dateRanges.map(({ id }) => id)).toEqual(['old', 'new']);
    expect(whole.dateRanges[0]!.client.get('X-TEXT')).toBe('"日本語 🎥"');
    expect([whole.version, whole.serverControl?.canSkipDateRanges]).toEqual([10, true]);
    expect(checkMediaPlaylist(whole)).toEqual([]);
    const delta = parseMediaPlaylist(packager().playlist('video', 'v2')!.text);
    expect(delta.skip).toMatchObject({ recentlyRemovedDateRanges: [] });
    expect(delta.dateRanges.map(({ id }) => id)).toEqual(['new']);
    expect(checkMediaPlaylist(delta)).toEqual([]);
    const v1 = parseMediaPlaylist(packager().playlist('video', 'segments')!.text);
    expect(v1.dateRanges.map(({ id }) => id)).toEqual(['old', 'new']);
    expect(v1.skip).toEqual({ skippedSegments: delta.skip!.skippedSegments });
    publish(source({ seconds: 14, from: 38_000 }), undefined, publication);
    const later = parseMediaPlaylist(packager().playlist('video', 'v2')!.text);
    expect(later.skip?.recentlyRemovedDateRanges).toEqual(['old']);
    expect(parseMediaPlaylist(packager().playlist('video')!.text).dateRanges.map(({ id }) => id)).toEqual([
      'new',
    ]);
  });
});

describe('rates that are told', () => {
  it('are within 10 % of the measured peak, and change only when they must', () => {
    const { packager, publish } = setUp();
    const told: number[] = [];
    const off: number[] = [];
    const samples = source({ seconds: 40, audio: undefined }).map((timed, i) => ({
      ...timed,
      // A keyframe of 40 kB, and frames that vary by a tenth.
      sample: {
        ...timed.sample,
        data: new Uint8Array(timed.sample.keyframe ? 40_000 : 2000 + ((i * 37) % 200)),
      },
    }));
    publish(samples, () => {
      const body = packager().multivariant('');
      if (body === undefined) return;
      const [variant] = parseMultivariantPlaylist(body.text).variants;
      if (told.at(-1) !== variant!.bandwidth) told.push(variant!.bandwidth);
      const { listed } = packager().rendition('video')!.window;
      if (listed.length === 0) return;
      const peak = Math.max(...listed.map(({ bytes, duration }) => (bytes.length * 8e6) / duration));
      off.push(variant!.bandwidth / peak);
    });
    expect(Math.min(...off)).toBeGreaterThanOrEqual(1);
    expect(Math.max(...off)).toBeLessThanOrEqual(1.1);
    // Before the first segment ends it is estimated, and not by the size of a keyframe in 0.3 s.
    expect(Math.max(...told) / Math.min(...told)).toBeLessThan(1.5);
    expect(new Set(told.slice(-3)).size).toBe(Math.min(3, told.length));
  });
});
