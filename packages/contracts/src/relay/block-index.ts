import { DecodeError } from '../api/index.ts';

/** Type byte of a message of the index; the types of the fMP4 WebSocket are below it. */
export const RELAY_INDEX_TYPE = 6;
/** Bytes of a block's hash: the first 16 of SHA-256 over its fMP4 message, header and payload. */
export const RELAY_HASH_BYTES = 16;
/** Entries of one message. */
export const RELAY_MAX_ENTRIES = 4096;

const HEAD_BYTES = 16;
const ENTRY_BYTES = 4 + RELAY_HASH_BYTES;
const TWO_32 = 0x1_0000_0000;

/** What the server says of one block of its log. */
export interface RelayIndexEntry {
  readonly sequence: number;
  /** A decoder can start here. */
  readonly independent: boolean;
  readonly hash: Uint8Array;
}

/** Blocks that exist, in the order of the log. */
export interface RelayIndex {
  /** Epoch of all of them. */
  readonly epoch: number;
  readonly entries: readonly RelayIndexEntry[];
}

/** Length of a message with so many entries, in bytes. */
export function relayIndexLength(entries: number): number {
  return HEAD_BYTES + entries * ENTRY_BYTES;
}

/** Writes a message of the index. At most {@link RELAY_MAX_ENTRIES} entries, within 65,535 sequence numbers. */
export function encodeRelayIndex({ epoch, entries }: RelayIndex): Uint8Array {
  const out = new Uint8Array(relayIndexLength(entries.length));
  const view = new DataView(out.buffer);
  const first = entries[0]?.sequence ?? 0;
  out[0] = RELAY_INDEX_TYPE;
  view.setUint16(2, entries.length);
  view.setUint32(4, epoch);
  view.setUint32(8, Math.floor(first / TWO_32));
  view.setUint32(12, first >>> 0);
  let at = HEAD_BYTES;
  for (const { sequence, independent, hash } of entries) {
    view.setUint16(at, sequence - first);
    out[at + 2] = independent ? 1 : 0;
    out.set(hash.subarray(0, RELAY_HASH_BYTES), at + 4);
    at += ENTRY_BYTES;
  }
  return out;
}

/** Reads a message of the index. @throws DecodeError */
export function decodeRelayIndex(bytes: Uint8Array): RelayIndex {
  const fail = (expected: string): never => {
    throw new DecodeError({ path: '', expected, received: `${bytes.length} bytes` });
  };
  if (bytes.length < HEAD_BYTES || bytes[0] !== RELAY_INDEX_TYPE) return fail('a message of the index');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const count = view.getUint16(2);
  if (count > RELAY_MAX_ENTRIES || bytes.length !== relayIndexLength(count)) return fail(`${count} entries`);
  const first = view.getUint32(8) * TWO_32 + view.getUint32(12);
  if (!Number.isSafeInteger(first + 0xffff)) return fail('a sequence number below 2^53');
  const entries: RelayIndexEntry[] = [];
  let before = -1;
  for (let at = HEAD_BYTES; at < bytes.length; at += ENTRY_BYTES) {
    const step = view.getUint16(at);
    if (step <= before) return fail('rising sequence numbers');
    before = step;
    entries.push({
      sequence: first + step,
      independent: (bytes[at + 2]! & 1) !== 0,
      hash: bytes.slice(at + 4, at + ENTRY_BYTES),
    });
  }
  return { epoch: view.getUint32(4), entries };
}
