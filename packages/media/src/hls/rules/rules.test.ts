import { describe, expect, it } from 'vitest';
import { answer, measuredRendition, measuredSegment, second } from '../../../../../test/kit/hls-measured.ts';
import { live, MULTIVARIANT, part, segment } from '../../../../../test/kit/playlists.ts';
import { tsSegments, withoutClock } from '../../../../../test/kit/ts-segments.ts';
import { checkMediaPlaylist, checkMultivariantPlaylist } from '../check.ts';
import { comparePlaylists } from '../compare.ts';
import type { MediaPlaylist, MultivariantPlaylist } from '../model.ts';
import { writeMediaPlaylist } from '../write.ts';
import {
  checkCaching,
  checkGone,
  checkMediaAnswer,
  checkPlaylistAnswer,
  checkProbe,
  checkReloaded,
  checkSharedAnswer,
  checkTransport,
} from './answers.ts';
import { checkHintAnswer, checkHinted } from './check-hint.ts';
import { checkPartContent, checkPartMedia, checkSegmentMedia, checkSequence } from './check-media.ts';
import { checkPresentation } from './check-presentation.ts';
import { checkDelta, checkDeltaBefore, checkReports } from './check-reports.ts';
import { checkPace, checkRemoved, checkWindow, removedSegments } from './check-timing.ts';
import { checkTransportStream } from './measure-mpegts.ts';
import { type Fault, HLS_RULES, type HlsRule } from './rule.ts';

const good = live(7, 12, 2);
const control = good.serverControl!;
const text = writeMediaPlaylist(good);
const media = {
  headers: new Map([
    ['content-type', 'video/mp4'],
    ['cache-control', 'max-age=9999'],
  ]),
};
const VIDEO = measuredRendition('video');
const AUDIO = measuredRendition('audio');
/** What `VIDEO` and `AUDIO` are: 800 and 80 kbit/s, 30 frames per second. */
const MULTI: MultivariantPlaylist = {
  ...MULTIVARIANT,
  variants: [{ ...MULTIVARIANT.variants[0]!, bandwidth: 880_000, averageBandwidth: 880_000, frameRate: 30 }],
};
const [variant] = MULTI.variants;
/** A louder first second than the others. */
const PEAKED = VIDEO.segments.map((item) =>
  item.msn === 7 ? { ...item, media: { ...item.media!, bytes: 180_000 } } : item,
);
/** The peak lies before what was measured, or was forgotten by it. */
const LOUD: MultivariantPlaylist = { ...MULTI, variants: [{ ...variant!, bandwidth: 1_500_000 }] };
const shown = (change: Partial<NonNullable<typeof variant>>): Fault[] =>
  checkPresentation({ ...MULTI, variants: [{ ...variant!, ...change }] }, [VIDEO, AUDIO]);
const seen = (playlist: MediaPlaylist, answeredMs: number, askedMs = answeredMs - 10) => ({
  playlist,
  askedMs,
  answeredMs,
});
const OTHER = '../audio/media.m3u8';
const own = { url: 'own', seen: [seen(good, 1000)] };
const same = (uri: string): string => uri;
const longer = live(7, 18, 1);
const delta = { ...longer, skip: { skippedSegments: 8 }, segments: longer.segments.slice(8) };
const [removed] = removedSegments(good, live(8, 12, 0), 5000);

/** For each rule what breaks it, and it alone; by what is broken. */
const BROKEN: Readonly<Record<HlsRule, Readonly<Record<string, () => Fault[]>>>> = {
  text: {
    'a byte order mark': () => checkPlaylistAnswer(answer({ text: `\ufeff${text}` })).faults,
    'a tag twice': () => checkPlaylistAnswer(answer({ text: `${text}#EXT-X-TARGETDURATION:1\n` })).faults,
    'both kinds': () =>
      checkPlaylistAnswer(answer({ text: `${text}#EXT-X-STREAM-INF:BANDWIDTH=1\na.m3u8\n` })).faults,
    'a number behind the first segment': () =>
      checkPlaylistAnswer(answer({ text: text.replace(/(#EXT-X-MEDIA-SEQUENCE:.*\n)([\s\S]*)/, '$2$1') }))
        .faults,
  },
  'media-type': {
    'the x- type of a playlist': () =>
      checkPlaylistAnswer(answer({ text, headers: new Map([['content-type', 'application/x-mpegURL']]) }))
        .faults,
    'a segment without a type': () =>
      checkMediaAnswer(answer({ headers: new Map([...media.headers, ['content-type', '']]) }), 'fmp4'),
    'fMP4 for MPEG-TS': () => checkMediaAnswer(answer(media), 'mpegts'),
  },
  gzip: {
    'a plain playlist': () =>
      checkPlaylistAnswer(answer({ text, headers: new Map([['content-encoding', 'identity']]) })).faults,
  },
  'target-duration': {
    'EXTINF above it': () =>
      checkMediaPlaylist({
        ...live(7, 6, 0),
        segments: live(7, 6, 0).segments.map((item, i) =>
          i === 0 ? { ...item, duration: 1.5, programDateTime: undefined } : item,
        ),
      }),
    'media above it': () =>
      checkSegmentMedia(segment(1, false, { duration: 1.5 }), second('video', 1, { end: 225_000 }), 1),
    'one that changes': () => comparePlaylists(live(7, 12, 2), { ...live(8, 12, 2), targetDuration: 2 }),
  },
  version: {
    'below the tags': () => checkMediaPlaylist({ ...good, version: 5 }),
    'a multivariant one below the others': () =>
      checkPresentation(MULTI, [measuredRendition('video', { version: 10 }), AUDIO]),
  },
  variants: {
    'no CODECS': () =>
      checkMultivariantPlaylist({ ...MULTI, variants: [{ ...variant!, codecs: undefined }] }),
    'no RESOLUTION': () =>
      checkMultivariantPlaylist({ ...MULTI, variants: [{ ...variant!, resolution: undefined }] }),
    'no FRAME-RATE': () =>
      checkMultivariantPlaylist({ ...MULTI, variants: [{ ...variant!, frameRate: undefined }] }),
    'no independent segments': () => checkMultivariantPlaylist({ ...MULTI, independentSegments: false }),
    'no LANGUAGE': () =>
      checkMultivariantPlaylist({
        ...MULTI,
        renditions: MULTI.renditions.map((item) => ({ ...item, language: undefined })),
      }),
    'a false codec': () => shown({ codecs: 'avc1.64001f,opus' }),
    'a false size': () => shown({ resolution: { width: 1280, height: 721 } }),
    'a false frame rate': () => shown({ frameRate: 29.5 }),
  },
  bandwidth: {
    'too high a peak': () => shown({ bandwidth: 970_000 }),
    'too low a peak': () => shown({ bandwidth: 790_000 }),
    'a peak that is listed and was forgotten': () =>
      checkPresentation({ ...MULTI, variants: [{ ...variant!, averageBandwidth: 987_000 }] }, [
        measuredRendition('video', { segments: PEAKED }),
        AUDIO,
      ]),
    'a false average': () => shown({ averageBandwidth: 700_000 }),
    'no average': () => shown({ averageBandwidth: undefined }),
  },
  'keyframe-at-start': {
    'another picture first': () =>
      checkSegmentMedia(segment(1, false), second('video', 1, { startsWithKeyframe: false }), 1),
  },
  status: {
    'a listed segment': () => checkMediaAnswer(answer({ status: 404 }), 'fmp4'),
    'a playlist': () => checkPlaylistAnswer(answer({ status: 500 })).faults,
    'what never was': () => checkGone(answer({ status: 200 })),
  },
  'segment-duration': {
    '2 ms off': () => checkSegmentMedia(segment(1, false, { duration: 1.002 }), second('video', 1), 1),
    'no media': () => checkSegmentMedia(segment(1, false), { bytes: 0, tracks: [] }, 1),
  },
  continuity: {
    'a tick between segments': () =>
      checkSequence([measuredSegment('video', 1), measuredSegment('video', 2, { start: 180_001 })]),
    'an overlap': () =>
      checkSequence([measuredSegment('audio', 1), measuredSegment('audio', 2, { start: 95_999 })]),
    'a hole inside': () =>
      checkSegmentMedia(segment(1, false), second('video', 1, { holes: [{ at: 5, ticks: 1 }] }), 1),
  },
  'start-together': {
    'sound and picture in one file': () => {
      const { bytes, tracks } = second('video', 1);
      const [sound] = second('audio', 1, { presentation: 48_000 - 1025 }).tracks;
      return checkSegmentMedia(segment(1, false), { bytes, tracks: [...tracks, sound!] }, 1);
    },
    'sound a frame and a tick late': () => {
      const late = measuredSegment('audio', 7, { presentation: 7 * 48_000 + 1025 });
      const date = late.segment.programDateTime! + 1025 / 48;
      const segments = [{ ...late, segment: { ...late.segment, programDateTime: date } }];
      const short = measuredRendition('audio', { segments, init: undefined });
      return checkPresentation({ ...MULTI, variants: [] }, [VIDEO, short]);
    },
  },
  update: {
    'a changed duration': () => {
      const [first, ...rest] = live(8, 12, 2).segments;
      return comparePlaylists(good, {
        ...live(8, 12, 2),
        segments: [{ ...first!, duration: 0.99 }, ...rest],
      });
    },
    'a segment that left at the end': () =>
      comparePlaylists(live(7, 12, 0), {
        ...live(7, 12, 0),
        segments: live(7, 12, 0).segments.slice(0, -1),
        pending: undefined,
      }),
  },
  sequence: {
    'a number that goes back': () => comparePlaylists(live(8, 12, 0), live(7, 13, 0)),
    'a discontinuity that is counted though none left': () =>
      comparePlaylists(good, { ...live(8, 12, 0), discontinuitySequence: 1 }),
  },
  window: {
    'a segment that leaves too early': () => comparePlaylists(live(7, 3, 0), live(8, 2, 0)),
    'a short list of a long stream': () => checkWindow('v', live(7, 2, 2), 60),
  },
  pace: {
    'a segment that is late': () =>
      checkPace('v', [seen(good, 0), seen(live(7, 12, 3), 1700), seen(live(8, 12, 0), 1800)], 250),
  },
  'removed-segment': {
    'gone at once': () => checkRemoved(removed!, answer({ status: 410, askedMs: 6000 })),
    'gone half a second early': () => checkRemoved(removed!, answer({ status: 404, askedMs: 18_100 })),
  },
  date: {
    none: () =>
      checkMediaPlaylist({
        ...good,
        segments: good.segments.map((item) => ({ ...item, programDateTime: undefined })),
        pending: { ...good.pending!, programDateTime: undefined },
      }),
    'one that leaves the media by more than a frame': () =>
      checkSequence([
        measuredSegment('video', 1),
        {
          ...measuredSegment('video', 2),
          segment: { ...segment(2, false), programDateTime: segment(2, false).programDateTime! + 34 },
        },
      ]),
  },
  'date-agreement': {
    'dates that mean another instant': () => {
      const segments = AUDIO.segments.slice(0, 1).map((item) => ({
        ...item,
        segment: { ...item.segment, programDateTime: item.segment.programDateTime! + 23 },
      }));
      return checkPresentation({ ...MULTI, variants: [] }, [VIDEO, { ...AUDIO, segments }]);
    },
  },
  'server-control': {
    'a part hold-back below 2': () =>
      checkMediaPlaylist({ ...good, serverControl: { ...control, partHoldBack: 0.66 } }),
    'a part hold-back below 3': () =>
      checkMediaPlaylist({ ...good, serverControl: { ...control, partHoldBack: 0.99 } }),
    'a hold-back below 3': () =>
      checkMediaPlaylist({ ...good, serverControl: { ...control, holdBack: 2.9 } }),
    'a skip boundary below 6': () =>
      checkMediaPlaylist({ ...good, serverControl: { ...control, canSkipUntil: 5.9 } }),
  },
  'part-duration': {
    'above PART-TARGET': () =>
      checkMediaPlaylist({
        ...good,
        pending: { ...good.pending!, parts: [{ ...part(57), duration: 0.34 }] },
      }),
    'below 85 % of it': () =>
      checkMediaPlaylist({
        ...good,
        pending: { ...good.pending!, parts: [{ ...part(57), duration: 0.28 }, part(58)] },
      }),
    'not that of the media': () => checkPartMedia({ ...part(0), duration: 1.002 }, second('video', 0), 1.2),
    'media above it': () => checkPartMedia({ ...part(0), duration: 1 }, second('video', 0), 0.99),
    'no media': () => checkPartMedia(part(0), { bytes: 0, tracks: [] }, 1),
  },
  'part-content': {
    'another byte': () =>
      checkPartContent(segment(1, true), second('video', 1), second('video', 1, { digest: 2 })),
    'a sample less': () =>
      checkPartContent(segment(1, true), second('video', 1), second('video', 1, { samples: 29 })),
  },
  'old-parts': {
    'parts that stay': () =>
      checkMediaPlaylist({
        ...good,
        segments: good.segments.map((item, i) => (i === 6 ? segment(13, true) : item)),
      }),
    'parts that left early': () =>
      checkMediaPlaylist({
        ...good,
        segments: good.segments.map((item, i) => (i === 10 ? segment(17, false) : item)),
      }),
  },
  independent: {
    'claimed without a keyframe': () =>
      checkPartMedia({ ...part(0), duration: 1, independent: true }, second('video', 0, { keyframes: 0 }), 1),
    'not said': () => checkPartMedia({ ...part(0), duration: 1, independent: false }, second('video', 0), 1),
  },
  'blocking-reload': {
    'an answer too early': () => checkReloaded(answer(), { msn: 19, part: 2 }, good),
    'a whole segment too early': () => checkReloaded(answer(), { msn: 19 }, good),
    'no CAN-BLOCK-RELOAD': () =>
      checkMediaPlaylist({ ...good, serverControl: { ...control, canBlockReload: false } }),
    'waiting for what is too far': () => checkProbe('too-far', answer({ answeredMs: 3000, status: 503 }), 1),
    'a part alone taken': () => checkProbe('part-alone', answer({ status: 200 }), 1),
    'the past held back': () => checkProbe('past', answer({ answeredMs: 900 }), 1),
    'unknown queries refused': () => checkProbe('unknown-query', answer({ status: 400 }), 1),
    'an end of patience too early': () => checkProbe('stalled', answer({ status: 503, answeredMs: 1000 }), 1),
    'no end of patience': () => checkProbe('stalled', answer({ status: 200, answeredMs: 3000 }), 1),
  },
  delta: {
    'a skip nearer than the boundary': () =>
      checkMediaPlaylist({ ...good, skip: { skippedSegments: 8 }, segments: good.segments.slice(8) }),
    'another segment': () =>
      checkDelta(longer, { ...delta, segments: delta.segments.with(0, { ...delta.segments[0]!, uri: 'x' }) }),
    'more skipped than there is': () => checkDeltaBefore({ ...delta, skip: { skippedSegments: 9 } }, longer),
    'nothing skipped': () => checkDelta(longer, longer),
  },
  'preload-hint': {
    none: () => checkHinted('v', { ...good, preloadHints: [] }),
    'another part came': () =>
      comparePlaylists(good, {
        ...live(7, 12, 3),
        pending: { ...live(7, 12, 3).pending!, parts: [...good.pending!.parts, part(99)] },
      }),
    'an answer that did not wait': () => checkHintAnswer(answer({ status: 404 }), part(1), 100, 500),
    'an answer long after the playlist': () =>
      checkHintAnswer(answer({ answeredMs: 700 }), part(1), 100, 500),
  },
  'rendition-report': {
    missing: () =>
      checkReports(
        { url: 'own', seen: [seen({ ...good, renditionReports: [] }, 1000)] },
        [{ url: OTHER, seen: [] }],
        same,
      ),
    behind: () => checkReports(own, [{ url: OTHER, seen: [seen(live(7, 12, 2), 900)] }], same),
    ahead: () => checkReports(own, [{ url: OTHER, seen: [seen(live(6, 12, 2), 1100)] }], same),
    unknown: () => checkReports(own, [], same),
  },
  transport: {
    'two hosts': () => checkTransport(['http://a/1', 'http://b/2'], undefined),
    'HTTP/1.1 over TLS': () => checkTransport(['https://a:1/1'], 'http/1.1'),
    'TLS without ALPN': () => checkTransport(['https://a:1/1'], ''),
  },
  'transport-stream': {
    'clock references far apart': () => checkTransportStream('s.ts', withoutClock(tsSegments(1)[0]!)),
  },
  caching: {
    'a playlist that must not be kept': () =>
      checkCaching(answer({ headers: new Map([['cache-control', 'no-store']]) }), 1, { msn: 1 }),
    'the newest kept too long': () => checkCaching(answer(), 2, undefined),
    'a header that divides caches': () =>
      checkCaching(answer({ headers: new Map([['vary', 'Accept-Encoding, User-Agent']]) }), 1, { msn: 1 }),
    'media kept for a moment': () =>
      checkMediaAnswer(
        answer({ headers: new Map([...media.headers, ['cache-control', 'max-age=1']]) }),
        'fmp4',
      ),
    'two answers to one question': () =>
      checkSharedAnswer('v', good, { ...good, segments: good.segments.with(0, segment(7, true)) }),
  },
};

describe.each(Object.keys(HLS_RULES) as HlsRule[])('%s', (rule) => {
  it.each(Object.entries(BROKEN[rule]))('is broken by %s, and it alone', (_, broken) => {
    expect(broken().map((fault) => `${fault.rule}: ${fault.message}`)).toEqual([
      expect.stringMatching(new RegExp(`^${rule}: .`)),
    ]);
  });
});

it('finds nothing in what is right', () => {
  const other = { url: OTHER, seen: [seen(live(7, 12, 1), 900), seen(live(7, 12, 2), 1100, 1050)] };
  const newer = live(8, 12, 0);
  const faults = [
    ...checkPlaylistAnswer(answer({ text })).faults,
    ...checkMediaAnswer(answer(media), 'fmp4'),
    ...checkMediaAnswer(
      answer({ headers: new Map([...media.headers, ['content-type', 'video/MP2T']]) }),
      'mpegts',
    ),
    ...checkGone(answer({ status: 410 })),
    ...checkTransport(['https://a/1', 'https://a/2?3'], 'h2'),
    ...checkCaching(answer({ headers: new Map([['cache-control', 'max-age=1']]) }), 1, undefined),
    ...checkCaching(answer(), 1, { msn: 19 }),
    ...checkSharedAnswer('v', good, { ...good, renditionReports: [] }),
    ...checkSharedAnswer('v', good, newer),
    ...checkReloaded(answer(), { msn: 19, part: 1 }, good),
    ...checkReloaded(answer(), { msn: 19, part: 3 }, live(8, 12, 1)),
    ...checkReloaded(answer(), { msn: 18 }, good),
    ...checkProbe('stalled', answer({ status: 503, answeredMs: 3010 }), 1),
    ...checkProbe('too-far', answer({ status: 400 }), 1),
    ...checkHinted('v', good),
    ...checkHinted('v', { ...good, preloadHints: [], endList: true }),
    ...checkHintAnswer(answer(), part(1), 5, 500),
    ...checkHintAnswer(answer({ status: 404 }), undefined, 5, 500),
    ...checkSegmentMedia(segment(1, false), second('video', 1), 1),
    ...checkPartMedia({ ...part(0), duration: 1 }, second('video', 0), 1),
    ...checkPartContent(segment(1, true), second('video', 1), second('video', 1)),
    ...checkSequence(VIDEO.segments),
    ...checkSequence(AUDIO.segments.filter(({ msn }) => msn !== 9)),
    ...checkPresentation(MULTI, [VIDEO, AUDIO]),
    ...checkPresentation({ ...LOUD, variants: [{ ...LOUD.variants[0]!, averageBandwidth: 987_000 }] }, [
      measuredRendition('video', { segments: PEAKED }),
      AUDIO,
    ]),
    ...checkPresentation(MULTI, [measuredRendition('video', { segments: PEAKED, listedFrom: 8 }), AUDIO]),
    ...checkPresentation(LOUD, [VIDEO, measuredRendition('audio', { whole: false })]),
    ...checkReports({ url: 'own', seen: [seen(good, 1000)] }, [other], same),
    ...checkDelta(longer, delta),
    ...checkDeltaBefore(delta, live(8, 18, 0)),
    ...checkDelta(live(7, 18, 0), delta),
    ...checkDelta(live(7, 18, 2), delta),
    ...checkPace('v', [seen(good, 0), seen(newer, 1100), seen(live(9, 12, 0), 2300)], 250),
    ...checkRemoved(removed!, answer({ status: 410, askedMs: 5000 + 1000 + 12_700 })),
    ...checkWindow('v', live(7, 2, 2), 2),
  ];
  expect(faults).toEqual([]);
});
