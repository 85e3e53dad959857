import { createDiffieHellmanGroup, createHmac, randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ParseError } from '../model/errors.ts';
import { CLIENT_KEY, HANDSHAKE_BYTES, signPacket } from './handshake-digest.ts';
import {
  ClientHandshake,
  publicKeyOffset,
  Rc4,
  RTMPE_KEY_BYTES,
  RtmpeClient,
  type RtmpeCrypto,
  type RtmpeEnd,
  RtmpeServer,
} from './index.ts';

const padded = (bytes: Uint8Array): Uint8Array => {
  const out = new Uint8Array(RTMPE_KEY_BYTES);
  out.set(bytes, RTMPE_KEY_BYTES - bytes.length);
  return out;
};
const crypto: RtmpeCrypto = {
  hmacSha256: (key, data) => new Uint8Array(createHmac('sha256', key).update(data).digest()),
  randomBytes: (count) => new Uint8Array(randomBytes(count)),
  keyAgreement: () => {
    spare = 1 - spare;
    const group = groups[spare]!;
    return {
      publicKey: padded(group.generateKeys()),
      secret: (theirs) => padded(group.computeSecret(theirs)),
    };
  },
};
/** One for each side: to make one takes long, since the prime is checked. */
const groups = [createDiffieHellmanGroup('modp2'), createDiffieHellmanGroup('modp2')];
let spare = 0;
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const text = (value: string): Uint8Array => new TextEncoder().encode(value);

describe('RC4', () => {
  it.each([
    ['Key', 'Plaintext', 'bbf316e8d940af0ad3'],
    ['Wiki', 'pedia', '1021bf0420'],
    ['Secret', 'Attack at dawn', '45a01f645fc35b383552544b9bf5'],
  ])('%s: %s', (key, plain, sealed) => {
    expect(hex(new Rc4(text(key)).apply(text(plain)))).toBe(sealed);
    const stream = new Rc4(text(key));
    const parts = [...text(plain)].map((byte) => stream.apply(Uint8Array.of(byte))[0]!);
    expect(hex(Uint8Array.from(parts))).toBe(sealed);
  });

  it('gives the key stream of RFC 6229 at offset 1536', () => {
    const stream = new Rc4(Uint8Array.of(1, 2, 3, 4, 5));
    stream.apply(new Uint8Array(1536));
    expect(hex(stream.apply(new Uint8Array(16)))).toBe('d8729db41882259bee4f825325f5a130');
  });

  it('refuses keys of no length', () => {
    expect(() => new Rc4(new Uint8Array(0))).toThrow(RangeError);
    expect(() => new Rc4(new Uint8Array(257))).toThrow(RangeError);
  });
});

/** Moves bytes between two ends, cut in pieces of `size`, until nobody has more to say. */
function talk(client: RtmpeClient, server: RtmpeServer, size: number) {
  const heard = { client: [] as number[], server: [] as number[] };
  const waiting: [RtmpeEnd, number[], Uint8Array][] = [[server, heard.server, client.start()]];
  for (let turn = waiting.shift(); turn !== undefined; turn = waiting.shift()) {
    const [end, plain, bytes] = turn;
    for (let at = 0; at < bytes.length; at += size) {
      const found = end.receive(bytes.subarray(at, at + size));
      if (found.plain !== undefined) plain.push(...found.plain);
      if (found.send === undefined) continue;
      waiting.push(end === server ? [client, heard.client, found.send] : [server, heard.server, found.send]);
    }
  }
  return heard;
}

it.each([1, 7, 1536, 4000])('agrees on keys and carries bytes both ways, cut in pieces of %i', (size) => {
  const client = new RtmpeClient(crypto);
  const server = new RtmpeServer(crypto);
  talk(client, server, size);
  expect([client.ready, server.ready]).toEqual([true, true]);
  for (let round = 0; round < 3; round++) {
    const up = client.seal(text('connect'));
    expect(hex(up)).not.toBe(hex(text('connect')));
    expect(server.receive(up).plain).toEqual(text('connect'));
    expect(client.receive(server.seal(text('_result'))).plain).toEqual(text('_result'));
  }
});

it('opens what came in one piece with the end of the handshake', () => {
  const client = new RtmpeClient(crypto);
  const server = new RtmpeServer(crypto);
  const { send: answer } = server.receive(client.start());
  const { send: c2 } = client.receive(answer!);
  const both = new Uint8Array(c2!.length + 3);
  both.set(c2!);
  both.set(client.seal(text('abc')), c2!.length);
  expect(server.receive(both).plain).toEqual(text('abc'));
});

it('puts its key where each client looks for it', () => {
  for (let round = 0; round < 20; round++) {
    const answer = new RtmpeServer(crypto).receive(new RtmpeClient(crypto).start()).send!;
    const s1 = answer.subarray(1, 1 + HANDSHAKE_BYTES);
    const [a, b] = [0, 1].map((scheme) => publicKeyOffset(s1, scheme as 0 | 1)) as [number, number];
    expect(s1.subarray(a, a + RTMPE_KEY_BYTES)).toEqual(s1.subarray(b, b + RTMPE_KEY_BYTES));
  }
});

const codeOf = (action: () => unknown): string => {
  try {
    action();
  } catch (error) {
    if (error instanceof ParseError) return error.code;
    throw error;
  }
  return 'accepted';
};

it('refuses other versions, unsigned packets and keys that are none', () => {
  for (const version of [0, 3, 8, 9, 0x16])
    expect(codeOf(() => new RtmpeServer(crypto).receive(Uint8Array.of(version)))).toBe('RTMP_VERSION');
  const unsigned = new ClientHandshake({ nowMs: 0 }).start();
  unsigned[0] = 6;
  expect(codeOf(() => new RtmpeServer(crypto).receive(unsigned))).toBe('RTMP_ENCRYPTION');
  for (const weak of [0, 1]) {
    const packet = new RtmpeClient(crypto).start();
    const c1 = packet.subarray(1);
    const at = publicKeyOffset(c1, 1);
    c1.fill(0, at, at + RTMPE_KEY_BYTES);
    c1[at + RTMPE_KEY_BYTES - 1] = weak;
    signPacket(crypto, c1, 1, CLIENT_KEY.short);
    expect(codeOf(() => new RtmpeServer(crypto).receive(packet))).toBe('RTMP_ENCRYPTION');
  }
  expect(() => new RtmpeServer(crypto).seal(Uint8Array.of(1))).toThrow('handshake');
});

it('answers any bytes with nothing but its own errors', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 4000 }), fc.boolean(), (bytes, server) => {
      if (bytes.length > 0) bytes[0] = 6;
      const end = server ? new RtmpeServer(crypto) : new RtmpeClient(crypto);
      expect(['accepted', 'RTMP_ENCRYPTION']).toContain(codeOf(() => end.receive(bytes)));
    }),
    { numRuns: 50 },
  );
});
