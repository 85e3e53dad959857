import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import type { RtpPacket } from './packet.ts';
import { ReceiveQueue } from './receive-queue.ts';
import { Reception } from './reception.ts';

const packet = (sequence: number, timestamp = sequence * 3000): RtpPacket => ({
  marker: false,
  payloadType: 96,
  sequence: sequence & 0xffff,
  timestamp,
  ssrc: 1,
  payload: Uint8Array.of(sequence & 0xff),
});

it('puts packets in order across the wrap and leaves repeats out, whatever the order of arrival', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 0xffff }),
      fc.array(fc.tuple(fc.nat(7), fc.boolean()), { minLength: 1, maxLength: 80 }),
      (start, moves) => {
        const queue = new ReceiveQueue();
        const order = moves.map(([late], i) => ({ sequence: start + i, at: i === 0 ? -1 : i + late }));
        order.sort((a, b) => a.at - b.at);
        const out: number[] = [];
        order.forEach(({ sequence }, i) => {
          for (const copy of moves[i]![1] ? [0, 1] : [0]) {
            for (const { packet: one, lossBefore } of queue.push(packet(sequence), i + copy)) {
              expect(lossBefore).toBe(false);
              out.push(one.sequence);
            }
          }
        });
        expect(out).toEqual(moves.map((_, i) => (start + i) & 0xffff));
        expect(queue.size).toBe(0);
      },
    ),
  );
});

it('asks for what is missing, a few times, then gives it up', () => {
  const queue = new ReceiveQueue({ waitMs: 200, maxPackets: 100 });
  expect(queue.push(packet(1), 0)).toHaveLength(1);
  expect(queue.push(packet(4), 10)).toHaveLength(0);
  expect(queue.nacks(10)).toEqual([2, 3]);
  expect(queue.nacks(20)).toEqual([]);
  expect(queue.push(packet(2), 30)).toHaveLength(1);
  expect(queue.nacks(60)).toEqual([3]);
  expect(queue.poll(205)).toEqual([]);
  const [given] = queue.poll(211);
  expect(given).toMatchObject({ lossBefore: true, packet: { sequence: 4 } });
  expect(queue.nacks(500)).toEqual([]);
  // What comes too late has no place any more.
  expect(queue.push(packet(3), 220)).toEqual([]);
});

it('does not hold back more than it may, and takes a jump for a new run', () => {
  const queue = new ReceiveQueue({ waitMs: 1e9, maxPackets: 10 });
  queue.push(packet(0), 0);
  let out = 0;
  for (let i = 2; i < 14; i++) out += queue.push(packet(i), i).length;
  expect(out).toBeGreaterThan(0);
  expect(queue.size).toBeLessThanOrEqual(10);
  expect(queue.push(packet(40_000), 50).at(-1)).toMatchObject({
    lossBefore: true,
    packet: { sequence: 40_000 },
  });
  expect(queue.push(packet(40_001), 51)).toMatchObject([{ lossBefore: false }]);
});

it('reports loss and jitter', () => {
  const reception = new Reception(1, 90_000);
  for (let i = 0; i < 100; i++)
    if (i % 10 !== 5) reception.note(packet(0xfff0 + i, i * 3000), (i * 1000) / 30);
  expect(reception.lost).toBe(10);
  reception.noteReport({ seconds: 0x1_0002, fraction: 0x8000_0000 }, 3000);
  const first = reception.block(4000);
  expect(first).toMatchObject({
    ssrc: 1,
    fractionLost: Math.floor(2560 / 100),
    lost: 10,
    lastReport: 0x2_8000,
    delay: 65_536,
  });
  expect(first.jitter).toBeLessThan(3);
  expect(first.highest).toBe(0xfff0 + 99);
  expect(reception.block(5000).fractionLost).toBe(0);
});
