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

  /** True if `amount` more may pass. */
  take(now: number, amount = 1): boolean {
    const rate = this.#perSecond();
    this.#left = Math.min(rate * this.#burst, this.#left + ((now - this.#at) * rate) / 1000);
    this.#at = now;
    if (this.#left < amount) return false;
    this.#left -= amount;
    return true;
  }
}
