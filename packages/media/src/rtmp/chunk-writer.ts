import { MAX_MESSAGE_BYTES } from './chunk-message.ts';

/**
 * Chunk size every one of our sessions announces, so that the bytes of one message are the same for
 * all players of a stream.
 */
export const RTMP_SHARED_CHUNK_SIZE = 65_536;
/** Message stream id in shared messages: the first id that createStream gives. */
export const RTMP_SHARED_STREAM_ID = 1;
/** Chunk streams used for writing (§5.3.1.1; 2 is reserved for control). */
export const ChunkStreamId = { control: 2, command: 3, audio: 4, data: 5, video: 6 } as const;

/** A message to write. `csid` is 2 to 63; `timestampMs` is taken modulo 2^32. */
export interface OutgoingMessage {
  readonly csid: number;
  /** Message type id. */
  readonly type: number;
  readonly timestampMs: number;
  readonly body: Uint8Array;
}

/**
 * The chunks of one message in the form that suits every player alike: type 0 header, message stream
 * id 1, chunk size {@link RTMP_SHARED_CHUNK_SIZE}. One allocation; the bytes belong to the caller.
 */
export function encodeSharedMessage(message: OutgoingMessage): Uint8Array {
  return encodeMessage(message, RTMP_SHARED_STREAM_ID, RTMP_SHARED_CHUNK_SIZE);
}

/** The chunks of one message, the first with a type 0 header, so that nothing before it matters. */
export function encodeMessage(message: OutgoingMessage, streamId: number, chunkSize: number): Uint8Array {
  const out = new Uint8Array(encodedLength(message.body.length, message.timestampMs, chunkSize));
  writeMessage(out, 0, message, streamId, chunkSize);
  return out;
}

/** Bytes that {@link writeMessage} writes for a body of `length` bytes. */
export function encodedLength(length: number, timestampMs: number, chunkSize: number): number {
  const extended = timestampMs >>> 0 >= 0xff_ffff ? 4 : 0;
  const further = length > chunkSize ? Math.ceil(length / chunkSize) - 1 : 0;
  return 12 + extended + length + further * (1 + extended);
}

/** Writes the chunks of one message into `out` from `at` on; returns the offset behind them. */
export function writeMessage(
  out: Uint8Array,
  at: number,
  message: OutgoingMessage,
  streamId: number,
  chunkSize: number,
): number {
  const { csid, body } = message;
  if (csid < 2 || csid > 63) throw new RangeError(`chunk stream ${csid} takes more than one byte`);
  if (body.length > MAX_MESSAGE_BYTES) throw new RangeError(`message of ${body.length} bytes`);
  const time = message.timestampMs >>> 0;
  const extended = time >= 0xff_ffff;
  const field = extended ? 0xff_ffff : time;
  out[at++] = csid;
  out[at++] = field >>> 16;
  out[at++] = field >>> 8;
  out[at++] = field;
  out[at++] = body.length >>> 16;
  out[at++] = body.length >>> 8;
  out[at++] = body.length;
  out[at++] = message.type;
  out[at++] = streamId; // little-endian, alone among all fields (§5.3.1.2.1)
  out[at++] = streamId >>> 8;
  out[at++] = streamId >>> 16;
  out[at++] = streamId >>> 24;
  if (extended) at = writeU32(out, at, time);
  if (body.length <= chunkSize) {
    out.set(body, at);
    return at + body.length;
  }
  for (let from = 0; from < body.length; from += chunkSize) {
    if (from > 0) {
      out[at++] = 0xc0 | csid;
      if (extended) at = writeU32(out, at, time);
    }
    const part = body.subarray(from, from + chunkSize);
    out.set(part, at);
    at += part.length;
  }
  return at;
}

function writeU32(out: Uint8Array, at: number, value: number): number {
  out[at] = value >>> 24;
  out[at + 1] = value >>> 16;
  out[at + 2] = value >>> 8;
  out[at + 3] = value;
  return at + 4;
}
