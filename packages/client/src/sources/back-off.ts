/** First and longest pause in ms. */
const FIRST = 250;
const LONGEST = 5000;

/** Pauses between attempts: doubling from a quarter second to five seconds, a fifth of it random. */
export class BackOff {
  #attempts = 0;
  readonly #random: () => number;

  constructor(random: () => number = Math.random) {
    this.#random = random;
  }

  /** Attempts since the last success. */
  get attempts(): number {
    return this.#attempts;
  }

  /** Pause before the next attempt, ms. */
  next(): number {
    const pause = Math.min(LONGEST, FIRST * 2 ** Math.min(this.#attempts, 10));
    this.#attempts++;
    return pause * (0.9 + 0.2 * this.#random());
  }

  /** It worked. */
  reset(): void {
    this.#attempts = 0;
  }
}
