import type { Track } from '@onair/media';
import { concatBytes } from '@onair/media/bytes';
import type { Block, ClockAnchor, LogEpoch } from '../../hub/index.ts';
import type { CmafConfig } from '../cmaf/cmaf-log.ts';

/** Where all renditions begin the segment with this number. */
export interface Boundary {
  /** Media sequence number. */
  readonly msn: number;
  /** µs of stream time: presentation time of the first picture. */
  readonly time: number;
  /** EXT-X-DISCONTINUITY stands in front. */
  readonly discontinuity: boolean;
  /** Discontinuities up to here, this one included. */
  readonly discontinuities: number;
  readonly epoch: LogEpoch<CmafConfig>;
  /** Ties stream time to EXT-X-PROGRAM-DATE-TIME. */
  readonly anchor: ClockAnchor;
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
  /** From the decoding time of the first sample to the end of the last. */
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
  readonly parts: readonly HlsPart[];
  /** Blocks of video it holds, for the frame rate. */
  readonly frames: number;
  readonly bytes: Uint8Array;
  readonly span: MediaSpan;
  /** There is no media: the track had a hole. */
  readonly gap: boolean;
}

/** Rounding of block times, in µs per part. */
const ROUNDING_US = 50;

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
  #frames = 0;
  #nextPart: number;

  /** @param nextPart number of its first part. */
  constructor(boundary: Boundary, init: HlsInit, nextPart: number) {
    this.boundary = boundary;
    this.init = init;
    this.#nextPart = nextPart;
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
    return { start: first.time + first.compositionOffset, length: this.#end - first.time };
  }

  get empty(): boolean {
    return this.#first === undefined;
  }

  /** Milliseconds since the Unix epoch of the first picture or sound. */
  get programDateTime(): number {
    const { anchor, time } = this.boundary;
    const first = this.#first;
    const at = first === undefined ? time : first.time + first.compositionOffset;
    return anchor.wallMs + (at - anchor.time) / 1000;
  }

  /** Bytes and µs of media gathered so far, growing part included. */
  get size(): { readonly bytes: number; readonly duration: number; readonly frames: number } {
    let bytes = 0;
    for (const part of this.#parts) bytes += part.bytes.length;
    for (const block of this.#blocks) bytes += block.bytes.length;
    return { bytes, duration: this.empty ? 0 : this.#end - this.start, frames: this.#frames };
  }

  /**
   * Adds a block; parts are closed before they exceed `target` µs, and as soon as no other block fits.
   * A part begins at each keyframe, unless the one before did too.
   */
  add(block: Block<CmafConfig>, target: number): void {
    const end = block.time + block.duration;
    if (this.#first === undefined) {
      this.#first = block;
      this.#partStart = block.time;
    } else if (this.#blocks.length > 0) {
      const splits = block.independent && block.video && !isIndependent(this.#blocks[0]!);
      if (splits || end - this.#partStart > target + ROUNDING_US) this.closePart();
    }
    // A hole in front of a part counts as part of it, unless that would make it too long.
    if (this.#blocks.length === 0 && end - this.#partStart > target + ROUNDING_US)
      this.#partStart = block.time;
    this.#blocks.push(block);
    this.#chunks.push(block.bytes);
    this.#frames++;
    this.#end = end;
    if (end - this.#partStart + block.duration > target + ROUNDING_US) this.closePart();
  }

  /** Closes the growing part, if there is one. */
  closePart(): void {
    const blocks = this.#blocks;
    if (blocks.length === 0) return;
    this.#parts.push({
      number: this.#nextPart++,
      duration: this.#end - this.#partStart,
      independent: blocks.some(isIndependent),
      bytes: blocks.length === 1 ? blocks[0]!.bytes : concatBytes(blocks.map(({ bytes }) => bytes)),
    });
    this.#blocks = [];
    this.#partStart = this.#end;
  }

  /** @param end µs of stream time where a segment without media ends. */
  finish(end: number): HlsSegment {
    this.closePart();
    const bytes = concatBytes(this.#parts.map((part) => part.bytes));
    let at = 0;
    let duration = 0;
    const parts = this.#parts.map((part) => {
      const view = bytes.subarray(at, at + part.bytes.length);
      at += part.bytes.length;
      duration += part.duration;
      return { ...part, bytes: view };
    });
    return {
      boundary: this.boundary,
      init: this.init,
      programDateTime: this.programDateTime,
      duration: this.empty ? Math.max(1000, end - this.boundary.time) : duration,
      parts,
      frames: this.#frames,
      bytes,
      span: this.span,
      gap: this.empty,
    };
  }
}

/** Every audio chunk is a place to start; video needs a keyframe. */
function isIndependent(block: Block<CmafConfig>): boolean {
  return block.independent || !block.video;
}
