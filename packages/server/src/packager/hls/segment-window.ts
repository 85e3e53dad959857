import type { HlsInit, HlsPart, HlsSegment } from './segment.ts';

/** How much a window keeps. */
export interface WindowLimits {
  readonly segments: number;
  /** µs that stay listed in any case: three target durations. */
  readonly duration: number;
  readonly bytes: number;
}

interface Retired {
  readonly segment: HlsSegment;
  /** µs for which it is still served. */
  readonly span: number;
  /** Monotonic ms when that is over. */
  readonly until: number;
}

/**
 * Media behind the playlist is kept for this many times the time that it is served on: a publisher that sends faster than
 * real time, as one does that was cut off or that sends what it has stored, must not fill the memory.
 */
const MOST_BEHIND = 2;

/**
 * The finished segments of a rendition: those listed, and those that have left the playlist but are served on for
 * their duration plus that of the playlist (RFC 8216 §6.2.2).
 */
export class SegmentWindow {
  #listed: HlsSegment[] = [];
  #retired: Retired[] = [];
  /** µs of {@link #retired}. */
  #behind = 0;
  #bytes = 0;

  /** In the playlist, oldest first. */
  get listed(): readonly HlsSegment[] {
    return this.#listed;
  }

  /** Bytes of all segments held. */
  get bytes(): number {
    return this.#bytes;
  }

  /** µs listed. */
  get duration(): number {
    let sum = 0;
    for (const segment of this.#listed) sum += segment.duration;
    return sum;
  }

  /** Adds a segment and lets go what the limits no longer want. @param now monotonic ms. */
  push(segment: HlsSegment, limits: WindowLimits, now: number): void {
    this.#listed.push(segment);
    this.#bytes += segment.bytes.length;
    let duration = this.duration;
    while (this.#listed.length > limits.segments && duration - this.#listed[0]!.duration >= limits.duration) {
      duration -= this.#listed[0]!.duration;
      this.#retire(duration, now);
    }
    this.#forget(now);
    while (this.#retired.length > 0 && this.#behind > MOST_BEHIND * this.#retired.at(-1)!.span) this.#drop();
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
    this.#behind = 0;
    this.#bytes = 0;
  }

  /** The segment with this media sequence number, listed or not. */
  segment(msn: number): HlsSegment | undefined {
    return this.find((segment) => segment.boundary.msn === msn);
  }

  part(number: number): HlsPart | undefined {
    const holder = this.find(
      ({ parts }) =>
        parts.length > 0 && parts[0]!.number <= number && number < parts[0]!.number + parts.length,
    );
    return holder?.parts[number - holder.parts[0]!.number];
  }

  init(file: string): HlsInit | undefined {
    return this.find((segment) => segment.init.file === file)?.init;
  }

  /** The newest segment, listed or not, that `matches`. */
  find(matches: (segment: HlsSegment) => boolean): HlsSegment | undefined {
    for (let i = this.#listed.length - 1; i >= 0; i--) if (matches(this.#listed[i]!)) return this.#listed[i];
    for (let i = this.#retired.length - 1; i >= 0; i--) {
      if (matches(this.#retired[i]!.segment)) return this.#retired[i]!.segment;
    }
    return undefined;
  }

  #retire(playlistDuration: number, now: number): void {
    const segment = this.#listed.shift()!;
    this.#behind += segment.duration;
    const span = segment.duration + playlistDuration + segment.duration;
    this.#retired.push({ segment, span, until: now + span / 1000 });
  }

  #forget(now: number): void {
    while (this.#retired.length > 0 && this.#retired[0]!.until < now) this.#drop();
  }

  #drop(): void {
    const { segment } = this.#retired.shift()!;
    this.#behind -= segment.duration;
    this.#bytes -= segment.bytes.length;
  }
}
