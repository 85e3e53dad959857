import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bytesOfHex } from '../model/timed-event.ts';
import { crc32 } from './crc32.ts';
import { retimedSplice } from './splice.ts';

/** SCTE 35 §14.1: time_signal, splice_insert. */
const TIME_SIGNAL =
  'fc3034000000000000fffff00506fe72bd0050001e021c435545494800008e7fcf0001a599b00808000000002ca0a18a3402009ac9d17e';
const INSERT =
  'fc302f000000000000fffff014054800008f7feffe7369c02efe0052ccf500000000000a0008435545490000013562dba30a';
const NULL = 'fc301100000000000000ffffff0000004f253396';
const bytes = (hex: string): Uint8Array => bytesOfHex(hex)!;
/** pts_adjustment and the pts_time at an offset. */
const timesOf = (section: Uint8Array, at: number): [number, number] => {
  const view = new DataView(section.buffer, section.byteOffset);
  const read = (offset: number): number => (section[offset]! & 1) * 2 ** 32 + view.getUint32(offset + 1);
  return [read(4), read(at)];
};

describe('sections of SCTE 35 on another timeline', () => {
  it.each([
    [TIME_SIGNAL, 14],
    [INSERT, 20],
  ])('splice at the time that is asked for (%#)', (hex, at) => {
    fc.assert(
      fc.property(fc.nat({ max: 2 ** 33 - 1 }), (pts) => {
        const out = retimedSplice(bytes(hex), pts)!;
        expect(crc32(out)).toBe(0);
        const [adjustment, time] = timesOf(out, at);
        expect((adjustment + time) % 2 ** 33).toBe(pts);
        expect(out.slice(9, -4)).toEqual(bytes(hex).slice(9, -4));
      }),
    );
  });

  it('stay as they are where they tell no time or are encrypted', () => {
    expect(retimedSplice(bytes(NULL), 5)).toEqual(bytes(NULL));
    const hidden = bytes(TIME_SIGNAL);
    hidden[4] = 0x80;
    new DataView(hidden.buffer).setUint32(hidden.length - 4, crc32(hidden, 0, hidden.length - 4));
    expect(retimedSplice(hidden, 5)).toEqual(hidden);
  });

  it('are left out where they are none', () => {
    for (const hex of ['', 'fc', 'fc3011', `${NULL}00`, `00${NULL.slice(2)}`, `${NULL.slice(0, -2)}00`])
      expect(retimedSplice(bytesOfHex(hex) ?? new Uint8Array(0), 5), hex).toBeUndefined();
    fc.assert(fc.property(fc.uint8Array({ maxLength: 60 }), (any) => void retimedSplice(any, 1)));
    fc.assert(
      fc.property(fc.nat({ max: 50 }), fc.nat({ max: 255 }), (at, value) => {
        const damaged = bytes(TIME_SIGNAL);
        damaged[at] = value;
        retimedSplice(damaged, 1);
      }),
    );
  });
});
