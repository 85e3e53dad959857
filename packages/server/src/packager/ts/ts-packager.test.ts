import type { Track, VideoParameters } from '@onair/media';
import { checkMultivariantPlaylist, parseMediaPlaylist, parseMultivariantPlaylist } from '@onair/media/hls';
import { inspectTs, MAX_CLOCK_STEP, TsInspector, type TsUnit } from '@onair/media/mpegts';
import { describe, expect, it } from 'vitest';
import { Judge, type SourceShape, setUp, source, VIDEO } from '../../../../../test/kit/hls-source.ts';
import { hex, TRACKS } from '../../../../../test/kit/mp4-tracks.ts';
import { audioParameters, audioTrack } from '../../../../../test/kit/samples.ts';
import { cmafPackagerKind } from '../cmaf/index.ts';
import { DEFAULT_HLS_OPTIONS, hlsPackagerKind } from '../hls/index.ts';
import { RELEASE_AFTER_MS, type TsOptions, type TsWaitResult, tsPackagerKind } from './ts-packager.ts';

const H264: Track = {
  ...VIDEO,
  parameters: {
    ...(VIDEO.parameters as VideoParameters),
    description: hex('0142c01effe10004 6742c01e 010004 68ce3c80'),
  },
};

/** Samples whose video can be put into a transport stream. */
const media = (shape: SourceShape) =>
  source({ video: H264, ...shape }).map(({ at, sample }) => {
    if (sample.track.parameters.kind !== 'video') return { at, sample };
    const data = sample.data.slice();
    data.set([0, 0, data.length >> 8, (data.length & 0xff) - 4, sample.keyframe ? 0x65 : 0x41]);
    return { at, sample: { ...sample, data } };
  });

function prepare(options: Partial<TsOptions> = {}) {
  const hub = setUp({}, false);
  const hlsKind = hlsPackagerKind(cmafPackagerKind(), hub.clock, () => DEFAULT_HLS_OPTIONS);
  const kind = tsPackagerKind(hlsKind, hub.clock, () => ({ maxWaiters: 100, ...options }));
  const hls = () => hub.stream.packager(hlsKind);
  const ts = () => hub.stream.packager(kind);
  return { ...hub, hls, ts };
}

const msnOf = (uri: string): number => Number(/(\d+)\.ts$/.exec(uri)?.[1]);

describe('TsPackager', () => {
  it.each<[string, SourceShape]>([
    ['30 fps', { seconds: 12 }],
    ['B-frames', { seconds: 10, reorder: 2 }],
    [
      '5 fps',
      {
        seconds: 12,
        fps: 5,
        gop: 10,
        video: { ...H264, parameters: { ...H264.parameters, frameRate: 5 } as VideoParameters },
      },
    ],
    ['keyframes every 8.3 s', { seconds: 30, gop: 250 }],
    ['audio that comes 300 ms late', { seconds: 10, audioLead: -300 }],
    ['audio that comes 300 ms early', { seconds: 10, audioLead: 300 }],
    [
      '44.1 kHz audio',
      { seconds: 10, audio: audioTrack({ ...audioParameters(44_100), description: hex('1210') }) },
    ],
    ['audio alone', { seconds: 10, video: undefined }],
    ['video alone', { seconds: 10, audio: undefined }],
  ])('breaks no rule and brings what it lists: %s', (_, shape) => {
    const { hls, ts, publish, faults } = prepare();
    hls();
    const judge = new Judge(() => ts().playlist()?.text);
    const segments = new Map<number, Uint8Array>();
    publish(media(shape), () => {
      const before = judge.versions.length;
      judge.look();
      if (judge.versions.length === before) return;
      for (const { uri } of judge.last.segments) {
        const bytes = ts().segment(msnOf(uri)) as Uint8Array;
        const known = segments.get(msnOf(uri));
        if (known !== undefined) expect(bytes).toBe(known);
        segments.set(msnOf(uri), bytes);
      }
    });
    expect(faults).toEqual([]);
    expect(judge.faults).toEqual([]);
    expect(judge.last.version).toBe(3);
    expect(judge.versions.length).toBeGreaterThanOrEqual(shape.seconds / 10);
    const inspector = new TsInspector();
    for (const bytes of segments.values()) inspector.push(bytes);
    const report = inspector.end();
    expect(report.faults).toEqual([]);
    expect(report.clock).toMatchObject({ backwards: 0, discontinuities: 0 });
    expect(report.clock.longestStep).toBeLessThanOrEqual(MAX_CLOCK_STEP * 300);
    const media90 = report.streams[0]!;
    const listed = judge.versions.flatMap((version) =>
      version.segments.map((segment, i) => [version.mediaSequence + i, segment.duration] as const),
    );
    const seconds = [...new Map(listed).values()].reduce((sum, duration) => sum + duration, 0);
    const span = (media90.lastDts! - media90.firstDts!) / 90_000;
    expect(Math.abs(seconds - span)).toBeLessThan(0.3);
    const names = judge.last.segments.map(({ uri }) => uri);
    const fmp4 = parseMediaPlaylist(
      hls().playlist(shape.video === undefined && 'video' in shape ? 'audio' : 'video')!.text,
    );
    const same = fmp4.segments.filter((_segment, i) => names.includes(`s${fmp4.mediaSequence + i}.ts`));
    expect(judge.last.segments.map(({ duration, programDateTime }) => [duration, programDateTime])).toEqual(
      same.map(({ duration, programDateTime }) => [duration, programDateTime]),
    );
  });

  it('tells codecs, size, rate and bandwidth', () => {
    const { hls, ts, publish, clock } = prepare();
    hls();
    publish(media({ seconds: 10 }));
    let body = ts().multivariant('ts/index.m3u8');
    for (let i = 0; i < 10 && body === undefined; i++) {
      clock.advance(1);
      body = ts().multivariant('ts/index.m3u8');
    }
    const playlist = parseMultivariantPlaylist(body!.text);
    expect(checkMultivariantPlaylist(playlist)).toEqual([]);
    expect(playlist.variants).toHaveLength(1);
    expect(playlist.variants[0]).toMatchObject({
      uri: 'ts/index.m3u8',
      codecs: 'avc1.42c01e,mp4a.40.2',
      resolution: { width: 640, height: 360 },
      frameRate: 30,
    });
    const [{ bandwidth, averageBandwidth = 0 } = { bandwidth: 0 }] = playlist.variants;
    expect(bandwidth).toBeGreaterThanOrEqual(averageBandwidth);
    expect(averageBandwidth).toBeGreaterThan((200 * 30 + 60 * 47) * 8);
  });

  it('makes nothing before it is asked, lists the whole window at once, and lets go of it', () => {
    const { hls, ts, publish, clock } = prepare();
    hls();
    publish(media({ seconds: 20 }));
    expect(ts().size).toBe(0);
    const results: TsWaitResult[] = [];
    ts().whenListed((result) => results.push(result));
    clock.advance(0);
    expect(results).toEqual(['ready']);
    const fmp4 = hls().rendition('video')!.window.listed;
    const listed = parseMediaPlaylist(ts().playlist()!.text);
    expect(listed.mediaSequence).toBe(fmp4[0]!.boundary.msn);
    expect(listed.segments.length).toBeGreaterThanOrEqual(fmp4.length - 1);
    expect(ts().size).toBe(listed.segments.length);
    clock.advance(RELEASE_AFTER_MS - 1);
    expect(ts().size).toBeGreaterThan(0);
    clock.advance(2 * RELEASE_AFTER_MS);
    expect(ts().size).toBe(0);
    // An address that somebody kept.
    const [first] = listed.segments;
    expect(ts().segment(msnOf(first!.uri))).toBeInstanceOf(Uint8Array);
    expect(ts().segment(1)).toBe('gone');
    expect(ts().segment(1e15)).toBe('unknown');
  });

  it('lets the first ones wait for a list to begin with, but not for ever and not all of them', () => {
    const { ts, publish, clock } = prepare({ maxWaiters: 2 });
    const results: string[] = [];
    const wait = (name: string) => ts().whenListed((result) => results.push(`${name} ${result}`));
    wait('a');
    wait('b')();
    wait('c');
    wait('d');
    expect(results).toEqual(['d full']);
    clock.advance(60_000);
    expect(results.slice(1).sort()).toEqual(['a late', 'c late']);
    wait('e');
    const publication = publish(media({ seconds: 5 }));
    clock.advance(1);
    // Long after the first request a list of two is better than none.
    expect(results.at(-1)).toBe('e ready');
    clock.advance(3 * RELEASE_AFTER_MS);
    wait('f');
    expect(results.at(-1)).toBe('e ready');
    clock.advance(1);
    expect(ts().size).toBe(2);
    clock.advance(7_000);
    expect(results.at(-1)).toBe('f ready');
    wait('g');
    expect(results.at(-1)).toBe('g ready');
    publication.close('over');
  });

  it('keeps numbers and discontinuities of the fragmented MP4 when the publisher changes', () => {
    const { hls, ts, publish, clock, stream } = prepare();
    hls();
    const judge = new Judge(() => ts().playlist()?.text);
    const inspector = new TsInspector();
    let fed = 0;
    const look = () => {
      judge.look();
      for (const [i, { uri }] of judge.versions.at(-1)?.segments.entries() ?? []) {
        const msn = judge.last.mediaSequence + i;
        if (msn <= fed) continue;
        fed = msn;
        inspector.push(ts().segment(msnOf(uri)) as Uint8Array);
      }
    };
    const first = publish(media({ seconds: 8 }), look);
    first.close('gone');
    look();
    clock.advance(3000);
    const second = publish(media({ seconds: 8 }), look);
    second.close('gone');
    clock.advance(3000);
    const other = audioTrack({ ...audioParameters(44_100), description: hex('1210') });
    publish(media({ seconds: 10, audio: other }), look);
    expect(judge.faults).toEqual([]);
    const report = inspector.end();
    expect(report.faults).toEqual([]);
    expect(report.clock).toMatchObject({ backwards: 0, discontinuities: 2 });
    stream.end('over');
    look();
    expect(judge.last.endList).toBe(true);
    expect(judge.faults).toEqual([]);
    const fmp4 = parseMediaPlaylist(hls().playlist('video')!.text);
    expect(judge.last.discontinuitySequence).toBe(fmp4.discontinuitySequence);
    expect(judge.last.mediaSequence).toBe(fmp4.mediaSequence);
    expect(judge.last.segments.map(({ discontinuity }) => discontinuity)).toEqual(
      fmp4.segments.map(({ discontinuity }) => discontinuity),
    );
  });

  it('names the codec that does not fit, and picks the first audio that does', () => {
    const { ts, publish } = prepare();
    publish(media({ seconds: 4, audio: { ...TRACKS.opus!, id: 2 } }));
    expect(ts().refused).toBe('opus');
    expect(ts().playlist()).toBeUndefined();
    expect(ts().segment(5)).toBe('unknown');
    const two = prepare();
    two.hls();
    const opus = media({ seconds: 10, audio: { ...TRACKS.opus!, id: 2 } });
    const aac = media({ seconds: 10, video: undefined, audio: { ...audioTrack(), id: 3 } });
    two.publish([...opus, ...aac].sort((a, b) => a.at - b.at));
    expect(two.ts().refused).toBeUndefined();
    two.ts().playlist();
    two.clock.advance(1);
    const listed = parseMediaPlaylist(two.ts().playlist()!.text);
    const units: TsUnit[] = [];
    const inspector = new TsInspector((unit) => units.push(unit));
    for (const { uri } of listed.segments) inspector.push(two.ts().segment(msnOf(uri)) as Uint8Array);
    const report = inspector.end();
    expect(report.faults).toEqual([]);
    expect(report.streams.map(({ streamType }) => streamType)).toEqual([0x1b, 0x0f, 0x15]);
  });

  it('refuses video without parameter sets, which it could not be decoded by', () => {
    const { ts, publish, faults } = prepare();
    publish(media({ seconds: 5, video: VIDEO }), () => ts().playlist());
    expect(ts().refused).toBe('h264');
    expect(ts().playlist()).toBeUndefined();
    expect(faults).toEqual([]);
  });

  it('carries the tags of a stream beside the date', () => {
    const tag = hex('494433040000 00000000');
    const hub = prepare({ tags: () => ({ between: (from) => [{ pts: from * 0.09 + 900, tag }] }) });
    hub.hls();
    hub.publish(media({ seconds: 6 }));
    hub.ts().playlist();
    hub.clock.advance(1);
    const [segment] = parseMediaPlaylist(hub.ts().playlist()!.text).segments;
    const bytes = hub.ts().segment(msnOf(segment!.uri)) as Uint8Array;
    expect(inspectTs(bytes).streams[2]).toMatchObject({ streamType: 0x15, units: 2 });
  });
});
