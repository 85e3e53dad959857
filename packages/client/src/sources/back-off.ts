/** First and longest pause in ms. */
const FIRST = 250;
const LONGEST = 5000;
const MAX_ATTEMPTS = 4;
const MAX_FIRST_ATTEMPTS = 2;

/** Pauses between attempts: doubling from a quarter second to five seconds, a fifth of it random. */
export class BackOff {
  #attempts = 0;
  #succeeded = false;
  readonly #random: () => number;

  constructor(random: () => number = Math.random) {
    this.#random = random;
  }

  /**
   * True if a transport should be given up: after two attempts if it never worked here, so that a viewer behind a proxy
   * that lets no WebSocket through does not wait long; after four if it did.
   */
  get exhausted(): boolean {
    return this.#attempts >= (this.#succeeded ? MAX_ATTEMPTS : MAX_FIRST_ATTEMPTS);
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
    this.#succeeded = true;
  }
}
