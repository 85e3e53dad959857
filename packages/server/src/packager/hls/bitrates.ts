import type { Rendition } from './rendition.ts';

/** Bits per second of a rendition. */
export interface Bitrate {
  /** Largest of any segment. */
  readonly peak: number;
  readonly average: number;
}

/** How far the peak that is told may lie above the one measured. */
const MAX_ABOVE = 1.08;
/** Where it is put when it has to change. */
const ABOVE = 1.03;
/** µs of the first segment from which on its rate means something. */
const ENOUGH_US = 1_000_000;

/** Measures renditions, and keeps what it told as long as that is near enough to be true. */
export class Bitrates {
  readonly #told = new WeakMap<Rendition, number>();
  readonly #segmentMs: () => number;

  /** @param segmentMs duration of a segment. */
  constructor(segmentMs: () => number) {
    this.#segmentMs = segmentMs;
  }

  /** RFC 8216 §4.3.4.2: the largest of any segment, and the average over all; an estimate before the first ends. */
  of(rendition: Rendition): Bitrate {
    const { peak, average } = measure(rendition) ?? this.#estimate(rendition);
    let told = this.#told.get(rendition);
    if (told === undefined || told < peak || told > peak * MAX_ABOVE) {
      told = peak * ABOVE;
      this.#told.set(rendition, told);
    }
    return { peak: told, average };
  }

  /** The keyframe at its beginning is not typical of what follows. */
  #estimate({ open }: Rendition): Bitrate {
    if (open === undefined) return { peak: 0, average: 0 };
    const { bytes, key, duration } = open.size;
    if (duration === 0) return { peak: 0, average: 0 };
    if (duration >= ENOUGH_US) {
      const rate = (bytes * 8_000_000) / duration;
      return { peak: rate, average: rate };
    }
    const seconds = this.#segmentMs() / 1000;
    const rest = ((bytes - key) * 1_000_000) / duration;
    const rate = 8 * (rest + key / seconds);
    return { peak: rate, average: rate };
  }
}

function measure(rendition: Rendition): Bitrate | undefined {
  let bits = 0;
  let microseconds = 0;
  let peak = 0;
  for (const { bytes, duration, gap } of rendition.window.listed) {
    if (duration === 0 || gap) continue;
    bits += bytes.length * 8;
    microseconds += duration;
    peak = Math.max(peak, (bytes.length * 8_000_000) / duration);
  }
  return microseconds === 0 ? undefined : { peak, average: (bits * 1_000_000) / microseconds };
}
