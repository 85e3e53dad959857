import { FILE_PART_BYTES, type PartRange } from '@onair/contracts/rooms';

/** Ranges told at one time. */
const MAX_RANGES = 200;

/** How many parts a file of so many bytes has. */
export function partCount(size: number): number {
  return Math.ceil(size / FILE_PART_BYTES);
}

/** A file that comes in parts, in whatever order, some perhaps never. Knows no channel and no clock. */
export class FileParts {
  readonly size: number;
  readonly #parts: (Uint8Array | undefined)[];
  #bytes = 0;
  #missing: number;

  /** @param size in bytes, at least 1. */
  constructor(size: number) {
    this.size = size;
    this.#missing = partCount(size);
    this.#parts = new Array(this.#missing);
  }

  /** Bytes that are there. */
  get bytes(): number {
    return this.#bytes;
  }

  get complete(): boolean {
    return this.#missing === 0;
  }

  /** Takes a part, whose bytes are this object's from now on. False for one that is there already or cannot be of this file. */
  add(index: number, data: Uint8Array): boolean {
    if (index >= this.#parts.length || this.#parts[index] !== undefined) return false;
    const last = index === this.#parts.length - 1;
    if (data.length !== (last ? this.size - index * FILE_PART_BYTES : FILE_PART_BYTES)) return false;
    this.#parts[index] = data;
    this.#bytes += data.length;
    this.#missing--;
    return true;
  }

  /** The first parts that are not there, as ranges. */
  missing(): PartRange[] {
    const ranges: PartRange[] = [];
    for (let i = 0; i < this.#parts.length && ranges.length < MAX_RANGES; i++) {
      if (this.#parts[i] !== undefined) continue;
      const first = i;
      while (i + 1 < this.#parts.length && this.#parts[i + 1] === undefined) i++;
      ranges.push([first, i]);
    }
    return ranges;
  }

  /** The whole file, in order; only once it is complete. */
  take(): Uint8Array<ArrayBuffer>[] {
    return this.#parts as Uint8Array<ArrayBuffer>[];
  }
}
