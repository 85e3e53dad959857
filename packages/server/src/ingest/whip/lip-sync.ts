import { msOfNtp, type NtpTime } from '@onair/media/rtp';

/** The clock of pictures is moved by so much of the time that passes, at most: nobody sees it. */
const SLEW = 0.02;
/** Beyond this the clocks are matched at once, in milliseconds. */
const JUMP_MS = 400;

interface Clock {
  /** Ticks per millisecond. */
  readonly perMs: number;
  /** Milliseconds by the track's own clock at its first packet, and when that came (monotonic ms). */
  first: { readonly own: number; readonly arrival: number } | undefined;
  /** From a sender report: the sender's clock and the track's own, both in milliseconds. */
  report: { readonly ntp: number; readonly own: number } | undefined;
}

/**
 * Puts a publisher's sound and pictures on one clock: that of the sound. At first by when they arrive, then by sender
 * reports (RFC 3550 §6.4.1), towards which the pictures move slowly.
 */
export class LipSync {
  readonly #video: Clock;
  readonly #audio: Clock;
  #shift: number | undefined;
  #lastOwn = 0;

  /** Ticks per second of both tracks' RTP clocks. */
  constructor(videoRate: number, audioRate: number) {
    this.#video = { perMs: videoRate / 1000, first: undefined, report: undefined };
    this.#audio = { perMs: audioRate / 1000, first: undefined, report: undefined };
  }

  /** Milliseconds by which pictures are off what the reports say; undefined until both tracks had one. */
  get error(): number | undefined {
    const target = this.#target();
    return target === undefined || this.#shift === undefined ? undefined : target - this.#shift;
  }

  /** Notes a packet. @param timestamp unwrapped. @param now monotonic ms. */
  arrived(kind: 'video' | 'audio', timestamp: number, now: number): void {
    const clock = this.#of(kind);
    clock.first ??= { own: timestamp / clock.perMs, arrival: now };
  }

  /** Notes a sender report. @param timestamp unwrapped. */
  reported(kind: 'video' | 'audio', ntp: NtpTime, timestamp: number): void {
    const clock = this.#of(kind);
    clock.report = { ntp: msOfNtp(ntp), own: timestamp / clock.perMs };
  }

  /** Milliseconds to add to the pictures' own clock; undefined while there is no sound to match. */
  shift(timestamp: number): number | undefined {
    const own = timestamp / this.#video.perMs;
    if (this.#shift === undefined) {
      const video = this.#video.first;
      const audio = this.#audio.first;
      if (video === undefined || audio === undefined) return undefined;
      this.#shift = this.#target() ?? audio.own - audio.arrival - (video.own - video.arrival);
      this.#lastOwn = own;
      return this.#shift;
    }
    const passed = Math.max(0, own - this.#lastOwn);
    this.#lastOwn = own;
    const target = this.#target();
    if (target === undefined) return this.#shift;
    const off = target - this.#shift;
    const step = passed * SLEW;
    this.#shift = Math.abs(off) > JUMP_MS ? target : this.#shift + Math.max(-step, Math.min(step, off));
    return this.#shift;
  }

  #target(): number | undefined {
    const video = this.#video.report;
    const audio = this.#audio.report;
    if (video === undefined || audio === undefined) return undefined;
    return audio.own - audio.ntp - (video.own - video.ntp);
  }

  #of(kind: 'video' | 'audio'): Clock {
    return kind === 'video' ? this.#video : this.#audio;
  }
}
