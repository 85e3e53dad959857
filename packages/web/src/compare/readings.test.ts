import { expect, it } from 'vitest';
import { median, readingOf, SteadyReading, scaleOf } from './readings.ts';

it('finds the middle', () => {
  expect(median([])).toBeUndefined();
  expect(median([5])).toBe(5);
  expect(median([9, 1, 5])).toBe(5);
  expect(median([4, 1, 3, 2])).toBe(2.5);
});

it('prefers the clock in the picture, unless it cannot be believed', () => {
  expect(readingOf(0.3, 0.1)).toEqual({ ms: 300, by: 'picture' });
  expect(readingOf(-0.01, 0.1)).toEqual({ ms: 0, by: 'picture' });
  expect(readingOf(-4, 0.1)).toEqual({ ms: 100, by: 'server' });
  expect(readingOf(999, 0.1)).toEqual({ ms: 100, by: 'server' });
  expect(readingOf(undefined, undefined)).toBeUndefined();
});

it('steadies figures and never mixes two kinds', () => {
  const steady = new SteadyReading();
  for (const ms of [300, 310, 5000, 305]) steady.add({ ms, by: 'picture' });
  expect(steady.add({ ms: 308, by: 'picture' })).toEqual({ ms: 308, by: 'picture' });
  expect(steady.add({ ms: 90, by: 'server' })).toEqual({ ms: 90, by: 'server' });
  expect(steady.add(undefined)).toBeUndefined();
  expect(steady.add({ ms: 50, by: 'picture' })).toEqual({ ms: 50, by: 'picture' });
});

it('chooses a round length for the bars', () => {
  expect(scaleOf([])).toBe(500);
  expect(scaleOf([320, 1800])).toBe(2000);
  expect(scaleOf([61_000])).toBe(120_000);
});
