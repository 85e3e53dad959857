/** Bounds of how long a block may take after it was named before the server is asked for it, ms. */
const LEAST_MS = 200;
const MOST_MS = 500;
const START_MS = 100;
const SHARE = 0.05;

/** How long blocks take from their naming to their coming; by this a peer knows when one is late. */
export class ArrivalDelay {
  #usual = START_MS;

  /** A block came `ms` after it was named. */
  add(ms: number): void {
    this.#usual += (Math.min(ms, MOST_MS) - this.#usual) * SHARE;
  }

  /** A block that takes longer is late, ms. */
  get lateMs(): number {
    return Math.min(MOST_MS, Math.max(LEAST_MS, this.#usual * 2 + START_MS));
  }
}
