import { expect, it } from 'vitest';
import { ByteWriter } from './writer.ts';

it.each([0, 1, 2, 3, 5, 8, 100])('writes the same whatever the first capacity: %i', (capacity) => {
  const w = new ByteWriter(capacity);
  w.u8(0x01).u16(0x0203).u24(0x040506).u32(0x0708090a).u32le(0x0e0d0c0b);
  w.i16(-2)
    .i32(-3)
    .u64(2 ** 40 + 1)
    .f64(1.5)
    .bytes(Uint8Array.of(1, 2, 3))
    .utf8('é🎉')
    .zeros(2);
  const expected =
    '01' +
    '0203' +
    '040506' +
    '0708090a' +
    '0b0c0d0e' +
    'fffe' +
    'fffffffd' +
    '0000010000000001' +
    '3ff8000000000000' +
    '010203' +
    'c3a9f09f8e89' +
    '0000';
  expect(Array.from(w.finish(), (byte) => byte.toString(16).padStart(2, '0')).join('')).toBe(expected);
});
