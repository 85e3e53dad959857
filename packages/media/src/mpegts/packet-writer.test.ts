import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { putPcr } from './clock.ts';
import { PACKET_BYTES } from './packet.ts';
import { PacketWriter, type UnitMarks } from './packet-writer.ts';

const PID = 0x100;

/** The packets of a unit, made one by one as the standard describes them. */
function packetsOf(unit: Uint8Array, { randomAccess, discontinuity, clocks }: UnitMarks): number[][] {
  const most = Math.ceil((unit.length + clocks.length * 8) / 184);
  const step = Math.max(1, Math.floor(most / Math.max(1, clocks.length)));
  const packets: number[][] = [];
  const told = [...clocks];
  const clockOf = (pcr: number): number[] => {
    const bytes = new Uint8Array(6);
    putPcr(bytes, 0, pcr);
    return [...bytes];
  };
  for (let left = [...unit]; left.length > 0; ) {
    const index = packets.length;
    const pcr = index % step === 0 ? told.shift() : undefined;
    const marks = index === 0 ? (discontinuity ? 0x80 : 0) | (randomAccess ? 0x40 : 0) : 0;
    const field = pcr !== undefined ? [marks | 0x10, ...clockOf(pcr)] : marks === 0 ? undefined : [marks];
    const part = left.slice(0, 184 - (field === undefined ? 0 : field.length + 1));
    left = left.slice(part.length);
    const stuffed = 184 - part.length;
    const head = [0x47, (index === 0 ? 0x40 : 0) | (PID >> 8), PID & 0xff, 0x10 | (stuffed > 0 ? 0x20 : 0)];
    const adaptation =
      stuffed === 0
        ? []
        : stuffed === 1
          ? [0]
          : [stuffed - 1, ...(field ?? [0]), ...Array(stuffed - 1 - (field?.length ?? 1)).fill(0xff)];
    packets.push([...head, ...adaptation, ...part]);
  }
  for (const pcr of told) {
    const fill: number[] = Array(176).fill(0xff);
    packets.push([0x47, PID >> 8, PID & 0xff, 0x20, 183, 0x10, ...clockOf(pcr), ...fill]);
  }
  return packets;
}

/** Sets the counters as they are to be, from `counter` on. @returns the counter behind. */
function counted(packets: number[][], counter: number): number {
  for (const packet of packets) {
    const payload = (packet[3]! & 0x10) !== 0;
    packet[3]! |= (payload ? counter : counter - 1) & 15;
    if (payload) counter++;
  }
  return counter;
}

function written(writer: PacketWriter, unit: Uint8Array, marks: UnitMarks): void {
  const at = writer.open(unit.length, marks);
  writer.bytes.set(unit, at);
  writer.close(PID);
}

const MARKS = fc.record({
  randomAccess: fc.boolean(),
  discontinuity: fc.boolean(),
  clocks: fc.array(fc.nat(2 ** 40), { maxLength: 6 }),
});

describe('PacketWriter', () => {
  it('parts units where they lie as it would packet by packet', () => {
    const units = fc.array(fc.tuple(fc.integer({ min: 1, max: 3000 }), MARKS), {
      minLength: 1,
      maxLength: 4,
    });
    fc.assert(
      fc.property(units, fc.boolean(), (list, lends) => {
        const writer = new PacketWriter(lends);
        const expected: number[] = [];
        let counter = 0;
        for (const [length, marks] of list) {
          const unit = Uint8Array.from({ length }, (_, i) => (i * 7 + length) & 0xff);
          written(writer, unit, marks);
          const packets = packetsOf(unit, marks);
          counter = counted(packets, counter);
          expected.push(...packets.flat());
        }
        expect(Buffer.from(writer.take()).equals(Buffer.from(expected))).toBe(true);
      }),
      { numRuns: 150 },
    );
  });

  it.each([0, 1, 2, 3])('parts every length about one and two packets, with %i clocks', (count) => {
    const clocks = Array.from({ length: count }, (_, i) => 1000 * i);
    for (let length = 1; length < 3 * PACKET_BYTES; length++) {
      for (const randomAccess of [false, true]) {
        const marks = { randomAccess, discontinuity: false, clocks };
        const unit = Uint8Array.from({ length }, (_, i) => i & 0xff);
        const writer = new PacketWriter();
        written(writer, unit, marks);
        const packets = packetsOf(unit, marks);
        counted(packets, 0);
        expect(Buffer.compare(writer.take(), Buffer.from(packets.flat())), `${length}`).toBe(0);
      }
    }
  });

  it('writes into what it lent, once that is given back, and never before', () => {
    const writer = new PacketWriter(true);
    const marks = { randomAccess: false, discontinuity: false, clocks: [] };
    const take = (byte: number): Uint8Array => {
      written(writer, new Uint8Array(500).fill(byte), marks);
      return writer.take();
    };
    const first = take(1);
    const second = take(2);
    expect(second.buffer).not.toBe(first.buffer);
    expect(first.at(-1)).toBe(1);
    writer.giveBack(first);
    const third = take(3);
    expect(third.buffer).toBe(first.buffer);
    expect([second.at(-1), third.at(-1)]).toEqual([2, 3]);
  });
});
