import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { boxBudget } from '../isobmff/index.ts';
import { ParseError } from '../model/index.ts';
import { sampleTable } from './sample-table.ts';

const u32 = (...values: number[]): number[] =>
  values.flatMap((value) => [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255]);
const box = (type: string, ...values: number[]): number[] => [
  ...u32(12 + values.length * 4),
  ...[...type].map((char) => char.charCodeAt(0)),
  ...u32(0, ...values),
];

/** Seven samples in chunks of 2, 2, 2 and 1. */
const TABLE = {
  stts: box('stts', 2, 3, 100, 4, 50),
  ctts: box('ctts', 3, 1, 200, 1, -50, 5, 0),
  stsc: box('stsc', 2, 1, 2, 1, 4, 1, 1),
  stsz: box('stsz', 0, 7, 10, 20, 30, 40, 50, 60, 70),
  stco: box('stco', 4, 1000, 2000, 3000, 4000),
  stss: box('stss', 2, 1, 5),
};
const bytes = (boxes: Partial<Record<keyof typeof TABLE, number[]>>): Uint8Array =>
  Uint8Array.from(Object.values({ ...TABLE, ...boxes }).flat());
const read = (stbl: Uint8Array) => [...sampleTable(stbl, boxBudget())];

describe('sample table', () => {
  it('unfolds into samples with place and time', () => {
    const entries = read(bytes({}));
    expect(entries.map(({ offset }) => offset)).toEqual([1000, 1010, 2000, 2030, 3000, 3050, 4000]);
    expect(entries.map(({ size }) => size)).toEqual([10, 20, 30, 40, 50, 60, 70]);
    expect(entries.map(({ dts }) => dts)).toEqual([0, 100, 200, 300, 350, 400, 450]);
    expect(entries.map(({ pts }) => pts)).toEqual([200, 50, 200, 300, 350, 400, 450]);
    expect(entries.map(({ keyframe }) => keyframe)).toEqual([true, false, false, false, true, false, false]);
  });

  it('knows equal sizes, long offsets and tracks of keyframes only', () => {
    const stbl = Uint8Array.from([
      ...box('stts', 1, 2, 1024),
      ...box('stsc', 1, 1, 1, 1),
      ...box('stsz', 7, 2),
      ...box('co64', 2, 1, 0, 1, 7),
    ]);
    expect(read(stbl)).toEqual([
      { dts: 0, pts: 0, duration: 1024, keyframe: true, offset: 2 ** 32, size: 7 },
      { dts: 1024, pts: 1024, duration: 1024, keyframe: true, offset: 2 ** 32 + 7, size: 7 },
    ]);
  });

  it.each([
    ['too few durations', { stts: box('stts', 1, 3, 100) }],
    ['too few chunks', { stco: box('stco', 2, 1000, 2000) }],
    ['no sizes', { stsz: [] }],
    ['no offsets', { stco: [] }],
    ['chunk runs that go back', { stsc: box('stsc', 3, 1, 2, 1, 1, 1, 1, 2, 1, 1) }],
    ['a table that is cut off', { stts: box('stts', 9, 3, 100) }],
    ['more samples than are allowed', { stsz: box('stsz', 1, 0xffffffff) }],
  ])('refuses %s', (_, boxes) => {
    expect(() => read(bytes(boxes))).toThrow(ParseError);
  });

  it('fails in no other way on anything, and does not run on', () => {
    const whole = bytes({});
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { maxLength: 6 }), (changes) => {
        const changed = whole.slice();
        for (const [at, value] of changes) changed[at] = value;
        try {
          let left = 1000;
          for (const _ of sampleTable(changed, boxBudget())) if (--left === 0) break;
        } catch (error) {
          expect(error).toBeInstanceOf(ParseError);
        }
      }),
      { numRuns: 500 },
    );
  });
});
