import { DecodeError } from '../api/index.ts';

/** Label of the data channel between a parent and a child; ordered and reliable. */
export const RELAY_CHANNEL = 'onair.relay.v1';
/** Longest message of the channel: what every browser takes. */
export const RELAY_CHANNEL_BYTES = 16 * 1024;
/** Longest block that is passed on. */
export const RELAY_MAX_BLOCK = 4 * 1024 * 1024;

const TYPE = { part: 1, alive: 2, start: 3 } as const;
const HEAD_BYTES = 16;
const PART_BYTES = RELAY_CHANNEL_BYTES - HEAD_BYTES;
const MAX_PARTS = Math.ceil(RELAY_MAX_BLOCK / PART_BYTES);
const TWO_32 = 0x1_0000_0000;

/** A message of the channel. */
export type RelayChannelMessage =
  /** Part `index` of `parts` of a block. The payload is a view into the message. */
  | {
      readonly type: 'part';
      readonly sequence: number;
      readonly index: number;
      readonly parts: number;
      readonly payload: Uint8Array;
    }
  /** The parent is there but has nothing to send. */
  | { readonly type: 'alive' }
  /** The child wants everything behind this sequence number; -1 for all there is. */
  | { readonly type: 'start'; readonly after: number };

/** A sign of life. */
export function encodeRelayAlive(): Uint8Array {
  return new Uint8Array([TYPE.alive]);
}

/** Where a child begins. @param after sequence number, -1 for all there is */
export function encodeRelayStart(after: number): Uint8Array {
  const out = new Uint8Array(HEAD_BYTES);
  out[0] = TYPE.start;
  writeU64(out, after + 1);
  return out;
}

/** A block as messages of the channel. */
export function* encodeRelayBlock(sequence: number, block: Uint8Array): Generator<Uint8Array> {
  const parts = Math.max(1, Math.ceil(block.length / PART_BYTES));
  for (let index = 0; index < parts; index++) {
    const payload = block.subarray(index * PART_BYTES, (index + 1) * PART_BYTES);
    const out = new Uint8Array(HEAD_BYTES + payload.length);
    out[0] = TYPE.part;
    const view = new DataView(out.buffer);
    view.setUint16(2, index);
    view.setUint16(4, parts);
    writeU64(out, sequence);
    out.set(payload, HEAD_BYTES);
    yield out;
  }
}

/** Reads a message of the channel. @throws DecodeError */
export function decodeRelayChannel(bytes: Uint8Array): RelayChannelMessage {
  if (bytes[0] === TYPE.alive && bytes.length === 1) return { type: 'alive' };
  if (bytes.length < HEAD_BYTES || bytes.length > RELAY_CHANNEL_BYTES) return malformed(bytes);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const number = view.getUint32(8) * TWO_32 + view.getUint32(12);
  if (!Number.isSafeInteger(number)) return malformed(bytes);
  if (bytes[0] === TYPE.start) return { type: 'start', after: number - 1 };
  if (bytes[0] !== TYPE.part) return malformed(bytes);
  const [index, parts] = [view.getUint16(2), view.getUint16(4)];
  if (parts === 0 || parts > MAX_PARTS || index >= parts) return malformed(bytes);
  // Only the last part may be short, so that the parts of a block cannot hold less than they promise.
  if (index < parts - 1 && bytes.length !== RELAY_CHANNEL_BYTES) return malformed(bytes);
  return { type: 'part', sequence: number, index, parts, payload: bytes.subarray(HEAD_BYTES) };
}

/** Puts the blocks of one channel together again. Holds one block at most. */
export class RelayBlockJoiner {
  #sequence = -1;
  #parts: Uint8Array[] = [];

  /** Takes a part; returns the block if that was its last. @throws DecodeError if it is not the part that must come. */
  push(
    part: Extract<RelayChannelMessage, { type: 'part' }>,
  ): { sequence: number; bytes: Uint8Array } | undefined {
    const { sequence, index, parts, payload } = part;
    if (index === 0) {
      this.#sequence = sequence;
      this.#parts = [];
    } else if (sequence !== this.#sequence || index !== this.#parts.length) malformed(payload);
    this.#parts.push(payload);
    if (index < parts - 1) return undefined;
    const whole = joined(this.#parts);
    this.#sequence = -1;
    this.#parts = [];
    return { sequence, bytes: whole };
  }
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const [first] = parts;
  if (parts.length === 1) return first!;
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

function writeU64(out: Uint8Array, value: number): void {
  const view = new DataView(out.buffer, out.byteOffset);
  view.setUint32(8, Math.floor(value / TWO_32));
  view.setUint32(12, value >>> 0);
}

function malformed(bytes: Uint8Array): never {
  throw new DecodeError({
    path: '',
    expected: 'a message of the channel',
    received: `${bytes.length} bytes`,
  });
}
