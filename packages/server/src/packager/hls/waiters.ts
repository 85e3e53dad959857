import type { Clock } from '../../hub/index.ts';

/** How waiting ended: what was awaited is there, time is up, there is no room, or nobody waits any more. */
export type WaitResult = 'ready' | 'late' | 'full' | 'cancelled';

interface Waiter {
  readonly ready: () => boolean;
  readonly settle: (result: WaitResult) => void;
  /** Monotonic ms. */
  readonly deadline: number;
}

/** Requests that wait for the next change of a playlist. One timer for all; at most `max` at a time. */
export class Waiters {
  readonly #clock: Clock;
  readonly #max: () => number;
  readonly #waiting = new Set<Waiter>();
  #cancelTimer: (() => void) | undefined;

  constructor(clock: Clock, max: () => number) {
    this.#clock = clock;
    this.#max = max;
  }

  get size(): number {
    return this.#waiting.size;
  }

  /**
   * Resolves once `ready` is true after a {@link check}, or when time is up.
   * @param timeoutMs milliseconds. @param cancel stops waiting when it aborts.
   */
  wait(ready: () => boolean, timeoutMs: number, cancel?: AbortSignal): Promise<WaitResult> {
    if (ready()) return Promise.resolve('ready');
    if (cancel?.aborted === true) return Promise.resolve('cancelled');
    if (this.#waiting.size >= this.#max()) return Promise.resolve('full');
    return new Promise((resolve) => {
      const waiter: Waiter = {
        ready,
        deadline: this.#clock.now() + timeoutMs,
        settle: (result) => {
          this.#waiting.delete(waiter);
          cancel?.removeEventListener('abort', abort);
          resolve(result);
        },
      };
      const abort = (): void => waiter.settle('cancelled');
      cancel?.addEventListener('abort', abort, { once: true });
      this.#waiting.add(waiter);
      this.#arm();
    });
  }

  /** Something changed: lets those go whose condition is met now. */
  check(): void {
    for (const waiter of this.#waiting) if (waiter.ready()) waiter.settle('ready');
  }

  /** Lets everybody go. */
  close(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    for (const waiter of this.#waiting) waiter.settle('late');
  }

  #arm(): void {
    if (this.#cancelTimer !== undefined) return;
    let first = Number.POSITIVE_INFINITY;
    for (const { deadline } of this.#waiting) if (deadline < first) first = deadline;
    if (first === Number.POSITIVE_INFINITY) return;
    const delay = Math.max(0, first - this.#clock.now());
    this.#cancelTimer = this.#clock.after(delay, () => {
      this.#cancelTimer = undefined;
      const now = this.#clock.now();
      for (const waiter of this.#waiting) if (waiter.deadline <= now) waiter.settle('late');
      this.#arm();
    });
  }
}
