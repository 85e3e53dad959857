import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ParseError } from '../model/errors.ts';
import { bytesOfHex } from '../model/timed-event.ts';
import { retimedSplice } from './splice.ts';
import { readSplice } from './splice-info.ts';

/** SCTE 35 §14: a placement opportunity that begins and one that ends, a break of 60 s. */
const START =
  'fc3034000000000000fffff00506fe72bd0050001e021c435545494800008e7fcf0001a599b00808000000002ca0a18a3402009ac9d17e';
const INSERT =
  'fc302f000000000000fffff014054800008f7feffe7369c02efe0052ccf500000000000a0008435545490000013562dba30a';
const NULL = 'fc301100000000000000ffffff0000004f253396';
const bytes = (hex: string): Uint8Array => bytesOfHex(hex)!;

describe('readSplice', () => {
  it('reads the samples of the standard', () => {
    expect(readSplice(bytes(START))).toEqual({
      kind: 'out',
      event: 0x4800008e,
      pts: 0x072bd0050,
      duration: 0x1a599b0,
      segmentation: 0x34,
    });
    expect(readSplice(bytes(INSERT))).toEqual({
      kind: 'out',
      event: 0x4800008f,
      pts: 0x07369c02e,
      duration: 0x052ccf5,
      segmentation: undefined,
    });
    expect(readSplice(bytes(NULL))).toBeUndefined();
  });

  it('tells the end of a break, one at once, one that is taken back and one nobody can read', () => {
    const changed = (hex: string, at: number, value: number): Uint8Array => {
      const out = bytes(hex);
      out[at] = value;
      return out;
    };
    expect(readSplice(changed(INSERT, 19, 0x6f))).toMatchObject({ kind: 'in', event: 0x4800008f });
    expect(readSplice(changed(INSERT, 18, 0xff))).toMatchObject({ kind: 'command', event: 0x4800008f });
    expect(readSplice(changed(INSERT, 4, 0x80))).toMatchObject({ kind: 'command', event: undefined });
    expect(readSplice(changed(START, 48, 0x35))).toMatchObject({ kind: 'in', segmentation: 0x35 });
    expect(readSplice(changed(START, 48, 0x50))).toMatchObject({ kind: 'command', segmentation: 0x50 });
  });

  it('adds the adjustment, modulo 2^33', () => {
    fc.assert(
      fc.property(fc.nat({ max: 2 ** 33 - 1 }), (pts) => {
        expect(readSplice(retimedSplice(bytes(INSERT), pts)!)?.pts).toBe(pts);
      }),
    );
  });

  it('throws nothing but ParseErrors', () => {
    const tried = (section: Uint8Array): void => {
      try {
        readSplice(section);
      } catch (error) {
        expect(error).toBeInstanceOf(ParseError);
      }
    };
    for (const hex of [START, INSERT]) {
      for (let cut = 0; cut < hex.length; cut += 2) tried(bytes(hex.slice(0, cut)));
      fc.assert(
        fc.property(fc.nat({ max: 54 }), fc.nat({ max: 255 }), (at, value) => {
          const damaged = bytes(hex);
          damaged[at] = value;
          tried(damaged);
        }),
      );
    }
    fc.assert(fc.property(fc.uint8Array({ maxLength: 60 }), tried));
  });
});
