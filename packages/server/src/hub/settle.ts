import { MICROSECONDS, rescale, type Sample, type Track } from '@onair/media';

/** Media time a publication may hold back while it waits for tracks that were not promised. */
export const SETTLE_UNPROMISED_US = 500_000;
/** Media time it may hold back for a track that was promised, or for the first keyframe. */
export const SETTLE_PROMISED_US = 3_000_000;
/** Bytes it may hold back. */
export const SETTLE_MAX_BYTES = 8 * 1024 * 1024;

/** Kinds of track a publisher announces before they come, e.g. in `onMetaData`. */
export interface Promised {
  readonly audio?: boolean;
  readonly video?: boolean;
}

/** A sample in source time that waits for the tracks to be complete. */
export interface HeldSample {
  readonly sample: Sample;
  readonly wallMs: number;
}

/**
 * Holds the first samples of a publication, or those after a change of parameters, until it is known which
 * tracks there are and a keyframe has come, so that an epoch begins once and complete.
 */
export class Settling {
  #held: HeldSample[] = [];
  #bytes = 0;
  #promised: Promised | undefined;

  /** What the publisher says it will send. */
  promise(promised: Promised): void {
    this.#promised = promised;
  }

  /** Keeps a sample back. Video in front of the first keyframe is dropped. */
  hold(sample: Sample, wallMs: number): void {
    const kind = sample.track.parameters.kind;
    if (kind === 'video' && !sample.keyframe && !this.#hasKeyframe(sample.track)) return;
    this.#held.push({ sample, wallMs });
    this.#bytes += sample.data.length;
  }

  /** True once the epoch can begin with the given tracks. */
  ready(tracks: ReadonlyMap<number, Track>): boolean {
    if (this.#held.length === 0) return false;
    if (this.#bytes > SETTLE_MAX_BYTES) return true;
    let video = false;
    let audio = false;
    for (const track of tracks.values()) {
      if (track.parameters.kind === 'video') video = true;
      if (track.parameters.kind === 'audio') audio = true;
    }
    const span = this.#span();
    const promised = this.#promised;
    const complete = promised
      ? (video || promised.video !== true) && (audio || promised.audio !== true)
      : video && audio;
    const keyframe = !video || this.#held.some(({ sample }) => isVideoKey(sample));
    if (complete && keyframe) return true;
    const patience = complete || promised ? SETTLE_PROMISED_US : SETTLE_UNPROMISED_US;
    return span >= patience && (keyframe || span >= SETTLE_PROMISED_US);
  }

  /** Hands over what was held, beginning at the first keyframe if there is video. */
  release(): HeldSample[] {
    const held = this.#held;
    this.#held = [];
    this.#bytes = 0;
    const first = held.find(({ sample }) => isVideoKey(sample));
    if (first === undefined) return held;
    const start = microseconds(first.sample);
    return held.filter(
      ({ sample }) => sample.track.parameters.kind === 'video' || microseconds(sample) >= start,
    );
  }

  #hasKeyframe(track: Track): boolean {
    return this.#held.some(({ sample }) => sample.track.id === track.id && sample.keyframe);
  }

  #span(): number {
    let low = Number.POSITIVE_INFINITY;
    let high = Number.NEGATIVE_INFINITY;
    for (const { sample } of this.#held) {
      const time = microseconds(sample);
      if (time < low) low = time;
      if (time > high) high = time;
    }
    return high - low;
  }
}

function isVideoKey(sample: Sample): boolean {
  return sample.track.parameters.kind === 'video' && sample.keyframe;
}

function microseconds(sample: Sample): number {
  return rescale(sample.dts, sample.track.timebase, MICROSECONDS);
}
