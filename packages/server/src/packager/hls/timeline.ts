import type { ClockAnchor, LogEpoch } from '../../hub/index.ts';
import type { CmafConfig } from '../cmaf/cmaf-log.ts';
import type { HlsOptions } from './options.ts';
import type { Boundary } from './segment.ts';

/** Numbers count from here, so that they rise across restarts without being kept: 2020-01-01T00:00:00Z. */
const NUMBERS_SINCE_MS = 1_577_836_800_000;
/** Part numbers left for each media sequence number when counting starts. */
const PARTS_PER_SEGMENT = 64;
/**
 * Discontinuity numbers start below this. They need not rise as far as the others, and must not be large: hls.js keeps
 * an array with one place per number and walks it at every reload.
 */
const FIRST_DISCONTINUITIES = 1024;
/** Longest target duration that keyframes far apart lead to, in seconds. */
const MAX_TARGET = 10;

/** First numbers of a playlist that begins at wall time `wallMs`. */
export function firstNumbers(
  wallMs: number,
  segmentMs: number,
): { readonly msn: number; readonly part: number; readonly discontinuities: number } {
  const age = Math.max(0, wallMs - NUMBERS_SINCE_MS);
  // Faster than segments can be made, so that a later start is always ahead.
  const msn = Math.floor(age / Math.min(1000, segmentMs / 2));
  return {
    msn,
    part: msn * PARTS_PER_SEGMENT,
    discontinuities: Math.floor(age / 60_000) % FIRST_DISCONTINUITIES,
  };
}

/** What all renditions of a stream share: segment numbers, discontinuities, clock and target durations. */
export class Timeline {
  readonly #options: HlsOptions;
  #nextMsn: number;
  #discontinuities: number;
  #place: { readonly epoch: LogEpoch<CmafConfig>; readonly anchor: ClockAnchor } | undefined;
  /** Seconds; undefined until a playlist was shown, which must not change it. */
  #target: number | undefined;

  constructor(options: HlsOptions, wallMs: number) {
    this.#options = options;
    const { msn, discontinuities } = firstNumbers(wallMs, options.segmentMs);
    this.#nextMsn = msn;
    this.#discontinuities = discontinuities;
  }

  /** Media sequence number of the next segment. */
  get nextMsn(): number {
    return this.#nextMsn;
  }

  get anchor(): ClockAnchor | undefined {
    return this.#place?.anchor;
  }

  /** EXT-X-TARGETDURATION in seconds, once it is settled. */
  get target(): number | undefined {
    return this.#target;
  }

  /** Longest a segment may become, in µs: what EXT-X-TARGETDURATION allows after rounding. */
  get maxSegment(): number {
    return ((this.#target ?? Math.max(MAX_TARGET, this.#wished)) + 0.49) * 1_000_000;
  }

  /** Sets where the segments to come belong. */
  place(epoch: LogEpoch<CmafConfig>, anchor: ClockAnchor): void {
    this.#place = { epoch, anchor };
  }

  /** The next boundary, at `time` µs of stream time. */
  next(time: number, discontinuity: boolean): Boundary {
    if (discontinuity) this.#discontinuities++;
    const { epoch, anchor } = this.#place!;
    const msn = this.#nextMsn++;
    return { msn, time, discontinuity, discontinuities: this.#discontinuities, epoch, anchor };
  }

  /**
   * Settles EXT-X-TARGETDURATION, which must never change, when a playlist is shown for the first time.
   * @param durations of the finished segments, µs. @param growing µs of the one that is growing.
   */
  settle(durations: readonly number[], growing: number): number {
    if (this.#target !== undefined) return this.#target;
    const wished = this.#wished;
    let longest = wished;
    for (const duration of durations) longest = Math.max(longest, Math.round(duration / 1_000_000));
    if (durations.length === 0) {
      // No keyframe interval has been seen whole: leave room for one twice as long as wished for.
      const room = Math.max(2 * wished, Math.ceil((2 * growing) / 1_000_000));
      longest = Math.max(wished, Math.min(MAX_TARGET, room));
    }
    this.#target = Math.max(longest, Math.round(growing / 1_000_000));
    return this.#target;
  }

  /** The target duration that segments as wished for would have, in seconds. */
  get #wished(): number {
    return Math.max(1, Math.round(this.#options.segmentMs / 1000));
  }
}
