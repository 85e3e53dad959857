import type { Timebase } from '@onair/media';

/** Where a sample lies and how long it lasts, in ticks. */
export interface Placed {
  readonly dts: number;
  readonly duration: number;
  /** Presentation minus decoding time, as the source has it. */
  readonly composition: number;
  /** What is to be added to that: the decoding time is so much earlier, so that there is no hole before it. */
  readonly lag: number;
}

/** Deviation that rounding to milliseconds explains: half at this sample, half at the one the grid began with. */
const ROUNDING_MS = 1;
/** Deviation up to which video stays gapless and is led back over the next durations. */
const LEAD_BACK_MS = 3;
/** The same for audio, whose samples are counted and may only drift. */
const AUDIO_LEAD_BACK_MS = 40;
/** Samples after which the period of frames is measured for the first time. */
const FIRST_FIT = 8;
/** Samples off the grid that end it, if so many come within {@link FORGIVEN_AFTER}. */
const MAX_STRAYS = 3;
const FORGIVEN_AFTER = 64;
/** Duration of a frame while nothing is known, in seconds. */
const FIRST_GUESS = 1 / 30;
/** Longest duration that is believed without being told, in seconds. */
const LONGEST_GUESS = 1;
/** Part of what was promised by which a picture may come late and still show a hole. */
const TOLERATED = 0.5;
/** Longest hole in the pictures that is hidden from decoders, in seconds. */
const LONGEST_LAG = 2;
/** Most that one duration makes up for of such a hole, in seconds: a part of LL-HLS has a longest duration. */
const MAKE_UP = 0.06;
/** Frame rates that are meant when one is measured that looks like them. */
const USUAL_RATES = [5, 10, 12, 12.5, 15, 20, 24, 25, 30, 48, 50, 60, 90, 100, 120].flatMap((rate) => [
  rate,
  (rate * 1000) / 1001,
]);

/**
 * Gives each sample its decoding time and duration before the next one is there, so that no delay is added.
 *
 * A duration is a promise: the next sample's decoding time. Sources that round to milliseconds (RTMP, FLV)
 * would break it with every frame, so video that runs at a constant rate is put onto the exact grid of that
 * rate as long as it lies within the rounding, 1 ms. Within 3 ms it stays gapless too and the difference goes
 * into the duration. Anything else is taken as it comes: decoding time is the truth, the promise was wrong,
 * and there is a hole or an overlap of that size. Audio knows its durations and follows the same rules.
 *
 * A picture that comes much too late is decoded when the promise says and shown when it came, and the next ones make
 * up for that: where decoding times leave a hole of more than the last duration, browsers drop all pictures up to the
 * next key frame (Media Source Extensions, coded frame processing, step 6 of the loop).
 */
export class Cadence {
  readonly #tick: { readonly base: number; readonly rounding: number; readonly leadBack: number };
  readonly #video: boolean;
  readonly #grid = new Grid();
  /** Where the next sample must begin, not rounded; undefined at a start. */
  #next: number | undefined;
  #last = Number.NEGATIVE_INFINITY;
  /** What the last duration promised; undefined at a start, and for sound. */
  #promised: number | undefined;
  /** Ticks by which the last picture is decoded before its time. */
  #lag = 0;
  #lastSource: number | undefined;
  /** The last sample had the time of the one before it. */
  #twice = false;
  #lastInterval: number;

  /** @param frameRate frames per second, if the source told one. */
  constructor(kind: 'video' | 'audio', timebase: Timebase, frameRate?: number) {
    this.#video = kind === 'video';
    const leadBackMs = kind === 'video' ? LEAD_BACK_MS : AUDIO_LEAD_BACK_MS;
    const ms = timebase / 1000;
    this.#tick = { base: timebase, rounding: ROUNDING_MS * ms + 1, leadBack: leadBackMs * ms };
    this.#lastInterval = Math.round(FIRST_GUESS * timebase);
    if (frameRate !== undefined && frameRate >= 1 && frameRate <= 300)
      this.#grid.period = timebase / frameRate;
  }

  /** Frames per second of the grid, if the source keeps to one. */
  get frameRate(): number | undefined {
    return this.#grid.period === undefined ? undefined : this.#tick.base / this.#grid.period;
  }

  /** What comes next does not follow on what came last. */
  cut(): void {
    this.#next = undefined;
    this.#promised = undefined;
    this.#lag = 0;
    this.#lastSource = undefined;
    this.#grid.restart();
  }

  /**
   * Places the next sample in decoding order.
   * @param duration ticks, where the source knows it. @param keyframe decoding can begin with it.
   */
  place(dts: number, pts: number, duration: number | undefined, keyframe = false): Placed {
    const source = this.#expected(dts, duration);
    let at = source;
    let correction = 0;
    if (this.#next !== undefined) {
      const off = source - this.#next;
      const { rounding, leadBack } = this.#tick;
      if (Math.abs(off) <= rounding) at = this.#next;
      else if (Math.abs(off) <= leadBack) {
        at = this.#next;
        correction = off - Math.sign(off) * rounding;
      } else at = this.#stray(source, off);
    }
    if (duration === undefined) this.#measure(source);
    const shown = Math.round(at);
    this.#lag = this.#behind(shown, keyframe);
    const out = Math.max(shown - this.#lag, this.#last + 1);
    const length = duration ?? this.#grid.period ?? this.#lastInterval;
    this.#next = Math.max(at + length + correction, out + 1);
    const promise = Math.round(this.#next);
    const longest = Math.max(1, promise - shown) + Math.round(MAKE_UP * this.#tick.base);
    const until = this.#lag === 0 ? promise : Math.min(promise, out + longest);
    this.#last = out;
    if (this.#video) this.#promised = until;
    const composition = duration === undefined ? this.#composition(pts - dts) : pts - dts;
    return { dts: out, duration: until - out, composition, lag: this.#lag };
  }

  /**
   * Ticks that a picture is decoded earlier than at `shown`, so that decoding times have no hole. A key frame makes up for
   * all of a hole before the pictures in front of it: decoders begin anew there, and segments begin when they are shown.
   */
  #behind(shown: number, keyframe: boolean): number {
    if (this.#promised === undefined) return 0;
    const carried = keyframe ? this.#lag : 0;
    const late = shown - this.#promised - carried;
    const tolerated = this.#lag > 0 && !keyframe ? 0 : TOLERATED * (this.#promised - this.#last);
    return late > tolerated && late <= LONGEST_LAG * this.#tick.base ? late : 0;
  }

  /** The time of a sample, or where it is due if the source gave it that of the one before. */
  #expected(dts: number, duration: number | undefined): number {
    const before = this.#lastSource;
    const { period } = this.#grid;
    const twice = !this.#twice && before !== undefined && dts - before <= 1;
    this.#twice = twice;
    return twice && duration === undefined && period !== undefined ? before + period : dts;
  }

  /** Too far off to be led back: whole frames were left out, or the rate is another. */
  #stray(dts: number, off: number): number {
    const { period } = this.#grid;
    if (period === undefined) return dts;
    const missing = Math.round(off / period);
    if (missing > 0 && Math.abs(off - missing * period) <= this.#tick.rounding) {
      this.#grid.missed(missing);
      return this.#next! + missing * period;
    }
    this.#grid.stray();
    return dts;
  }

  #measure(source: number): void {
    const before = this.#lastSource;
    this.#lastSource = source;
    if (before !== undefined) {
      this.#lastInterval = Math.min(Math.max(1, source - before), LONGEST_GUESS * this.#tick.base);
    }
    this.#grid.add(source, this.#tick.base, this.#tick.rounding);
  }

  /** Composition offsets of a constant rate are whole frames; rounding hides that. */
  #composition(offset: number): number {
    const { period } = this.#grid;
    if (period === undefined || offset === 0) return offset;
    const frames = Math.round(offset / period);
    return Math.abs(offset - frames * period) <= this.#tick.rounding ? Math.round(frames * period) : offset;
  }
}

/** The period of frames, if there is one: told or measured, and measured again over ever longer runs. */
class Grid {
  /** Ticks per frame, not rounded; undefined while the source keeps to none. */
  period: number | undefined;
  #run: number[] = [];
  #first = 0;
  #count = 0;
  #strays = 0;
  #sinceStray = 0;
  /** The same number of frames was left out in front of so many samples, one behind the other. */
  readonly #misses = { frames: 0, times: 0, since: 0 };

  /** Begins a new run; the period stays. */
  restart(): void {
    this.#run = [];
    this.#count = 0;
  }

  /** So many frames were left out. If that happens with every sample, the source is at a slower rate now. */
  missed(frames: number): void {
    this.restart();
    const misses = this.#misses;
    misses.times = misses.frames === frames && misses.since === 1 ? misses.times + 1 : 1;
    misses.frames = frames;
    misses.since = 0;
    if (misses.times < FIRST_FIT || this.period === undefined) return;
    this.period *= frames + 1;
    misses.times = 0;
  }

  /** A sample was where no frame should be. */
  stray(): void {
    this.restart();
    this.#strays = this.#sinceStray > FORGIVEN_AFTER ? 1 : this.#strays + 1;
    this.#sinceStray = 0;
    if (this.#strays >= MAX_STRAYS) this.period = undefined;
  }

  /** @param rounding ticks that the source's rounding may hide. */
  add(dts: number, timebase: number, rounding: number): void {
    if (this.#count === 0) this.#first = dts;
    if (this.#count <= FIRST_FIT) this.#run.push(dts);
    this.#sinceStray++;
    this.#misses.since++;
    const steps = this.#count++;
    // 8, 16, 32, … frames: each fit is twice as exact, and the grid drifts by at most the rounding until the next.
    if (steps < FIRST_FIT || (steps & (steps - 1)) !== 0) return;
    const mean = (dts - this.#first) / steps;
    const slack = rounding / steps;
    if (this.period !== undefined) {
      if (Math.abs(mean - this.period) > slack) this.period = usual(mean, timebase, slack);
      return;
    }
    const even = this.#run.every((at, i) => Math.abs(at - this.#first - i * mean) <= rounding);
    if (even && steps === FIRST_FIT) {
      this.period = usual(mean, timebase, slack);
      this.#strays = 0;
    } else this.restart();
  }
}

/** The period of the usual frame rate that the measured one may be, else the measured one. */
function usual(mean: number, timebase: number, slack: number): number {
  let best = mean;
  let error = slack;
  for (const rate of USUAL_RATES) {
    const off = Math.abs(timebase / rate - mean);
    if (off <= error) {
      error = off;
      best = timebase / rate;
    }
  }
  return best;
}
