import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { CueClock } from './cue-clock.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function setUp() {
  const picture = { at: undefined as number | undefined };
  const clock = new CueClock(() => picture.at);
  const told: string[] = [];
  const cue = (atMs: number): void => clock.at(atMs, () => told.push(String(atMs)));
  return { picture, clock, told, cue };
}

it('tells with the picture, in order, and at once where there is none', () => {
  const { picture, told, cue } = setUp();
  cue(500);
  expect(told).toEqual(['500']);
  picture.at = 1000;
  for (const at of [900, 1200, 1100]) cue(at);
  expect(told).toEqual(['500', '900']);
  picture.at = 1150;
  vi.advanceTimersByTime(20);
  expect(told.slice(2)).toEqual(['1100']);
  picture.at = 1200;
  vi.advanceTimersByTime(20);
  expect(told.slice(3)).toEqual(['1200']);
  expect(vi.getTimerCount()).toBe(0);
});

it('does not wait for ever, but while it is paused', () => {
  const { picture, clock, told, cue } = setUp();
  picture.at = 0;
  cue(60_000);
  clock.paused = true;
  vi.advanceTimersByTime(20_000);
  expect(told).toEqual([]);
  clock.paused = false;
  vi.advanceTimersByTime(5_000);
  expect(told).toEqual(['60000']);
});

it('forgets, and keeps no more than it may', () => {
  const { picture, clock, told, cue } = setUp();
  picture.at = 0;
  for (let at = 1; at <= 1001; at++) cue(at);
  expect(told).toEqual(['1']);
  clock.clear();
  picture.at = 5000;
  vi.advanceTimersByTime(100);
  expect(told).toEqual(['1']);
});
