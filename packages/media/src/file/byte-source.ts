/** Bytes that are read by ranges: a file, an address, something dropped onto a page. */
export interface ByteSource {
  /** Bytes in all; undefined while nobody knows, as with a live stream. */
  readonly size: number | undefined;
  /**
   * The bytes from `at` on: `length` of them, fewer only at the end. They belong to the caller.
   * @throws SourceError where a source that only goes forwards is asked for what has passed; else what its kind throws.
   */
  read(at: number, length: number): Promise<Uint8Array>;
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

/**
 * Reads a source in blocks and keeps the last few, so that many small reads nearby cost one. Pieces it hands out are
 * views of blocks, which are never written to again.
 */
export class BlockReader {
  readonly #source: ByteSource;
  readonly #blockBytes: number;
  /** By number, the oldest first. */
  readonly #blocks = new Map<number, Uint8Array>();
  /** Where the source ended, as far as is known. */
  #end: number | undefined;
  #bytesRead = 0;

  constructor(source: ByteSource, blockBytes = BLOCK_BYTES) {
    this.#source = source;
    this.#blockBytes = blockBytes;
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
    const parts: Uint8Array[] = [];
    let total = 0;
    for (let number = first; number <= last; number++) {
      const block = this.#blocks.get(number) ?? (await this.#load(number));
      const from = Math.max(0, at - number * this.#blockBytes);
      const part = block.subarray(from, Math.min(block.length, from + length - total));
      parts.push(part);
      total += part.length;
      if (block.length < this.#blockBytes) break;
    }
    if (parts.length === 1) return parts[0]!;
    const out = new Uint8Array(total);
    let filled = 0;
    for (const part of parts) {
      out.set(part, filled);
      filled += part.length;
    }
    return out;
  }

  /** The same if it lies in one block that is at hand, else undefined. */
  kept(at: number, length: number): Uint8Array | undefined {
    const number = Math.floor(at / this.#blockBytes);
    const block = this.#blocks.get(number);
    const from = at - number * this.#blockBytes;
    if (block === undefined || from + length > block.length) return undefined;
    return block.subarray(from, from + length);
  }

  async #load(number: number): Promise<Uint8Array> {
    const at = number * this.#blockBytes;
    let block: Uint8Array = new Uint8Array(0);
    if (this.#end === undefined || at < this.#end) {
      block = await this.#source.read(at, this.#blockBytes);
      this.#bytesRead += block.length;
      if (block.length < this.#blockBytes) this.#end = Math.min(this.#end ?? Infinity, at + block.length);
    }
    this.#blocks.set(number, block);
    if (this.#blocks.size > KEPT_BLOCKS) this.#blocks.delete(this.#blocks.keys().next().value!);
    return block;
  }
}
