import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CLOCK_SEI_UUID, clockSei, readClockSei } from './index.ts';

const NOW = 1_795_000_001_033_333;

function unit(...nals: readonly Uint8Array[]): Uint8Array {
  const out: number[] = [];
  for (const nal of nals) out.push(nal.length >> 24, nal.length >> 16, nal.length >> 8, nal.length, ...nal);
  return Uint8Array.from(out);
}
const SLICE = Uint8Array.of(0x65, 0x88, 0x80);

describe('clock message', () => {
  it('is a user_data_unregistered with the UUID and the microseconds', () => {
    const nal = clockSei(0x0001_0203_0405_0607);
    expect([...nal.subarray(0, 3)]).toEqual([6, 5, 24]);
    expect([...nal.subarray(3, 19)]).toEqual([...CLOCK_SEI_UUID]);
    expect([...nal.subarray(19)]).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 0x80]);
  });

  it('keeps start codes out of the NAL unit', () => {
    for (const us of [0, 1, 256, 65_536, 0x0003_0000_0001]) {
      const nal = clockSei(us);
      for (let at = 2; at < nal.length; at++) {
        expect(nal[at - 2] === 0 && nal[at - 1] === 0 && nal[at]! < 3).toBe(false);
      }
      expect(readClockSei(unit(nal, SLICE))).toBe(us);
    }
  });

  it('comes back for every time', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), (us) => {
        expect(readClockSei(unit(clockSei(us), SLICE))).toBe(us);
      }),
    );
  });

  it('is found behind other units and other messages, and not behind a slice', () => {
    const clock = clockSei(NOW);
    const aud = Uint8Array.of(9, 0xf0);
    const other = Uint8Array.of(6, 1, 2, 0xaa, 0xbb, 0x80);
    const foreign = clock.slice();
    foreign[5]! ^= 1;
    expect(readClockSei(unit(aud, other, foreign, clock, SLICE))).toBe(NOW);
    const both = Uint8Array.of(6, 1, 2, 0xaa, 0xbb, ...clock.subarray(1));
    expect(readClockSei(unit(both, SLICE))).toBe(NOW);
    expect(readClockSei(unit(SLICE, clock))).toBeUndefined();
    expect(readClockSei(unit(foreign, SLICE))).toBeUndefined();
  });

  it('is not found in a cut access unit', () => {
    const whole = unit(clockSei(NOW), SLICE);
    const message = whole.length - SLICE.length - 4;
    for (let length = 0; length < message; length++) {
      expect(readClockSei(whole.subarray(0, length))).toBeUndefined();
    }
  });

  it('never fails on anything', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.boolean(), (bytes, wrapped) => {
        readClockSei(wrapped ? unit(Uint8Array.of(6, ...bytes), SLICE) : bytes);
      }),
    );
  });

  it('refuses times it cannot hold', () => {
    for (const us of [-1, 0.5, 2 ** 53, Number.NaN]) expect(() => clockSei(us)).toThrow(RangeError);
  });
});
