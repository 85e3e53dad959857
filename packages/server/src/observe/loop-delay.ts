import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks';

/** What a window of time told. */
export interface LoopWindow {
  /** 90th percentile of the delay, milliseconds: lasting load moves it, one long turn does not. */
  readonly p90Ms: number;
  /** 99th percentile of the delay, milliseconds. */
  readonly p99Ms: number;
  /** Mean delay, milliseconds. */
  readonly meanMs: number;
}

/** Measures by how much the event loop is late, over windows of some seconds. */
export class LoopDelay {
  readonly #histogram: IntervalHistogram;
  readonly #timer: NodeJS.Timeout;
  readonly #resolutionMs: number;
  readonly #followers = new Set<(window: LoopWindow) => void>();
  #last: LoopWindow = { p90Ms: 0, p99Ms: 0, meanMs: 0 };

  /**
   * @param windowMs length of a window, milliseconds. @param resolutionMs how often the loop is probed; each probe
   * wakes an idle process.
   */
  constructor(windowMs = 2500, resolutionMs = 50) {
    this.#resolutionMs = resolutionMs;
    this.#histogram = monitorEventLoopDelay({ resolution: resolutionMs });
    this.#histogram.enable();
    this.#timer = setInterval(() => this.#roll(), windowMs).unref();
  }

  /** 99th percentile of the delay in the last whole window, milliseconds. */
  get p99Ms(): number {
    return this.#last.p99Ms;
  }

  /** Mean delay in the last whole window, milliseconds. */
  get meanMs(): number {
    return this.#last.meanMs;
  }

  /** Tells of each window when it is over, until the end. */
  follow(follower: (window: LoopWindow) => void): void {
    this.#followers.add(follower);
  }

  #roll(): void {
    const histogram = this.#histogram;
    // The histogram holds the time between two probes; what exceeds the period is delay.
    this.#last = {
      p90Ms: this.#excess(histogram.percentile(90)),
      p99Ms: this.#excess(histogram.percentile(99)),
      meanMs: this.#excess(histogram.mean),
    };
    histogram.reset();
    for (const follower of this.#followers) follower(this.#last);
  }

  #excess(nanoseconds: number): number {
    return Number.isFinite(nanoseconds) ? Math.max(0, nanoseconds / 1e6 - this.#resolutionMs) : 0;
  }

  close(): void {
    clearInterval(this.#timer);
    this.#followers.clear();
    this.#histogram.disable();
  }
}
