/**
 * Turns a counter that wraps at 2^bits into one that does not. A step of less than half the range
 * forwards or backwards is taken as it is; anything else is a wrap.
 */
export class Unwrapper {
  readonly #range: number;
  #last: number | undefined;

  /** @param bits width of the counter: 32 for RTMP milliseconds and RTP, 33 for MPEG-TS. */
  constructor(bits: number) {
    this.#range = 2 ** bits;
  }

  /** The unwrapped value nearest to the previous one. May go below zero if the counter steps back. */
  next(value: number): number {
    this.#last = this.near(value);
    return this.#last;
  }

  /** What {@link next} would give, for a value that the ones after it are not to be compared with. */
  near(value: number): number {
    const last = this.#last;
    if (last === undefined) return value;
    const range = this.#range;
    const low = ((last % range) + range) % range;
    let step = value - low;
    if (step > range / 2) step -= range;
    else if (step < -range / 2) step += range;
    return last + step;
  }
}
