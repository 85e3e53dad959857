import { ChunkQueue } from '../bytes/index.ts';
import { ParseError } from '../model/errors.ts';
import {
  type ChunkMessage,
  MAX_MESSAGE_BYTES,
  MessageType,
  UNFINISHED_BYTES_AFTER_AUTH,
} from './chunk-message.ts';
import { ChunkReader } from './chunk-reader.ts';
import { AckWindow, WINDOW_ACK_SIZE } from './flow.ts';
import type { Handshake } from './handshake.ts';
import { decodeControl, decodeUserControl, splitAggregate } from './messages/index.ts';
import type { SessionOutput } from './session-output.ts';

/** Limits that an installation may set. */
export interface LinkLimits {
  /** Window announced to the peer, in bytes; {@link WINDOW_ACK_SIZE} unless given. */
  readonly windowAckSize?: number | undefined;
  /** Longest media message taken, in bytes; {@link MAX_MESSAGE_BYTES} unless given. */
  readonly maxMessageBytes?: number | undefined;
}

/**
 * What both sides of a session have in common: handshake, chunks, acknowledgements, pings. Hands up
 * the messages that concern a session: media, data, commands, shared objects, user control.
 */
export class RtmpLink {
  readonly output: SessionOutput;
  readonly acks = new AckWindow();
  readonly #queue = new ChunkQueue();
  readonly #reader = new ChunkReader(this.#queue);
  readonly #handshake: Handshake;
  readonly #windowAckSize: number;
  #split: readonly ChunkMessage[] = []; // of the aggregate being handed up
  #splitAt = 0;
  #announcedWindow = 0;

  constructor(handshake: Handshake, output: SessionOutput, limits: LinkLimits = {}) {
    this.#handshake = handshake;
    this.output = output;
    this.#windowAckSize = limits.windowAckSize ?? WINDOW_ACK_SIZE;
    this.#reader.maxMessageBytes = limits.maxMessageBytes ?? MAX_MESSAGE_BYTES;
  }

  /** Window announced to the peer, in bytes. */
  get windowAckSize(): number {
    return this.#windowAckSize;
  }

  get handshakeDone(): boolean {
    return this.#handshake.done;
  }

  /** True if the digest handshake was spoken. */
  get digest(): boolean {
    return this.#handshake.digest;
  }

  /** Raises the limits that hold for strangers. */
  trust(): void {
    this.#reader.unfinishedLimit = UNFINISHED_BYTES_AFTER_AUTH;
  }

  /** Adds received bytes. @throws ParseError `RTMP_UNFINISHED_LIMIT` if too many lie unread. */
  push(bytes: Uint8Array): void {
    this.#reader.push(bytes);
    this.acks.received(bytes.length);
    if (this.#queue.length > this.#reader.unfinishedLimit) {
      throw new ParseError(
        'RTMP_UNFINISHED_LIMIT',
        'RTMP 1.0 §5.3',
        `more than ${this.#reader.unfinishedLimit} bytes wait to be read`,
      );
    }
  }

  /** The next message that concerns the session. */
  next(): ChunkMessage | undefined {
    if (!this.#handshake.done) {
      const answer = this.#handshake.read(this.#queue);
      if (answer !== undefined) this.output.raw(answer);
      if (!this.#handshake.done) return undefined;
    }
    for (;;) {
      const message = this.#nextSplit() ?? this.#reader.next();
      if (message === undefined) {
        const sequence = this.acks.due();
        if (sequence !== undefined) this.output.control({ kind: 'acknowledgement', sequence });
        return undefined;
      }
      if (this.#concernsSession(message)) return message;
    }
  }

  /** Announces our window unless the same was announced before. */
  announceWindow(size: number = this.#windowAckSize): void {
    if (this.#announcedWindow === size) return;
    this.#announcedWindow = size;
    this.output.control({ kind: 'windowAckSize', size });
  }

  #nextSplit(): ChunkMessage | undefined {
    if (this.#splitAt < this.#split.length) return this.#split[this.#splitAt++];
    return undefined;
  }

  /** Answers what is the link's own business. */
  #concernsSession(message: ChunkMessage): boolean {
    switch (message.type) {
      case MessageType.audio:
      case MessageType.video:
      case MessageType.dataAmf0:
      case MessageType.dataAmf3:
      case MessageType.commandAmf0:
      case MessageType.commandAmf3:
      case MessageType.sharedObjectAmf0:
      case MessageType.sharedObjectAmf3:
        return true;
      case MessageType.userControl: {
        const event = decodeUserControl(message.body);
        if (event.kind !== 'pingRequest') return true;
        this.output.userControl({ kind: 'pingResponse', timestamp: event.timestamp });
        return false;
      }
      case MessageType.aggregate:
        this.#split = splitAggregate(message);
        this.#splitAt = 0;
        return false;
      case MessageType.acknowledgement:
      case MessageType.windowAckSize:
      case MessageType.setPeerBandwidth:
        this.#flow(message);
        return false;
      default:
        return false; // chunk size and abort took effect in the reader; other types are to be ignored
    }
  }

  #flow(message: ChunkMessage): void {
    const control = decodeControl(message.type, message.body);
    if (control.kind === 'acknowledgement') this.acks.noteAcknowledged(control.sequence);
    else if (control.kind === 'windowAckSize') this.acks.setWindow(control.size);
    else if (control.kind === 'setPeerBandwidth') this.announceWindow(control.size);
  }
}
