/**
 * Received bytes in arrival order, without ever joining them on arrival.
 * Views it hands out stay valid: nothing is ever written into a chunk that was pushed.
 */
export class ChunkQueue {
  #chunks: Uint8Array[] = [];
  #head = 0; // index of the first chunk that still holds bytes
  #offset = 0; // bytes of chunks[head] already taken
  #length = 0;

  /** Bytes waiting. */
  get length(): number {
    return this.#length;
  }

  /** Adds bytes at the end. The queue keeps the view: the caller must not write into it again. */
  push(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    // Views of a plain array are cheaper than views of a subclass, and their `slice` copies.
    const plain = chunk.constructor === Uint8Array;
    this.#chunks.push(plain ? chunk : new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.length));
    this.#length += chunk.length;
  }

  /** The byte `at` positions ahead without taking it, or undefined while it is missing. */
  peek(at: number): number | undefined {
    if (at < 0 || at >= this.#length) return undefined;
    let index = this.#head;
    let position = this.#offset + at;
    for (;;) {
      const chunk = this.#chunks[index]!;
      if (position < chunk.length) return chunk[position];
      position -= chunk.length;
      index++;
    }
  }

  /** The next `n` bytes, or undefined while some are missing. Copies only when they straddle chunks. */
  take(n: number): Uint8Array | undefined {
    if (n > this.#length) return undefined;
    if (n === 0) return new Uint8Array(0);
    const first = this.#chunks[this.#head]!;
    if (first.length - this.#offset >= n) {
      const view = first.subarray(this.#offset, this.#offset + n);
      this.#advance(n);
      return view;
    }
    const out = new Uint8Array(n);
    this.takeInto(out, 0, n);
    return out;
  }

  /** Copies up to `n` of the waiting bytes to `target` at `at`; returns how many it copied. */
  takeInto(target: Uint8Array, at: number, n: number): number {
    let filled = 0;
    const wanted = Math.min(n, this.#length);
    while (filled < wanted) {
      const chunk = this.#chunks[this.#head]!;
      const part = chunk.subarray(this.#offset, this.#offset + wanted - filled);
      target.set(part, at + filled);
      filled += part.length;
      this.#advance(part.length);
    }
    return filled;
  }

  /** Takes `n` waiting bytes without handing them out; `n` must not exceed `length`. */
  skip(n: number): void {
    let left = Math.min(n, this.#length);
    while (left > 0) {
      const part = Math.min(left, this.#chunks[this.#head]!.length - this.#offset);
      this.#advance(part);
      left -= part;
    }
  }

  /** Drops everything. */
  clear(): void {
    this.#chunks = [];
    this.#head = 0;
    this.#offset = 0;
    this.#length = 0;
  }

  #advance(n: number): void {
    this.#length -= n;
    this.#offset += n;
    const first = this.#chunks[this.#head]!;
    if (this.#offset < first.length) return;
    this.#offset = 0;
    this.#head++;
    // Shift in bulk, so that taking many small chunks stays linear.
    if (this.#head === this.#chunks.length || this.#head > 64) {
      this.#chunks.splice(0, this.#head);
      this.#head = 0;
    }
  }
}
