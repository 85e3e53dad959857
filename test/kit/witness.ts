import { Unwrapper } from '@onair/media/time';
import { Arrivals, maxStep, type PlayReport } from './report.ts';

/** One access unit (FLV, RTMP) or one chunk (fMP4) as a viewer received it. */
export interface Unit {
  readonly video: boolean;
  /** Decoding time in milliseconds, unwrapped. */
  readonly ms: number;
  /** Presentation time in milliseconds, unwrapped. */
  readonly ptsMs: number;
  readonly key: boolean;
  /** How many set-ups of its kind had come before it. */
  readonly setup: number;
  /** True for the first one of its track after a break, where the protocol tells. */
  readonly discontinuity: boolean;
  /** `performance.now()` at its arrival. */
  readonly atMs: number;
}

/** What a wire viewer hands to its {@link Witness}. */
export interface Sighting {
  readonly video: boolean;
  readonly ms: number;
  readonly ptsMs: number;
  readonly key: boolean;
  readonly discontinuity?: boolean;
}

/** Longest list of faults kept. */
const MAX_FAULTS = 20;

/**
 * Writes down what a viewer gets and checks what must hold for every protocol: the set-up of a decoder comes
 * before its media, each start is a keyframe, and times never go back.
 */
export class Witness {
  readonly name: string;
  readonly video: Unit[] = [];
  readonly audio: Unit[] = [];
  /** Decoder configurations in order, as hexadecimal text behind `video ` or `audio `. */
  readonly setups: string[] = [];
  /** Whatever else the protocol told, in order, e.g. `state waiting` or `status NetStream.Play.Start`. */
  readonly notes: string[] = [];
  /** What must not happen. */
  readonly faults: string[] = [];
  /** Why the viewing is over; undefined while it goes on. */
  ended: string | undefined;
  readonly #arrivals = new Arrivals();
  readonly #setups = { video: 0, audio: 0 };
  readonly #needsKey = { video: true, audio: false };

  constructor(name: string) {
    this.name = name;
  }

  /** Something that must not happen. */
  fault(what: string): void {
    if (this.faults.length < MAX_FAULTS) this.faults.push(what);
  }

  /** A decoder is set up anew. */
  setUp(kind: 'video' | 'audio', description: Uint8Array): void {
    const text = `${kind} ${Buffer.from(description).toString('hex')}`;
    if (this.setups.findLast((one) => one.startsWith(kind)) !== text) this.#needsKey[kind] = kind === 'video';
    this.setups.push(text);
    this.#setups[kind]++;
  }

  /** Media arrived. */
  see(seen: Sighting): void {
    const kind = seen.video ? 'video' : 'audio';
    const list = this[kind];
    const last = list.at(-1);
    if (this.#setups[kind] === 0) this.fault(`${kind} at ${seen.ms} ms before its set-up`);
    if (this.#needsKey[kind] && !seen.key) this.fault(`${kind} starts at ${seen.ms} ms without a keyframe`);
    this.#needsKey[kind] = false;
    if (last !== undefined && seen.ms < last.ms)
      this.fault(`${kind} goes back from ${last.ms} to ${seen.ms} ms`);
    list.push({
      ...seen,
      discontinuity: seen.discontinuity ?? false,
      setup: this.#setups[kind],
      atMs: performance.now(),
    });
    if (seen.video || this.#setups.video === 0) this.#arrivals.add();
  }

  /** Milliseconds of media time seen, of the picture if there is one. */
  get spanMs(): number {
    const list = this.video.length > 0 ? this.video : this.audio;
    return list.length === 0 ? 0 : list.at(-1)!.ms - list[0]!.ms;
  }

  /** Frames missing between the first and the last one, for a picture of constant rate. */
  lostFrames(fps: number, from = 0): number {
    let lost = 0;
    for (let at = Math.max(1, from); at < this.video.length; at++) {
      const step = this.video[at]!.ms - this.video[at - 1]!.ms;
      lost += Math.max(0, Math.round((step * fps) / 1000) - 1);
    }
    return lost;
  }

  /** The same in the words of the programs that play. */
  report(): PlayReport {
    const { audio, video } = this;
    return {
      player: this.name,
      frames: video.length,
      audioMs: audio.length > 1 ? audio.at(-1)!.ms - audio[0]!.ms : 0,
      firstMs: this.#arrivals.firstMs,
      maxGapMs: this.#arrivals.maxGapMs,
      // In decoding order: the last pictures in presentation order lack those that were still to come.
      maxStepMs: maxStep(video.map((unit) => unit.ms)),
      stalls: 0,
      errors: this.faults,
    };
  }
}

/** Milliseconds of 32 bits of one connection, unwrapped. */
export class WireClock {
  readonly #unwrapper = new Unwrapper(32);

  /** The time without wrap-around. */
  at(timestampMs: number): number {
    return this.#unwrapper.next(timestampMs);
  }
}
