import { concatBytes } from '../bytes/index.ts';

/** Bytes that are read by ranges: a file, an address, something dropped onto a page. */
export interface ByteSource {
  /** Bytes in all; undefined while nobody knows, as with a live stream. */
  readonly size: number | undefined;
  /**
   * The bytes from `at` on: `length` of them, fewer only at the end. They belong to the caller.
   * @param into memory of `length` bytes that may be used for them; nobody looks at what it held.
   * @throws SourceError where a source that only goes forwards is asked for what has passed; else what its kind throws.
   */
  read(at: number, length: number, into?: Uint8Array): Promise<Uint8Array>;
}

/** A source that cannot give what it is asked for. */
export class SourceError extends Error {
  override readonly name = 'SourceError';
}

/** Bytes in memory as a source. */
export function bytesSource(bytes: Uint8Array): ByteSource {
  return {
    size: bytes.length,
    read: (at, length) => Promise.resolve(bytes.subarray(at, at + length)),
  };
}

/** Bytes that are read from a source at once unless told otherwise. */
export const BLOCK_BYTES = 256 * 1024;
/** Blocks that are kept. */
const KEPT_BLOCKS = 6;

/** Blocks that were given back and wait to be filled anew. */
const MAX_SPARE_BLOCKS = 8;

/** A block, and how many of its views are out and will be given back. */
interface Block {
  readonly bytes: Uint8Array;
  lent: number;
  /** Somebody has a view of it for good. */
  kept: boolean;
}

/** How a {@link BlockReader} reads. */
export interface BlockReading {
  readonly blockBytes?: number;
  /** The next block is fetched while this one is worked on. For files that are read from one end to the other. */
  readonly ahead?: boolean;
}

/**
 * Reads a source in blocks and keeps the last few, so that many small reads nearby cost one. Pieces it hands out are
 * views of blocks, which are not written to again unless every piece of them was only lent, and given back.
 */
export class BlockReader {
  readonly #source: ByteSource;
  readonly #blockBytes: number;
  /** By number, the oldest first. */
  readonly #blocks = new Map<number, Block>();
  /** Blocks with views that are lent, by their memory. */
  readonly #lent = new WeakMap<ArrayBufferLike, Block>();
  readonly #spare: Uint8Array[] = [];
  readonly #isAhead: boolean;
  #ahead: { readonly number: number; readonly bytes: Promise<Uint8Array> } | undefined;
  /** Where the source ended, as far as is known. */
  #end: number | undefined;
  #bytesRead = 0;

  constructor(source: ByteSource, { blockBytes = BLOCK_BYTES, ahead = false }: BlockReading = {}) {
    this.#source = source;
    this.#blockBytes = blockBytes;
    this.#isAhead = ahead;
    this.#end = source.size;
  }

  /** Where the source ends, once that is known. */
  get end(): number | undefined {
    return this.#end;
  }

  /** Bytes that were asked of the source so far. */
  get bytesRead(): number {
    return this.#bytesRead;
  }

  /** The bytes from `at` on, fewer than `length` only at the end. */
  async read(at: number, length: number): Promise<Uint8Array> {
    const kept = this.kept(at, length);
    if (kept !== undefined) return kept;
    const first = Math.floor(at / this.#blockBytes);
    const last = Math.floor((at + Math.max(1, length) - 1) / this.#blockBytes);
    if (first === last) {
      const block = await this.#block(first);
      block.kept = true;
      return block.bytes.subarray(at - first * this.#blockBytes, at - first * this.#blockBytes + length);
    }
    const parts: Uint8Array[] = [];
    let total = 0;
    for (let number = first; number <= last; number++) {
      const { bytes } = await this.#block(number);
      const from = Math.max(0, at - number * this.#blockBytes);
      // What is copied at once needs no block of its own any longer.
      const part = bytes.slice(from, Math.min(bytes.length, from + length - total));
      parts.push(part);
      total += part.length;
      if (bytes.length < this.#blockBytes) break;
    }
    return concatBytes(parts);
  }

  /** The same if it lies in one block that is at hand, else undefined. */
  kept(at: number, length: number): Uint8Array | undefined {
    const found = this.#at(at, length);
    if (found === undefined) return undefined;
    found.block.kept = true;
    return found.block.bytes.subarray(found.from, found.from + length);
  }

  /** As {@link kept}, for somebody who says by {@link giveBack} when nobody looks at it any longer. */
  lend(at: number, length: number): Uint8Array | undefined {
    const found = this.#at(at, length);
    if (found === undefined) return undefined;
    const { block, from } = found;
    const { buffer } = block.bytes;
    if (buffer.byteLength === this.#blockBytes) {
      block.lent++;
      this.#lent.set(buffer, block);
    }
    return block.bytes.subarray(from, from + length);
  }

  /** What {@link lend} handed out is not needed any longer; other bytes are let be. */
  giveBack({ buffer }: Uint8Array): void {
    const block = this.#lent.get(buffer);
    if (block === undefined || --block.lent > 0) return;
    this.#lent.delete(buffer);
    let held = false;
    for (const one of this.#blocks.values()) held ||= one === block;
    if (!held) this.#reuse(block);
  }

  #at(at: number, length: number): { readonly block: Block; readonly from: number } | undefined {
    const number = Math.floor(at / this.#blockBytes);
    const block = this.#blocks.get(number);
    const from = at - number * this.#blockBytes;
    return block === undefined || from + length > block.bytes.length ? undefined : { block, from };
  }

  #reuse({ bytes, kept, lent }: Block): void {
    if (kept || lent > 0 || bytes.buffer.byteLength !== this.#blockBytes) return;
    if (this.#spare.length < MAX_SPARE_BLOCKS) this.#spare.push(new Uint8Array(bytes.buffer));
  }

  async #block(number: number): Promise<Block> {
    const held = this.#blocks.get(number);
    if (held !== undefined) return held;
    const bytes = await this.#fetched(number);
    this.#bytesRead += bytes.length;
    const at = number * this.#blockBytes;
    if (bytes.length < this.#blockBytes && (this.#end === undefined || at < this.#end)) {
      this.#end = Math.min(this.#end ?? Infinity, at + bytes.length);
    }
    const follows = this.#blocks.has(number - 1);
    const block: Block = { bytes, lent: 0, kept: false };
    this.#blocks.set(number, block);
    if (this.#blocks.size > KEPT_BLOCKS) {
      const [oldest, old] = this.#blocks.entries().next().value!;
      this.#blocks.delete(oldest);
      this.#reuse(old);
    }
    if (this.#isAhead && follows) {
      const next = this.#load(number + 1);
      // Told to whoever asks for that block.
      next.catch(() => undefined);
      this.#ahead = { number: number + 1, bytes: next };
    }
    return block;
  }

  /** A source is asked for one thing at a time. */
  async #fetched(number: number): Promise<Uint8Array> {
    const ahead = this.#ahead;
    this.#ahead = undefined;
    if (ahead?.number === number) return ahead.bytes;
    await ahead?.bytes.catch(() => undefined);
    return this.#load(number);
  }

  async #load(number: number): Promise<Uint8Array> {
    const at = number * this.#blockBytes;
    if (this.#end !== undefined && at >= this.#end) return new Uint8Array(0);
    return this.#source.read(at, this.#blockBytes, this.#spare.pop());
  }
}
