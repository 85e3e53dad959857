import { describe, expect, it } from 'vitest';
import { FakeClock } from '../../../../../test/kit/fake-clock.ts';
import { Waiters } from './waiters.ts';

function setUp(max = 10_000) {
  const clock = new FakeClock();
  return { clock, waiters: new Waiters(clock, () => max) };
}

describe('Waiters', () => {
  it('lets go those whose condition is met, with one timer for all', async () => {
    const { clock, waiters } = setUp();
    let version = 0;
    const waiting = Array.from({ length: 1000 }, (_, i) => waiters.wait(() => version >= 1 + (i % 2), 6000));
    expect(clock.waiting).toBe(1);
    version = 1;
    waiters.check();
    expect(waiters.size).toBe(500);
    clock.advance(6000);
    expect(waiters.size).toBe(0);
    expect(clock.waiting).toBe(0);
    const results = await Promise.all(waiting);
    expect(results.filter((result) => result === 'ready')).toHaveLength(500);
    expect(results.filter((result) => result === 'late')).toHaveLength(500);
  });

  it('lets each go in its own time', async () => {
    const { clock, waiters } = setUp();
    const order: string[] = [];
    void waiters.wait(() => false, 3000).then(() => order.push('3'));
    void waiters.wait(() => false, 5000).then(() => order.push('5'));
    clock.advance(3000);
    expect(waiters.size).toBe(1);
    clock.advance(2000);
    expect(waiters.size).toBe(0);
    await Promise.resolve();
    expect(order).toEqual(['3', '5']);
  });

  it('answers at once what is there, what is cancelled and what is too much', async () => {
    const { waiters } = setUp(1);
    expect(await waiters.wait(() => true, 1000)).toBe('ready');
    const cancel = new AbortController();
    const held = waiters.wait(() => false, 1000, cancel.signal);
    expect(await waiters.wait(() => false, 1000)).toBe('full');
    cancel.abort();
    expect(await held).toBe('cancelled');
    expect(await waiters.wait(() => false, 1000, cancel.signal)).toBe('cancelled');
    expect(waiters.size).toBe(0);
  });

  it('lets everybody go at the end', async () => {
    const { clock, waiters } = setUp();
    const held = waiters.wait(() => false, 1000);
    waiters.close();
    expect(await held).toBe('late');
    expect(clock.waiting).toBe(0);
  });
});
