import { ChunkQueue } from '../bytes/index.ts';
import { ParseError } from '../model/errors.ts';
import {
  CLIENT_KEY,
  DIGEST_BYTES,
  type DigestScheme,
  digestAnswer,
  digestOffset,
  findDigest,
  HANDSHAKE_BYTES,
  type HandshakeCrypto,
  SERVER_KEY,
  signPacket,
} from './handshake-digest.ts';
import { Rc4 } from './rc4.ts';

/** First byte of an RTMPE connection. 8 and 9, which hide the signatures once more, are not spoken. */
export const RTMPE_VERSION = 6;
/** Bytes of a public key and of the secret: the 1024-bit group 2 of RFC 2409 §6.2, generator 2. */
export const RTMPE_KEY_BYTES = 128;

const CLAUSE = 'RTMPE handshake';
const RC4_KEY_BYTES = 16;
/** Both sides write 0 into the time and a version that is not 0. */
const CLIENT_PRODUCT = [0x80, 0x00, 0x03, 0x02] as const;
const SERVER_PRODUCT = [0x04, 0x05, 0x00, 0x01] as const;

/** One side's half of a key agreement. */
export interface KeyAgreement {
  /** {@link RTMPE_KEY_BYTES} bytes, padded in front. */
  readonly publicKey: Uint8Array;
  /** The secret of the same length. @throws for a key that is none, e.g. 0 or 1. */
  secret(peerKey: Uint8Array): Uint8Array;
}

/** What RTMPE needs and this package, being pure, does not have. */
export interface RtmpeCrypto extends HandshakeCrypto {
  /** A fresh pair of keys of the group above. */
  keyAgreement(): KeyAgreement;
}

/** What bytes from the peer led to. */
export interface RtmpeProgress {
  /** To be sent as it is. */
  readonly send?: Uint8Array;
  /** RTMP as it was before the peer sealed it, beginning behind the handshake. */
  readonly plain?: Uint8Array;
}

/**
 * One side of an RTMPE connection, sans I/O: does the handshake, then seals and opens. What is inside is RTMP
 * without handshake. The agreement is anonymous, so that whoever sits in between can read and change everything.
 */
export interface RtmpeEnd {
  /** True once both directions are sealed. */
  readonly ready: boolean;
  /** Takes bytes from the peer. @throws ParseError `RTMP_VERSION` or `RTMP_ENCRYPTION`; the connection is lost. */
  receive(bytes: Uint8Array): RtmpeProgress;
  /** Seals bytes to be sent; only once it is ready. The result belongs to the caller. */
  seal(bytes: Uint8Array): Uint8Array;
}

/** Offset of the public key in C1 or S1, told by four of its bytes. */
export function publicKeyOffset(packet: Uint8Array, scheme: DigestScheme): number {
  const at = scheme === 0 ? 1532 : 768;
  const sum = packet[at]! + packet[at + 1]! + packet[at + 2]! + packet[at + 3]!;
  return (scheme === 0 ? 772 : 8) + (sum % 632);
}

class Sealing {
  #in: Rc4 | undefined;
  #out: Rc4 | undefined;

  get begun(): boolean {
    return this.#out !== undefined;
  }

  /** @param ours our public key. @param theirs the peer's. */
  begin(crypto: HandshakeCrypto, secret: Uint8Array, ours: Uint8Array, theirs: Uint8Array): void {
    const stream = (key: Uint8Array): Rc4 => {
      const made = new Rc4(crypto.hmacSha256(secret, key).subarray(0, RC4_KEY_BYTES));
      made.apply(new Uint8Array(HANDSHAKE_BYTES));
      return made;
    };
    this.#out = stream(theirs);
    this.#in = stream(ours);
  }

  open(bytes: Uint8Array): Uint8Array {
    return this.#in!.apply(bytes);
  }

  seal(bytes: Uint8Array): Uint8Array {
    if (this.#out === undefined) throw new Error('the RTMPE handshake is not over');
    return this.#out.apply(bytes);
  }
}

/** The server's side. */
export class RtmpeServer implements RtmpeEnd {
  readonly #crypto: RtmpeCrypto;
  readonly #queue = new ChunkQueue();
  readonly #sealing = new Sealing();
  #ready = false;

  constructor(crypto: RtmpeCrypto) {
    this.#crypto = crypto;
  }

  get ready(): boolean {
    return this.#ready;
  }

  receive(bytes: Uint8Array): RtmpeProgress {
    if (this.#ready) return { plain: this.#sealing.open(bytes) };
    const queue = this.#queue;
    queue.push(bytes);
    let send: Uint8Array | undefined;
    if (!this.#sealing.begun) {
      checkVersion(queue);
      if (queue.length < 1 + HANDSHAKE_BYTES) return {};
      queue.skip(1);
      send = this.#answer(queue.take(HANDSHAKE_BYTES)!);
    }
    const answer = send === undefined ? {} : { send };
    if (queue.length < HANDSHAKE_BYTES) return answer;
    queue.skip(HANDSHAKE_BYTES); // C2 signs nothing that matters: whoever can forge it can forge all
    this.#ready = true;
    if (queue.length === 0) return answer;
    return { ...answer, plain: this.#sealing.open(queue.take(queue.length)!) };
  }

  seal(bytes: Uint8Array): Uint8Array {
    return this.#sealing.seal(bytes);
  }

  #answer(c1: Uint8Array): Uint8Array {
    const crypto = this.#crypto;
    const signed = findDigest(crypto, c1, CLIENT_KEY.short);
    if (signed === undefined) refuse('C1 is not signed');
    const agreement = crypto.keyAgreement();
    const theirs = keyAt(c1, publicKeyOffset(c1, signed.scheme));
    const secret = agree(agreement, theirs);
    const out = new Uint8Array(1 + 2 * HANDSHAKE_BYTES);
    out[0] = RTMPE_VERSION;
    out.set(keyPacket(crypto, agreement.publicKey, signed.scheme, SERVER_PRODUCT), 1);
    signPacket(crypto, out.subarray(1, 1 + HANDSHAKE_BYTES), signed.scheme, SERVER_KEY.short);
    out.set(digestAnswer(crypto, signed.digest, SERVER_KEY.full), 1 + HANDSHAKE_BYTES);
    this.#sealing.begin(crypto, secret, agreement.publicKey, theirs);
    return out;
  }
}

/** The client's side: send what `start` gives first. */
export class RtmpeClient implements RtmpeEnd {
  readonly #crypto: RtmpeCrypto;
  readonly #queue = new ChunkQueue();
  readonly #sealing = new Sealing();
  readonly #agreement: KeyAgreement;
  #ready = false;

  constructor(crypto: RtmpeCrypto) {
    this.#crypto = crypto;
    this.#agreement = crypto.keyAgreement();
  }

  get ready(): boolean {
    return this.#ready;
  }

  /** C0 and C1. */
  start(): Uint8Array {
    const out = new Uint8Array(1 + HANDSHAKE_BYTES);
    out[0] = RTMPE_VERSION;
    const c1 = keyPacket(this.#crypto, this.#agreement.publicKey, SCHEME, CLIENT_PRODUCT);
    signPacket(this.#crypto, c1, SCHEME, CLIENT_KEY.short);
    out.set(c1, 1);
    return out;
  }

  receive(bytes: Uint8Array): RtmpeProgress {
    if (this.#ready) return { plain: this.#sealing.open(bytes) };
    const queue = this.#queue;
    queue.push(bytes);
    checkVersion(queue);
    // S0, S1 and S2 come together; C2 can wait for all of them.
    if (queue.length < 1 + 2 * HANDSHAKE_BYTES) return {};
    queue.skip(1);
    const s1 = queue.take(HANDSHAKE_BYTES)!;
    queue.skip(HANDSHAKE_BYTES);
    const crypto = this.#crypto;
    const signed = findDigest(crypto, s1, SERVER_KEY.short);
    if (signed === undefined) refuse('S1 is not signed');
    const theirs = keyAt(s1, publicKeyOffset(s1, signed.scheme));
    const { publicKey } = this.#agreement;
    this.#sealing.begin(crypto, agree(this.#agreement, theirs), publicKey, theirs);
    this.#ready = true;
    const send = digestAnswer(crypto, signed.digest, CLIENT_KEY.full);
    if (queue.length === 0) return { send };
    return { send, plain: this.#sealing.open(queue.take(queue.length)!) };
  }

  seal(bytes: Uint8Array): Uint8Array {
    return this.#sealing.seal(bytes);
  }
}

/** The scheme that every known client uses with encryption. */
const SCHEME: DigestScheme = 1;

/**
 * C1 or S1 with the public key in it, not signed yet. FFmpeg looks for the server's key where the other scheme
 * has it, so it is put at both places, in bytes that leave room for the digest.
 */
function keyPacket(
  crypto: HandshakeCrypto,
  publicKey: Uint8Array,
  scheme: DigestScheme,
  product: readonly number[],
): Uint8Array {
  for (;;) {
    const packet = Uint8Array.from(crypto.randomBytes(HANDSHAKE_BYTES));
    packet.fill(0, 0, 4);
    packet.set(product, 4);
    const keys = [publicKeyOffset(packet, 0), publicKeyOffset(packet, 1)];
    const digest = digestOffset(packet, scheme);
    const taken = [
      ...keys.map((at) => [at, at + RTMPE_KEY_BYTES] as const),
      [digest, digest + DIGEST_BYTES] as const,
      ...[8, 768, 772, 1532].map((at) => [at, at + 4] as const), // the bytes that tell the places
    ];
    if (overlap(taken)) continue;
    for (const at of keys) packet.set(publicKey, at);
    return packet;
  }
}

function overlap(ranges: readonly (readonly [number, number])[]): boolean {
  const sorted = [...ranges].sort((a, b) => a[0] - b[0]);
  return sorted.some((range, i) => i > 0 && range[0] < sorted[i - 1]![1]);
}

function keyAt(packet: Uint8Array, at: number): Uint8Array {
  return Uint8Array.from(packet.subarray(at, at + RTMPE_KEY_BYTES));
}

function agree(agreement: KeyAgreement, theirs: Uint8Array): Uint8Array {
  try {
    return agreement.secret(theirs);
  } catch {
    return refuse('the public key is none');
  }
}

function checkVersion(queue: ChunkQueue): void {
  const version = queue.peek(0);
  if (version === undefined || version === RTMPE_VERSION) return;
  throw new ParseError('RTMP_VERSION', CLAUSE, `version ${version}, ${RTMPE_VERSION} wanted`, 0);
}

function refuse(what: string): never {
  throw new ParseError('RTMP_ENCRYPTION', CLAUSE, what);
}
