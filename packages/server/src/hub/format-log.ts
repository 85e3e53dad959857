import type { Track } from '@onair/media';

/** Codec set-up of one epoch in one format, shared by all blocks of the epoch. */
export interface LogEpoch<C> {
  readonly number: number;
  readonly tracks: readonly Track[];
  /** What a viewer needs before the first block of this epoch, in the form the format chose. */
  readonly config: C;
}

/** Unit of a format log. Immutable; the bytes are shared by everybody who reads. */
export interface Block<C> {
  /** Position in the log. */
  readonly seq: number;
  /** `config` blocks set decoders up for `epoch`; `notice` blocks tell viewers something; else media. */
  readonly kind: 'media' | 'config' | 'notice';
  readonly epoch: LogEpoch<C>;
  /** Track id; 0 for blocks about the whole stream. */
  readonly track: number;
  readonly video: boolean;
  /** A viewer can start here. */
  readonly independent: boolean;
  /** First block of its track after a cut. */
  readonly discontinuity: boolean;
  /** Decoding time of the first sample, µs of stream time. */
  readonly time: number;
  /** µs. */
  readonly duration: number;
  /** Presentation minus decoding time of the first sample, µs. */
  readonly compositionOffset: number;
  /** Part of that which only hides a hole in front of the first sample: what was there lasted longer than it said. */
  readonly lag: number;
  /** Server clock at the arrival of the first sample, ms since the Unix epoch. */
  readonly wallMs: number;
  readonly bytes: Uint8Array;
}

/** A block before the log has given it its place. */
export type NewBlock<C> = Omit<Block<C>, 'seq' | 'lag'> & { readonly lag?: number };

/** Bounds of a log. What is older goes, whoever may still want it. */
export interface LogLimits {
  readonly maxBytes: number;
  /** Span of media kept in any case, in milliseconds. */
  readonly keepMs: number;
  /** Span kept so that the newest independent block is still there, in milliseconds. */
  readonly maxMs: number;
}

/** Bounds that hold a long group of pictures at a high bit rate. */
export const DEFAULT_LOG_LIMITS: LogLimits = {
  maxBytes: 24 * 1024 * 1024,
  keepMs: 6_000,
  maxMs: 20_000,
};

/** Notices kept for viewers who come later; the oldest leaves first. */
const MAX_STANDING = 512;

/** What follows a log: pumps, segmenters. Called in order, in the turn of the publisher; must not throw. */
export interface LogReader<C> {
  appended(block: Block<C>): void;
  /** The stream is over; nothing will be appended. */
  ended(reason: string): void;
}

/** Bounded, append-only ring of immutable blocks of one format. Readers hold positions, not data. */
export class FormatLog<C> {
  readonly limits: LogLimits;
  #blocks: Block<C>[] = [];
  /** Index in `#blocks` of the oldest block that is still part of the log. */
  #head = 0;
  #firstSeq = 0;
  #bytes = 0;
  #newestIndependent = -1;
  /** Notices that still hold, whether the ring has them or not. */
  #standing: { readonly block: Block<C>; readonly until: number }[] = [];
  readonly #readers = new Set<LogReader<C>>();

  constructor(limits: LogLimits = DEFAULT_LOG_LIMITS) {
    this.limits = limits;
  }

  /** Seq of the oldest block held. */
  get start(): number {
    return this.#firstSeq;
  }

  /** Seq the next block will get. */
  get end(): number {
    return this.#firstSeq + this.#blocks.length - this.#head;
  }

  /** Payload bytes held. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Seq of the newest block a viewer can start at, or -1 while none is held. */
  get newestIndependent(): number {
    return this.#newestIndependent >= this.#firstSeq ? this.#newestIndependent : -1;
  }

  /** The block at `seq`, or undefined if it is gone or not there yet. */
  at(seq: number): Block<C> | undefined {
    const index = seq - this.#firstSeq;
    return index < 0 ? undefined : this.#blocks[this.#head + index];
  }

  /** Notices in `[from, to)` that hold at `time` (µs), oldest first: what a viewer who starts at `to` has missed. */
  standing(from: number, to: number, time: number): Block<C>[] {
    const found: Block<C>[] = [];
    for (const { block, until } of this.#standing) {
      if (block.seq >= from && block.seq < to && until >= time) found.push(block);
    }
    return found;
  }

  /**
   * Adds a block and tells the readers. The log keeps `block.bytes`; nobody may write into them.
   * @param until µs of stream time up to which a notice holds for those who come later.
   */
  append(block: NewBlock<C>, until?: number): Block<C> {
    const placed: Block<C> = {
      seq: this.end,
      kind: block.kind,
      epoch: block.epoch,
      track: block.track,
      video: block.video,
      independent: block.independent,
      discontinuity: block.discontinuity,
      time: block.time,
      duration: block.duration,
      compositionOffset: block.compositionOffset,
      lag: block.lag ?? 0,
      wallMs: block.wallMs,
      bytes: block.bytes,
    };
    this.#blocks.push(placed);
    this.#bytes += placed.bytes.length;
    if (placed.independent) this.#newestIndependent = placed.seq;
    this.#trim(placed.time);
    if (until !== undefined) this.#keep(placed, until);
    for (const reader of this.#readers) reader.appended(placed);
    return placed;
  }

  /** Follows the log from now on; the returned function stops that. */
  follow(reader: LogReader<C>): () => void {
    this.#readers.add(reader);
    return () => this.#readers.delete(reader);
  }

  /** Tells the readers that the stream is over. */
  finish(reason: string): void {
    for (const reader of [...this.#readers]) reader.ended(reason);
  }

  /** Drops everything held; positions go on. */
  clear(): void {
    this.#firstSeq = this.end;
    this.#blocks = [];
    this.#head = 0;
    this.#bytes = 0;
    this.#standing = [];
  }

  #keep(block: Block<C>, until: number): void {
    this.#standing = this.#standing.filter((one) => one.until >= block.time);
    this.#standing.push({ block, until });
    if (this.#standing.length > MAX_STANDING) this.#standing.shift();
  }

  #trim(now: number): void {
    const wanted = now - this.limits.keepMs * 1000;
    const oldest = now - this.limits.maxMs * 1000;
    while (this.#blocks.length - this.#head > 1) {
      const first = this.#blocks[this.#head]!;
      const needed = first.time >= wanted || (this.#newestIndependent <= first.seq && first.time >= oldest);
      if (this.#bytes <= this.limits.maxBytes && needed) break;
      this.#bytes -= first.bytes.length;
      this.#head++;
      this.#firstSeq++;
    }
    // Compact now and then, so that a shift costs constant time on average and freed blocks are let go soon.
    if (this.#head > 32 && this.#head * 2 > this.#blocks.length) {
      this.#blocks.splice(0, this.#head);
      this.#head = 0;
    }
  }
}
