/** Merge windows the governor steps through, in milliseconds. */
export const GOVERNOR_STEPS_MS = [0, 50, 100, 200] as const;
/** Event-loop delay above which it widens, in milliseconds. */
export const WIDEN_ABOVE_MS = 40;
/** Event-loop delay below which it narrows again, in milliseconds. */
export const NARROW_BELOW_MS = 10;
/** Calm time before each step back, in milliseconds. */
export const NARROW_AFTER_MS = 10_000;

/**
 * Trades delay for CPU under load: the later the event loop comes round, the wider the window in which writes
 * are merged. Widens at once, narrows step by step.
 */
export class LoadGovernor {
  #step = 0;
  #calmSince: number | undefined;

  /** Least merge window in force, in milliseconds. */
  get windowMs(): number {
    return GOVERNOR_STEPS_MS[this.#step]!;
  }

  /**
   * Called once for each window of time that is over: a window counted twice would widen twice.
   * @param delayMs how late the event loop came round in it, by a percentile that one long turn does not move.
   * @param now monotonic milliseconds.
   */
  observe(delayMs: number, now: number): void {
    if (delayMs > WIDEN_ABOVE_MS) {
      this.#calmSince = undefined;
      if (this.#step < GOVERNOR_STEPS_MS.length - 1) this.#step++;
      return;
    }
    if (delayMs >= NARROW_BELOW_MS) {
      this.#calmSince = undefined;
      return;
    }
    this.#calmSince ??= now;
    if (this.#step > 0 && now - this.#calmSince >= NARROW_AFTER_MS) {
      this.#step--;
      this.#calmSince = now;
    }
  }
}
