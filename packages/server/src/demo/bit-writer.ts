/**
 * Writes the bit strings of ITU-T H.264 clause 7.2 and 9.1 into a buffer that grows. `nalUnit()` hands over
 * what was written, after which the writer starts anew.
 */
export class BitWriter {
  #bytes = new Uint8Array(65_536);
  #length = 0;
  #register = 0;
  #pending = 0; // bits in the register, fewer than 8 between calls

  /** u(n): the low `count` bits of `value`, most significant first. @param count 0 to 24. */
  u(value: number, count: number): void {
    let register = (this.#register << count) | value;
    let pending = this.#pending + count;
    if (this.#length + 4 > this.#bytes.length) this.#grow();
    while (pending >= 8) {
      pending -= 8;
      this.#bytes[this.#length++] = register >>> pending;
    }
    register &= (1 << pending) - 1;
    this.#register = register;
    this.#pending = pending;
  }

  /** ue(v): Exp-Golomb code (clause 9.1). @param value 0 to 2^24 − 2. */
  ue(value: number): void {
    const length = 32 - Math.clz32(value + 1);
    if (length <= 12) this.u(value + 1, 2 * length - 1);
    else {
      this.u(0, length - 1);
      this.u(value + 1, length);
    }
  }

  /** se(v): signed Exp-Golomb code (clause 9.1.1). */
  se(value: number): void {
    this.ue(value > 0 ? 2 * value - 1 : -2 * value);
  }

  /**
   * Ends the payload with rbsp_trailing_bits() and wraps it: the one-byte header, then the payload with
   * emulation prevention (clause 7.4.1). The bytes are the caller's.
   * @param header forbidden_zero_bit, nal_ref_idc and nal_unit_type.
   */
  nalUnit(header: number): Uint8Array {
    this.u(1, 1);
    if (this.#pending > 0) this.u(0, 8 - this.#pending);
    const payload = this.#bytes.subarray(0, this.#length);
    this.#length = 0;
    return wrap(header, payload);
  }

  #grow(): void {
    const bigger = new Uint8Array(this.#bytes.length * 2);
    bigger.set(this.#bytes);
    this.#bytes = bigger;
  }
}

function wrap(header: number, payload: Uint8Array): Uint8Array {
  let extra = 0;
  let zeros = 0;
  for (const byte of payload) {
    if (zeros >= 2 && byte <= 3) {
      extra++;
      zeros = 0;
    }
    zeros = byte === 0 ? zeros + 1 : 0;
  }
  const out = new Uint8Array(1 + payload.length + extra);
  out[0] = header;
  if (extra === 0) {
    out.set(payload, 1);
    return out;
  }
  let at = 1;
  zeros = 0;
  for (const byte of payload) {
    if (zeros >= 2 && byte <= 3) {
      out[at++] = 3;
      zeros = 0;
    }
    out[at++] = byte;
    zeros = byte === 0 ? zeros + 1 : 0;
  }
  return out;
}
