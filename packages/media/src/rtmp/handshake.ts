import type { ChunkQueue } from '../bytes/index.ts';
import { ParseError } from '../model/errors.ts';
import {
  CLIENT_KEY,
  digestAnswer,
  findDigest,
  HANDSHAKE_BYTES,
  type HandshakeCrypto,
  SERVER_KEY,
  signPacket,
} from './handshake-digest.ts';

const CLAUSE = 'RTMP 1.0 §5.2.2';
const VERSION = 3;
/** Product versions put into S1 and C1 where the digest form is spoken; not zero is all that matters. */
const SERVER_PRODUCT = [4, 5, 0, 1] as const;
const CLIENT_PRODUCT = [9, 0, 124, 2] as const;

/** Settings of both sides. */
export interface HandshakeOptions {
  /** Without it only the simple handshake is spoken. */
  readonly crypto?: HandshakeCrypto | undefined;
  /** Milliseconds on any clock, for the time fields. */
  readonly nowMs: number;
}

/** A handshake in progress, of either side. */
export interface Handshake {
  readonly done: boolean;
  /** True if the digest form was agreed on. */
  readonly digest: boolean;
  /** Takes from `input` what belongs to the handshake and leaves all behind it; returns bytes to send, if any. */
  read(input: ChunkQueue): Uint8Array | undefined;
}

/** For connections whose handshake was done one stratum below, as that of RTMPE is. */
export const HANDSHAKE_BELOW: Handshake = { done: true, digest: true, read: () => undefined };

/**
 * The server's side of the handshake. Answers S0, S1 and S2 in one buffer once C1 is whole, and with
 * digests exactly when the client signed C1 and `crypto` is there.
 */
export class ServerHandshake implements Handshake {
  readonly #options: HandshakeOptions;
  #state: 'c0' | 'c1' | 'c2' | 'done' = 'c0';
  #digest = false;

  constructor(options: HandshakeOptions) {
    this.#options = options;
  }

  get done(): boolean {
    return this.#state === 'done';
  }

  /** True if the digest form was agreed on. */
  get digest(): boolean {
    return this.#digest;
  }

  /**
   * Takes from `input` what belongs to the handshake and leaves all behind it.
   * @returns bytes to send, if any.
   * @throws ParseError `RTMP_VERSION` on the first byte, if it is not 3.
   */
  read(input: ChunkQueue): Uint8Array | undefined {
    let answer: Uint8Array | undefined;
    if (this.#state === 'c0') {
      if (!takeVersion(input)) return undefined;
      this.#state = 'c1';
    }
    if (this.#state === 'c1') {
      const c1 = input.take(HANDSHAKE_BYTES);
      if (c1 === undefined) return undefined;
      answer = this.#answer(c1);
      this.#state = 'c2';
    }
    if (this.#state === 'c2' && input.length >= HANDSHAKE_BYTES) {
      input.skip(HANDSHAKE_BYTES); // what C2 echoes is not checked: clients differ
      this.#state = 'done';
    }
    return answer;
  }

  #answer(c1: Uint8Array): Uint8Array {
    const { crypto, nowMs } = this.#options;
    const out = new Uint8Array(1 + 2 * HANDSHAKE_BYTES);
    out[0] = VERSION;
    const s1 = out.subarray(1, 1 + HANDSHAKE_BYTES);
    s1.set(randomBytes(crypto, HANDSHAKE_BYTES));
    writeU32(s1, 0, nowMs);
    const signed =
      crypto !== undefined && hasProduct(c1) ? findDigest(crypto, c1, CLIENT_KEY.short) : undefined;
    if (crypto !== undefined && signed !== undefined) {
      this.#digest = true;
      s1.set(SERVER_PRODUCT, 4);
      signPacket(crypto, s1, signed.scheme, SERVER_KEY.short);
      out.set(digestAnswer(crypto, signed.digest, SERVER_KEY.full), 1 + HANDSHAKE_BYTES);
    } else {
      s1.fill(0, 4, 8);
      out.set(c1, 1 + HANDSHAKE_BYTES);
      writeU32(out, 1 + HANDSHAKE_BYTES + 4, nowMs);
    }
    return out;
  }
}

/** The client's side of the handshake: `start`, then `read` until `done`. */
export class ClientHandshake implements Handshake {
  readonly #options: HandshakeOptions;
  #state: 's0' | 's1' | 's2' | 'done' = 's0';
  #digest = false;

  constructor(options: HandshakeOptions) {
    this.#options = options;
  }

  get done(): boolean {
    return this.#state === 'done';
  }

  /** True if the server answered in the digest form. */
  get digest(): boolean {
    return this.#digest;
  }

  /** C0 and C1, to be sent first. */
  start(): Uint8Array {
    const { crypto, nowMs } = this.#options;
    const out = new Uint8Array(1 + HANDSHAKE_BYTES);
    out[0] = VERSION;
    const c1 = out.subarray(1);
    c1.set(randomBytes(crypto, HANDSHAKE_BYTES));
    writeU32(c1, 0, nowMs);
    if (crypto === undefined) {
      c1.fill(0, 4, 8);
    } else {
      c1.set(CLIENT_PRODUCT, 4);
      signPacket(crypto, c1, 0, CLIENT_KEY.short);
    }
    return out;
  }

  /** Takes from `input` what belongs to the handshake; returns C2 when it is time. */
  read(input: ChunkQueue): Uint8Array | undefined {
    let answer: Uint8Array | undefined;
    if (this.#state === 's0') {
      if (!takeVersion(input)) return undefined;
      this.#state = 's1';
    }
    if (this.#state === 's1') {
      const s1 = input.take(HANDSHAKE_BYTES);
      if (s1 === undefined) return undefined;
      answer = this.#answer(s1);
      this.#state = 's2';
    }
    if (this.#state === 's2' && input.length >= HANDSHAKE_BYTES) {
      input.skip(HANDSHAKE_BYTES);
      this.#state = 'done';
    }
    return answer;
  }

  #answer(s1: Uint8Array): Uint8Array {
    const { crypto, nowMs } = this.#options;
    const signed =
      crypto !== undefined && hasProduct(s1) ? findDigest(crypto, s1, SERVER_KEY.short) : undefined;
    if (crypto !== undefined && signed !== undefined) {
      this.#digest = true;
      return digestAnswer(crypto, signed.digest, CLIENT_KEY.full);
    }
    const c2 = Uint8Array.from(s1);
    writeU32(c2, 4, nowMs);
    return c2;
  }
}

/** True once byte 0 is taken; throws for any version but 3. */
function takeVersion(input: ChunkQueue): boolean {
  const version = input.peek(0);
  if (version === undefined) return false;
  if (version === 6 || version === 8 || version === 9) {
    throw new ParseError(
      'RTMP_VERSION',
      CLAUSE,
      `version ${version} is RTMPE, where plain RTMP was expected`,
      0,
    );
  }
  if (version !== VERSION) throw new ParseError('RTMP_VERSION', CLAUSE, `version ${version}, 3 wanted`, 0);
  input.skip(1);
  return true;
}

function hasProduct(packet: Uint8Array): boolean {
  return (packet[4]! | packet[5]! | packet[6]! | packet[7]!) !== 0;
}

/** The simple form needs bytes that differ, not bytes that nobody can guess (§5.2.3). */
function randomBytes(crypto: HandshakeCrypto | undefined, count: number): Uint8Array {
  if (crypto !== undefined) return crypto.randomBytes(count);
  const out = new Uint8Array(count);
  for (let i = 0; i < count; i++) out[i] = Math.random() * 256;
  return out;
}

function writeU32(out: Uint8Array, at: number, value: number): void {
  const whole = Math.floor(value) >>> 0;
  out[at] = whole >>> 24;
  out[at + 1] = whole >>> 16;
  out[at + 2] = whole >>> 8;
  out[at + 3] = whole;
}
