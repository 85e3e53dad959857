/**
 * One whole RTMP message as it comes out of reassembly (RTMP 1.0 §6.1).
 * `body` belongs to the receiver: nobody writes into it again. It may be a view into a received buffer.
 */
export interface ChunkMessage {
  /** Chunk stream it came on (§5.3.1.1). */
  readonly csid: number;
  /** Message type id, {@link MessageType}. */
  readonly type: number;
  /** Message stream id. */
  readonly streamId: number;
  /** Milliseconds, modulo 2^32, as on the wire. */
  readonly timestampMs: number;
  readonly body: Uint8Array;
}

/** Message type ids (RTMP 1.0 §5.4, §6.2, §7.1). */
export const MessageType = {
  setChunkSize: 1,
  abort: 2,
  acknowledgement: 3,
  userControl: 4,
  windowAckSize: 5,
  setPeerBandwidth: 6,
  audio: 8,
  video: 9,
  dataAmf3: 15,
  sharedObjectAmf3: 16,
  commandAmf3: 17,
  dataAmf0: 18,
  sharedObjectAmf0: 19,
  commandAmf0: 20,
  aggregate: 22,
} as const;

/** Chunk size before anybody sets one (§5.4.1). */
export const DEFAULT_CHUNK_SIZE = 128;
/** Largest message (24-bit length, §6.1.1), and therefore the largest chunk that means anything. */
export const MAX_MESSAGE_BYTES = 0xff_ffff;
/** Largest command, data or shared-object message accepted: AMF grows in memory when decoded. */
export const MAX_AMF_MESSAGE_BYTES = 1_048_576;
/** Most chunk streams one peer may open; encoders use 3 to 6. */
export const MAX_CHUNK_STREAMS = 64;
/** Bytes of unfinished messages allowed before the peer is authorised. */
export const UNFINISHED_BYTES_BEFORE_AUTH = 4 * 1024 * 1024;
/** Bytes of unfinished messages allowed afterwards. */
export const UNFINISHED_BYTES_AFTER_AUTH = 16 * 1024 * 1024;
