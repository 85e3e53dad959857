import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks';

/** Measures by how much the event loop is late, over windows of some seconds. */
export class LoopDelay {
  readonly #histogram: IntervalHistogram;
  readonly #timer: NodeJS.Timeout;
  readonly #resolutionMs: number;
  #p99Ms = 0;
  #meanMs = 0;

  /** @param windowMs length of a window, milliseconds. @param resolutionMs how often the loop is probed. */
  constructor(windowMs = 5000, resolutionMs = 20) {
    this.#resolutionMs = resolutionMs;
    this.#histogram = monitorEventLoopDelay({ resolution: resolutionMs });
    this.#histogram.enable();
    this.#timer = setInterval(() => this.#roll(), windowMs).unref();
  }

  /** 99th percentile of the delay in the last whole window, milliseconds. */
  get p99Ms(): number {
    return this.#p99Ms;
  }

  /** Mean delay in the last whole window, milliseconds. */
  get meanMs(): number {
    return this.#meanMs;
  }

  #roll(): void {
    // The histogram holds the time between two probes; what exceeds the period is delay.
    this.#p99Ms = this.#excess(this.#histogram.percentile(99));
    this.#meanMs = this.#excess(this.#histogram.mean);
    this.#histogram.reset();
  }

  #excess(nanoseconds: number): number {
    return Number.isFinite(nanoseconds) ? Math.max(0, nanoseconds / 1e6 - this.#resolutionMs) : 0;
  }

  close(): void {
    clearInterval(this.#timer);
    this.#histogram.disable();
  }
}
