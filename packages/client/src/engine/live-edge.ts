/** How a viewer weighs delay against smoothness. */
export type LatencyClass = 'lowest' | 'balanced' | 'smoothest';
/** Every {@link LatencyClass}, least delay first. */
export const LATENCY_CLASSES: readonly LatencyClass[] = ['lowest', 'balanced', 'smoothest'];

/** What a latency class means for play. All seconds. */
export interface LatencyTarget {
  /** Media that should lie ahead of the position when it is least, just before the next chunk comes. */
  readonly margin: number;
  /** The margin is raised after stalls and close calls, at most to this. */
  readonly maxMargin: number;
  /** Off the margin by less than this, the rate stays 1. */
  readonly tolerance: number;
  /** Further behind than this beyond the margin, the position is moved. */
  readonly seekBeyond: number;
}

/** The targets per class. */
export const LATENCY_TARGETS: Readonly<Record<LatencyClass, LatencyTarget>> = {
  lowest: { margin: 0.2, maxMargin: 0.8, tolerance: 0.04, seekBeyond: 1 },
  balanced: { margin: 0.8, maxMargin: 2, tolerance: 0.15, seekBeyond: 4 },
  smoothest: { margin: 2.5, maxMargin: 6, tolerance: 0.5, seekBeyond: 12 },
};

/** Slowest and fastest rate; within these, speech keeps its pitch and is not noticed. */
export const RATE_RANGE = { min: 0.97, max: 1.1 } as const;

/** What {@link LiveEdge.decide} asks for. */
export interface EdgeDecision {
  /** Playback rate to set. */
  readonly rate: number;
  /** Seconds to move the position forward, 0 to stay. */
  readonly skip: number;
}

/** The least media ahead is looked for in windows of this many milliseconds. */
const WINDOW_MS = 1000;
/** Rate per second of error. */
const GAIN = 0.5;
/** Largest change of rate in one decision … */
const SLEW = 0.03;
/** … and smallest, but back to 1: browsers drop a picture at some changes. */
const LEAST = 0.02;
/** Where the rate must stay 1, the position is moved at this part of the distance. */
const STEADY_SHARE = 0.5;
/** After a stall the margin grows by this factor, … */
const RAISE = 1.5;
/** … and when play that was at the margin has less than this part of it left. */
const CLOSE_CALL = 0.4;
/** What follows a stall so closely is part of it. */
const SAME_STALL_MS = 1000;
/** Time without a raise after which the margin begins to fall again, and how fast, seconds per decision. */
const CALM_MS = 20_000;
const FALL = 0.001;

/**
 * Keeps play at the live edge. It looks at the *least* media ahead within the last second, so that it needs to
 * know nothing about frame rates or merge windows, and steers that towards the margin of the latency class.
 */
export class LiveEdge {
  readonly #steady: boolean;
  #target: LatencyTarget;
  #margin: number;
  #rate = 1;
  #steering = false;
  /** Play was at the margin since the last raise: what is missing now came late. */
  #level = false;
  #samples: { readonly at: number; readonly ahead: number }[] = [];
  #raisedAt = Number.NEGATIVE_INFINITY;

  /** @param steady the rate must stay 1: only the position is moved, and sooner */
  constructor(latency: LatencyClass, steady = false) {
    this.#steady = steady;
    this.#target = LATENCY_TARGETS[latency];
    this.#margin = this.#target.margin;
  }

  /** Seconds of media ahead that it steers to now. */
  get margin(): number {
    return this.#margin;
  }

  /** Another class from now on. */
  setClass(latency: LatencyClass): void {
    this.#target = LATENCY_TARGETS[latency];
    this.#margin = this.#target.margin;
    this.#samples = [];
  }

  /** Tells how much media lies ahead; best told just before a chunk is appended. @param now ms */
  observe(now: number, ahead: number): void {
    this.#samples = this.#samples.filter(({ at }) => at >= now - WINDOW_MS);
    this.#samples.push({ at: now, ahead });
  }

  /** Forgets what was seen: the position was moved or play begins anew. */
  reset(): void {
    this.#samples = [];
    this.#rate = 1;
    this.#steering = this.#level = false;
  }

  /** Play ran dry although the stream went on, or nearly: more margin is needed on this connection. @param now ms */
  stalled(now: number): void {
    if (now - this.#raisedAt < SAME_STALL_MS) return;
    this.#raisedAt = now;
    this.#level = false;
    this.#margin = Math.min(this.#target.maxMargin, this.#margin * RAISE);
  }

  /** What to do now. @param now ms */
  decide(now: number): EdgeDecision {
    if (now - this.#raisedAt > CALM_MS) this.#margin = Math.max(this.#target.margin, this.#margin - FALL);
    if (this.#samples.length === 0) return { rate: 1, skip: 0 };
    const least = Math.min(...this.#samples.map(({ ahead }) => ahead));
    if (this.#level && least < this.#margin * CLOSE_CALL) this.stalled(now);
    const error = least - this.#margin;
    if (error > this.#target.seekBeyond * (this.#steady ? STEADY_SHARE : 1)) {
      this.reset();
      return { rate: 1, skip: error };
    }
    const off = Math.abs(error) / this.#target.tolerance;
    this.#level ||= off <= 1;
    if (off > 1) this.#steering = !this.#steady;
    else if (off < 0.2) this.#steering = false;
    const wanted = this.#steering ? Math.min(RATE_RANGE.max, Math.max(RATE_RANGE.min, 1 + GAIN * error)) : 1;
    const step = Math.min(SLEW, Math.max(-SLEW, wanted - this.#rate));
    if (!this.#steering || Math.abs(step) >= LEAST) this.#rate = Math.round((this.#rate + step) * 100) / 100;
    return { rate: this.#rate, skip: 0 };
  }
}
