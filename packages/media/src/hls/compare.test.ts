import { describe, expect, it } from 'vitest';
import { live, part, segment } from '../../../../test/kit/playlists.ts';
import { comparePlaylists } from './compare.ts';
import type { MediaPlaylist, Segment } from './model.ts';

const older = live(7, 6, 2);
const newer = live(8, 6, 1);
const messages = (a: MediaPlaylist, b: MediaPlaylist): string[] =>
  comparePlaylists(a, b).map(({ message }) => message);
const withSegment = (playlist: MediaPlaylist, index: number, change: Partial<Segment>): MediaPlaylist => ({
  ...playlist,
  segments: playlist.segments.map((item, i) => (i === index ? { ...item, ...change } : item)),
});

describe('comparePlaylists', () => {
  it('finds nothing in a playlist that goes on', () => {
    expect(messages(older, older)).toEqual([]);
    for (let first = 7; first < 20; first++) {
      for (let parts = 0; parts < 3; parts++) {
        if (first > 7 || parts === 2) expect(messages(older, live(first, 6, parts))).toEqual([]);
      }
    }
    const ended = { ...newer, pending: undefined, preloadHints: [], endList: true };
    expect(messages(older, ended)).toEqual([]);
  });

  it('takes delta updates on either side', () => {
    const whole = live(8, 12, 1);
    const delta = { ...whole, skip: { skippedSegments: 5 }, segments: whole.segments.slice(5) };
    expect(messages(live(7, 12, 2), delta)).toEqual([]);
    expect(messages(delta, live(9, 12, 0))).toEqual([]);
    expect(messages(delta, withSegment(live(9, 12, 0), 6, { duration: 0.9 }))).toHaveLength(1);
  });

  it.each<[string, MediaPlaylist, MediaPlaylist, RegExp]>([
    ['a media sequence that goes back', newer, older, /went back from 8 to 7/],
    ['a target duration that changes', older, { ...newer, targetDuration: 2 }, /targetDuration was 1, is 2/],
    ['a part target that changes', older, { ...newer, partTarget: 0.4 }, /partTarget was 0.334, is 0.4/],
    ['fewer segments', older, live(7, 5, 2), /the last segment was 12, is 11/],
    [
      'a changed address',
      older,
      withSegment(newer, 0, { uri: 'x' }),
      /address of segment 8 was segment-8.m4s, is x/,
    ],
    ['a changed duration', older, withSegment(newer, 0, { duration: 0.99 }), /duration of segment 8/],
    [
      'a new discontinuity',
      older,
      withSegment(newer, 1, { discontinuity: true }),
      /discontinuity of segment 9/,
    ],
    [
      'a changed init segment',
      older,
      withSegment(newer, 1, { map: { uri: 'y' } }),
      /init segment of segment 9/,
    ],
    ['a changed date', older, withSegment(newer, 1, { programDateTime: 5 }), /date of segment 9/],
    [
      'a changed part',
      older,
      withSegment(newer, 4, { parts: [part(36), part(37), part(99)] }),
      /part 2 of segment 12/,
    ],
    ['parts that come late', older, withSegment(newer, 0, { parts: [part(1)] }), /segment 8 got parts/],
    [
      'growing parts that change',
      older,
      withSegment(newer, 5, { parts: [part(39), { ...part(40), independent: true }, part(41)] }),
      /part 1 of segment 13 changed/,
    ],
    [
      'a growing segment that becomes another',
      older,
      withSegment(newer, 5, { discontinuity: true }),
      /discontinuity of segment 13 was false, is true/,
    ],
    [
      'growing parts that vanish',
      older,
      { ...older, pending: undefined },
      /the parts of segment 13 are gone/,
    ],
    [
      'a hint that does not come true',
      older,
      withSegment(newer, 5, { parts: [part(39), part(40), { ...part(41), uri: 'z' }] }),
      /hinted at part-41.m4s, but z came/,
    ],
    [
      'a hint that comes true behind another init segment',
      { ...older, pending: undefined, preloadHints: [{ type: 'PART', uri: 'part-39.m4s' }] },
      withSegment(newer, 5, { map: { uri: 'other.mp4' } }),
      /part-39.m4s was hinted at and came behind another/,
    ],
    ['a window that became too short', older, live(11, 2, 2), /though 2.666 s are below/],
    ['life after the end', { ...older, endList: true }, newer, /after EXT-X-ENDLIST/],
    [
      'a window in an event playlist',
      { ...older, type: 'EVENT' },
      { ...newer, type: 'EVENT' },
      /left a playlist of type EVENT/,
    ],
    [
      'a discontinuity that is not counted',
      withSegment(older, 0, { discontinuity: true }),
      newer,
      /should be 1 after 1/,
    ],
    [
      'a discontinuity counted too early',
      older,
      { ...newer, discontinuitySequence: 1 },
      /should be 0 after 1/,
    ],
  ])('finds %s', (_, a, b, expected) => {
    expect(messages(a, b).join('\n')).toMatch(expected);
  });

  it('lets old segments drop their parts', () => {
    expect(messages(withSegment(older, 2, { parts: segment(9, true).parts }), newer)).toEqual([]);
  });

  it('accepts a hint that became the first part of the next segment', () => {
    const closed = withSegment(newer, 5, { parts: [part(39), part(40)], duration: 0.666 });
    const after = { ...closed, pending: { ...closed.pending!, parts: [{ ...part(41), independent: true }] } };
    expect(messages(older, after)).toEqual([]);
  });
});
