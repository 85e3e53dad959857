import { ChunkQueue } from '../bytes/index.ts';
import { ParseError } from '../model/errors.ts';
import { readBoxHeader } from './box.ts';

/** Largest top-level box a stream may contain: one fragment of video at a very high rate. */
export const MAX_STREAM_BOX_BYTES = 64 * 1024 * 1024;

/** One whole top-level box, header included. */
export interface WholeBox {
  readonly type: string;
  readonly bytes: Uint8Array;
}

/**
 * Cuts a byte stream into its top-level boxes. Memory grows only with bytes really received, up to
 * one box of {@link MAX_STREAM_BOX_BYTES}.
 */
export class BoxStream {
  readonly #queue = new ChunkQueue();
  readonly #limit: number;

  /** @param limit largest box in bytes. */
  constructor(limit = MAX_STREAM_BOX_BYTES) {
    this.#limit = limit;
  }

  /**
   * Takes bytes, which the stream keeps, and returns the boxes they complete.
   * @throws ParseError `MP4_BOX_SIZE` for a box of unknown or excessive size.
   */
  push(bytes: Uint8Array): WholeBox[] {
    this.#queue.push(bytes);
    const boxes: WholeBox[] = [];
    for (;;) {
      const header = this.#header();
      if (header === undefined) return boxes;
      if (header.size === 0 || header.size > this.#limit) {
        throw new ParseError(
          'MP4_BOX_SIZE',
          'ISO/IEC 14496-12 §4.2.2',
          `box ${JSON.stringify(header.type)} of ${header.size} bytes in a stream, ${this.#limit} allowed`,
        );
      }
      const whole = this.#queue.take(header.size);
      if (whole === undefined) return boxes;
      boxes.push({ type: header.type, bytes: whole });
    }
  }

  #header(): { type: string; size: number } | undefined {
    const head = new Uint8Array(Math.min(16, this.#queue.length));
    for (let i = 0; i < head.length; i++) head[i] = this.#queue.peek(i)!;
    return readBoxHeader(head, 0);
  }
}
