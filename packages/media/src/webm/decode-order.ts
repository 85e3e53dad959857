import { type Ticks, VIDEO_TIMEBASE } from '../time/index.ts';

/** Most pictures that may be shown after one that was decoded later. ITU-T H.264 §A.3.1, H.265 §A.4.2. */
export const MAX_REORDER = 16;
/** Steps back of up to this are jitter and become one tick forwards, in milliseconds. */
export const MAX_WEBM_JITTER_MS = 60;
/** Steps back of up to this are reordered pictures where the codec has them, in milliseconds. */
const MAX_REORDER_MS = 10_000;
const TICKS_PER_MS = VIDEO_TIMEBASE / 1000;

/** A picture in the order of the file, which is that of decoding. */
export interface TimedPicture {
  readonly pts: number;
  /** Until the next picture shown, if told. */
  readonly duration: number | undefined;
  readonly keyframe: boolean;
}

/**
 * Finds decoding times, of which Matroska stores none: the sorted presentation times, set back by as many
 * pictures as the codec reorders. Where nobody tells that number it starts at 0 and grows when a picture comes
 * out of order. Times are ticks of 90 kHz and rise strictly; a real step back begins anew.
 */
export class DecodeOrder<P extends TimedPicture> {
  readonly #emit: (picture: P, dts: Ticks) => void;
  readonly #reorders: boolean;
  #depth: number;
  /** Pictures that wait for enough to be known, at a start only. */
  #held: P[] = [];
  /** Presentation times not used as decoding times yet, rising. */
  #unused: number[] = [];
  #started = false;
  #newest = Number.NEGATIVE_INFINITY;
  #last: number | undefined;

  /**
   * @param reorders the codec knows pictures that are shown later than they are decoded.
   * @param depth how many, as far as the sequence tells.
   */
  constructor(reorders: boolean, depth: number, emit: (picture: P, dts: Ticks) => void) {
    this.#reorders = reorders;
    this.#depth = Math.min(depth, MAX_REORDER);
    this.#emit = emit;
  }

  /** Takes the next picture. */
  push(picture: P): void {
    const { pts, keyframe } = picture;
    const back = (this.#newest - pts) / TICKS_PER_MS;
    const allowed = this.#reorders && !keyframe ? MAX_REORDER_MS : MAX_WEBM_JITTER_MS;
    if (back > allowed) this.restart();
    this.#newest = Math.max(this.#newest, pts);
    if (!this.#started) {
      this.#held.push(picture);
      if (this.#held.length > this.#depth) this.#start();
      return;
    }
    this.#next(picture);
  }

  /** Hands out what is held back and forgets all times: what comes next does not go on from here. */
  restart(): void {
    if (!this.#started && this.#held.length > 0) this.#start();
    this.#started = false;
    this.#unused = [];
    this.#newest = Number.NEGATIVE_INFINITY;
    this.#last = undefined;
  }

  #start(): void {
    const held = this.#held;
    this.#held = [];
    this.#started = true;
    const times = held.map(({ pts }) => pts).sort((a, b) => a - b);
    // Decoding begins as many pictures earlier as are reordered, at the pace of the first ones.
    const depth = Math.min(this.#depth, held.length - 1);
    let step = held[0]?.duration ?? Number.POSITIVE_INFINITY;
    for (let i = 1; i < times.length; i++) step = Math.min(step, Math.max(1, times[i]! - times[i - 1]!));
    const early = Array.from({ length: depth }, (_, i) => times[0]! - (depth - i) * step);
    this.#unused = early;
    for (const picture of held) this.#next(picture);
  }

  #next(picture: P): void {
    const { pts, keyframe } = picture;
    const unused = this.#unused;
    let at = unused.length;
    while (at > 0 && unused[at - 1]! > pts) at--;
    unused.splice(at, 0, pts);
    const last = this.#last;
    const early = last !== undefined && pts < last && !keyframe;
    const grows = early && this.#reorders && this.#depth < MAX_REORDER;
    let dts: number;
    if (grows) {
      this.#depth++;
      dts = last + 1;
    } else {
      dts = unused.shift()!;
      if (last !== undefined && dts <= last) dts = last + 1;
    }
    this.#last = dts;
    this.#emit(picture, dts as Ticks);
  }
}
