/** Time as the hub sees it; injected, so that tests own it. */
export interface Clock {
  /** Monotonic milliseconds. */
  now(): number;
  /** Milliseconds since the Unix epoch. */
  wall(): number;
  /** Calls `callback` once after `ms` milliseconds; the returned function cancels. */
  after(ms: number, callback: () => void): () => void;
  /** Calls `callback` once pending I/O has been handled; the returned function cancels. */
  soon(callback: () => void): () => void;
}

/** Longest delay a Node timer takes; longer ones would fire at once. */
export const MAX_TIMER_MS = 2 ** 31 - 1;

/** The process's clock. Its timers never keep the process alive. */
export const systemClock: Clock = {
  now: () => performance.now(),
  wall: () => Date.now(),
  after: (ms, callback) => {
    const timer = setTimeout(callback, Math.min(Math.max(0, ms), MAX_TIMER_MS));
    timer.unref();
    return () => clearTimeout(timer);
  },
  soon: (callback) => {
    const handle = setImmediate(callback);
    return () => clearImmediate(handle);
  },
};
