import { describe, expect, it } from 'vitest';
import { segment } from '../../../../../test/kit/playlists.ts';
import { tsSegments, withoutClock } from '../../../../../test/kit/ts-segments.ts';
import { concatBytes } from '../../bytes/index.ts';
import { checkSegmentMedia, checkSequence } from './check-media.ts';
import { leadingTrack, secondsOf } from './measure.ts';
import { checkTransportStream, MpegTsMeasurer } from './measure-mpegts.ts';

/** Second `n` of segments that begin at `from`, as a playlist lists them. */
function measured(count: number, from = 0) {
  const measurer = new MpegTsMeasurer();
  return tsSegments(count, from).map((bytes, n) => ({
    msn: n,
    segment: segment(n, false),
    media: measurer.measure(bytes),
  }));
}

describe('MpegTsMeasurer', () => {
  it('measures picture and sound of one file', () => {
    const [first] = measured(1);
    const { tracks } = first!.media;
    expect(tracks.map(({ kind }) => kind)).toEqual(['video', 'audio']);
    expect(tracks[0]).toMatchObject({ samples: 25, keyframes: 1, startsWithKeyframe: true, holes: [] });
    expect(secondsOf(leadingTrack(first!.media)!)).toBe(1);
    expect(checkSegmentMedia(segment(0, false), first!.media, 1)).toEqual([]);
  });

  it('finds segments that follow one another, also where the 33 bits of their times are used up', () => {
    for (const from of [0, 2 ** 33 - 900_000 - 2.5 * 90_000]) {
      const list = measured(6, from);
      expect(list.flatMap(({ segment: item, media }) => checkSegmentMedia(item, media, 1))).toEqual([]);
      expect(checkSequence(list)).toEqual([]);
    }
  });

  it('finds a hole between segments', () => {
    const measurer = new MpegTsMeasurer();
    const [one] = tsSegments(1);
    const [other] = tsSegments(1, 90_000 + 3);
    const list = [one!, other!].map((bytes, n) => ({
      msn: n,
      segment: segment(n, false),
      media: measurer.measure(bytes),
    }));
    expect(checkSequence(list).map(({ rule }) => rule)).toContain('continuity');
  });
});

describe('checkTransportStream', () => {
  const [good] = tsSegments(1);

  it('finds nothing in what is right', () => {
    expect(checkTransportStream('s.ts', good!)).toEqual([]);
    const second = tsSegments(2)[1]!;
    expect(checkTransportStream('s.ts', second)).toEqual([]);
  });

  it('finds what is lost, cut off or without a clock', () => {
    const rules = (bytes: Uint8Array): string[] =>
      checkTransportStream('s.ts', bytes).map(({ message }) => message);
    expect(rules(good!.subarray(0, -1)).join()).toMatch(/ends within a packet/);
    expect(rules(concatBytes([good!.subarray(0, 5 * 188), good!.subarray(6 * 188)])).length).toBeGreaterThan(
      0,
    );
    expect(rules(good!.subarray(2 * 188)).join()).toMatch(/0 program maps/);
    expect(rules(withoutClock(good!))).toEqual([
      expect.stringMatching(/up to 9\d\d\.\d ms apart, 0 go back/),
    ]);
  });
});
