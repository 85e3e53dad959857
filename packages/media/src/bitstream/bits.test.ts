import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ParseError } from '../model/index.ts';
import { BitReader } from './bit-reader.ts';
import { BitWriter } from './bit-writer.ts';

const reader = (...bytes: number[]): BitReader => new BitReader(Uint8Array.from(bytes), 'test');

describe('bit reader', () => {
  it('reads across byte borders, up to 32 bits', () => {
    const bits = reader(0b1010_0101, 0xff, 0x00, 0x12, 0x34, 0x56);
    expect(bits.u(3)).toBe(0b101);
    expect(bits.flag()).toBe(false);
    expect(bits.u(8)).toBe(0b0101_1111);
    expect(bits.u(0)).toBe(0);
    expect(bits.u(32)).toBe(0xf001_2345);
    expect(bits.remaining).toBe(4);
    expect(bits.position).toBe(44);
    bits.align();
    expect(bits.remaining).toBe(0);
  });

  it('throws past the end instead of inventing bits', () => {
    const bits = reader(0xff);
    bits.skip(5);
    expect(() => bits.u(4)).toThrow(expect.objectContaining({ code: 'BITS_OUT_OF_RANGE', clause: 'test' }));
    expect(bits.u(3)).toBe(7);
    expect(() => bits.flag()).toThrow(ParseError);
    expect(() => bits.skip(-1)).toThrow(ParseError);
  });

  it('reads the Exp-Golomb codes of H.264 Table 9-2', () => {
    const bits = reader(0b1_010_011_0, 0b0100_0010, 0b1_0000000);
    expect([bits.ue(), bits.ue(), bits.ue(), bits.ue(), bits.ue()]).toEqual([0, 1, 2, 3, 4]);
  });

  it('refuses an Exp-Golomb code of more than 32 bits', () => {
    expect(() => reader(0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff).ue()).toThrow(
      expect.objectContaining({ code: 'BITS_OUT_OF_RANGE' }),
    );
    expect(reader(0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff).ue()).toBe(2 ** 32 - 2);
  });

  it('reads what the writer wrote', () => {
    const field = fc.oneof(
      fc.tuple(fc.constant('u' as const), fc.integer({ min: 0, max: 0xffff_ffff })),
      fc.tuple(fc.constant('ue' as const), fc.integer({ min: 0, max: 0xffff_fffe })),
      fc.tuple(fc.constant('se' as const), fc.integer({ min: -0x7fff_ffff, max: 0x7fff_ffff })),
    );
    fc.assert(
      fc.property(fc.array(field, { maxLength: 30 }), (fields) => {
        const writer = new BitWriter();
        for (const [kind, value] of fields) {
          if (kind === 'u') writer.u(32, value);
          else if (kind === 'ue') writer.ue(value);
          else writer.se(value);
        }
        const bits = new BitReader(writer.finish(), 'test');
        for (const [kind, value] of fields) {
          expect(kind === 'u' ? bits.u(32) : kind === 'ue' ? bits.ue() : bits.se()).toBe(value);
        }
      }),
      { numRuns: 100 },
    );
  });
});
