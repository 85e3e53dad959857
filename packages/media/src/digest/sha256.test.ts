import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { sha256 } from './index.ts';

it('gives what the platform gives, for every length around a block and for long inputs', () => {
  const check = (bytes: Uint8Array): void => {
    expect(Buffer.from(sha256(bytes)).toString('hex')).toBe(createHash('sha256').update(bytes).digest('hex'));
  };
  for (let length = 0; length < 200; length++) check(new Uint8Array(length).fill(length));
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 5000 }), fc.nat(64), (bytes, from) => check(bytes.subarray(from))),
  );
});
