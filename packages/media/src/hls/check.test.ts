import { describe, expect, it } from 'vitest';
import { live, MULTIVARIANT, part, segment } from '../../../../test/kit/playlists.ts';
import { checkMediaPlaylist, checkMultivariantPlaylist } from './check.ts';
import type { MediaPlaylist } from './model.ts';
import type { Fault } from './rules/rule.ts';

const good = live(7, 12, 2);
const messages = (faults: readonly Fault[]): string[] =>
  faults.map(({ severity, message }) => `${severity}: ${message}`);
const control = good.serverControl!;

describe('checkMediaPlaylist', () => {
  it('finds nothing wrong with a good playlist', () => {
    expect(checkMediaPlaylist(good)).toEqual([]);
  });

  const parts = (durations: readonly number[], more: { independent?: number; gap?: number } = {}) =>
    durations.map((duration, i) => ({
      ...part(i),
      duration,
      independent: more.independent === i,
      ...(more.gap === i ? { gap: true } : {}),
    }));
  /** The last segment and nothing behind it, so that only its parts can be wrong. */
  const lastWith = (made: ReturnType<typeof parts>): MediaPlaylist => ({
    ...good,
    pending: undefined,
    segments: [
      ...good.segments.slice(0, -1),
      segment(18, false, { parts: made, duration: made.reduce((sum, { duration }) => sum + duration, 0) }),
    ],
  });

  it.each<[string, Partial<MediaPlaylist>, RegExp]>([
    ['a version below its tags', { version: 5 }, /^must: version 5, but its tags need 6/],
    [
      'a delta update below version 9',
      { version: 8, skip: { skippedSegments: 4 }, segments: good.segments.slice(4) },
      /need 9/,
    ],
    [
      'a segment above the target duration',
      { targetDuration: 1, segments: [segment(1, false, { duration: 1.5 })] },
      /1.5 s, target duration 1 s/,
    ],
    ['a part target above the target duration', { partTarget: 1.1 }, /part target 1.1 s/],
    ['parts without a part target', { partTarget: undefined }, /parts without EXT-X-PART-INF/],
    ['no hold-back for parts', { serverControl: { canBlockReload: true } }, /no PART-HOLD-BACK/],
    ['no blocking reload', { serverControl: { ...control, canBlockReload: false } }, /no CAN-BLOCK-RELOAD/],
    ['a hold-back below 3 targets', { serverControl: { ...control, holdBack: 2.9 } }, /HOLD-BACK 2.9 s/],
    [
      'a part hold-back below 2',
      { serverControl: { ...control, partHoldBack: 0.6 } },
      /^must: PART-HOLD-BACK 0.6 s/,
    ],
    [
      'a part hold-back below 3',
      { serverControl: { ...control, partHoldBack: 0.9 } },
      /^should: PART-HOLD-BACK 0.9 s/,
    ],
    ['a skip boundary below 6', { serverControl: { ...control, canSkipUntil: 5 } }, /CAN-SKIP-UNTIL 5 s/],
    [
      'skipping of date ranges alone',
      { serverControl: { canBlockReload: true, partHoldBack: 1.1, canSkipDateRanges: true } },
      /CAN-SKIP-DATERANGES without/,
    ],
    [
      'a skip nearer than the boundary',
      { skip: { skippedSegments: 8 }, segments: good.segments.slice(8) },
      /4.666 s are left/,
    ],
    [
      'a skip without a boundary',
      { skip: { skippedSegments: 1 }, serverControl: { canBlockReload: true, partHoldBack: 1.1 } },
      /no CAN-SKIP-UNTIL/,
    ],
    [
      'no date',
      {
        segments: good.segments.map((item) => ({ ...item, programDateTime: undefined })),
        pending: undefined,
      },
      /no EXT-X-PROGRAM-DATE-TIME/,
    ],
    [
      'a date that jumps',
      {
        segments: good.segments.map((item, i) =>
          i === 3 ? { ...item, programDateTime: item.programDateTime! + 50 } : item,
        ),
      },
      /the next date is 50 ms off/,
    ],
  ])('finds %s', (_, change, expected) => {
    expect(messages(checkMediaPlaylist({ ...good, ...change })).join('\n')).toMatch(expected);
  });

  it('judges the length of parts', () => {
    expect(messages(checkMediaPlaylist(lastWith(parts([0.335, 0.334, 0.2]))))).toEqual([
      'must: part-0.m4s: 0.335 s exceeds PART-TARGET 0.334 s',
    ]);
    expect(messages(checkMediaPlaylist(lastWith(parts([0.28, 0.334, 0.2]))))).toEqual([
      'must: part-0.m4s: 0.28 s is below 85 % of PART-TARGET 0.334 s',
    ]);
    expect(checkMediaPlaylist(lastWith(parts([0.284, 0.2, 0.334, 0.01], { independent: 2 })))).toEqual([]);
    expect(checkMediaPlaylist(lastWith(parts([0.284, 0.2, 0.334], { gap: 1 })))).toEqual([]);
  });

  it('takes a hole for part of its segment as far as the target duration goes', () => {
    const [first, second, ...rest] = good.segments;
    const longest = { ...first!, duration: good.targetDuration + 0.45, parts: [] };
    const date = first!.programDateTime! + longest.duration * 1000;
    const after = (ms: number) => ({
      ...good,
      segments: [longest, { ...second!, programDateTime: date + ms, discontinuity: false }],
      pending: undefined,
    });
    expect(rest.length).toBeGreaterThan(0);
    expect(checkMediaPlaylist(after(3000)).filter(({ rule }) => rule === 'date')).toEqual([]);
    expect(messages(checkMediaPlaylist(after(-100))).join()).toContain('the next date is -100 ms off');
    const short = lastWith(parts([0.334, 0.334, 0.334]));
    const segments = short.segments.map((item) =>
      item.uri === 'segment-18.m4s' ? { ...item, duration: 1.4 } : item,
    );
    expect(messages(checkMediaPlaylist({ ...short, segments }))).toEqual(
      ['should: segment-18.m4s: 1.4 s, its parts 1.00200'].map((text) => expect.stringContaining(text)),
    );
  });

  it('sees a segment that is not the sum of its parts', () => {
    const wrong = lastWith(parts([0.334, 0.334, 0.334]));
    const segments = wrong.segments.map((item) =>
      item.uri === 'segment-18.m4s' ? { ...item, duration: 1 } : item,
    );
    expect(messages(checkMediaPlaylist({ ...wrong, segments }))).toEqual(
      ['must: segment-18.m4s: 1 s, its parts 1.00200'].map((text) => expect.stringContaining(text)),
    );
  });

  it('lets a discontinuity move the date', () => {
    const segments = good.segments.map((item, i) =>
      i === 5 ? { ...item, discontinuity: true, programDateTime: item.programDateTime! + 5000 } : item,
    );
    const after = segments.map((item, i) =>
      i > 5 ? { ...item, programDateTime: item.programDateTime! + 5000 } : item,
    );
    const pending = { ...good.pending!, programDateTime: good.pending!.programDateTime! + 5000 };
    expect(checkMediaPlaylist({ ...good, segments: after, pending })).toEqual([]);
  });
});

describe('checkMultivariantPlaylist', () => {
  const [variant] = MULTIVARIANT.variants;
  const [rendition] = MULTIVARIANT.renditions;

  it('finds what is missing', () => {
    expect(checkMultivariantPlaylist(MULTIVARIANT)).toEqual([]);
    const faults = checkMultivariantPlaylist({
      version: 9,
      independentSegments: false,
      renditions: [rendition!, { ...rendition!, autoselect: false }],
      variants: [
        { uri: 'a', bandwidth: 0 },
        { uri: 'b', bandwidth: 1, codecs: 'avc1.64001f', audio: 'none' },
      ],
    });
    expect(messages(faults)).toEqual([
      'must: no EXT-X-INDEPENDENT-SEGMENTS',
      'must: a: a bandwidth of 0',
      'must: a: no CODECS',
      'must: b: no RESOLUTION',
      'must: b: no FRAME-RATE',
      'must: b: no rendition in AUDIO group none',
      'must: two renditions are called AUDIO audio Ton 日本語',
      'must: two defaults in group AUDIO audio',
      'must: AUDIO audio Ton 日本語 is default but not AUTOSELECT',
    ]);
    expect(messages(checkMultivariantPlaylist({ ...MULTIVARIANT, variants: [] }))).toEqual([
      'must: no variant',
    ]);
    expect(checkMultivariantPlaylist({ ...MULTIVARIANT, variants: [variant!, variant!] })).toEqual([]);
  });
});
