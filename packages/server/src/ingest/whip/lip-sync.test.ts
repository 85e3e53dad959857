import { ntpOfMs } from '@onair/media/rtp';
import { expect, it } from 'vitest';
import { LipSync } from './lip-sync.ts';

it('matches by arrival at first, then moves slowly to what reports say', () => {
  const sync = new LipSync(90_000, 48_000);
  expect(sync.shift(0)).toBeUndefined();
  // Sound began at 5 s of its clock, pictures at 100 s of theirs; the first picture was 60 ms slower on its way.
  sync.arrived('audio', 5 * 48_000, 1000);
  sync.arrived('video', 100 * 90_000, 1060);
  expect(sync.shift(100 * 90_000)).toBeCloseTo(5_000 - 1_000 - (100_000 - 1_060), 6);
  sync.reported('audio', ntpOfMs(50_000), 5 * 48_000);
  expect(sync.error).toBeUndefined();
  sync.reported('video', ntpOfMs(50_000), 100 * 90_000);
  expect(sync.error).toBeCloseTo(-60, 2);
  let last = sync.shift(100 * 90_000)!;
  for (let i = 1; i <= 120; i++) {
    const next = sync.shift(100 * 90_000 + 3000 * i)!;
    expect(Math.abs(next - last)).toBeLessThanOrEqual(33.4 * 0.02);
    last = next;
  }
  expect(sync.error).toBeCloseTo(0, 2);
});

it('does not creep over what is far off', () => {
  const sync = new LipSync(90_000, 48_000);
  sync.arrived('audio', 0, 0);
  sync.arrived('video', 0, 0);
  sync.shift(0);
  sync.reported('audio', ntpOfMs(0), 0);
  sync.reported('video', ntpOfMs(1000), 0);
  expect(sync.shift(3000)).toBeCloseTo(1000, 2);
});
