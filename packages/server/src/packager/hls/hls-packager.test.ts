import { ticks } from '@onair/media';
import { concatBytes } from '@onair/media/bytes';
import { checkMultivariantPlaylist, type MediaPlaylist, parseMultivariantPlaylist } from '@onair/media/hls';
import { parseChunks, parseInit } from '@onair/media/isobmff';
import { describe, expect, it } from 'vitest';
import { AUDIO, Judge, type SourceShape, setUp, source, VIDEO } from '../../../../../test/kit/hls-source.ts';
import { audioParameters, audioTrack, videoParameters, videoTrack } from '../../../../../test/kit/samples.ts';
import type { HlsPackager } from './hls-packager.ts';

const text = (packager: HlsPackager, name: string, skip = false) =>
  packager.playlist(name, skip ? 'segments' : 'no')?.text;
const msnOf = (uri: string): number => Number(/(\d+)\.m4s$/.exec(uri)?.[1]);

/** Publishes while both playlists are watched. */
function watched(shape: SourceShape, options = {}) {
  const hub = setUp(options);
  const packager = hub.packager();
  const video = new Judge(() => text(packager, 'video'));
  const audio = new Judge(() => text(packager, 'audio'));
  const publication = hub.publish(source(shape), () => {
    video.look();
    audio.look();
  });
  return { ...hub, packager, video, audio, publication };
}

/** What the bytes behind a playlist hold, segment by segment, in ticks. */
function mediaOf(packager: HlsPackager, name: string, playlist: MediaPlaylist) {
  const rendition = packager.rendition(name)!;
  return playlist.segments.map(({ uri, parts }) => {
    const segment = rendition.segment(msnOf(uri))!;
    const samples = parseChunks(segment.bytes).flatMap(({ tracks }) => tracks[0]!.samples);
    const partBytes = parts.map((part) => packager.part(name, msnOf(part.uri)) as Uint8Array);
    return { samples, bytes: segment.bytes, joined: concatBytes(partBytes), parts };
  });
}

describe('HlsPackager', () => {
  it.each<[string, SourceShape]>([
    ['30 fps, keyframes every 2 s', { seconds: 30 }],
    [
      '25 fps, keyframes every second',
      { seconds: 20, fps: 25, gop: 25, video: videoTrack({ ...videoParameters(), frameRate: 25 }) },
    ],
    ['B-frames', { seconds: 20, reorder: 2 }],
    ['every frame a keyframe', { seconds: 20, gop: 1 }],
    ['5 fps', { seconds: 30, fps: 5, gop: 10, video: videoTrack({ ...videoParameters(), frameRate: 5 }) }],
    ['60 fps that tells no rate', { seconds: 20, fps: 60, gop: 120, video: videoTrack() }],
    ['keyframes every 8.3 s', { seconds: 60, gop: 250 }],
    ['keyframes every 1.9 s', { seconds: 30, gop: 57 }],
    ['audio that comes 300 ms early', { seconds: 20, audioLead: 300 }],
    ['audio that comes 300 ms late', { seconds: 20, audioLead: -300 }],
    ['8 kHz audio', { seconds: 20, audio: audioTrack(audioParameters(8000)) }],
    ['44.1 kHz audio', { seconds: 20, audio: audioTrack(audioParameters(44_100)) }],
  ])('breaks no rule with %s', (_, shape) => {
    const { video, audio, faults } = watched(shape);
    expect(faults).toEqual([]);
    expect(video.faults).toEqual([]);
    expect(audio.faults).toEqual([]);
    expect(video.versions.length).toBeGreaterThan(shape.seconds * 2);
    expect(video.last.segments.length).toBeGreaterThanOrEqual(3);
  });

  it.each<[string, SourceShape]>([
    ['plain', { seconds: 20 }],
    ['B-frames', { seconds: 20, reorder: 2 }],
    ['early audio', { seconds: 20, audioLead: 200 }],
  ])('lists what is in the bytes: %s', (_, shape) => {
    const { packager, video, audio } = watched(shape);
    for (const [name, judge, timebase] of [
      ['video', video, 90_000],
      ['audio', audio, 48_000],
    ] as const) {
      let expected: number | undefined;
      for (const [i, { samples, bytes, joined, parts }] of mediaOf(packager, name, judge.last).entries()) {
        const listed = judge.last.segments[i]!;
        const length = samples.reduce((sum, { duration }) => sum + duration, 0);
        expect(listed.duration).toBeCloseTo(length / timebase, 4);
        if (expected !== undefined) expect(samples[0]!.dts).toBe(expected);
        expected = samples[0]!.dts + length;
        if (name === 'video') expect(samples.map(({ keyframe }) => keyframe).indexOf(true)).toBe(0);
        if (parts.length > 0) expect(joined).toEqual(bytes);
      }
    }
  });

  it('aligns audio with video in number, time and date, within one frame', () => {
    for (const shape of [{}, { reorder: 2 }, { audioLead: 250 }, { audioLead: -250 }]) {
      const { video, audio } = watched({ seconds: 20, ...shape });
      const dates = new Map(audio.last.segments.map((segment, i) => [audio.last.mediaSequence + i, segment]));
      let compared = 0;
      for (const [i, segment] of video.last.segments.entries()) {
        const other = dates.get(video.last.mediaSequence + i);
        if (other === undefined) continue;
        compared++;
        const apart = segment.programDateTime! - other.programDateTime!;
        expect(Math.abs(apart), `${JSON.stringify(shape)} segment ${i}`).toBeLessThanOrEqual(22);
      }
      expect(compared).toBeGreaterThanOrEqual(3);
    }
  });

  it('shows the first part within 0.4 s and dates it by the arrival', () => {
    const { clock, packager, publish } = setUp();
    const began = clock.wall();
    let first: number | undefined;
    publish(source({ seconds: 1 }), () => {
      if (first === undefined && packager().playlist('video') !== undefined) first = clock.wall() - began;
    });
    expect(first).toBeLessThanOrEqual(400);
    const judge = new Judge(() => text(packager(), 'video'));
    judge.look();
    expect(Math.abs(judge.last.pending!.programDateTime! - began)).toBeLessThanOrEqual(40);
  });

  it('starts late from the newest keyframe', () => {
    const { packager, publish } = setUp({}, false);
    publish(source({ seconds: 5 }));
    const judge = new Judge(() => text(packager(), 'video'));
    judge.look();
    expect(judge.last.pending!.parts.length).toBe(3);
    expect(judge.last.pending!.parts[0]!.independent).toBe(true);
    expect(judge.faults).toEqual([]);
  });

  it('hints at parts that come true, every one', () => {
    const { video, audio } = watched({ seconds: 12, gop: 50 });
    for (const { versions } of [video, audio]) {
      const hints = versions.map(({ preloadHints }) => preloadHints[0]!.uri);
      const parts = new Set(
        versions.flatMap(({ segments, pending }) =>
          [...segments, pending].flatMap((head) => head?.parts.map(({ uri }) => uri) ?? []),
        ),
      );
      expect(hints.filter((uri) => uri !== hints.at(-1) && !parts.has(uri))).toEqual([]);
    }
  });

  it('reports on the other renditions truly', () => {
    const { packager, video } = watched({ seconds: 9 });
    const progress = packager.rendition('audio')!.progress!;
    video.look();
    expect(video.last.renditionReports).toEqual([
      { uri: 'audio.m3u8', lastMsn: progress.msn, lastPart: progress.part },
    ]);
  });

  it('writes delta updates that give the whole list with what the client has', () => {
    const { packager } = watched({ seconds: 60 }, { windowSegments: 15 });
    const whole = new Judge(() => text(packager, 'video'));
    const delta = new Judge(() => text(packager, 'video', true));
    whole.look();
    delta.look();
    expect(delta.faults).toEqual([]);
    const skipped = delta.last.skip!.skippedSegments;
    expect(skipped).toBeGreaterThan(2);
    expect(delta.last.segments).toEqual(whole.last.segments.slice(skipped));
    expect(delta.last.mediaSequence).toBe(whole.last.mediaSequence);
  });

  it('serves audio alone and video alone', () => {
    for (const [name, shape] of [
      ['audio', { video: undefined }],
      ['video', { audio: undefined }],
    ] as const) {
      const { packager, publish } = setUp();
      const judge = new Judge(() => text(packager(), name));
      publish(source({ seconds: 20, ...shape }), () => judge.look());
      expect(judge.faults).toEqual([]);
      expect(judge.last.segments.length).toBe(7);
      const multivariant = parseMultivariantPlaylist(packager().multivariant('hls/')!.text);
      expect(checkMultivariantPlaylist(multivariant)).toEqual([]);
      expect(multivariant.variants).toHaveLength(1);
      expect(multivariant.variants[0]!.uri).toBe(`hls/${name}.m3u8`);
      expect(multivariant.renditions).toEqual([]);
    }
  });

  it('writes a multivariant playlist with measured figures', () => {
    const { packager } = watched({ seconds: 20, bytes: 1000 });
    const multivariant = parseMultivariantPlaylist(packager.multivariant('hls/')!.text);
    expect(checkMultivariantPlaylist(multivariant)).toEqual([]);
    const [variant] = multivariant.variants;
    expect(variant).toMatchObject({
      codecs: 'avc1.42c01e,mp4a.40.2',
      resolution: { width: 640, height: 360 },
      frameRate: 30,
      audio: 'audio',
      uri: 'hls/video.m3u8',
    });
    expect(multivariant.renditions[0]).toMatchObject({
      uri: 'hls/audio.m3u8',
      default: true,
      language: 'und',
      channels: '2',
    });
    const rendition = packager.rendition('video')!;
    const sound = packager.rendition('audio')!;
    const peak = (of: typeof rendition) =>
      Math.max(...of.window.listed.map(({ bytes, duration }) => (bytes.length * 8e6) / duration));
    expect(variant!.bandwidth).toBeGreaterThanOrEqual(peak(rendition) + peak(sound));
    expect(variant!.bandwidth).toBeLessThan((peak(rendition) + peak(sound)) * 1.1);
    expect(variant!.averageBandwidth).toBeLessThanOrEqual(variant!.bandwidth);
  });
});

describe('a publisher that comes back', () => {
  it.each<[string, number, boolean]>([
    ['after 5 s with the same parameters', 5000, false],
    ['at once with the same parameters', 0, false],
    ['after 5 s with other parameters', 5000, true],
    ['at once with other parameters', 0, true],
  ])('%s', (_, pause, other) => {
    const { packager, video, audio, publication, publish, clock, faults } = watched({ seconds: 7 });
    publication.close('gone');
    video.look();
    audio.look();
    const before = { video: video.last, audio: audio.last };
    expect(before.video.pending).toBeUndefined();
    clock.advance(pause);
    const wider = videoTrack({ ...videoParameters(1280, 720), frameRate: 30 });
    const sound = audioTrack(audioParameters(44_100));
    const shape = other ? { video: wider, audio: sound } : {};
    publish(source({ seconds: 7, from: 123_456, ...shape }), () => {
      video.look();
      audio.look();
    });
    expect(faults).toEqual([]);
    expect(video.faults).toEqual([]);
    expect(audio.faults).toEqual([]);
    for (const [name, judge] of [
      ['video', video],
      ['audio', audio],
    ] as const) {
      const { segments, discontinuitySequence } = judge.last;
      expect(judge.last.mediaSequence).toBeGreaterThanOrEqual(before[name].mediaSequence);
      const cuts = segments.filter(({ discontinuity }) => discontinuity);
      expect(cuts).toHaveLength(1);
      expect(discontinuitySequence).toBe(before[name].discontinuitySequence);
      const maps = new Set(segments.map(({ map }) => map!.uri));
      expect(maps.size).toBe(other ? 2 : 1);
      const file = segments.at(-1)!.map!.uri.split('/')[1]!;
      const init = parseInit(packager.rendition(name)!.init(file)!.bytes);
      expect(init.tracks[0]).toMatchObject(
        name === 'video' ? { width: other ? 1280 : 640 } : { sampleRate: other ? 44_100 : 48_000 },
      );
      const at = segments.indexOf(cuts[0]!);
      const gap =
        cuts[0]!.programDateTime! - segments[at - 1]!.programDateTime! - segments[at - 1]!.duration * 1000;
      expect(Math.abs(gap - pause)).toBeLessThan(100);
    }
  });

  it('lets no part that was hinted at come true behind another init segment', () => {
    const { packager, video, publication, publish } = watched({ seconds: 7 });
    publication.close('gone');
    video.look();
    const hinted = packager.rendition('video')!.hint;
    const states = new Set<string>();
    const wider = videoTrack({ ...videoParameters(1280, 720), frameRate: 30 });
    publish(source({ seconds: 1, video: wider }), () => {
      video.look();
      const state = packager.part('video', hinted);
      const listed = video.last.pending !== undefined;
      states.add(`${listed} ${typeof state === 'string' ? state : 'came'}`);
      expect(packager.rendition('video')!.hint).toBe(listed ? packager.rendition('video')!.nextPart : hinted);
    });
    expect([...states]).toEqual(['false coming', 'true gone']);
    expect(video.last.pending!.parts[0]!.uri).toBe(`video/p${hinted + 1}.m4s`);
    expect(video.faults).toEqual([]);
  });

  it('counts discontinuities that have left', () => {
    const { video, audio, publication, publish, clock } = watched({ seconds: 7 });
    publication.close('gone');
    clock.advance(3000);
    const start = video.last.discontinuitySequence;
    publish(source({ seconds: 30 }), () => {
      video.look();
      audio.look();
    });
    expect(video.faults).toEqual([]);
    expect(video.last.discontinuitySequence).toBe(start + 1);
    expect(audio.last.discontinuitySequence).toBe(start + 1);
  });

  it('ends the list when the window of reconnection closes, and goes on with higher numbers after that', () => {
    const { video, audio, publication, publish, clock, packager } = watched({ seconds: 7 });
    publication.close('gone');
    clock.advance(31_000);
    video.look();
    audio.look();
    expect(video.last.endList && audio.last.endList).toBe(true);
    expect(video.last.preloadHints).toEqual([]);
    expect(video.faults).toEqual([]);
    const last = video.last.mediaSequence + video.last.segments.length - 1;
    publish(source({ seconds: 4 }));
    const again = new Judge(() => text(packager, 'video'));
    again.look();
    expect(again.faults).toEqual([]);
    expect(again.last.endList).toBe(false);
    expect(again.last.mediaSequence).toBeGreaterThan(last);
  });

  it('survives a track that appears and one that goes', () => {
    const { packager, publish, clock, faults } = setUp();
    const audio = new Judge(() => text(packager(), 'audio'));
    const video = new Judge(() => text(packager(), 'video'));
    const look = () => {
      audio.look();
      video.look();
    };
    publish(source({ seconds: 6, video: undefined }), look).close('gone');
    clock.advance(1000);
    publish(source({ seconds: 6 }), look).close('gone');
    clock.advance(1000);
    publish(source({ seconds: 6, video: undefined }), look).close('gone');
    expect(faults).toEqual([]);
    expect(audio.faults).toEqual([]);
    expect(video.faults).toEqual([]);
    expect(audio.last.endList).toBe(false);
    // It may come back: the list goes on without media.
    expect(video.last.endList).toBe(false);
    expect(video.last.segments.at(-1)).toMatchObject({ gap: true, parts: [] });
    expect(video.last.preloadHints).toEqual([]);
    const { segments } = audio.last;
    expect(segments.filter(({ discontinuity }) => discontinuity).length).toBe(2);
  });
});

describe('bounds', () => {
  it('keeps a segment for its duration and the playlist’s, then no longer', () => {
    const { packager, video } = watched({ seconds: 60 });
    const rendition = packager.rendition('video')!;
    const listed = video.last.segments.reduce((sum, { duration }) => sum + duration, 0);
    const first = video.last.mediaSequence;
    const kept = Math.floor((listed + 2) / 2);
    for (let back = 1; back <= kept; back++) expect(rendition.segment(first - back)).toBeDefined();
    expect(rendition.segment(first - kept - 3)).toBeUndefined();
    expect(packager.part('video', rendition.firstPart)).toBe('gone');
    expect(packager.part('video', rendition.nextPart)).toBe('coming');
    expect(packager.part('video', rendition.nextPart + 1)).toBe('unknown');
    expect(packager.part('video', 1)).toBe('unknown');
  });

  it('keeps no more bytes than allowed', () => {
    const { packager } = watched({ seconds: 40, bytes: 20_000 }, { maxBytes: 5_000_000 });
    expect(packager.rendition('video')!.window.bytes).toBeLessThanOrEqual(5_000_000);
  });

  it('cuts a group of pictures without end where the target duration demands it', () => {
    const { packager, video, publication } = watched({ seconds: 40, gop: 100_000 });
    expect(packager.targetDuration).toBe(4);
    expect(video.faults).toEqual([]);
    expect(video.last.segments.every(({ duration }) => duration < 4.5)).toBe(true);
    expect(video.last.segments.at(-1)!.parts[0]!.independent).toBe(false);
    expect(packager.multivariant('')!.text).not.toContain('INDEPENDENT');
    expect(publication.warnings).toMatchObject([{ code: 'KEYFRAMES_RARE' }]);
  });

  it('goes on without a video that has stopped', () => {
    const { packager, video, audio, publication, publish, faults } = watched({ seconds: 5 });
    const more = source({ seconds: 20, video: undefined, from: 5000 }).map((item) => ({
      ...item,
      sample: { ...item.sample, track: AUDIO, dts: ticks(item.sample.dts), pts: ticks(item.sample.pts) },
    }));
    publish(more, () => audio.look(), publication);
    expect(faults).toEqual([]);
    expect(audio.faults.filter((fault) => !/segments left/.test(fault))).toEqual([]);
    const all = source({ seconds: 4, from: 25_000, video: VIDEO });
    publish(all, () => video.look(), publication);
    expect(video.last.segments.some(({ gap }) => gap === true)).toBe(true);
    expect(packager.rendition('video')!.progress!.msn).toBe(packager.rendition('audio')!.progress!.msn);
  });
});
