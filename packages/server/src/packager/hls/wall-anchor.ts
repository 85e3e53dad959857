import type { ClockAnchor } from '../../hub/index.ts';

/** Media time over which the least delay is looked for, in µs. */
const BUCKET_US = 10_000_000;
/** Deviation that is left alone, in ms: jitter, and the rounding of both clocks. */
const DEAD_BAND_MS = 10;
/** Largest correction, as a share of the time since the last one: far below what a player would notice. */
const SLEW = 0.001;

/**
 * Ties stream time to the server's wall clock: media cannot be older than its arrival, so whatever came with the least
 * delay tells the time best. The first sample does not: it comes with everything that the publisher did to get
 * ready. Once a date was shown it stays; later ones are led back slowly, since the publisher's clock has a pace of
 * its own.
 */
export class WallAnchor {
  #anchor: { readonly time: number; wallMs: number };
  #frozen = false;
  /** Least of arrival minus media time, in ms, in the running bucket and in the one before. */
  #least = Number.POSITIVE_INFINITY;
  #before = Number.POSITIVE_INFINITY;
  #bucketEnd: number;
  #corrected: number;

  constructor(anchor: ClockAnchor) {
    this.#anchor = { ...anchor };
    this.#bucketEnd = anchor.time + BUCKET_US;
    this.#corrected = anchor.time;
  }

  /** Where dates are counted from at present. The object grows more exact until dates are shown, then stays. */
  get anchor(): ClockAnchor {
    return this.#anchor;
  }

  /** Milliseconds since the Unix epoch at `time` µs of stream time. */
  dateOf(time: number): number {
    return this.#anchor.wallMs + (time - this.#anchor.time) / 1000;
  }

  /** Something with presentation time `time` (µs) arrived at `wallMs`. */
  observe(time: number, wallMs: number): void {
    const offset = wallMs - time / 1000;
    if (time >= this.#bucketEnd) {
      this.#before = this.#least;
      this.#least = offset;
      this.#bucketEnd = time + BUCKET_US;
      this.#frozen = true;
    } else if (offset < this.#least) this.#least = offset;
    if (!this.#frozen && offset < this.#offset) this.#move(offset);
  }

  /** Dates have been shown: from now on they change slowly. */
  freeze(): void {
    this.#frozen = true;
  }

  /** A segment begins at `time` µs: the last correction is long enough ago for another. */
  correct(time: number): void {
    const room = ((time - this.#corrected) / 1000) * SLEW;
    this.#corrected = time;
    if (!this.#frozen || this.#before === Number.POSITIVE_INFINITY) return;
    const off = Math.min(this.#before, this.#least) - this.#offset;
    if (Math.abs(off) > DEAD_BAND_MS)
      this.#move(this.#offset + Math.sign(off) * Math.min(room, Math.abs(off)));
  }

  /** Wall clock minus stream time, in ms. */
  get #offset(): number {
    return this.#anchor.wallMs - this.#anchor.time / 1000;
  }

  #move(offset: number): void {
    const { time } = this.#anchor;
    const wallMs = offset + time / 1000;
    if (this.#frozen) this.#anchor = { time, wallMs };
    else this.#anchor.wallMs = wallMs;
  }
}
