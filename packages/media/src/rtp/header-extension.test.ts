import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { headerExtension } from './index.ts';

/** A packet with contributing sources and elements of a header extension. */
function packet(elements: readonly number[], profile = 0xbede, sources = 0): Uint8Array {
  const words = Math.ceil(elements.length / 4);
  const bytes = new Uint8Array(12 + 4 * sources + 4 + 4 * words + 3);
  bytes[0] = 0x90 | sources;
  const at = 12 + 4 * sources;
  new DataView(bytes.buffer).setUint16(at, profile);
  new DataView(bytes.buffer).setUint16(at + 2, words);
  bytes.set(elements, at + 4);
  return bytes;
}

const text = (bytes: Uint8Array | undefined): string | undefined => bytes && String.fromCharCode(...bytes);

it('finds an element behind others and padding, RFC 8285 §4.2', () => {
  const elements = [0x12, 1, 2, 3, 0, 0, 0xa1, 0x68, 0x69, 0x30, 0x31];
  for (const sources of [0, 15]) {
    expect(text(headerExtension(packet(elements, 0xbede, sources), 10))).toBe('hi');
    expect(text(headerExtension(packet(elements, 0xbede, sources), 3))).toBe('1');
    expect(headerExtension(packet(elements, 0xbede, sources), 4)).toBeUndefined();
  }
});

it('finds an element of the two-byte form, RFC 8285 §4.3', () => {
  const long = Array.from({ length: 20 }, (_, i) => 0x61 + i);
  // Padding between elements, one without data, one with an id and a length that the short form does not have.
  const elements = [0x0a, 2, 0x68, 0x69, 0, 0, 0x0b, 0, 0xc8, 20, ...long, 15, 1, 0x31];
  for (const profile of [0x1000, 0x1007]) {
    expect(text(headerExtension(packet(elements, profile, 3), 10))).toBe('hi');
    expect(text(headerExtension(packet(elements, profile), 11))).toBe('');
    expect(text(headerExtension(packet(elements, profile), 200))).toBe(String.fromCharCode(...long));
    expect(text(headerExtension(packet(elements, profile), 15))).toBe('1');
    expect(headerExtension(packet(elements, profile), 12)).toBeUndefined();
  }
});

it.each([
  ['no extension', new Uint8Array(20).fill(0x80, 0, 1), 1],
  ['another form', packet([0x10, 1], 0x1010), 1],
  ['an element of the two-byte form that is cut off', packet([9, 0, 0, 0, 0, 1, 3, 7], 0x1000), 1],
  ['an element of the two-byte form without a length', packet([9, 1, 1, 1], 0x1000), 1],
  ['an element that is cut off', packet([0, 0, 0, 0x1f]), 1],
  ['something behind the reserved id', packet([0xf0, 1, 0x10, 1]), 1],
  ['an extension longer than the packet', packet([0x10, 1]).subarray(0, 18), 1],
  ['less than a header', Uint8Array.of(0x90), 1],
])('finds nothing in a packet with %s', (_what, bytes, id) => {
  expect(headerExtension(bytes, id)).toBeUndefined();
});

it('reads nothing outside of any packet', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 60 }),
      fc.integer({ min: 1, max: 255 }),
      fc.boolean(),
      (noise, id, short) => {
        const bytes = Uint8Array.from(noise);
        if (bytes.length > 14) bytes.set([0x90, 96], 0);
        if (bytes.length > 14) bytes.set(short ? [0xbe, 0xde] : [0x10, 0], 12);
        const found = headerExtension(bytes, id);
        if (found !== undefined) expect(found.length).toBeLessThanOrEqual(short ? 16 : 255);
      },
    ),
  );
});
