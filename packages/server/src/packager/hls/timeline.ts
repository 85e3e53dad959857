import type { ClockAnchor, LogEpoch } from '../../hub/index.ts';
import type { CmafConfig } from '../cmaf/cmaf-log.ts';
import type { HlsOptions } from './options.ts';
import type { Boundary } from './segment.ts';
import { WallAnchor } from './wall-anchor.ts';

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

/** Intervals of keyframes that differ by less than this part are the same. */
const SAME_INTERVAL = 0.1;

/** What sound may last longer than the pictures it is cut with, at both ends of a segment together, in seconds. */
const ROOM_S = 0.05;

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
  #place: { readonly epoch: LogEpoch<CmafConfig>; readonly clock: WallAnchor } | undefined;
  /** Intervals of keyframes in µs: all there were, the longest, and how many are about as long. */
  readonly #intervals = { count: 0, most: 0, longest: 0 };
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

  /** Ties stream time to the wall clock. */
  get clock(): WallAnchor | undefined {
    return this.#place?.clock;
  }

  /** EXT-X-TARGETDURATION in seconds, once it is settled. */
  get target(): number | undefined {
    return this.#target;
  }

  /** Longest a segment may become, in µs: what EXT-X-TARGETDURATION allows after rounding. */
  get maxSegment(): number {
    return ((this.#target ?? Math.max(MAX_TARGET, this.#wished)) + 0.5 - ROOM_S) * 1_000_000;
  }

  /** Longest a segment may become for the target duration that is promised, or else wished for, in µs. */
  get wishedSegment(): number {
    return ((this.#target ?? this.#wished) + 0.5 - ROOM_S) * 1_000_000;
  }

  /** Longest interval of keyframes so far, in µs; undefined before the second keyframe. */
  get keyframeInterval(): number | undefined {
    return this.#intervals.count === 0 ? undefined : this.#intervals.most;
  }

  /** Sets where the segments to come belong. */
  place(epoch: LogEpoch<CmafConfig>, anchor: ClockAnchor): void {
    this.#place = { epoch, clock: new WallAnchor(anchor) };
  }

  /**
   * The next boundary, at `time` µs of stream time.
   * @param forced no keyframe is there.
   */
  next(time: number, discontinuity: boolean, forced: boolean): Boundary {
    if (discontinuity) this.#discontinuities++;
    const { epoch, clock } = this.#place!;
    clock.correct(time);
    const msn = this.#nextMsn++;
    const discontinuities = this.#discontinuities;
    const { anchor } = clock;
    return { msn, time, discontinuity, forced, discontinuities, epoch, anchor, expected: this.#expected };
  }

  /** A keyframe came `interval` µs after the one before. */
  keyframe(interval: number): void {
    const { most, longest } = this.#intervals;
    this.#intervals.count++;
    this.#intervals.most = Math.max(most, interval);
    if (interval > (1 + SAME_INTERVAL) * most) this.#intervals.longest = 1;
    else if (interval >= (1 - SAME_INTERVAL) * most) this.#intervals.longest = longest + 1;
  }

  /**
   * Settles EXT-X-TARGETDURATION, which must never change, when a playlist is shown for the first time.
   * @param durations of the finished segments, µs. @param growing µs of the one that is growing.
   */
  settle(durations: readonly number[], growing: number): number {
    // What is shown carries dates too.
    this.#place?.clock.freeze();
    if (this.#target !== undefined) return this.#target;
    const wished = this.#wished;
    let longest = wished;
    for (const duration of durations) longest = Math.max(longest, Math.round(duration / 1_000_000 + ROOM_S));
    if (durations.length === 0) {
      // No keyframe interval has been seen whole: leave room for one twice as long as wished for, and for any once it is
      // longer than that already.
      const room = growing > 1_250_000 * wished ? MAX_TARGET : 2 * wished;
      longest = Math.max(wished, Math.min(MAX_TARGET, room));
    }
    if (durations.length > 0 && !this.#keyframesAreRegular) {
      // An encoder that sets keyframes where it sees fit: the longest interval is yet to come.
      const most = this.#intervals.most / 1_000_000;
      longest = Math.max(longest, most > wished ? MAX_TARGET : Math.ceil(most + wished));
    }
    this.#target = Math.max(longest, Math.round(growing / 1_000_000));
    return this.#target;
  }

  /**
   * The longest interval came again, or looks as if somebody had set it. Shorter ones tell nothing: a stream begins
   * between two keyframes of its encoder, and one is made where a picture changes, or a viewer asks for it.
   */
  get #keyframesAreRegular(): boolean {
    const { count, most, longest } = this.#intervals;
    if (count === 0 || longest > 1) return true;
    if (count > 2) return false;
    const halves = most / 500_000;
    return Math.abs(halves - Math.round(halves)) <= 0.02 * halves;
  }

  /** As far as keyframes come as they did. */
  get #expected(): Boundary['expected'] {
    const wished = this.#options.segmentMs * 1000;
    const { most } = this.#intervals;
    if (most === 0 || !this.#keyframesAreRegular) return { length: wished, keyframes: wished };
    return { length: most * Math.max(1, Math.round(wished / most)), keyframes: most };
  }

  /** The target duration that segments as wished for would have, in seconds. */
  get #wished(): number {
    return Math.max(1, Math.round(this.#options.segmentMs / 1000));
  }
}
