import { ByteWriter } from '@onair/media/bytes';

/** Longest payload: with headers, encryption and tunnels a packet stays below 1,280 bytes, which IPv6 always carries. */
export const MAX_PAYLOAD_BYTES = 1_180;

/** The record in front of an epoch's frames. */
export const EPOCH_RECORD: Uint8Array = Uint8Array.of(2);

const AUDIO = 0;
const VIDEO = 1;
const EPOCH = 2;
const KEY = 3;

/** What a reader of records is told, in order. */
export interface RecordVisitor {
  /** Other codec parameters begin. */
  epoch(): void;
  /**
   * One access unit.
   * @param timestamp 32 bits, ticks of the payload's clock. @param payloads views into the record.
   */
  frame(video: boolean, keyframe: boolean, timestamp: number, payloads: readonly Uint8Array[]): void;
}

/** One access unit as a block of the log holds it: kind, timestamp, and its payloads behind lengths of two bytes. */
export function writeRecord(
  kind: { readonly video: boolean; readonly keyframe: boolean },
  timestamp: number,
  payloads: readonly Uint8Array[],
): Uint8Array {
  let bytes = 7;
  for (const payload of payloads) bytes += 2 + payload.length;
  const writer = new ByteWriter(bytes).u8(kind.video ? (kind.keyframe ? KEY : VIDEO) : AUDIO);
  writer.u32(timestamp % 2 ** 32).u16(payloads.length);
  for (const payload of payloads) writer.u16(payload.length).bytes(payload);
  return writer.finish();
}

/** Walks over records that stand one after the other. */
export function readRecords(bytes: Uint8Array, visitor: RecordVisitor): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let at = 0;
  while (at < bytes.length) {
    const kind = bytes[at++]!;
    if (kind === EPOCH) {
      visitor.epoch();
      continue;
    }
    const timestamp = view.getUint32(at);
    const count = view.getUint16(at + 4);
    at += 6;
    const payloads: Uint8Array[] = [];
    for (let i = 0; i < count; i++) {
      const size = view.getUint16(at);
      payloads.push(bytes.subarray(at + 2, at + 2 + size));
      at += 2 + size;
    }
    visitor.frame(kind !== AUDIO, kind === KEY, timestamp, payloads);
  }
}
