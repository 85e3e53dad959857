import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DecodeError } from '../api/index.ts';
import {
  decodeRelayChannel,
  decodeRelayIndex,
  encodeRelayAlive,
  encodeRelayBlock,
  encodeRelayIndex,
  encodeRelayStart,
  RELAY_CHANNEL_BYTES,
  RelayBlockJoiner,
} from './index.ts';

const bytes = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => (i * 7 + (i >> 8)) & 255);

describe('the channel between peers', () => {
  it.each([0, 1, RELAY_CHANNEL_BYTES - 16, RELAY_CHANNEL_BYTES - 15, 100_000])(
    'carries a block of %i bytes in messages that every browser takes',
    (length) => {
      const joiner = new RelayBlockJoiner();
      const block = bytes(length);
      let whole: { sequence: number; bytes: Uint8Array } | undefined;
      for (const message of encodeRelayBlock(2 ** 40 + 3, block)) {
        expect(whole).toBeUndefined();
        expect(message.length).toBeLessThanOrEqual(RELAY_CHANNEL_BYTES);
        const read = decodeRelayChannel(message);
        if (read.type === 'part') whole = joiner.push(read);
      }
      expect(whole?.sequence).toBe(2 ** 40 + 3);
      expect(Buffer.compare(whole!.bytes, block)).toBe(0);
    },
  );

  it('carries where a child begins, and signs of life', () => {
    expect(decodeRelayChannel(encodeRelayStart(-1))).toEqual({ type: 'start', after: -1 });
    expect(decodeRelayChannel(encodeRelayStart(2 ** 45))).toEqual({ type: 'start', after: 2 ** 45 });
    expect(decodeRelayChannel(encodeRelayAlive())).toEqual({ type: 'alive' });
  });

  it('refuses parts out of order, and parts that promise more than they hold', () => {
    const [first, second] = [...encodeRelayBlock(5, bytes(40_000))].map(decodeRelayChannel);
    if (first?.type !== 'part' || second?.type !== 'part') throw new TypeError('no parts');
    expect(() => new RelayBlockJoiner().push(second)).toThrow(DecodeError);
    const joiner = new RelayBlockJoiner();
    joiner.push(first);
    expect(() => joiner.push({ ...second, sequence: 6 })).toThrow(DecodeError);
    const short = [...encodeRelayBlock(5, bytes(40_000))][0]!.subarray(0, 100);
    expect(() => decodeRelayChannel(short)).toThrow(DecodeError);
  });

  it('never throws anything but its own error', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), fc.integer({ min: 0, max: 7 }), (raw, type) => {
        raw[0] = type;
        for (const decode of [decodeRelayChannel, decodeRelayIndex]) {
          try {
            decode(raw);
          } catch (error) {
            expect(error).toBeInstanceOf(DecodeError);
          }
        }
      }),
    );
  });
});

it('reads the index that it writes', () => {
  const entry = fc.record({
    step: fc.integer({ min: 1, max: 9 }),
    independent: fc.boolean(),
    hash: fc.uint8Array({ minLength: 16, maxLength: 16 }),
  });
  fc.assert(
    fc.property(fc.nat(), fc.nat(), fc.array(entry, { maxLength: 30 }), (epoch, first, list) => {
      let sequence = first * 2 ** 10;
      const entries = list.map(({ step, independent, hash }) => {
        sequence += step;
        return { sequence, independent, hash };
      });
      expect(decodeRelayIndex(encodeRelayIndex({ epoch, entries }))).toEqual({ epoch, entries });
    }),
  );
});
