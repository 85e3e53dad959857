import { expect, it } from 'vitest';
import { FakeClock } from '../../../test/kit/fake-clock.ts';
import { unmerged } from './webrtc.ts';

it('sends packets as they come however late the event loop is, with the limits that hold elsewhere', () => {
  const governed = (windowMs: number) => ({
    windowMs: Math.max(windowMs, 200),
    lagMs: 6_000,
    stallMs: 10_000,
  });
  const { policy } = unmerged({ clock: new FakeClock(), policy: governed });
  expect(policy(0)).toEqual({ windowMs: 0, lagMs: 6_000, stallMs: 10_000 });
  expect(policy(50).windowMs).toBe(50);
});
