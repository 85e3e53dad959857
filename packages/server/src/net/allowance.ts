/** A rate limit: so many per second, and more at once after a pause. */
export class Allowance {
  readonly #perSecond: () => number;
  readonly #burst: number;
  #left: number;
  #at: number;

  /**
   * @param burst how many seconds' worth may come at once.
   * @param now monotonic milliseconds.
   */
  constructor(perSecond: () => number, burst: number, now: number) {
    this.#perSecond = perSecond;
    this.#burst = burst;
    this.#left = perSecond() * burst;
    this.#at = now;
  }

  /** True if one more may pass. */
  take(now: number): boolean {
    const rate = this.#perSecond();
    this.#left = Math.min(rate * this.#burst, this.#left + ((now - this.#at) * rate) / 1000);
    this.#at = now;
    if (this.#left < 1) return false;
    this.#left--;
    return true;
  }
}
