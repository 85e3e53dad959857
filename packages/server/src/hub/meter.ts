/** Seconds of history a meter keeps. */
export const METER_SECONDS = 60;

/** Counts bytes and tells the rate of the last seconds. */
export class Meter {
  readonly #buckets = new Float64Array(METER_SECONDS + 1);
  #second = 0;
  #total = 0;
  #count = 0;

  /** Bytes counted since the start. */
  get total(): number {
    return this.#total;
  }

  /** Calls of {@link add} since the start. */
  get count(): number {
    return this.#count;
  }

  /** @param nowMs monotonic milliseconds. */
  add(bytes: number, nowMs: number): void {
    this.#advance(nowMs);
    this.#total += bytes;
    this.#count++;
    const slot = this.#second % this.#buckets.length;
    this.#buckets[slot] = this.#buckets[slot]! + bytes;
  }

  /** Bits per second over the last `seconds` whole seconds. */
  bitrate(nowMs: number, seconds = 3): number {
    const history = this.history(nowMs);
    let sum = 0;
    for (let i = history.length - seconds; i < history.length; i++) sum += history[i] ?? 0;
    return sum / seconds;
  }

  /** Bits in each of the last {@link METER_SECONDS} whole seconds, oldest first. */
  history(nowMs: number): number[] {
    this.#advance(nowMs);
    const length = this.#buckets.length;
    const out: number[] = [];
    for (let back = METER_SECONDS; back >= 1; back--) {
      const at = this.#second - back;
      out.push(at < 0 ? 0 : this.#buckets[at % length]! * 8);
    }
    return out;
  }

  #advance(nowMs: number): void {
    const second = Math.floor(nowMs / 1000);
    const length = this.#buckets.length;
    if (second - this.#second >= length) {
      this.#buckets.fill(0);
      this.#second = second;
    }
    while (this.#second < second) {
      this.#second++;
      this.#buckets[this.#second % length] = 0;
    }
  }
}
