import { describe, expect, it } from 'vitest';
import { FakeClock } from '../../../../../test/kit/fake-clock.ts';
import { Waiters, type WaitResult } from './waiters.ts';

function setUp(max = 10_000) {
  const clock = new FakeClock();
  const waiters = new Waiters(clock, () => max);
  const results: WaitResult[] = [];
  const hold = (ready: () => boolean, ms: number) =>
    waiters.hold(ready, ms, (result) => results.push(result));
  return { clock, waiters, results, hold };
}

const never = () => false;

describe('Waiters', () => {
  it('lets go those whose condition is met, with one timer for all', () => {
    const { clock, waiters, results, hold } = setUp();
    let version = 0;
    for (let i = 0; i < 1000; i++) hold(() => version >= 1 + (i % 2), 6000);
    expect(clock.waiting).toBe(1);
    version = 1;
    waiters.check();
    expect(waiters.size).toBe(500);
    clock.advance(6000);
    expect(waiters.size).toBe(0);
    expect(clock.waiting).toBe(0);
    expect(results.filter((result) => result === 'ready')).toHaveLength(500);
    expect(results.filter((result) => result === 'late')).toHaveLength(500);
  });

  it('lets each go in its own time, whoever came first', () => {
    const { clock, waiters, results, hold } = setUp();
    hold(never, 5000);
    hold(never, 3000);
    hold(never, 9000);
    expect(clock.waiting).toBe(1);
    for (const [at, left] of [
      [2999, 3],
      [1, 2],
      [2000, 1],
      [4000, 0],
    ] as const) {
      clock.advance(at);
      expect(waiters.size).toBe(left);
    }
    expect(results).toEqual(['late', 'late', 'late']);
    expect(clock.waiting).toBe(0);
  });

  it('answers at once what is there and what is too much, and forgets who leaves', () => {
    const { waiters, results, hold, clock } = setUp(1);
    hold(() => true, 1000);
    const leave = hold(never, 1000);
    hold(never, 1000);
    expect(results).toEqual(['ready', 'full']);
    leave();
    leave();
    expect(waiters.size).toBe(0);
    clock.advance(1000);
    expect(results).toHaveLength(2);
  });

  it('lets those wait again who are let go', () => {
    const { waiters } = setUp();
    let version = 0;
    const seen: number[] = [];
    const again = (): void => {
      const next = version + 1;
      waiters.hold(
        () => version >= next,
        1000,
        () => {
          seen.push(version);
          again();
        },
      );
    };
    again();
    for (let i = 0; i < 3; i++) {
      version++;
      waiters.check();
    }
    expect(seen).toEqual([1, 2, 3]);
    expect(waiters.size).toBe(1);
  });

  it('lets everybody go at the end', () => {
    const { clock, waiters, results, hold } = setUp();
    hold(never, 1000);
    waiters.close();
    expect(results).toEqual(['late']);
    expect(clock.waiting).toBe(0);
  });
});
