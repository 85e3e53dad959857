import { createHmac, randomBytes } from 'node:crypto';
import { expect, it } from 'vitest';
import { ChunkQueue } from '../bytes/index.ts';
import { ParseError } from '../model/errors.ts';
import { CLIENT_KEY, digestOffset, findDigest, SERVER_KEY, signPacket } from './handshake-digest.ts';
import { ClientHandshake, HANDSHAKE_BYTES, type HandshakeCrypto, ServerHandshake } from './index.ts';

const crypto: HandshakeCrypto = {
  hmacSha256: (key, data) => new Uint8Array(createHmac('sha256', key).update(data).digest()),
  randomBytes: (count) => new Uint8Array(randomBytes(count)),
};

function queue(...parts: (Uint8Array | number[])[]): ChunkQueue {
  const made = new ChunkQueue();
  for (const part of parts) made.push(Uint8Array.from(part));
  return made;
}

it.each([
  [0, 'RTMP_VERSION'],
  [2, 'RTMP_VERSION'],
  [6, 'RTMP_VERSION'],
  [8, 'RTMP_VERSION'],
  [9, 'RTMP_VERSION'],
  [0x16, 'RTMP_VERSION'],
  [0x47, 'RTMP_VERSION'],
  [3, 'accepted'],
])('version %i: %s, on the first byte', (version, result) => {
  for (const side of [ServerHandshake, ClientHandshake]) {
    let code = 'accepted';
    try {
      new side({ nowMs: 0 }).read(queue([version]));
    } catch (error) {
      code = (error as ParseError).code;
      expect(error).toBeInstanceOf(ParseError);
      if ([6, 8, 9].includes(version)) expect((error as ParseError).message).toContain('RTMPE');
    }
    expect(code).toBe(result);
  }
});

it('echoes a simple C1 in S2, and puts its time into S1', () => {
  const c1 = new Uint8Array(HANDSHAKE_BYTES).map((_, i) => (i >= 4 && i < 8 ? 0 : i));
  const server = new ServerHandshake({ crypto, nowMs: 0x0102_0304 });
  const answer = server.read(queue([3], c1))!;
  expect(answer.length).toBe(1 + 2 * HANDSHAKE_BYTES);
  expect([...answer.subarray(0, 9)]).toEqual([3, 1, 2, 3, 4, 0, 0, 0, 0]);
  const s2 = answer.subarray(1 + HANDSHAKE_BYTES);
  expect([...s2.subarray(0, 8)]).toEqual([0, 1, 2, 3, 1, 2, 3, 4]);
  expect(s2.subarray(8)).toEqual(c1.subarray(8));
  expect([server.done, server.digest]).toEqual([false, false]);
  const rest = queue(new Uint8Array(HANDSHAKE_BYTES), [0xaa]);
  expect(server.read(rest)).toBe(undefined);
  expect(server.done).toBe(true);
  expect(rest.length).toBe(1);
});

it.each([0, 1] as const)('answers a digest of scheme %i in the same scheme', (scheme) => {
  for (let run = 0; run < 20; run++) {
    const c1 = crypto.randomBytes(HANDSHAKE_BYTES);
    c1.set([9, 0, 124, 2], 4);
    signPacket(crypto, c1, scheme, CLIENT_KEY.short);
    const server = new ServerHandshake({ crypto, nowMs: 0 });
    const answer = server.read(queue([3], c1))!;
    expect(server.digest).toBe(true);
    const s1 = answer.subarray(1, 1 + HANDSHAKE_BYTES);
    expect(findDigest(crypto, s1, SERVER_KEY.short)?.scheme).toBe(scheme);
    // S2 ends with its HMAC under a key made of C1's digest.
    const s2 = answer.subarray(1 + HANDSHAKE_BYTES);
    const at = digestOffset(c1, scheme);
    const key = crypto.hmacSha256(SERVER_KEY.full, c1.subarray(at, at + 32));
    expect(s2.subarray(1504)).toEqual(crypto.hmacSha256(key, s2.subarray(0, 1504)));
  }
});

it('keeps digests within the packet, whatever the bytes say', () => {
  const packet = new Uint8Array(HANDSHAKE_BYTES).fill(255);
  expect(digestOffset(packet, 0) + 32).toBeLessThanOrEqual(772);
  expect(digestOffset(packet, 1) + 32).toBeLessThanOrEqual(HANDSHAKE_BYTES);
  for (let fill = 0; fill < 256; fill++) {
    packet.fill(fill);
    expect(digestOffset(packet, 0)).toBeGreaterThanOrEqual(12);
    expect(digestOffset(packet, 1)).toBeLessThanOrEqual(HANDSHAKE_BYTES - 32);
  }
});

it('falls back to the simple form for a digest that does not hold', () => {
  const c1 = crypto.randomBytes(HANDSHAKE_BYTES);
  c1.set([9, 0, 124, 2], 4);
  const server = new ServerHandshake({ crypto, nowMs: 0 });
  const answer = server.read(queue([3], c1))!;
  expect(server.digest).toBe(false);
  expect(answer.subarray(1 + HANDSHAKE_BYTES + 8)).toEqual(c1.subarray(8));
});

it('has keys of the published lengths', () => {
  expect(
    [CLIENT_KEY.short, CLIENT_KEY.full, SERVER_KEY.short, SERVER_KEY.full].map((key) => key.length),
  ).toEqual([30, 62, 36, 68]);
});
