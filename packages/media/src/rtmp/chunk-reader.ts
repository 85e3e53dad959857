import { ChunkQueue } from '../bytes/index.ts';
import { ParseError } from '../model/errors.ts';
import {
  type ChunkMessage,
  DEFAULT_CHUNK_SIZE,
  MAX_AMF_MESSAGE_BYTES,
  MAX_CHUNK_STREAMS,
  MAX_MESSAGE_BYTES,
  MessageType,
  UNFINISHED_BYTES_BEFORE_AUTH,
} from './chunk-message.ts';

/** Bytes of the message header by chunk type (§5.3.1.2). */
const HEADER_BYTES = [11, 7, 3, 0] as const;
/** First allocation for a message that arrives in pieces, in bytes; it grows fourfold with what is received. */
const FIRST_ALLOCATION = 4096;
const NO_BYTES = new Uint8Array(0);

/** What is remembered per chunk stream: the last header, and the message being put together. */
class ChunkStream {
  readonly csid: number;
  type = 0;
  streamId = 0;
  /** Length of the message in bytes. */
  length = 0;
  timestamp = 0;
  /** Last timestamp or delta on the wire; what a type 3 header that starts a message adds. */
  delta = 0;
  extended = false;
  received = 0;
  body: Uint8Array = NO_BYTES;
  /** Length of the longest message that came whole: the next may be as long. */
  longest = 0;

  constructor(csid: number) {
    this.csid = csid;
  }
}

/**
 * Chunks to messages (RTMP 1.0 §5.3), sans I/O: `push` bytes, then call `next` until it gives
 * undefined. Set Chunk Size and Abort take effect here and are handed out all the same.
 *
 * Memory follows the bytes received, never the lengths announced. A message that lies within one
 * pushed buffer and one chunk is handed out as a view of it.
 */
export class ChunkReader {
  /** Most bytes of unfinished messages; raise it once the peer is authorised. */
  unfinishedLimit = UNFINISHED_BYTES_BEFORE_AUTH;
  /** Longest audio, video or aggregate message, in bytes. */
  maxMessageBytes = MAX_MESSAGE_BYTES;
  readonly #queue: ChunkQueue;
  readonly #streams = new Map<number, ChunkStream>();
  #chunkSize = DEFAULT_CHUNK_SIZE;
  #unfinished = 0;
  #current: ChunkStream | undefined; // whose chunk payload is being read
  #left = 0; // bytes left of that payload

  /** @param queue where the bytes come from; the reader takes what is whole and leaves the rest. */
  constructor(queue: ChunkQueue = new ChunkQueue()) {
    this.#queue = queue;
  }

  /** The peer's chunk size in bytes. */
  get chunkSize(): number {
    return this.#chunkSize;
  }

  /** Bytes held for messages that are not whole yet. */
  get unfinishedBytes(): number {
    return this.#unfinished + this.#queue.length;
  }

  /** Adds received bytes. The caller must not write into them again. */
  push(bytes: Uint8Array): void {
    this.#queue.push(bytes);
  }

  /** The next whole message, or undefined until more bytes come. @throws ParseError; the connection is then lost. */
  next(): ChunkMessage | undefined {
    for (;;) {
      if (this.#current === undefined && !this.#readHeader()) return undefined;
      const stream = this.#current!;
      if (!this.#readPayload(stream)) return undefined;
      this.#current = undefined;
      if (stream.received < stream.length) continue;
      const message: ChunkMessage = {
        csid: stream.csid,
        type: stream.type,
        streamId: stream.streamId,
        timestampMs: stream.timestamp,
        body: stream.body,
      };
      if (stream.length > stream.longest) stream.longest = stream.length;
      stream.body = NO_BYTES;
      stream.received = 0;
      if (message.type === MessageType.setChunkSize) this.#setChunkSize(message.body);
      else if (message.type === MessageType.abort) this.#abort(message.body);
      return message;
    }
  }

  /** Takes a whole chunk header, or nothing. */
  #readHeader(): boolean {
    const queue = this.#queue;
    const first = queue.peek(0);
    if (first === undefined) return false;
    const format = first >> 6;
    let csid = first & 0x3f;
    let at = 1;
    if (csid < 2) {
      at = csid + 2;
      if (queue.length < at) return false;
      csid = 64 + queue.peek(1)! + (csid === 1 ? queue.peek(2)! * 256 : 0);
    }
    const stream = this.#streams.get(csid) ?? this.#fresh(csid, format);
    if (format === 3) return this.#readContinuation(stream, at);
    if (stream.received > 0)
      this.#badHeader(`type ${format} header within a message on chunk stream ${csid}`);

    let end = at + HEADER_BYTES[format]!;
    if (queue.length < end) return false;
    let time = this.#peekU24(at);
    const extended = time === 0xff_ffff;
    if (extended) {
      if (queue.length < end + 4) return false;
      time = this.#peekU32(end);
      end += 4;
    }
    if (format < 2) {
      stream.length = this.#peekU24(at + 3);
      stream.type = queue.peek(at + 6)!;
      if (format === 0) {
        stream.streamId =
          (queue.peek(at + 7)! |
            (queue.peek(at + 8)! << 8) |
            (queue.peek(at + 9)! << 16) |
            (queue.peek(at + 10)! << 24)) >>>
          0;
      }
      this.#refuseTooLarge(stream.type, stream.length);
    }
    stream.timestamp = format === 0 ? time : (stream.timestamp + time) >>> 0;
    stream.delta = time;
    stream.extended = extended;
    this.#streams.set(csid, stream);
    queue.skip(end);
    this.#beginChunk(stream);
    return true;
  }

  /** A type 3 header: the next chunk of a message, or a message that repeats the last header (§5.3.1.2.4). */
  #readContinuation(stream: ChunkStream, at: number): boolean {
    let end = at;
    if (stream.extended) {
      // Most peers repeat the extended timestamp here, some do not: it is one if it reads like one.
      let matching = 0;
      while (matching < 4) {
        const byte = this.#queue.peek(at + matching);
        if (byte === undefined) return false;
        if (byte !== ((stream.delta >>> (24 - 8 * matching)) & 0xff)) break;
        matching++;
      }
      if (matching === 4) end += 4;
    }
    if (stream.received === 0) stream.timestamp = (stream.timestamp + stream.delta) >>> 0;
    this.#queue.skip(end);
    this.#beginChunk(stream);
    return true;
  }

  #beginChunk(stream: ChunkStream): void {
    this.#current = stream;
    this.#left = Math.min(this.#chunkSize, stream.length - stream.received);
  }

  /** A chunk stream seen for the first time. */
  #fresh(csid: number, format: number): ChunkStream {
    // librtmp opens its control stream with type 1: all but the stream id is there, and that is 0.
    if (format > 1) this.#badHeader(`type ${format} header on the fresh chunk stream ${csid}`);
    if (this.#streams.size >= MAX_CHUNK_STREAMS) {
      throw new ParseError(
        'RTMP_CHUNK_STREAMS',
        'RTMP 1.0 §5.3.1.1',
        `more than ${MAX_CHUNK_STREAMS} chunk streams`,
      );
    }
    return new ChunkStream(csid);
  }

  #refuseTooLarge(type: number, length: number): void {
    const media = type === MessageType.audio || type === MessageType.video || type === MessageType.aggregate;
    const limit = media ? this.maxMessageBytes : Math.min(this.maxMessageBytes, MAX_AMF_MESSAGE_BYTES);
    if (length <= limit) return;
    throw new ParseError(
      'RTMP_MESSAGE_TOO_LARGE',
      'RTMP 1.0 §6.1.1',
      `type ${type} message of ${length} bytes; ${limit} are allowed`,
    );
  }

  /** Takes what is there of the current chunk; true when the chunk is whole. */
  #readPayload(stream: ChunkStream): boolean {
    const queue = this.#queue;
    const left = this.#left;
    if (stream.received === 0 && left === stream.length && queue.length >= left) {
      stream.body = queue.take(left)!;
      stream.received = left;
      this.#left = 0;
      return true;
    }
    const count = Math.min(left, queue.length);
    if (count > 0) {
      const received = stream.received + count;
      if (received > stream.body.length) this.#grow(stream, received);
      queue.takeInto(stream.body, stream.received, count);
      stream.received = received;
      this.#left = left - count;
      this.#unfinished += count;
      if (this.#unfinished > this.unfinishedLimit) {
        throw new ParseError(
          'RTMP_UNFINISHED_LIMIT',
          'RTMP 1.0 §5.3',
          `more than ${this.unfinishedLimit} bytes of unfinished messages`,
        );
      }
      if (received === stream.length) this.#unfinished -= received;
    }
    return this.#left === 0;
  }

  /**
   * Makes room for `needed` bytes of a message without trusting its announced length: at first as much as
   * the longest message before it had, within this stream's share of the limit.
   */
  #grow(stream: ChunkStream, needed: number): void {
    const first = Math.min(stream.longest, this.unfinishedLimit / MAX_CHUNK_STREAMS);
    const size = Math.max(FIRST_ALLOCATION, first, needed, stream.body.length * 4);
    const body = new Uint8Array(Math.min(stream.length, size));
    if (stream.received > 0) body.set(stream.body.subarray(0, stream.received));
    stream.body = body;
  }

  /** §5.4.1: 31 bits, at least 1. Beyond the largest message all values mean the same. */
  #setChunkSize(body: Uint8Array): void {
    const size = controlValue(body, 'RTMP 1.0 §5.4.1');
    if (size === 0 || size > 0x7fff_ffff) {
      throw new ParseError('RTMP_CHUNK_SIZE', 'RTMP 1.0 §5.4.1', `chunk size ${size}`);
    }
    this.#chunkSize = Math.min(size, MAX_MESSAGE_BYTES);
  }

  /** §5.4.2: forget the unfinished message of one chunk stream; one that is not known is no matter. */
  #abort(body: Uint8Array): void {
    const stream = this.#streams.get(controlValue(body, 'RTMP 1.0 §5.4.2'));
    if (stream === undefined || stream.received === 0) return;
    this.#unfinished -= stream.received;
    stream.received = 0;
    stream.body = NO_BYTES;
  }

  #peekU24(at: number): number {
    const queue = this.#queue;
    return (queue.peek(at)! << 16) | (queue.peek(at + 1)! << 8) | queue.peek(at + 2)!;
  }

  #peekU32(at: number): number {
    return this.#peekU24(at) * 256 + this.#queue.peek(at + 3)!;
  }

  #badHeader(what: string): never {
    throw new ParseError('RTMP_CHUNK_HEADER', 'RTMP 1.0 §5.3.1.2', what);
  }
}

function controlValue(body: Uint8Array, clause: string): number {
  if (body.length < 4) {
    throw new ParseError('RTMP_CONTROL_INVALID', clause, `control message of ${body.length} bytes, 4 wanted`);
  }
  return ((body[0]! << 24) | (body[1]! << 16) | (body[2]! << 8) | body[3]!) >>> 0;
}
