import type { Sample, Timebase, Track } from '@onair/media';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { audioTrack, sampleAt, videoTrack } from '../../../../test/kit/samples.ts';
import { Rebaser } from './rebase.ts';
import { Tails } from './tails.ts';

const video: Track = { ...videoTrack(), timebase: 1000 as Timebase };
const audio: Track = { ...audioTrack(), timebase: 1000 as Timebase };
/** Presentation behind decoding of 25 pictures per second with two B-frames in a row: I P B B P B B …, ms. */
const OFFSETS = [80, 160, 40, 40] as const;

function picture(index: number, start = 0): Sample {
  const dts = start + index * 40;
  const offset = index === 0 ? OFFSETS[0] : OFFSETS[1 + ((index - 1) % 3)]!;
  return { ...sampleAt(video, dts), pts: (dts + offset) as Sample['pts'] };
}

function tailsOf(samples: readonly Sample[]): Tails {
  const tails = new Tails();
  for (const sample of samples) tails.note(sample, sample.dts * 1000 + 40_000);
  return tails;
}

describe('where a stream left off', () => {
  it.each([
    { count: 1, shown: 120 },
    { count: 4, shown: 240 },
    { count: 5, shown: 240, why: 'the next P came, the B-frames in front of it did not' },
    { count: 6, shown: 280, why: 'one of its two B-frames came' },
    { count: 7, shown: 360 },
  ])('shows pictures up to $shown ms after $count of them', ({ count, shown }) => {
    const tails = tailsOf(Array.from({ length: count }, (_, i) => picture(i)));
    const single = count === 1 ? 20 : 0;
    expect(tails.presentedTo('video')).toBe((shown - single) * 1000);
    expect(tails.lastDts('video')).toBe((count - 1) * 40_000);
    expect(tails.presentedTo('audio')).toBeUndefined();
  });

  it('knows the end of sound, whatever else came', () => {
    const tails = tailsOf([sampleAt(audio, 0), sampleAt(audio, 21), sampleAt(audio, 42), picture(0, 600)]);
    expect(tails.presentedTo('audio')).toBe(63_000);
    expect(tails.end).toBe(640_000);
  });

  it('places the next publication where the first of its tracks is due and none goes back', () => {
    const tails = tailsOf([picture(0), picture(1), sampleAt(audio, 0), sampleAt(audio, 21)]);
    // Shown to 200 ms − P that is alone: picture 0 only, so to 120 ms; sound to 42 ms.
    const firsts = [
      { kind: 'video', dts: 5_000_000, pts: 5_080_000 },
      { kind: 'audio', dts: 5_010_000, pts: 5_010_000 },
    ] as const;
    expect(tails.offsetFor(firsts)).toBe(120_000 - 5_080_000);
    expect(tails.offsetFor([firsts[1]])).toBe(42_000 - 5_010_000);
    expect(new Tails().offsetFor(firsts)).toBeUndefined();
  });

  it('leaves no picture out and decodes none twice, wherever a publisher with B-frames is cut off', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 60 }), (count) => {
        const before = Array.from({ length: count }, (_, i) => picture(i));
        const tails = tailsOf(before);
        const next = picture(0, 9000);
        const offset = tails.offsetFor([{ kind: 'video', dts: next.dts * 1000, pts: next.pts * 1000 }])!;
        const rebaser = new Rebaser(9_000_000 + offset, 9_000_000, tails);
        const placed = rebaser.place(video, next.dts, next.pts);
        expect(placed.pts * 1000).toBe(tails.presentedTo('video'));
        expect(placed.dts).toBeGreaterThan(before.at(-1)!.dts);
        expect(placed.dts - before.at(-1)!.dts).toBeLessThanOrEqual(40);
        const second = picture(1, 9000);
        expect(rebaser.place(video, second.dts, second.pts).pts - placed.pts).toBe(120);
      }),
    );
  });
});
