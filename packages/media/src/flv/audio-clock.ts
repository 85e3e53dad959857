/** Timestamps are not believed to be finer than this, in milliseconds. */
export const MAX_AUDIO_JITTER_MS = 60;
/** Mean error above which the clock is moved, in milliseconds. */
const CORRECT_ABOVE_MS = 20;
/** Mean error below which it is left alone again, in milliseconds. */
const CORRECT_UNTIL_MS = 2;
/** Weight of the newest error in the mean: a time constant of 64 access units. */
const SMOOTHING = 1 / 64;
/** Share of an access unit by which one step may differ from its length while the clock is moved. */
const CORRECTION_SHARE = 1 / 100;

/**
 * Turns millisecond timestamps of audio into exact sample counts. FLV rounds to milliseconds, so that
 * 1024 frames at 44.1 kHz look like 23, 23, 24 ms; taken at their word the sound would click and drift.
 *
 * As long as a timestamp lies within two access units or {@link MAX_AUDIO_JITTER_MS} of where the sound must
 * be by counting, counting wins. If the mean error stays above 20 ms, because the publisher's clock runs
 * faster or slower than its sound card, the count is moved by at most 1 % of an access unit per step. A
 * timestamp further off is a real gap or jump, and is followed at once.
 */
export class AudioClock {
  readonly #rate: number;
  #expected: number | undefined; // ticks
  #meanError = 0; // ticks
  #correcting = false;

  /** @param rate ticks per second: the sampling rate. */
  constructor(rate: number) {
    this.#rate = rate;
  }

  /**
   * Decoding time of the next access unit in ticks.
   * @param wireMs unwrapped timestamp. @param length of the access unit in ticks.
   */
  stamp(wireMs: number, length: number): number {
    const wire = this.#ticks(wireMs);
    const expected = this.#expected;
    if (expected === undefined || Math.abs(wire - expected) > this.#tolerance(length)) {
      return this.#anchor(Math.round(wire), length);
    }
    this.#meanError += (wire - expected - this.#meanError) * SMOOTHING;
    const at = expected + this.#correction(length);
    this.#expected = at + length;
    return at;
  }

  #anchor(at: number, length: number): number {
    this.#expected = at + length;
    this.#meanError = 0;
    this.#correcting = false;
    return at;
  }

  #correction(length: number): number {
    const error = Math.abs(this.#meanError);
    if (error > this.#ticks(CORRECT_ABOVE_MS)) this.#correcting = true;
    else if (error < this.#ticks(CORRECT_UNTIL_MS)) this.#correcting = false;
    if (!this.#correcting) return 0;
    const step = Math.sign(this.#meanError) * Math.max(1, Math.floor(length * CORRECTION_SHARE));
    this.#meanError -= step;
    return step;
  }

  #tolerance(length: number): number {
    return Math.max(2 * length, this.#ticks(MAX_AUDIO_JITTER_MS));
  }

  /** Milliseconds in ticks, not rounded; splits off whole seconds to stay exact after years. */
  #ticks(ms: number): number {
    const seconds = Math.floor(ms / 1000);
    return seconds * this.#rate + ((ms - seconds * 1000) * this.#rate) / 1000;
  }
}
