/** How streams are told as DASH. They are cut as for HLS. */
export interface DashOptions {
  /** Whether the growing segment is listed and can be fetched while it grows. */
  readonly lowLatency: boolean;
  /** Milliseconds behind the producer at which low-latency players aim. */
  readonly latencyMs: number;
  /** Requests that may wait for a manifest or the next segment at one time. */
  readonly maxWaiters: number;
}

/** Values that serve most installations. */
export const DEFAULT_DASH_OPTIONS: DashOptions = { lowLatency: true, latencyMs: 2000, maxWaiters: 5000 };
