import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  annexBToLengthPrefixed,
  escapeRbsp,
  joinAnnexB,
  joinLengthPrefixed,
  lengthPrefixedToAnnexB,
  looksLikeAnnexB,
  MAX_NALS_PER_UNIT,
  splitAnnexB,
  splitLengthPrefixed,
  unescapeRbsp,
  widenLengths,
} from './nal.ts';

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

describe('emulation prevention', () => {
  it('removes and inserts the bytes of H.264 §7.4.1', () => {
    expect(unescapeRbsp(bytes(0, 0, 3, 1, 0, 0, 3, 0, 0, 3, 2))).toEqual(bytes(0, 0, 1, 0, 0, 0, 0, 2));
    expect(escapeRbsp(bytes(0, 0, 1, 0, 0, 0, 0, 2))).toEqual(bytes(0, 0, 3, 1, 0, 0, 3, 0, 0, 3, 2));
    expect(unescapeRbsp(bytes(9, 8, 7, 6), 2)).toEqual(bytes(9, 8));
  });

  it('is undone exactly, and never leaves a start code', () => {
    const payload = fc.uint8Array({ maxLength: 60 }).map((b) => b.map((v) => v % 5));
    fc.assert(
      fc.property(payload, (rbsp) => {
        const nal = escapeRbsp(rbsp);
        for (let i = 2; i < nal.length; i++) {
          expect(nal[i - 2] === 0 && nal[i - 1] === 0 && nal[i]! < 3).toBe(false);
        }
        const back = unescapeRbsp(nal);
        expect(back.subarray(0, rbsp.length)).toEqual(rbsp);
      }),
      { numRuns: 300 },
    );
  });
});

describe('framing', () => {
  const nals = [bytes(0x67, 1, 2), bytes(0x68, 3), bytes(0x65, 0, 0, 3, 1, 9)];

  it('splits and joins both forms', () => {
    expect(splitLengthPrefixed(joinLengthPrefixed(nals))).toEqual(nals);
    expect(splitAnnexB(joinAnnexB(nals))).toEqual(nals);
    expect(annexBToLengthPrefixed(joinAnnexB(nals))).toEqual(joinLengthPrefixed(nals));
    expect(lengthPrefixedToAnnexB(joinLengthPrefixed(nals.slice(2)), nals.slice(0, 2))).toEqual(
      joinAnnexB(nals),
    );
  });

  it('takes start codes of 3 and 4 bytes, trailing zeros and rubbish in front', () => {
    const stream = bytes(7, 0, 0, 1, 0x67, 1, 0, 0, 0, 0, 1, 0x68, 2, 0, 0, 1, 0x65, 1, 1, 0, 0);
    expect(splitAnnexB(stream)).toEqual([bytes(0x67, 1), bytes(0x68, 2), bytes(0x65, 1, 1)]);
    expect(splitAnnexB(bytes(1, 2, 3))).toEqual([]);
    expect(splitAnnexB(bytes())).toEqual([]);
  });

  it('widens shorter lengths', () => {
    expect(widenLengths(bytes(0, 2, 0x65, 9, 0, 0, 0, 1, 0x61), 2)).toEqual(
      bytes(0, 0, 0, 2, 0x65, 9, 0, 0, 0, 1, 0x61),
    );
  });

  it('refuses lengths that do not add up, and floods', () => {
    for (const unit of [bytes(0, 0, 0, 5, 1, 2), bytes(0, 0), bytes(0xff, 0xff, 0xff, 0xff, 1)]) {
      expect(() => splitLengthPrefixed(unit)).toThrow(expect.objectContaining({ code: 'NAL_MALFORMED' }));
    }
    const flood = new Uint8Array((MAX_NALS_PER_UNIT + 1) * 5).map((_, i) => (i % 5 === 3 ? 1 : 0));
    expect(() => splitLengthPrefixed(flood)).toThrow(expect.objectContaining({ code: 'NAL_MALFORMED' }));
    const codes = new Uint8Array((MAX_NALS_PER_UNIT + 1) * 4).map((_, i) => [0, 0, 1, 9][i % 4]!);
    expect(() => splitAnnexB(codes)).toThrow(expect.objectContaining({ code: 'NAL_MALFORMED' }));
  });

  it('tells start codes from short NAL lengths', () => {
    expect(looksLikeAnnexB(joinAnnexB(nals))).toBe(true);
    expect(looksLikeAnnexB(bytes(0, 0, 1, 0x65, 1, 2, 3))).toBe(true);
    expect(looksLikeAnnexB(joinLengthPrefixed(nals))).toBe(false);
    expect(looksLikeAnnexB(joinLengthPrefixed([bytes(9), new Uint8Array(300).fill(7)]))).toBe(false);
    expect(looksLikeAnnexB(joinLengthPrefixed([new Uint8Array(300).fill(7)]))).toBe(false);
    expect(looksLikeAnnexB(bytes())).toBe(false);
  });

  it('joins what it split, whatever the bytes', () => {
    const nal = fc
      .uint8Array({ minLength: 1, maxLength: 20 })
      .map((b) => escapeRbsp(Uint8Array.of(0x65, ...b, 0x80)));
    fc.assert(
      fc.property(fc.array(nal, { maxLength: 6 }), (some) => {
        expect(splitLengthPrefixed(annexBToLengthPrefixed(joinAnnexB(some)))).toEqual(some);
      }),
      { numRuns: 100 },
    );
  });
});
