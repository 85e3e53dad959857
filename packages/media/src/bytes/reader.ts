import { ParseError } from '../model/errors.ts';

const decoder = new TextDecoder('utf-8', { fatal: false });

/**
 * A range-checked cursor over one complete message. Reading past the end throws
 * `BYTES_OUT_OF_RANGE`; it never invents a value. Big-endian unless the name says LE.
 */
export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #clause: string;
  #position = 0;

  /** @param clause the clause quoted in errors. The reader keeps `bytes` and hands out views into it. */
  constructor(bytes: Uint8Array, clause: string) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#clause = clause;
  }

  /** Offset of the next byte from the start. */
  get position(): number {
    return this.#position;
  }

  /** Bytes not read yet. */
  get remaining(): number {
    return this.#bytes.length - this.#position;
  }

  u8(): number {
    return this.#view.getUint8(this.#claim(1));
  }

  u16(): number {
    return this.#view.getUint16(this.#claim(2));
  }

  u24(): number {
    const at = this.#claim(3);
    return (this.#view.getUint16(at) << 8) | this.#view.getUint8(at + 2);
  }

  /** Signed 24-bit: FLV composition time. */
  i24(): number {
    return (this.u24() << 8) >> 8;
  }

  u32(): number {
    return this.#view.getUint32(this.#claim(4));
  }

  u32le(): number {
    return this.#view.getUint32(this.#claim(4), true);
  }

  i16(): number {
    return this.#view.getInt16(this.#claim(2));
  }

  i32(): number {
    return this.#view.getInt32(this.#claim(4));
  }

  /** Unsigned 64-bit; values above 2^53 − 1 are refused. */
  u64(): number {
    const at = this.#claim(8);
    const value = this.#view.getUint32(at) * 0x1_0000_0000 + this.#view.getUint32(at + 4);
    if (!Number.isSafeInteger(value)) this.#fail(`a 64-bit value above 2^53 - 1`);
    return value;
  }

  f64(): number {
    return this.#view.getFloat64(this.#claim(8));
  }

  /** A view of the next `n` bytes. */
  bytes(n: number): Uint8Array {
    const at = this.#claim(n);
    return this.#bytes.subarray(at, at + n);
  }

  /** A view of all that is left. */
  rest(): Uint8Array {
    return this.bytes(this.remaining);
  }

  /** The next `n` bytes as UTF-8; malformed sequences become U+FFFD. */
  utf8(n: number): string {
    return decoder.decode(this.bytes(n));
  }

  /** The next byte without taking it. */
  peekU8(): number {
    if (this.remaining === 0) this.#fail('1 byte wanted, 0 left');
    return this.#bytes[this.#position]!;
  }

  skip(n: number): void {
    this.#claim(n);
  }

  #claim(n: number): number {
    if (n < 0 || n > this.remaining) this.#fail(`${n} bytes wanted, ${this.remaining} left`);
    const at = this.#position;
    this.#position += n;
    return at;
  }

  #fail(what: string): never {
    throw new ParseError('BYTES_OUT_OF_RANGE', this.#clause, what, this.#position);
  }
}
