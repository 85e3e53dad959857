import type { Track } from '@onair/media';
import { concatBytes } from '@onair/media/bytes';
import type { Block, ClockAnchor, LogEpoch } from '../../hub/index.ts';
import type { CmafConfig } from '../cmaf/cmaf-log.ts';
import { isPartDue, MIN_PART_SHARE, ROUNDING_US, wishedPart } from './part-plan.ts';

/** Where all renditions begin the segment with this number. */
export interface Boundary {
  /** Media sequence number. */
  readonly msn: number;
  /** µs of stream time: presentation time of the first picture. */
  readonly time: number;
  /** EXT-X-DISCONTINUITY stands in front. */
  readonly discontinuity: boolean;
  /** No keyframe came in time: the segment begins in the middle of a group of pictures. */
  readonly forced: boolean;
  /** Discontinuities up to here, this one included. */
  readonly discontinuities: number;
  readonly epoch: LogEpoch<CmafConfig>;
  /** Ties stream time to EXT-X-PROGRAM-DATE-TIME. */
  readonly anchor: ClockAnchor;
  /** What the segment is expected to last, and its groups of pictures, in µs. */
  readonly expected: { readonly length: number; readonly keyframes: number };
}

/** An init segment under the name it is served by. */
export interface HlsInit {
  readonly file: string;
  readonly bytes: Uint8Array;
  /** What it sets a decoder up for. */
  readonly track: Track;
}

/** What a segment holds, in µs of stream time; chunks of a track lie on its ticks. */
export interface MediaSpan {
  /** Presentation time of the first sample. */
  readonly start: number;
  /** From the decoding time of the first sample to when the last one has been shown. */
  readonly length: number;
}

/** A finished part. */
export interface HlsPart {
  /** Rises by one with each part of the rendition; makes the address. */
  readonly number: number;
  /** µs. */
  readonly duration: number;
  readonly independent: boolean;
  readonly bytes: Uint8Array;
}

/** A finished segment; the bytes of its parts are views into its own. */
export interface HlsSegment {
  readonly boundary: Boundary;
  readonly init: HlsInit;
  /** Milliseconds since the Unix epoch. */
  readonly programDateTime: number;
  /** µs. */
  readonly duration: number;
  /** µs of stream time: where its presentation ends. */
  readonly end: number;
  readonly parts: readonly HlsPart[];
  /** Blocks of video it holds, for the frame rate. */
  readonly frames: number;
  readonly bytes: Uint8Array;
  readonly span: MediaSpan;
  /** There is no media: the track had a hole. */
  readonly gap: boolean;
  /** It can be decoded without those before: it begins with a keyframe, or is sound. */
  readonly independent: boolean;
}

/** How large a growing segment is. */
export interface SegmentSize {
  readonly bytes: number;
  /** Bytes of its first block, which is a keyframe if there is video. */
  readonly key: number;
  /** µs. */
  readonly duration: number;
  readonly frames: number;
}

/** Shortest part, in µs. */
const MIN_PART_US = 1000;
/** What a segment lasts that lies behind its time: the one before went on over all of it. */
const LEAST_US = 10;
/** A hole of more µs at the end of a segment is part of it, so that durations add up to dates. */
const SEEN_HOLE_US = 40_000;

/** The segment that is growing: gathers blocks into parts. */
export class OpenSegment {
  readonly boundary: Boundary;
  readonly init: HlsInit;
  #parts: HlsPart[] = [];
  #blocks: Block<CmafConfig>[] = [];
  /** The bytes of every block so far, in order. */
  readonly #chunks: Uint8Array[] = [];
  /** µs where the growing part begins and where the last block ends. */
  #partStart = 0;
  #end = 0;
  #first: Block<CmafConfig> | undefined;
  /** µs of stream time of the last block that can be decoded without those before. */
  #keyTime = 0;
  /** {@link Block.lag} of the last block. */
  #lag = 0;
  #nextPart: number;
  /** Presentation time in µs where the segment before ended, if this one goes on from there. */
  readonly #before: number | undefined;

  /**
   * @param nextPart number of its first part.
   * @param before presentation time in µs where the segment before ended, if this one goes on from there.
   */
  constructor(boundary: Boundary, init: HlsInit, nextPart: number, before?: number) {
    this.boundary = boundary;
    this.init = init;
    this.#nextPart = nextPart;
    this.#before = before;
  }

  /** Finished parts. */
  get parts(): readonly HlsPart[] {
    return this.#parts;
  }

  /** Number of the part that is growing or comes next. */
  get nextPart(): number {
    return this.#nextPart;
  }

  /** µs of stream time of the first block; of the boundary while there is none. */
  get start(): number {
    return this.#first?.time ?? this.boundary.time;
  }

  /** The chunks so far, in order; the whole segment is these, one after the other. */
  get chunks(): readonly Uint8Array[] {
    return this.#chunks;
  }

  /** What the segment holds so far. */
  get span(): MediaSpan {
    const first = this.#first;
    if (first === undefined) return { start: this.boundary.time, length: 0 };
    const shown = placeOf(first) + first.lag;
    return { start: shown, length: this.#end + this.#lag - first.time - first.lag };
  }

  get empty(): boolean {
    return this.#first === undefined;
  }

  /** It can be decoded without what came before. */
  get independent(): boolean {
    return this.#first === undefined || isIndependent(this.#first);
  }

  /** Milliseconds since the Unix epoch of the first picture or sound. */
  get programDateTime(): number {
    return this.#dated(this.#shownFrom)();
  }

  /** Presentation time of the first picture or sound, in µs. */
  get #shownFrom(): number {
    const first = this.#first;
    return first === undefined ? this.boundary.time : placeOf(first);
  }

  /** Reckons the date when it is asked for: until the first is shown, the anchor grows more exact. */
  #dated(at: number): () => number {
    const { anchor } = this.boundary;
    return () => anchor.wallMs + (at - anchor.time) / 1000;
  }

  /** Bytes and µs of media gathered so far, growing part included. */
  get size(): SegmentSize {
    let bytes = 0;
    for (const part of this.#parts) bytes += part.bytes.length;
    for (const block of this.#blocks) bytes += block.bytes.length;
    const key = this.#first?.bytes.length ?? 0;
    return { bytes, key, duration: this.empty ? 0 : this.#end - this.start, frames: this.#chunks.length };
  }

  /**
   * Adds a block; parts are closed before they exceed `target` µs. A part begins at each keyframe, unless the one
   * before did too.
   * @param steady blocks last as long as they say: a part is closed as soon as no other fits. Otherwise it is known
   * with the next block how long the last one lasted.
   */
  add(block: Block<CmafConfig>, target: number, steady: boolean): void {
    const end = block.time + block.duration;
    if (this.#first === undefined) {
      this.#first = block;
      this.#partStart = block.time;
    } else if (this.#blocks.length > 0) {
      if (!steady) this.#settleEnd(block.time, target);
      const splits = block.independent && block.video && !isIndependent(this.#blocks[0]!);
      const fits = steady && end - this.#partStart <= target + ROUNDING_US;
      // A hole behind a part fills it.
      if (steady && !fits && block.time > this.#end) this.#settleEnd(block.time, target);
      const due = !steady && this.#isDue(target, block);
      if (splits || due || (!fits && this.#isFilled(target, block))) this.closePart();
    }
    // A hole in front of a part counts as part of it, unless that would make it too long.
    const least = steady ? end : block.time;
    if (this.#blocks.length === 0 && least - this.#partStart > target + ROUNDING_US)
      this.#partStart = block.time;
    if (block.independent) this.#keyTime = block.time;
    this.#blocks.push(block);
    this.#chunks.push(block.bytes);
    this.#end = end;
    this.#lag = block.lag;
    if (!steady) return;
    // Frames of other lengths than the part was made for: what is beyond the target belongs to the part behind.
    if (end - this.#partStart > target + ROUNDING_US) this.#settleEnd(end, target);
    const full = end - this.#partStart + block.duration > target + ROUNDING_US;
    if ((full && this.#isFilled(target, block)) || this.#isDue(target, block)) this.closePart();
  }

  /** True if the growing part ends with its last block, so that those to come are about as long. */
  #isDue(target: number, { duration }: Block<CmafConfig>): boolean {
    const { length, keyframes } = this.boundary.expected;
    const key = this.#keyTime + keyframes;
    // Parts end at keyframes, if these are not closer than parts are.
    const split = keyframes > target && key > this.#partStart + duration;
    const until = Math.min(this.start + length, split ? key : Number.POSITIVE_INFINITY);
    return isPartDue(
      wishedPart(until - this.#partStart, target),
      this.#end - this.#partStart,
      target,
      duration,
    );
  }

  /** True if the growing part is as long as a part must be that others follow; in front of sound any length will do. */
  #isFilled(target: number, { video }: Block<CmafConfig>): boolean {
    return !video || this.#end - this.#partStart >= MIN_PART_SHARE * target;
  }

  /** The block after the last one begins at `next`; what is beyond the target belongs to the part behind. */
  #settleEnd(next: number, target: number): void {
    this.#end = Math.min(next, this.#partStart + target);
  }

  /** Closes the growing part, if there is one. */
  closePart(): void {
    const blocks = this.#blocks;
    // Blocks that lasted shorter than they said can leave nothing for those behind; they go with the next.
    if (blocks.length === 0 || this.#end - this.#partStart < MIN_PART_US) return;
    this.#parts.push({
      number: this.#nextPart++,
      duration: this.#end - this.#partStart,
      independent: blocks.some(isIndependent),
      bytes: blocks.length === 1 ? blocks[0]!.bytes : concatBytes(blocks.map(({ bytes }) => bytes)),
    });
    this.#blocks = [];
    this.#partStart = this.#end;
  }

  /**
   * @param end µs of stream time where the next one begins, or a segment without media ends; 0 if nothing follows on.
   * @param next where the block after the last one begins, if it was not known how long that lasts.
   * @param target PART-TARGET in µs.
   * @param longest that a segment may become, µs.
   */
  finish(end: number, next: number | undefined, target: number, longest: number): HlsSegment {
    if (this.#blocks.length > 0) {
      const over = this.#end - this.#partStart > target + ROUNDING_US;
      if (next !== undefined || over) this.#settleEnd(next ?? this.#end, target);
      this.#end = Math.max(this.#end, this.#partStart + MIN_PART_US);
      this.closePart();
    }
    // Frames may last longer than a part can tell: the segment does tell, so that dates and durations agree.
    const media = Math.max(this.#end, Math.min(next ?? 0, this.start + longest)) - this.start;
    const hole = end - this.#shownFrom - media > SEEN_HOLE_US;
    const span = hole ? Math.max(media, Math.min(end - this.#shownFrom, longest)) : media;
    const bytes = concatBytes(this.#parts.map((part) => part.bytes));
    let at = 0;
    const parts = this.#parts.map((part) => {
      const view = bytes.subarray(at, at + part.bytes.length);
      at += part.bytes.length;
      return { ...part, bytes: view };
    });
    // What is missing at the end of the segment before belongs to the hole, as far as one segment can tell it.
    const { time } = this.boundary;
    const before = this.#before ?? time;
    const latest = Math.max(time, end - MIN_PART_US);
    const behind = before > latest;
    const from = behind ? before : Math.min(Math.max(before, end - longest), latest);
    const shown = this.empty ? from : this.#shownFrom;
    const dated = this.#dated(shown);
    const duration = this.empty ? Math.max(behind ? LEAST_US : MIN_PART_US, end - from) : span;
    return {
      boundary: this.boundary,
      init: this.init,
      get programDateTime() {
        return dated();
      },
      duration,
      end: shown + duration,
      parts,
      frames: this.#chunks.length,
      bytes,
      span: this.span,
      gap: this.empty,
      independent: this.independent,
    };
  }
}

/**
 * Presentation time of the first sample, in µs, without what hides a hole in front of it: durations are told by decoding
 * times, and dates must agree with them.
 */
export function placeOf(block: Block<CmafConfig>): number {
  return block.time + block.compositionOffset - block.lag;
}

/** Every audio chunk is a place to start; video needs a keyframe. */
function isIndependent(block: Block<CmafConfig>): boolean {
  return block.independent || !block.video;
}
