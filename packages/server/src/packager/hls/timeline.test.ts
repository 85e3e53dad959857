import { describe, expect, it } from 'vitest';
import { DEFAULT_HLS_OPTIONS } from './options.ts';
import { firstNumbers, Timeline } from './timeline.ts';

const NOW = Date.UTC(2026, 5, 1);
const timeline = (segmentMs = 2000) => new Timeline({ ...DEFAULT_HLS_OPTIONS, segmentMs }, NOW);

describe('numbers', () => {
  it('are ahead of all that an earlier start can have used, at the pace of the shortest segments', () => {
    for (const segmentMs of [500, 2000, 60_000]) {
      for (const seconds of [1, 60, 86_400]) {
        const before = firstNumbers(NOW, segmentMs);
        const after = firstNumbers(NOW + seconds * 1000, segmentMs);
        const used = Math.ceil((seconds * 1000) / (segmentMs / 2));
        expect(after.msn - before.msn).toBeGreaterThanOrEqual(Math.min(used, seconds));
        expect(after.part - before.part).toBeGreaterThan(seconds * 30);
      }
    }
    expect(firstNumbers(NOW, 2000).msn).toBeLessThan(2 ** 31);
    expect(Number.isSafeInteger(firstNumbers(Date.UTC(2100, 0, 1), 500).part)).toBe(true);
    expect(firstNumbers(0, 2000).msn).toBe(0);
  });
});

describe('target duration', () => {
  const us = (...seconds: number[]): number[] => seconds.map((value) => value * 1_000_000);

  it.each([
    ['the wished duration where segments have it', 2000, us(2, 2.01, 1.99), 0.5, 2],
    ['the longest segment', 2000, us(2, 8.33, 2), 0, 8],
    ['the growing segment, if it is longer still', 2000, us(2), 3.6, 4],
    ['twice the wish while nothing is known', 2000, [], 0.4, 4],
    ['as much as keyframes may be apart, if the first group of pictures is longer', 2000, [], 3.5, 10],
    ['not more than 10 s', 8000, [], 9, 10],
    ['what was wished for, however long', 30_000, [], 0.4, 30],
  ])('is %s', (_, segmentMs, durations, growing, expected) => {
    expect(timeline(segmentMs).settle(durations, growing * 1_000_000)).toBe(expected);
  });

  it('never changes once it was shown, and bounds segments', () => {
    const line = timeline();
    expect(line.maxSegment).toBe(10_450_000);
    expect(line.settle(us(2), 0)).toBe(2);
    expect(line.settle(us(2, 9), 0)).toBe(2);
    expect(line.maxSegment).toBe(2_450_000);
    expect(timeline(60_000).maxSegment).toBeGreaterThan(60_000_000);
  });
});
