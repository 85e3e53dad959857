/** How streams are cut for HLS. */
export interface HlsOptions {
  /** Duration a segment aims at, in milliseconds; it ends at the keyframe nearest to that. */
  readonly segmentMs: number;
  /** Duration that no part exceeds, in milliseconds; see {@link fitPartTarget} for slow frame rates. */
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

/** A part that is not the last of its segment fills at least this share of PART-TARGET. RFC 8216bis §4.4.4.9. */
export const MIN_PART_SHARE = 0.85;

/**
 * The PART-TARGET nearest to `partMs` that whole frames can fill: at 5 frames per second a part of 334 ms
 * would hold one frame of 200 ms, which is too short for the rule of 85 %.
 * @param grains durations of a frame or chunk of each track, in µs.
 * @returns µs, whole milliseconds.
 */
export function fitPartTarget(partMs: number, grains: readonly number[]): number {
  const start = partMs * 1000;
  for (let target = start; target <= start * 4; target += 1000) {
    if (grains.every((grain) => fills(target, grain))) return target;
  }
  return Math.ceil(Math.max(start, ...grains) / 1000) * 1000;
}

function fills(target: number, grain: number): boolean {
  // Small grains leave less than 15 % free however unevenly they come.
  if (grain <= (1 - MIN_PART_SHARE) * target) return true;
  return Math.floor(target / grain) * grain >= MIN_PART_SHARE * target;
}
