/** How a delay was found. */
export type Measure = 'picture' | 'server';

/** One measured delay. */
export interface Reading {
  /** Milliseconds. */
  readonly ms: number;
  /** `picture`: from the clock in the picture to the screen; `server`: from the server's receipt to the screen. */
  readonly by: Measure;
}

/** Readings that make one shown figure. */
const STEADY_OVER = 8;
/** Longest believable delay, milliseconds; beyond it the clocks of camera and server disagree. */
const BELIEVED = 120_000;
/** The clocks may disagree by this much, milliseconds. */
const SKEW = 50;

/** The middle one of `values`; undefined of none. */
export function median(values: readonly number[]): number | undefined {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  if (sorted.length === 0) return undefined;
  return sorted.length % 2 === 1 ? sorted[middle] : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}

/** A reading from the clock in the picture if that can be believed, else from the server's figure, else none. Seconds. */
export function readingOf(picture: number | undefined, server: number | undefined): Reading | undefined {
  if (picture !== undefined) {
    const ms = picture * 1000;
    if (ms > -SKEW && ms < BELIEVED) return { ms: Math.max(0, ms), by: 'picture' };
  }
  return server === undefined ? undefined : { ms: server * 1000, by: 'server' };
}

/** Steadies readings: the median of the last ones of the same kind. */
export class SteadyReading {
  #last: Reading[] = [];

  /** Add a reading, or that there was none; the steadied one. */
  add(reading: Reading | undefined): Reading | undefined {
    if (reading === undefined) {
      this.#last = [];
      return undefined;
    }
    this.#last = [...this.#last.filter(({ by }) => by === reading.by), reading].slice(-STEADY_OVER);
    const ms = median(this.#last.map((one) => one.ms));
    return ms === undefined ? undefined : { ms, by: reading.by };
  }
}

/** The longest bar: a round figure above all delays, milliseconds. */
export function scaleOf(delays: readonly number[]): number {
  const top = Math.max(...delays, 1);
  for (const step of [500, 1000, 2000, 5000, 10_000, 20_000, 30_000, 60_000]) if (top <= step) return step;
  return Math.ceil(top / 60_000) * 60_000;
}
