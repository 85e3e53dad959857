import { MICROSECONDS, rescale, type Sample, type Track, ticks } from '@onair/media';

type Kind = Track['parameters']['kind'];

const KINDS: readonly Kind[] = ['video', 'audio', 'data'];
/** Presentation times remembered per track: more than any reordering within a GOP spans. */
const REMEMBERED = 24;
/** Length of a sample while no second one has shown the step, in seconds. */
const FIRST_STEP_S = 0.02;
/** Tracks remembered; more than a publication has. */
const MAX_TAILS = 64;

/** Where a publication that begins has the first sample of a kind of track, in µs of its own time. */
export interface FirstSample {
  readonly kind: Kind;
  readonly dts: number;
  readonly pts: number;
}

interface Tail {
  readonly track: Track;
  /** Ticks. */
  lastDts: number;
  /** Ticks between the last two decoding times. */
  step: number;
  /** The last presentation times in ticks, a ring. */
  readonly pts: number[];
  next: number;
}

/**
 * Where each track of a stream left off, so that the next publication joins on without a hole or an overlap:
 * a publisher that vanished in the middle of reordered pictures leaves one missing, and its sound and picture
 * hardly ever end together.
 */
export class Tails {
  readonly #tails = new Map<number, Tail>();
  #end = 0;

  /** Stream time in µs after the last sample of the track that is furthest. */
  get end(): number {
    return this.#end;
  }

  /** Notes a sample in stream time. @param end stream time in µs after the last sample of any track. */
  note({ track, dts, pts }: Sample, end: number): void {
    if (end > this.#end) this.#end = end;
    let tail = this.#tails.get(track.id);
    if (tail === undefined || tail.track.timebase !== track.timebase) {
      if (this.#tails.size >= MAX_TAILS) this.#tails.clear();
      tail = { track, lastDts: dts, step: Math.ceil(track.timebase * FIRST_STEP_S), pts: [], next: 0 };
      this.#tails.set(track.id, tail);
    }
    if (dts > tail.lastDts) tail.step = dts - tail.lastDts;
    tail.lastDts = dts;
    tail.pts[tail.next] = pts;
    tail.next = (tail.next + 1) % REMEMBERED;
  }

  /** Last decoding time of a kind of track in µs; undefined if there was none. */
  lastDts(kind: Kind): number | undefined {
    return this.#latest(kind, (tail) => microseconds(tail, tail.lastDts));
  }

  /** Stream time in µs up to which sound or pictures are there without a hole; undefined if there were none. */
  presentedTo(kind: Kind): number | undefined {
    return this.#latest(kind, presentedTo);
  }

  /** What the stream has at present, whatever comes afterwards: a second sound is no later part of the first. */
  now(): { lastDts(kind: Kind): number | undefined; presentedTo(kind: Kind): number | undefined } {
    const kept = new Map(
      KINDS.map((kind) => [kind, { lastDts: this.lastDts(kind), presentedTo: this.presentedTo(kind) }]),
    );
    return {
      lastDts: (kind) => kept.get(kind)?.lastDts,
      presentedTo: (kind) => kept.get(kind)?.presentedTo,
    };
  }

  /** What to add to the time of a publication in µs, so that no track of it goes back and the first one is on time. */
  offsetFor(firsts: readonly FirstSample[]): number | undefined {
    let offset: number | undefined;
    for (const { kind, dts, pts } of firsts) {
      const end = this.presentedTo(kind);
      if (end === undefined) continue;
      const least = Math.max(end - pts, this.lastDts(kind)! - dts);
      if (offset === undefined || least > offset) offset = least;
    }
    return offset;
  }

  #latest(kind: Kind, time: (tail: Tail) => number): number | undefined {
    let latest: number | undefined;
    for (const tail of this.#tails.values()) {
      if (tail.track.parameters.kind !== kind) continue;
      const at = time(tail);
      if (latest === undefined || at > latest) latest = at;
    }
    return latest;
  }
}

function presentedTo(tail: Tail): number {
  const { lastDts, step } = tail;
  const times = [...tail.pts].sort((a, b) => a - b);
  // Nothing that comes later could be shown before the last decoding time: up to there it is complete.
  const from = Math.max(
    0,
    times.findLastIndex((time) => time <= lastDts),
  );
  let shown = times[from]!;
  for (const time of times.slice(from + 1)) {
    if (time - shown > 1.5 * step) break;
    shown = time;
  }
  return microseconds(tail, Math.max(shown, lastDts) + step);
}

function microseconds({ track }: Tail, time: number): number {
  return rescale(ticks(time), track.timebase, MICROSECONDS);
}
