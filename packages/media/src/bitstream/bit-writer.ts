/** Collects bits, most significant first. Meant for headers of a few bytes. */
export class BitWriter {
  readonly #bytes: number[] = [];
  #current = 0;
  #filled = 0; // bits in #current

  /** Appends the low `n` bits of `value`, 0 to 32. */
  u(n: number, value: number): this {
    for (let bit = n - 1; bit >= 0; bit--) {
      this.#current = (this.#current << 1) | (Math.floor(value / 2 ** bit) % 2);
      this.#filled++;
      if (this.#filled === 8) this.#flush();
    }
    return this;
  }

  flag(value: boolean): this {
    return this.u(1, value ? 1 : 0);
  }

  /** Unsigned Exp-Golomb (ITU-T H.264 §9.1), 0 to 2^32 − 2. */
  ue(value: number): this {
    const length = Math.floor(Math.log2(value + 1));
    return this.u(length, 0)
      .u(1, 1)
      .u(length, value + 1 - 2 ** length);
  }

  /** Signed Exp-Golomb (ITU-T H.264 §9.1.1). */
  se(value: number): this {
    return this.ue(value > 0 ? value * 2 - 1 : -value * 2);
  }

  /** Fills up with zero bits to a byte boundary. */
  align(): this {
    while (this.#filled > 0) this.u(1, 0);
    return this;
  }

  /** The bits written, the last byte filled up with zeros. */
  finish(): Uint8Array {
    this.align();
    return Uint8Array.from(this.#bytes);
  }

  #flush(): void {
    this.#bytes.push(this.#current);
    this.#current = 0;
    this.#filled = 0;
  }
}
