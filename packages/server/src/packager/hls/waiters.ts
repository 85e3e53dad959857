import type { Clock } from '../../hub/index.ts';

/** How waiting ended: what was awaited is there, time is up, or there is no room. */
export type WaitResult = 'ready' | 'late' | 'full';

/** Takes somebody off the list without a word. */
export type StopWaiting = () => void;

interface Waiter {
  readonly ready: () => boolean;
  readonly settle: (result: WaitResult) => void;
  /** Monotonic ms. */
  readonly deadline: number;
}

const nobodyWaits: StopWaiting = () => {};

/** Requests that wait for the next change of a playlist. One timer for all; at most `max` at a time. */
export class Waiters {
  readonly #clock: Clock;
  readonly #max: () => number;
  readonly #waiting = new Set<Waiter>();
  #timer: { readonly at: number; readonly cancel: () => void } | undefined;

  constructor(clock: Clock, max: () => number) {
    this.#clock = clock;
    this.#max = max;
  }

  get size(): number {
    return this.#waiting.size;
  }

  /**
   * Calls `settle` once: now if `ready` is true, else in the {@link check} that finds it so, or when time is up.
   * `settle` must not throw.
   * @param timeoutMs milliseconds.
   */
  hold(ready: () => boolean, timeoutMs: number, settle: (result: WaitResult) => void): StopWaiting {
    if (ready()) {
      settle('ready');
      return nobodyWaits;
    }
    if (this.#waiting.size >= this.#max()) {
      settle('full');
      return nobodyWaits;
    }
    const waiter: Waiter = { ready, settle, deadline: this.#clock.now() + timeoutMs };
    this.#waiting.add(waiter);
    this.#arm(waiter.deadline);
    return () => this.#waiting.delete(waiter);
  }

  /** Something changed: lets those go whose condition is met now. */
  check(): void {
    for (const waiter of this.#waiting) {
      if (!waiter.ready()) continue;
      this.#waiting.delete(waiter);
      waiter.settle('ready');
    }
  }

  /** Lets everybody go. */
  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    for (const waiter of [...this.#waiting]) this.#late(waiter);
  }

  #late(waiter: Waiter): void {
    if (this.#waiting.delete(waiter)) waiter.settle('late');
  }

  #arm(at: number): void {
    if (this.#timer !== undefined) {
      if (this.#timer.at <= at) return;
      this.#timer.cancel();
    }
    const cancel = this.#clock.after(Math.max(0, at - this.#clock.now()), () => {
      this.#timer = undefined;
      const now = this.#clock.now();
      let next = Number.POSITIVE_INFINITY;
      for (const waiter of [...this.#waiting]) {
        if (waiter.deadline <= now) this.#late(waiter);
        else next = Math.min(next, waiter.deadline);
      }
      if (next < Number.POSITIVE_INFINITY) this.#arm(next);
    });
    this.#timer = { at, cancel };
  }
}
