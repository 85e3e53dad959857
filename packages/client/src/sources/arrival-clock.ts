/** Arrivals over which the least delayed is looked for, ms. */
const WINDOW_MS = 10_000;
/** After silence of this length, ms, the stream's time may stand in another relation to ours. */
const SILENCE_MS = 1000;

/**
 * Tells how late a picture is where the wire carries no clock: of the media received in the last seconds, the least
 * delayed is taken as not delayed at all. What a server sends in a burst when a viewer joins is older than it arrives,
 * which this leaves out of account by itself.
 */
export class ArrivalClock {
  #best: { readonly offset: number; readonly at: number }[] = [];
  #heardAt = 0;

  /** Media arrived. @param time its presentation time, s @param now ms */
  add(time: number, now: number): void {
    if (now - this.#heardAt > SILENCE_MS) this.#best = [];
    this.#heardAt = now;
    const offset = now - time * 1000;
    // Ascending offsets: the first is the least delayed of the window.
    while (this.#best.length > 0 && this.#best.at(-1)!.offset >= offset) this.#best.pop();
    this.#best.push({ offset, at: now });
    while (this.#best[0]!.at < now - WINDOW_MS) this.#best.shift();
  }

  /** Seconds between the arrival of the picture at `position` (s) and now (ms); undefined before any arrived. */
  latency(position: number, now: number): number | undefined {
    const best = this.#best[0];
    return best === undefined ? undefined : (now - position * 1000 - best.offset) / 1000;
  }

  /** Forgets everything. */
  clear(): void {
    this.#best = [];
  }
}
