/**
 * What the digest handshake needs and this package, being pure, does not have.
 * Handed in by the owner of the socket.
 */
export interface HandshakeCrypto {
  /** HMAC-SHA256, 32 bytes. */
  hmacSha256(key: Uint8Array, data: Uint8Array): Uint8Array;
  /** Unpredictable bytes. */
  randomBytes(count: number): Uint8Array;
}

/** Bytes of C1, S1, C2 and S2 (RTMP 1.0 §5.2). */
export const HANDSHAKE_BYTES = 1536;
/** Bytes of a digest. */
export const DIGEST_BYTES = 32;

/** Where the digest lies: in the first half of the random bytes, or in the second. */
export type DigestScheme = 0 | 1;

const encoder = new TextEncoder();
const SUFFIX = Uint8Array.of(
  0xf0,
  0xee,
  0xc2,
  0x4a,
  0x80,
  0x68,
  0xbe,
  0xe8,
  0x2e,
  0x00,
  0xd0,
  0xd1,
  0x02,
  0x9e,
  0x7e,
  0x57,
  0x6e,
  0xec,
  0x5d,
  0x2d,
  0x29,
  0x80,
  0x6f,
  0xab,
  0x93,
  0xb8,
  0xe6,
  0x36,
  0xcf,
  0xeb,
  0x31,
  0xae,
);

function key(name: string): { readonly short: Uint8Array; readonly full: Uint8Array } {
  const short = encoder.encode(name);
  const full = new Uint8Array(short.length + SUFFIX.length);
  full.set(short);
  full.set(SUFFIX, short.length);
  return { short, full };
}

/** The published constant that clients sign with: 30 bytes for the digest, 62 for the answer. */
export const CLIENT_KEY = key('Genuine Adobe Flash Player 001');
/** The published constant that servers sign with: 36 bytes for the digest, 68 for the answer. */
export const SERVER_KEY = key('Genuine Adobe Flash Media Server 001');

/** Offset of the digest in C1 or S1, told by four of its bytes. */
export function digestOffset(packet: Uint8Array, scheme: DigestScheme): number {
  const at = scheme === 0 ? 8 : 772;
  const sum = packet[at]! + packet[at + 1]! + packet[at + 2]! + packet[at + 3]!;
  return at + 4 + (sum % 728);
}

/** The digest of C1 or S1: HMAC over all of it but the digest itself. */
export function packetDigest(
  crypto: HandshakeCrypto,
  packet: Uint8Array,
  offset: number,
  short: Uint8Array,
): Uint8Array {
  const rest = new Uint8Array(HANDSHAKE_BYTES - DIGEST_BYTES);
  rest.set(packet.subarray(0, offset));
  rest.set(packet.subarray(offset + DIGEST_BYTES), offset);
  return crypto.hmacSha256(short, rest);
}

/** The digest a peer put into its C1 or S1 and where, or undefined if there is none that holds. */
export function findDigest(
  crypto: HandshakeCrypto,
  packet: Uint8Array,
  short: Uint8Array,
): { readonly scheme: DigestScheme; readonly digest: Uint8Array } | undefined {
  for (const scheme of [0, 1] as const) {
    const offset = digestOffset(packet, scheme);
    const digest = packet.subarray(offset, offset + DIGEST_BYTES);
    if (equal(digest, packetDigest(crypto, packet, offset, short))) return { scheme, digest };
  }
  return undefined;
}

/** Writes the digest of a finished C1 or S1 into it. */
export function signPacket(
  crypto: HandshakeCrypto,
  packet: Uint8Array,
  scheme: DigestScheme,
  short: Uint8Array,
): void {
  const offset = digestOffset(packet, scheme);
  packet.set(packetDigest(crypto, packet, offset, short), offset);
}

/** C2 or S2 of the digest handshake: random bytes, then their HMAC under a key made from the peer's digest. */
export function digestAnswer(crypto: HandshakeCrypto, peerDigest: Uint8Array, full: Uint8Array): Uint8Array {
  const out = new Uint8Array(HANDSHAKE_BYTES);
  out.set(crypto.randomBytes(HANDSHAKE_BYTES - DIGEST_BYTES));
  const answerKey = crypto.hmacSha256(full, peerDigest);
  out.set(
    crypto.hmacSha256(answerKey, out.subarray(0, HANDSHAKE_BYTES - DIGEST_BYTES)),
    HANDSHAKE_BYTES - DIGEST_BYTES,
  );
  return out;
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
