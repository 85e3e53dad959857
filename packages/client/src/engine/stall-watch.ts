/** What {@link StallWatch.observe} found. */
export type StallSign = 'none' | 'began' | 'lasts' | 'nudge' | 'over' | 'hopeless';

/** Figures about stalls since the watch was made. */
export interface StallFigures {
  readonly count: number;
  /** Milliseconds in all. */
  readonly totalMs: number;
  /** Milliseconds of the longest one. */
  readonly longestMs: number;
}

/** The position may stand this long before it counts as a stall. */
const GRACE_MS = 250;
/** With media ahead but no movement for this long, the position is nudged. */
const NUDGE_AFTER_MS = 1000;
/** More nudges than this in one stall help nobody. */
const MAX_NUDGES = 3;
/** Seconds of media ahead with which a browser ought to play. */
const ENOUGH_AHEAD = 0.5;

/** Sees from the position alone whether play stands still; it needs no events, which differ between browsers. */
export class StallWatch {
  #position = Number.NaN;
  #movedAt = 0;
  #moved = false;
  #since: number | undefined;
  #nudges = 0;
  #nudgedAt = 0;
  #count = 0;
  #totalMs = 0;
  #longestMs = 0;

  /** Figures so far; a running stall counts once it is over. */
  get figures(): StallFigures {
    return { count: this.#count, totalMs: this.#totalMs, longestMs: this.#longestMs };
  }

  /** Milliseconds the running stall lasts, 0 if there is none. */
  lasting(now: number): number {
    return this.#since === undefined ? 0 : now - this.#since;
  }

  /** The position was moved or play paused: start over. @param now ms */
  reset(now: number): void {
    this.#position = Number.NaN;
    this.#movedAt = now;
    this.#since = undefined;
    this.#nudges = 0;
  }

  /** The position was nudged to `position`: that is no movement of play. */
  nudged(position: number): void {
    this.#position = position;
  }

  /** One look. @param now ms @param position s @param ahead s of media ahead @param playing not paused, not seeking */
  observe(now: number, position: number, ahead: number, playing: boolean): StallSign {
    if (!playing) {
      this.reset(now);
      return 'none';
    }
    if (position !== this.#position) {
      const first = Number.isNaN(this.#position);
      this.#position = position;
      if (first) return 'none';
      this.#moved = true;
      return this.#move(now);
    }
    if (this.#since === undefined) {
      if (now - this.#movedAt < GRACE_MS) return 'none';
      this.#since = this.#movedAt;
      this.#nudgedAt = this.#movedAt;
      return 'began';
    }
    if (ahead < ENOUGH_AHEAD || now - this.#nudgedAt < NUDGE_AFTER_MS) return 'lasts';
    if (this.#nudges >= MAX_NUDGES) return 'hopeless';
    this.#nudges++;
    this.#nudgedAt = now;
    return 'nudge';
  }

  #move(now: number): StallSign {
    const since = this.#since;
    this.#movedAt = now;
    this.#since = undefined;
    this.#nudges = 0;
    if (since === undefined) return 'none';
    const lasted = now - since;
    if (this.#moved) {
      this.#count++;
      this.#totalMs += lasted;
      this.#longestMs = Math.max(this.#longestMs, lasted);
    }
    return 'over';
  }
}
