/** How streams are cut for HLS. */
export interface HlsOptions {
  /** Duration a segment aims at, in milliseconds; it ends at the keyframe nearest to that. */
  readonly segmentMs: number;
  /** Duration that no part exceeds, in milliseconds; see `fitPartTarget` for slow frame rates. */
  readonly partMs: number;
  /** Segments that a playlist lists at least; never fewer than three target durations. */
  readonly windowSegments: number;
  /** Requests that may wait for one playlist or part at one time. */
  readonly maxWaiters: number;
  /** Segment bytes kept per rendition, in the playlist or behind it. */
  readonly maxBytes: number;
}

/** Values that serve most installations. */
export const DEFAULT_HLS_OPTIONS: HlsOptions = {
  segmentMs: 2000,
  partMs: 334,
  windowSegments: 7,
  maxWaiters: 5000,
  maxBytes: 192 * 1024 * 1024,
};
