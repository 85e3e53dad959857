import type { HlsInit, HlsPart, HlsSegment } from './segment.ts';

/** How much a window keeps. */
export interface WindowLimits {
  readonly segments: number;
  /** µs that stay listed in any case: three target durations. */
  readonly duration: number;
  /** µs of a target duration: what peaks of the bit rate are measured over. */
  readonly target: number;
  readonly bytes: number;
}

/** Share of a target duration from which a run of segments counts: half, less what a frame may be short of it. */
const PEAK_FROM = 0.45;

interface Retired {
  readonly segment: HlsSegment;
  /** Monotonic ms until when it is still served. */
  readonly until: number;
}

/**
 * The finished segments of a rendition: those listed, and those that have left the playlist but are served on for
 * their duration plus that of the playlist (RFC 8216 §6.2.2).
 */
export class SegmentWindow {
  #listed: HlsSegment[] = [];
  #retired: Retired[] = [];
  #bytes = 0;
  #peak = 0;

  /** In the playlist, oldest first. */
  get listed(): readonly HlsSegment[] {
    return this.#listed;
  }

  /** Bytes of all segments held. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Bits per second of the fastest run of segments lasting 0.5 to 1.5 target durations, also of those that have left,
   * since the init segment last changed (RFC 8216bis §4.4.6.2); 0 while there is none.
   */
  get peak(): number {
    return this.#peak;
  }

  /** µs listed. */
  get duration(): number {
    let sum = 0;
    for (const segment of this.#listed) sum += segment.duration;
    return sum;
  }

  /** Adds a segment and lets go what the limits no longer want. @param now monotonic ms. */
  push(segment: HlsSegment, limits: WindowLimits, now: number): void {
    if (this.#listed.at(-1)?.init !== segment.init) this.#peak = 0;
    this.#listed.push(segment);
    this.#measure(limits.target);
    this.#bytes += segment.bytes.length;
    let duration = this.duration;
    while (this.#listed.length > limits.segments && duration - this.#listed[0]!.duration >= limits.duration) {
      duration -= this.#listed[0]!.duration;
      this.#retire(duration, now);
    }
    this.#forget(now);
    while (this.#bytes > limits.bytes && this.#retired.length > 0) this.#drop();
    // Rather a window that is too short than memory without bounds.
    while (this.#bytes > limits.bytes && this.#listed.length > 1) {
      this.#retire(0, now);
      this.#drop();
    }
  }

  /** Takes everything off the playlist; it is served on for a while. */
  retireAll(now: number): void {
    const { duration } = this;
    while (this.#listed.length > 0) this.#retire(duration, now);
  }

  clear(): void {
    this.#listed = [];
    this.#retired = [];
    this.#bytes = 0;
  }

  /** The segment with this media sequence number, listed or not. */
  segment(msn: number): HlsSegment | undefined {
    return this.#find((segment) => segment.boundary.msn === msn);
  }

  part(number: number): HlsPart | undefined {
    const holder = this.#find(
      ({ parts }) =>
        parts.length > 0 && parts[0]!.number <= number && number < parts[0]!.number + parts.length,
    );
    return holder?.parts[number - holder.parts[0]!.number];
  }

  init(file: string): HlsInit | undefined {
    return this.#find((segment) => segment.init.file === file)?.init;
  }

  #find(matches: (segment: HlsSegment) => boolean): HlsSegment | undefined {
    for (let i = this.#listed.length - 1; i >= 0; i--) if (matches(this.#listed[i]!)) return this.#listed[i];
    for (let i = this.#retired.length - 1; i >= 0; i--) {
      if (matches(this.#retired[i]!.segment)) return this.#retired[i]!.segment;
    }
    return undefined;
  }

  /** Takes the runs that end with the newest segment into account. */
  #measure(target: number): void {
    const last = this.#listed.length - 1;
    const { init } = this.#listed[last]!;
    let bits = 0;
    let duration = 0;
    for (let i = last; i >= 0 && this.#listed[i]!.init === init; i--) {
      bits += this.#listed[i]!.bytes.length * 8;
      duration += this.#listed[i]!.duration;
      // A segment by itself counts however long: the target duration may not be settled yet.
      if (duration > 1.5 * target && i < last) break;
      if (duration >= PEAK_FROM * target) this.#peak = Math.max(this.#peak, (bits * 1_000_000) / duration);
    }
  }

  #retire(playlistDuration: number, now: number): void {
    const segment = this.#listed.shift()!;
    this.#retired.push({
      segment,
      until: now + (segment.duration + playlistDuration + segment.duration) / 1000,
    });
  }

  #forget(now: number): void {
    while (this.#retired.length > 0 && this.#retired[0]!.until < now) this.#drop();
  }

  #drop(): void {
    this.#bytes -= this.#retired.shift()!.segment.bytes.length;
  }
}
