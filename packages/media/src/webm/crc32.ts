/** Polynomial of IEEE 802.3 in reverse bit order. RFC 8794 §11.3.1. */
const POLYNOMIAL = 0xedb88320;

const TABLE = Uint32Array.from({ length: 256 }, (_, index) => {
  let value = index;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ POLYNOMIAL : value >>> 1;
  return value;
});

/** CRC-32 of IEEE 802.3 over pieces of data in order. */
export class Crc32 {
  #register = 0xffffffff;

  /** Goes on with `bytes`; nothing of them is kept. */
  update(bytes: Uint8Array): this {
    let register = this.#register;
    for (let i = 0; i < bytes.length; i++) {
      register = TABLE[(register ^ bytes[i]!) & 0xff]! ^ (register >>> 8);
    }
    this.#register = register;
    return this;
  }

  /** The sum so far, 32 bits without sign. */
  get value(): number {
    return ~this.#register >>> 0;
  }
}
