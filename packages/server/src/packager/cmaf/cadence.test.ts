import type { Timebase } from '@onair/media';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Cadence, type Placed } from './cadence.ts';

const TICKS = 90_000 as Timebase;
const MS = 90;

/** Times of `count` frames as FLV carries them: rounded to milliseconds, then in ticks. */
function rounded(
  count: number,
  rate: number,
  phaseMs = 0,
  round: (x: number) => number = Math.round,
): number[] {
  return Array.from({ length: count }, (_, i) => round(phaseMs + (i * 1000) / rate) * MS);
}

function run(cadence: Cadence, times: readonly number[]): Placed[] {
  return times.map((dts) => cadence.place(dts, dts, undefined));
}

/** Samples whose duration was not the distance to the next one. */
function broken(placed: readonly Placed[]): number {
  return placed.filter((item, i) => i > 0 && placed[i - 1]!.dts + placed[i - 1]!.duration !== item.dts)
    .length;
}

/** How far from its time a picture is shown, in milliseconds. */
function furthest(placed: readonly Placed[], times: readonly number[]): number {
  return (
    Math.max(...placed.map(({ dts, composition, lag }, i) => Math.abs(dts + composition + lag - times[i]!))) /
    MS
  );
}

/** Samples before which a browser's decoder waits for a key frame: decoding times go on after twice what was promised. */
function dropping(placed: readonly Placed[]): number {
  return placed.filter(({ dts, lag }, i) => {
    const last = placed[i - 1] ?? { dts: Number.POSITIVE_INFINITY, duration: 0 };
    const hidden = dts + lag - last.dts - last.duration <= 2000 * MS;
    return hidden && dts - last.dts > 2 * last.duration;
  }).length;
}

describe('video', () => {
  it.each([
    [30, 30],
    [30_000 / 1001, 30_000 / 1001],
    [24_000 / 1001, 24_000 / 1001],
    [25, 25],
    [60, 60],
    [59.94, 60_000 / 1001],
    [30, undefined],
    [29.97, undefined],
    [50, undefined],
    [15, undefined],
    [24, undefined],
    [60, undefined],
    [90_000 / 2999, undefined],
  ])('%s frames per second, told as %s, are gapless and within 2.1 ms of the source', (rate, told) => {
    for (const round of [Math.round, Math.floor]) {
      const times = rounded(5000, rate, 17.3, round);
      const cadence = new Cadence('video', TICKS, told);
      const placed = run(cadence, times);
      // The very first duration of an unknown rate is a guess.
      expect(broken(placed)).toBeLessThanOrEqual(told === undefined ? 1 : 0);
      expect(furthest(placed, times)).toBeLessThan(2.1);
      expect(furthest(placed.slice(100), times.slice(100))).toBeLessThan(1.5);
      expect(cadence.frameRate).toBeCloseTo(rate, 2);
    }
  });

  it.each([
    [30, 15],
    [60, 20],
    [50, 25],
  ])('of %i frames per second that go on as %i: the promise is kept again after a few', (before, after) => {
    const cadence = new Cadence('video', TICKS, before);
    run(cadence, rounded(100, before));
    cadence.cut();
    const times = rounded(1000, after, 5000);
    const placed = run(cadence, times);
    expect(broken(placed.slice(12))).toBe(0);
    expect(furthest(placed, times)).toBeLessThan(2.1);
    expect(cadence.frameRate).toBeCloseTo(after, 2);
  });

  it('gives every frame at a known rate the same duration', () => {
    const placed = run(new Cadence('video', TICKS, 30), rounded(1000, 30));
    expect(new Set(placed.map(({ duration }) => duration))).toEqual(new Set([3000]));
    expect(placed.at(-1)!.dts).toBe(999 * 3000);
  });

  it('finds the rate by itself after a wrong one was told', () => {
    const cadence = new Cadence('video', TICKS, 60);
    run(cadence, rounded(40, 25));
    expect(cadence.frameRate).toBe(25);
  });

  it('makes composition offsets whole frames', () => {
    const cadence = new Cadence('video', TICKS, 30);
    const offsets = [33, 100, 67, 0].map((cts, i) => {
      const dts = Math.round((i * 1000) / 30) * MS;
      return cadence.place(dts, dts + cts * MS, undefined).composition;
    });
    expect(offsets).toEqual([3000, 9000, 6000, 0]);
  });

  it('stays on the grid when frames are left out, and leaves no hole in decoding times', () => {
    const times = rounded(100, 30).filter((_, i) => i < 50 || i > 56);
    const placed = run(new Cadence('video', TICKS, 30), times);
    expect(broken(placed)).toBe(0);
    expect(placed.slice(50, 54)).toEqual([
      { dts: 50 * 3000, duration: 8400, composition: 0, lag: 21_000 },
      { dts: 158_400, duration: 8400, composition: 0, lag: 15_600 },
      { dts: 166_800, duration: 8400, composition: 0, lag: 10_200 },
      { dts: 175_200, duration: 7800, composition: 0, lag: 4800 },
    ]);
    expect(placed[54]).toEqual({ dts: 61 * 3000, duration: 3000, composition: 0, lag: 0 });
    expect(furthest(placed, times)).toBeLessThan(1.1);
  });

  it('lets no browser wait for a key frame where a camera hesitates', () => {
    // The second picture of a camera that warms up, one doubled by the clock, a pause.
    const times = [0, 180, 230, 280, 335, 349, 399, 549, 600, 650, 2600, 2650, 2700].map((ms) => ms * MS);
    const placed = run(new Cadence('video', TICKS), times);
    expect(furthest(placed, times)).toBeLessThan(1.1);
    expect(dropping(placed)).toBe(0);
  });

  it('lets key frames carry no hole that lies before the pictures in front of them', () => {
    const times = rounded(100, 30).filter((_, i) => i < 50 || i > 79);
    const cadence = new Cadence('video', TICKS, 30);
    const placed = times.map((at, i) => cadence.place(at, at, undefined, i === 0 || i === 55));
    expect(placed[54]!.lag).toBeGreaterThan(40_000);
    expect(placed[55]).toEqual({ dts: 85 * 3000, duration: 3000, composition: 0, lag: 0 });
    const late = new Cadence('video', TICKS, 30);
    const direct = times.map((at, i) => late.place(at, at, undefined, i === 0 || i === 50));
    expect(direct[50]).toMatchObject({ dts: 50 * 3000, lag: 30 * 3000 });
  });

  it('shows a hole of more than two seconds', () => {
    const placed = run(
      new Cadence('video', TICKS, 25),
      [0, 40, 2150].map((ms) => ms * MS),
    );
    expect(placed[2]).toEqual({ dts: 2150 * MS, duration: 3600, composition: 0, lag: 0 });
  });

  it('takes a picture of the time of the one before for the one that is due', () => {
    const times = rounded(200, 30);
    const doubled = times.map((at, i) => (i % 25 === 24 ? times[i - 1]! + 1 : at));
    const placed = run(new Cadence('video', TICKS, 30), doubled);
    expect(placed.map(({ dts }) => dts)).toEqual(placed.map((_, i) => i * 3000));
    expect(broken(placed)).toBe(0);
  });

  it('takes an irregular source as it comes', () => {
    let at = 0;
    const times = Array.from({ length: 500 }, (_, i) => {
      at += (20 + ((i * 7919) % 40)) * MS;
      return at;
    });
    const placed = run(new Cadence('video', TICKS, 30), times);
    expect(furthest(placed, times)).toBeLessThan(3.1);
  });

  it('goes on after a cut without promising anything', () => {
    const cadence = new Cadence('video', TICKS, 30);
    run(cadence, rounded(10, 30));
    cadence.cut();
    expect(cadence.place(12_345_678, 12_345_678, undefined)).toEqual({
      dts: 12_345_678,
      duration: 3000,
      composition: 0,
      lag: 0,
    });
  });

  it('always rises, is never further off than the source explains, and durations are positive', () => {
    const steps = fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 300 });
    fc.assert(
      fc.property(steps, fc.option(fc.integer({ min: 1, max: 300 }), { nil: undefined }), (gaps, told) => {
        let at = 1000;
        const times = gaps.map((gap) => {
          at += gap * MS;
          return at;
        });
        const placed = run(new Cadence('video', TICKS, told), times);
        for (const [i, item] of placed.entries()) {
          expect(item.duration).toBeGreaterThan(0);
          if (i > 0) expect(item.dts).toBeGreaterThan(placed[i - 1]!.dts);
        }
        expect(dropping(placed)).toBe(0);
        expect(Math.min(...placed.map(({ lag }) => lag))).toBeGreaterThanOrEqual(0);
        expect(furthest(placed, times)).toBeLessThan(3.11);
      }),
      { numRuns: 300 },
    );
  });
});

describe('audio', () => {
  const RATE = 48_000 as Timebase;

  it('passes counted samples through', () => {
    const cadence = new Cadence('audio', RATE);
    for (let i = 0; i < 100; i++) {
      expect(cadence.place(i * 1024, i * 1024, 1024)).toEqual({
        dts: i * 1024,
        duration: 1024,
        composition: 0,
        lag: 0,
      });
    }
  });

  it('leads a drifting clock back without a hole', () => {
    const cadence = new Cadence('audio', RATE);
    let at = 0;
    const placed: Placed[] = [];
    for (let i = 0; i < 1000; i++) {
      placed.push(cadence.place(at, at, 1024));
      at += 1024 + (i > 100 && i < 300 ? 10 : 0) - (i > 500 && i < 700 ? 10 : 0);
    }
    expect(broken(placed)).toBe(0);
    expect(Math.abs(placed.at(-1)!.dts - (at - 1024))).toBeLessThanOrEqual(49);
  });

  it('shows a hole of 50 ms and more', () => {
    const cadence = new Cadence('audio', RATE);
    cadence.place(0, 0, 1024);
    expect(cadence.place(1024 + 2400, 1024 + 2400, 1024).dts).toBe(3424);
  });
});
