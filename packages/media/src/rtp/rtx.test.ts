import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { parseRtp, readRtx, writeRtp, writeRtxPayload } from './index.ts';

/** RFC 4588 §4: number of its own, timestamp and marker of the packet, and in front of the payload the number it had. */
const AGAIN = Uint8Array.of(
  ...[0x80, 0x80 | 97, 0x00, 0x07, 0x12, 0x34, 0x56, 0x78, 0, 0, 0x0c, 0xcc],
  ...[0xff, 0xfe, 0x65, 0x88, 0x84],
);

it('reads the packet that is repeated, RFC 4588 §4', () => {
  expect(readRtx(parseRtp(AGAIN), 102, 0xaaa)).toEqual({
    marker: true,
    payloadType: 102,
    sequence: 0xfffe,
    timestamp: 0x1234_5678,
    ssrc: 0xaaa,
    payload: Uint8Array.of(0x65, 0x88, 0x84),
  });
});

it('writes what it reads', () => {
  const payload = writeRtxPayload(0xfffe, Uint8Array.of(0x65, 0x88, 0x84));
  const head = { marker: true, payloadType: 97, sequence: 7, timestamp: 0x1234_5678, ssrc: 0xccc };
  expect(writeRtp({ ...head, payload })).toEqual(AGAIN);
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 0xffff }),
      fc.uint8Array({ minLength: 1, maxLength: 50 }),
      (number, bytes) => {
        const read = readRtx({ ...head, payload: writeRtxPayload(number, bytes) }, 96, 1)!;
        expect([read.sequence, read.payload]).toEqual([number, bytes]);
      },
    ),
  );
});

it.each([
  ['padding alone', Uint8Array.of(0xa0, ...AGAIN.subarray(1, 12), 0, 0, 0, 4)],
  ['half a number', AGAIN.subarray(0, 13)],
  ['a number and no payload', AGAIN.subarray(0, 14)],
])('finds nothing in %s', (_what, bytes) => {
  expect(readRtx(parseRtp(bytes), 102, 1)).toBeUndefined();
});
