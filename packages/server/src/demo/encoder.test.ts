import { expect, it } from 'vitest';
import { BitWriter } from './bit-writer.ts';
import { MAX_QP, MIN_QP, VideoEncoder } from './encoder.ts';
import { avcConfiguration, levelFor } from './parameter-sets.ts';
import { createPicture, type Picture } from './picture.ts';

it('writes Exp-Golomb codes as clause 9.1 lists them', () => {
  const bits = new BitWriter();
  for (const value of [0, 1, 2, 3, 7, 8]) bits.ue(value);
  for (const value of [0, 1, -1, 2, -2]) bits.se(value);
  // 1 010 011 00100 0001000 0001001 | 1 010 011 00100 00101 | stop bit
  const text = '1010011001000001000000100110100110010000101';
  const written = [...bits.nalUnit(0x67).subarray(1)]
    .map((byte) => byte.toString(2).padStart(8, '0'))
    .join('');
  expect(written.replace(/10*$/, '')).toBe(text);
});

it('writes long values and grows', () => {
  const bits = new BitWriter();
  for (let at = 0; at < 100_000; at++) bits.u(0xabcdef, 24);
  bits.ue(2 ** 24 - 2);
  const out = bits.nalUnit(1);
  expect(out).toHaveLength(1 + 300_000 + 6 + 1); // 23 zero bits and a one look like a start code
  expect([...out.subarray(1, 4), ...out.subarray(299_998, 300_001)]).toEqual([
    ...[0xab, 0xcd, 0xef],
    ...[0xab, 0xcd, 0xef],
  ]);
});

it('puts an emulation prevention byte wherever clause 7.4.1 wants one', () => {
  const bits = new BitWriter();
  for (const byte of [0, 0, 0, 0, 0, 1, 0, 0, 3, 0, 0, 4]) bits.u(byte, 8);
  expect([...bits.nalUnit(9)]).toEqual([9, 0, 0, 3, 0, 0, 3, 0, 1, 0, 0, 3, 3, 0, 0, 4, 0x80]);
});

it('names the lowest level that allows a format', () => {
  expect(levelFor({ width: 640, height: 360, frameRate: 30 })).toBe(30);
  expect(levelFor({ width: 1280, height: 720, frameRate: 30 })).toBe(31);
  expect(levelFor({ width: 1920, height: 1080, frameRate: 30 })).toBe(40);
  expect(levelFor({ width: 1920, height: 1080, frameRate: 60 })).toBe(42);
  expect(() => levelFor({ width: 3840, height: 2160, frameRate: 30 })).toThrow(RangeError);
});

it('describes itself to MP4 and FLV', () => {
  const record = avcConfiguration({ width: 640, height: 360, frameRate: 30 });
  expect([...record.subarray(0, 6)]).toEqual([1, 66, 0xc0, 30, 0xff, 0xe1]);
  const length = record[6]! * 256 + record[7]!;
  expect(record[8]).toBe(0x67);
  expect(record[8 + length]).toBe(1);
  expect(record[8 + length + 3]).toBe(0x68);
  expect(record).toHaveLength(8 + length + 3 + record[8 + length + 1]! * 256 + record[8 + length + 2]!);
});

it('refuses a QP whose levels might not fit', () => {
  expect(() => new VideoEncoder(64, 64, MIN_QP - 1)).toThrow(RangeError);
  expect(() => new VideoEncoder(64, 64, MAX_QP + 1)).toThrow(RangeError);
});

function levelDifference(a: Picture, b: Picture): number {
  let worst = 0;
  for (const plane of ['luma', 'cb', 'cr'] as const) {
    a[plane].samples.forEach((value, at) => {
      worst = Math.max(worst, Math.abs(value - b[plane].samples[at]!));
    });
  }
  return worst;
}

it('keeps flat pictures to the level and costs next to nothing for stillness', () => {
  const encoder = new VideoEncoder(320, 176, 22);
  const picture = createPicture(320, 176);
  const damage = new Uint8Array(picture.columns * picture.rows);
  encoder.encodeIdr(picture);
  expect(levelDifference(encoder.reconstruction, picture)).toBeLessThanOrEqual(1);
  expect(encoder.encodeP(picture, damage).length).toBeLessThan(12);
  damage.fill(1); // may have changed, did not
  expect(encoder.encodeP(picture, damage).length).toBeLessThan(12);
  picture.luma.samples.fill(200);
  picture.cb.samples.fill(60);
  encoder.encodeP(picture, damage);
  expect(levelDifference(encoder.reconstruction, picture)).toBeLessThanOrEqual(2);
});
