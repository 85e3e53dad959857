import { ParseError } from '../model/errors.ts';

/** Longest Exp-Golomb code read: 31 leading zero bits, so values reach 2^32 − 2 (ITU-T H.264 §9.1). */
const MAX_LEADING_ZEROS = 31;

/**
 * A range-checked cursor over bits, most significant first. Reading past the end throws
 * `BITS_OUT_OF_RANGE`; it never invents a value.
 */
export class BitReader {
  readonly #bytes: Uint8Array;
  readonly #clause: string;
  readonly #end: number; // bits
  #position = 0; // bits

  /** @param clause the clause quoted in errors. The reader keeps `bytes`. */
  constructor(bytes: Uint8Array, clause: string) {
    this.#bytes = bytes;
    this.#clause = clause;
    this.#end = bytes.length * 8;
  }

  /** Bits read so far. */
  get position(): number {
    return this.#position;
  }

  /** Bits not read yet. */
  get remaining(): number {
    return this.#end - this.#position;
  }

  /** Unsigned number of `n` bits, 0 to 32: `u(n)` of the standards. */
  u(n: number): number {
    let at = this.#claim(n);
    let value = 0;
    while (n > 0) {
      const offset = at & 7;
      const taken = Math.min(8 - offset, n);
      const part = (this.#bytes[at >>> 3]! >> (8 - offset - taken)) & ((1 << taken) - 1);
      value = value * (1 << taken) + part;
      at += taken;
      n -= taken;
    }
    return value;
  }

  /** One bit as a boolean. */
  flag(): boolean {
    const at = this.#claim(1);
    return ((this.#bytes[at >>> 3]! >> (7 - (at & 7))) & 1) === 1;
  }

  /** Unsigned Exp-Golomb: `ue(v)` of ITU-T H.264 §9.1. */
  ue(): number {
    let zeros = 0;
    while (!this.flag()) {
      zeros++;
      if (zeros > MAX_LEADING_ZEROS) this.#fail('an Exp-Golomb code of more than 32 bits');
    }
    return 2 ** zeros - 1 + this.u(zeros);
  }

  /** Signed Exp-Golomb: `se(v)` of ITU-T H.264 §9.1.1. */
  se(): number {
    const code = this.ue();
    return code % 2 === 1 ? (code + 1) / 2 : code === 0 ? 0 : -code / 2;
  }

  skip(n: number): void {
    this.#claim(n);
  }

  /** Goes on at the next byte boundary. */
  align(): void {
    this.#position = Math.ceil(this.#position / 8) * 8;
  }

  #claim(n: number): number {
    if (n < 0 || n > this.remaining) this.#fail(`${n} bits wanted, ${this.remaining} left`);
    const at = this.#position;
    this.#position += n;
    return at;
  }

  #fail(what: string): never {
    throw new ParseError('BITS_OUT_OF_RANGE', this.#clause, what, this.#position >>> 3);
  }
}
