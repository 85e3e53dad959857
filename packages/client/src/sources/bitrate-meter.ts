/** Window over which the bitrate is taken, ms. */
const WINDOW = 4000;

/** Counts received bytes over the last seconds. */
export class BitrateMeter {
  #total = 0;
  #points: { readonly at: number; readonly total: number }[] = [];

  /** Bytes received in all. */
  get total(): number {
    return this.#total;
  }

  /** @param now ms */
  add(bytes: number, now: number): void {
    this.#total += bytes;
    const last = this.#points.at(-1);
    if (last === undefined || now - last.at >= 100) this.#points.push({ at: now, total: this.#total });
    while (this.#points.length > 1 && this.#points[0]!.at < now - WINDOW) this.#points.shift();
  }

  /** Bits per second over the window, undefined until a second is known. @param now ms */
  bitsPerSecond(now: number): number | undefined {
    const first = this.#points.find((one) => one.at >= now - WINDOW);
    if (first === undefined) return this.#points.length === 0 ? undefined : 0;
    const seconds = (now - first.at) / 1000;
    return seconds < 1 ? undefined : ((this.#total - first.total) * 8) / seconds;
  }
}
