import { encodeRelayAlive, encodeRelayBlock } from '@onair/contracts/relay';
import type { HeldBlocks } from './held-blocks.ts';
import type { UploadBudget } from './upload-budget.ts';

/** The way to a child. */
export interface ChildChannel {
  /** Bytes that wait to be sent. */
  readonly buffered: number;
  send(message: Uint8Array): void;
}

/** Above so many waiting bytes nothing more is given to a channel. */
export const HIGH_WATER = 64 * 1024;
/** A channel above that mark for so long is of no use, ms. */
const STUCK_MS = 3_000;
/** The child hears something at least so often, ms. */
const ALIVE_MS = 33;

/**
 * Sends a child what its parent holds: a position, no queue of its own. A child that does not take it is not waited
 * for: it is dropped and gets the stream from the server.
 */
export class ChildPump {
  readonly #channel: ChildChannel;
  readonly #held: HeldBlocks;
  readonly #budget: UploadBudget;
  #position = -1;
  #after = -1;
  #sentAt: number;
  #fullSince: number | undefined;
  #bytes = 0;

  constructor(channel: ChildChannel, held: HeldBlocks, budget: UploadBudget, now: number) {
    this.#channel = channel;
    this.#held = held;
    this.#budget = budget;
    this.#sentAt = now;
  }

  /** Bytes of blocks sent. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The child says what it has. Only its first word counts, or it could ask for the same again and again. */
  start(after: number): void {
    if (this.#position >= 0) return;
    this.#after = after;
    this.#position = this.#held.startFor(after);
  }

  /** What is held was cleared. @param renumbered what the child has means nothing any more */
  restart(renumbered: boolean): void {
    if (this.#position < 0) return;
    this.#position = this.#held.end;
    if (renumbered) this.#after = -1;
  }

  /** Sends what the channel takes. False if the child must be dropped. */
  pump(now: number): boolean {
    const channel = this.#channel;
    // Looked at before anything is sent: what drained since the last call was taken.
    if (channel.buffered < HIGH_WATER) this.#fullSince = undefined;
    if (this.#position >= 0) {
      if (this.#position < this.#held.start) return false;
      while (this.#position < this.#held.end && channel.buffered < HIGH_WATER) {
        const block = this.#held.at(this.#position)!;
        if (block.sequence > this.#after) {
          if (!this.#budget.take(block.bytes.length, now)) break;
          for (const message of encodeRelayBlock(block.sequence, block.bytes)) channel.send(message);
          this.#bytes += block.bytes.length;
          this.#sentAt = now;
        }
        this.#position++;
      }
    }
    if (channel.buffered >= HIGH_WATER) this.#fullSince ??= now;
    if (now - this.#sentAt >= ALIVE_MS && channel.buffered === 0) {
      channel.send(encodeRelayAlive());
      this.#sentAt = now;
    }
    return this.#fullSince === undefined || now - this.#fullSince < STUCK_MS;
  }
}
