import { appendFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { FakeClock } from '../../../../../test/kit/fake-clock.ts';
import { Scope } from '../../../../../test/kit/scope.ts';
import { until } from '../../../../../test/kit/until.ts';
import { ChunkOrder, MAX_WAITING } from './chunk-order.ts';

const scope = new Scope();
afterAll(() => scope.close());
const chunk = (number: number): Uint8Array => Uint8Array.of(number, number);

async function setUp(folder = scope.tempDir('onair-chunks-')) {
  const clock = new FakeClock();
  const taken: (number | 'lost')[] = [];
  const disk = { full: false, over: false };
  let size = 0;
  const order = await ChunkOrder.open({
    folder,
    clock,
    gapMs: () => 1000,
    taker: {
      take: async (bytes) => {
        taken.push(bytes[0]!);
        size += bytes.length;
      },
      flush: async () => {
        if (disk.full) throw new Error('ENOSPC');
        return size;
      },
      lost: async () => {
        if (disk.full) throw new Error('ENOSPC');
        taken.push('lost');
      },
      over: () => disk.over,
    },
  });
  return { folder, clock, taken, order, disk };
}

describe('ChunkOrder', () => {
  it('hands chunks over once and in order, however they come', async () => {
    const numbers = [1, 2, 3, 4, 5];
    const orders = fc.array(fc.constantFrom(...numbers), { maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(fc.shuffledSubarray(numbers, { minLength: 5 }), orders, async (all, repeats) => {
        const { order, taken } = await setUp();
        await Promise.all([...repeats, ...all].map((number) => order.add(number, chunk(number))));
        await until(() => taken.length === 5);
        await order.finish();
        expect(taken).toEqual(numbers);
      }),
      { numRuns: 12 },
    );
  });

  it('waits for a missing one, then goes on without it and refuses it', async () => {
    const { order, taken, clock } = await setUp();
    expect(await order.add(1, chunk(1))).toBe('taken');
    expect(await order.add(3, chunk(3))).toBe('taken');
    expect(await order.add(3, chunk(3))).toBe('repeated');
    await until(() => taken.length === 1);
    await until(() => {
      clock.advance(1000);
      return taken.length === 3;
    });
    expect(taken).toEqual([1, 'lost', 3]);
    expect(await order.add(2, chunk(2))).toBe('late');
    expect(await order.add(1, chunk(1))).toBe('repeated');
    await order.finish();
  });

  it('goes on after a restart with what waited, and neither loses nor repeats', async () => {
    const first = await setUp();
    for (const number of [1, 2, 4, 5]) await first.order.add(number, chunk(number));
    await until(() => first.taken.length === 2);
    await first.order.close();
    appendFileSync(join(first.folder, 'chunks'), '3 9');
    const second = await setUp(first.folder);
    expect(second.order.next).toBe(3);
    await second.order.add(3, chunk(3));
    await until(() => second.taken.length === 3);
    await second.order.finish();
    expect(second.taken).toEqual([3, 4, 5]);
    expect(readdirSync(join(first.folder, 'waiting'))).toEqual([]);
  });

  it('hands over once what the disk did not take at first, by itself and at the end', async () => {
    const { order, taken, clock, disk } = await setUp();
    disk.full = true;
    expect(await order.add(1, chunk(1))).toBe('taken');
    expect(await order.add(3, chunk(3))).toBe('taken');
    await until(() => taken.length === 1);
    await expect(order.finish()).rejects.toThrow('ENOSPC');
    expect(order.next).toBe(1);
    disk.full = false;
    await until(() => {
      clock.advance(500);
      return order.next === 4;
    });
    expect(taken).toEqual([1, 'lost', 3]);
    await order.finish();
    const failed = await setUp();
    Object.assign(failed.disk, { full: true, over: true });
    await failed.order.add(1, chunk(1));
    await failed.order.finish();
  });

  it('keeps at most so many waiting, and ends with the rest at once', async () => {
    const { order, taken } = await setUp();
    for (let number = 2; number < MAX_WAITING + 2; number++) await order.add(number, chunk(number));
    expect(await order.add(MAX_WAITING + 2, chunk(1))).toBe('full');
    await order.finish();
    expect(taken).toHaveLength(MAX_WAITING + 1);
    expect(taken[0]).toBe('lost');
  });
});
