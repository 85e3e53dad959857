import { expect, it } from 'vitest';
import { LoadGovernor, NARROW_AFTER_MS } from './governor.ts';

it('widens the window at once under load and narrows it after calm time', () => {
  const governor = new LoadGovernor();
  expect(governor.windowMs).toBe(0);
  governor.observe(60, 0);
  governor.observe(60, 1000);
  expect(governor.windowMs).toBe(100);
  governor.observe(20, 2000);
  governor.observe(5, 3000);
  governor.observe(5, 3000 + NARROW_AFTER_MS - 1);
  expect(governor.windowMs).toBe(100);
  governor.observe(5, 3000 + NARROW_AFTER_MS);
  expect(governor.windowMs).toBe(50);
  governor.observe(5, 3000 + 2 * NARROW_AFTER_MS);
  expect(governor.windowMs).toBe(0);
  for (let i = 0; i < 10; i++) governor.observe(500, 60_000 + i);
  expect(governor.windowMs).toBe(200);
});
