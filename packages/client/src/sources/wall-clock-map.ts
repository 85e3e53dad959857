/** Entries kept; at 60 frames a second this is half a minute. */
const KEPT = 1800;

/** Tells for a media time when the server received that picture. */
export class WallClockMap {
  #entries: { readonly time: number; readonly wall: number }[] = [];

  /** A chunk's first sample. @param time presentation time, s @param wall server clock, ms since the Unix epoch */
  add(time: number, wall: number): void {
    if (wall <= 0) return;
    const last = this.#entries.at(-1);
    if (last !== undefined && time < last.time - 1) this.#entries = [];
    this.#entries.push({ time, wall });
    if (this.#entries.length > KEPT) this.#entries.splice(0, KEPT / 4);
  }

  /** Server clock in ms at which the picture at `time` seconds came in, undefined if too far from what is known. */
  wallAt(time: number): number | undefined {
    // Reordered pictures leave the list nearly, not strictly sorted: look from the newest for the nearest before.
    let best: { readonly time: number; readonly wall: number } | undefined;
    for (let i = this.#entries.length - 1; i >= 0; i--) {
      const entry = this.#entries[i]!;
      if (entry.time > time) continue;
      if (best === undefined || entry.time > best.time) best = entry;
      if (entry.time < time - 1) break;
    }
    if (best === undefined || time - best.time > 5) return undefined;
    return best.wall + (time - best.time) * 1000;
  }

  /** Forgets everything. */
  clear(): void {
    this.#entries = [];
  }
}
