import type { Sample, Track } from '@onair/media';

/** Bounds of what is kept for packagers that start late. */
export interface GopLimits {
  readonly maxBytes: number;
  readonly maxMs: number;
}

/** One remembered sample with the time it arrived, ms since the Unix epoch. */
export interface CachedSample {
  readonly sample: Sample;
  readonly wallMs: number;
}

/**
 * The samples since the last video keyframe, or the last second of an audio-only stream.
 * A group of pictures beyond the limits is abandoned until the next keyframe, never kept from its middle.
 */
export class GopCache {
  readonly #limits: GopLimits;
  #entries: CachedSample[] = [];
  #bytes = 0;
  #open = false;

  constructor(limits: GopLimits) {
    this.#limits = limits;
  }

  /** Oldest first; starts with a keyframe if there is video. */
  get entries(): readonly CachedSample[] {
    return this.#entries;
  }

  /** @param leading the first track of the epoch; of several pictures it alone tells where a group begins. */
  push(sample: Sample, wallMs: number, leading: Track): void {
    const hasVideo = leading.parameters.kind === 'video';
    if (hasVideo ? sample.track.id === leading.id && sample.keyframe : this.#audioSpan(wallMs) > 1000) {
      this.clear();
      this.#open = true;
    } else if (!hasVideo) {
      this.#open = true;
    }
    if (!this.#open) return;
    this.#entries.push({ sample, wallMs });
    this.#bytes += sample.data.length;
    const first = this.#entries[0]!;
    if (this.#bytes > this.#limits.maxBytes || wallMs - first.wallMs > this.#limits.maxMs) {
      this.clear();
    }
  }

  clear(): void {
    this.#entries = [];
    this.#bytes = 0;
    this.#open = false;
  }

  #audioSpan(wallMs: number): number {
    const first = this.#entries[0];
    return first === undefined ? 0 : wallMs - first.wallMs;
  }
}
