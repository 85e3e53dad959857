import { concatBytes } from '@onair/media/bytes';
import type { LogEpoch } from './format-log.ts';

/** Size at which a piece is closed, in bytes; also the most one write to a viewer that catches up carries on top of a batch. */
export const PIECE_BYTES = 128 * 1024;
/** Without video: media kept for a joining viewer, µs. */
const AUDIO_START_US = 1_000_000;

/** A run of blocks as the one buffer that is written to everybody. */
export interface Batch<C> {
  readonly epoch: LogEpoch<C>;
  readonly firstSeq: number;
  readonly endSeq: number;
  /** A viewer can start here. */
  readonly independent: boolean;
  /** µs of stream time of the first block. */
  readonly time: number;
  readonly bytes: Uint8Array;
}

/** Several batches as one buffer, shared by all viewers that catch up through them. */
export interface Piece {
  readonly from: number;
  /** Index behind the last batch in it. */
  readonly to: number;
  readonly bytes: Uint8Array;
}

/** The same bytes as sockets take them: of anything else each write would make a view of its own. */
export function socketBytes(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** The newest batches of a pump, and the pieces in which joining viewers get the newest group of pictures. */
export class BatchRing<C> {
  #batches: Batch<C>[] = [];
  /** Index of `#batches[0]`. */
  #first = 0;
  #start = -1;
  #closed: Piece[] = [];
  #tail: Piece | undefined;

  /** Index the next batch will get. */
  get end(): number {
    return this.#first + this.#batches.length;
  }

  /** Index of the batch where the newest group of pictures starts; -1 for none. */
  get start(): number {
    return this.#start;
  }

  /** The batch at an index, or undefined if it is gone or not there yet. */
  at(index: number): Batch<C> | undefined {
    return index < this.#first ? undefined : this.#batches[index - this.#first];
  }

  /**
   * Adds a batch and drops what is older than `keepUs`, but not the newest group of pictures as long as the
   * log holds it.
   * @param paced whether video sets the rhythm.
   * @param logStart seq of the oldest block in the log.
   */
  push(batch: Batch<C>, paced: boolean, keepUs: number, logStart: number): void {
    this.#batches.push(batch);
    const start = this.at(this.#start);
    const stale =
      start === undefined || start.epoch !== batch.epoch || batch.time - start.time > AUDIO_START_US;
    if (batch.independent && (paced || stale)) this.#restart(this.end - 1);
    else if (start !== undefined && start.firstSeq < logStart) this.#restart(-1);
    this.#trim(batch.time - keepUs);
  }

  /** The piece that starts at batch `from` of the newest group of pictures, if there is more than one batch to join. */
  piece(from: number): Piece | undefined {
    if (this.#start < 0 || from < this.#start) return undefined;
    for (const piece of this.#closed) if (piece.from === from) return piece;
    const last = this.#closed[this.#closed.length - 1];
    if (from !== (last === undefined ? this.#start : last.to)) return undefined;
    if (this.#tail !== undefined && this.#tail.from === from && this.#tail.to === this.end) return this.#tail;
    return this.#build(from);
  }

  clear(): void {
    this.#first = this.end;
    this.#batches = [];
    this.#restart(-1);
  }

  #build(from: number): Piece | undefined {
    const parts: Uint8Array[] = [];
    let bytes = 0;
    let to = from;
    while (to < this.end && bytes < PIECE_BYTES) {
      const part = this.at(to)!.bytes;
      parts.push(part);
      bytes += part.length;
      to++;
    }
    const piece: Piece = {
      from,
      to,
      bytes: parts.length === 1 ? parts[0]! : socketBytes(concatBytes(parts)),
    };
    if (bytes >= PIECE_BYTES) {
      this.#closed.push(piece);
      this.#tail = undefined;
    } else this.#tail = piece;
    return piece;
  }

  #restart(start: number): void {
    this.#start = start;
    this.#closed = [];
    this.#tail = undefined;
  }

  #trim(oldest: number): void {
    let drop = 0;
    while (
      drop < this.#batches.length - 1 &&
      this.#first + drop !== this.#start &&
      this.#batches[drop]!.time < oldest
    ) {
      drop++;
    }
    // In bulk, so that a drop costs constant time on average.
    if (drop > 32 || drop * 2 > this.#batches.length) {
      this.#batches.splice(0, drop);
      this.#first += drop;
    }
  }
}
