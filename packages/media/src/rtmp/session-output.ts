import type { AmfObject, AmfValue } from '../amf/index.ts';
import { concatBytes } from '../bytes/index.ts';
import { ParseError } from '../model/errors.ts';
import { DEFAULT_CHUNK_SIZE, MessageType } from './chunk-message.ts';
import { ChunkStreamId, encodeMessage } from './chunk-writer.ts';
import {
  type ControlMessage,
  encodeCommand,
  encodeControl,
  encodeData,
  encodeSharedObject,
  encodeUserControl,
  type SharedObjectMessage,
  sharedObjectType,
  type UserControlMessage,
} from './messages/index.ts';

/** Most bytes of answers that may wait for a peer that does not read them. */
export const MAX_WAITING_CONTROL_BYTES = 1_048_576;

/** What a session has to say and nobody has taken yet. All of it leaves in one buffer. */
export class SessionOutput {
  readonly #limit: number;
  #parts: Uint8Array[] = [];
  #length = 0;
  #chunkSize = DEFAULT_CHUNK_SIZE;

  /** @param limit bytes that may wait. */
  constructor(limit: number = MAX_WAITING_CONTROL_BYTES) {
    this.#limit = limit;
  }

  /** Bytes waiting. */
  get length(): number {
    return this.#length;
  }

  /** Everything that waits, in one buffer that belongs to the caller; undefined if nothing does. */
  take(): Uint8Array | undefined {
    const parts = this.#parts;
    if (parts.length === 0) return undefined;
    this.#parts = [];
    this.#length = 0;
    return parts.length === 1 ? parts[0] : concatBytes(parts);
  }

  /** Bytes that are no chunks: the handshake. */
  raw(bytes: Uint8Array): void {
    this.#length += bytes.length;
    if (this.#length > this.#limit) {
      throw new ParseError(
        'RTMP_OUTPUT_LIMIT',
        'RTMP 1.0 §5',
        `the peer leaves more than ${this.#limit} bytes unread`,
      );
    }
    this.#parts.push(bytes);
  }

  message(csid: number, type: number, streamId: number, timestampMs: number, body: Uint8Array): void {
    this.raw(encodeMessage({ csid, type, timestampMs, body }, streamId, this.#chunkSize));
  }

  /** A protocol control message; a new chunk size holds from the next message on. */
  control(message: ControlMessage): void {
    const { type, body } = encodeControl(message);
    this.message(ChunkStreamId.control, type, 0, 0, body);
    if (message.kind === 'setChunkSize') this.#chunkSize = message.size;
  }

  userControl(message: UserControlMessage): void {
    this.message(ChunkStreamId.control, MessageType.userControl, 0, 0, encodeUserControl(message));
  }

  command(streamId: number, name: string, transactionId: number, values: readonly AmfValue[]): void {
    const body = encodeCommand(name, transactionId, values);
    this.message(ChunkStreamId.command, MessageType.commandAmf0, streamId, 0, body);
  }

  data(streamId: number, timestampMs: number, name: string, values: readonly AmfValue[]): void {
    this.message(ChunkStreamId.data, MessageType.dataAmf0, streamId, timestampMs, encodeData(name, values));
  }

  /** Events of a remote shared object (§7.1.3). */
  sharedObject(message: Omit<SharedObjectMessage, 'kind'>): void {
    const body = encodeSharedObject(message);
    this.message(ChunkStreamId.command, sharedObjectType(message.encoding), 0, 0, body);
  }

  /** `onStatus` on a message stream (§7.2.2). */
  status(streamId: number, level: StatusLevel, code: string, description: string, more?: AmfObject): void {
    this.command(streamId, 'onStatus', 0, [null, { level, code, description, ...more }]);
  }
}

/** Weight of a status (§7.2.2). */
export type StatusLevel = 'status' | 'warning' | 'error';
