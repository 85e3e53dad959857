import { MICROSECONDS, rescale, type Ticks, type Track, ticks } from '@onair/media';

/** A step forwards beyond this, or any step backwards beyond {@link BACKWARD_LIMIT_US}, is a jump. */
export const FORWARD_LIMIT_US = 10_000_000;
/** Reordering up to this is mended by clamping instead of starting anew. */
export const BACKWARD_LIMIT_US = 1_000_000;
/** Length of a sample while no second one has shown the step, in µs. */
const FIRST_STEP_US = 20_000;

type Kind = Track['parameters']['kind'];
const KINDS: readonly Kind[] = ['video', 'audio', 'data'];

/** Where the stream left off when the source began, by kind of track, in µs of stream time. */
export interface Before {
  lastDts(kind: Kind): number | undefined;
  presentedTo(kind: Kind): number | undefined;
}

interface Era {
  /** Added to source time (µs) to get stream time (µs). */
  readonly offset: number;
}

interface TrackState {
  /** Ticks to add to the source's, for the era in `era`. */
  offsetTicks: number;
  era: Era;
  lastDts: number;
  lastPts: number;
  /** Stream time in µs one step after the last sample. */
  end: number;
  step: number;
  /** No sample was placed yet. */
  first: boolean;
}

/** What {@link Rebaser.place} found out about a sample's time. */
export interface Placement {
  readonly dts: Ticks;
  readonly pts: Ticks;
  /** The source's clock jumped here: first sample under a new offset. */
  readonly jumped: boolean;
}

/**
 * Moves a publisher's timestamps onto the stream's own timeline, which never goes back.
 * One offset serves all tracks, so that their alignment stays the publisher's; a jump of the
 * source's clock starts a new offset, and tracks that have not jumped yet stay on the old one.
 */
export class Rebaser {
  /** Stream time in µs where the source begins. */
  readonly start: number;
  /** A copy: what the source itself has put there since says nothing about a track of it that comes late. */
  readonly #before: ReadonlyMap<Kind, { readonly lastDts?: number; readonly presentedTo?: number }>;
  readonly #tracks = new Map<number, TrackState>();
  #era: Era | undefined;
  #previousEra: Era | undefined;

  /**
   * @param start stream time in µs where the source begins.
   * @param firstUs source time in µs that is placed there; that of the first sample unless given.
   * @param before what the stream has already.
   */
  constructor(start: number, firstUs?: number, before?: Before) {
    this.start = start;
    this.#before = new Map(KINDS.map((kind) => [kind, leftOff(kind, before)]));
    if (firstUs !== undefined) this.#era = { offset: start - firstUs };
  }

  /** What is added to source time at present to get stream time, in µs; undefined before the first sample. */
  get offset(): number | undefined {
    return this.#era?.offset;
  }

  /** Stream time in µs after the last sample of the track that is furthest. */
  get end(): number {
    let end = this.start;
    for (const state of this.#tracks.values()) if (state.end > end) end = state.end;
    return end;
  }

  /** Stream time in µs of a moment of the source's newest clock; undefined before the first sample. */
  timeOf(sourceUs: number): number | undefined {
    return this.#era === undefined ? undefined : sourceUs + this.#era.offset;
  }

  /** True for a first sample of a track that would lie before the source's start or in what the stream has already. */
  precedes(track: Track, dts: number): boolean {
    if (this.#era === undefined || this.#tracks.has(track.id)) return false;
    const time = rescale(ticks(dts), track.timebase, MICROSECONDS) + this.#era.offset;
    const { kind } = track.parameters;
    const { lastDts, presentedTo } = this.#before.get(kind) ?? {};
    const taken = kind === 'video' ? lastDts : presentedTo;
    return time < Math.max(this.start, taken ?? 0) - 1_000_000 / track.timebase;
  }

  /** Places one sample. `dts` and `pts` are the source's, in ticks of `track.timebase`. */
  place(track: Track, dts: number, pts: number): Placement {
    const base = track.timebase;
    const sourceUs = rescale(ticks(dts), base, MICROSECONDS);
    this.#era ??= { offset: this.start - sourceUs };
    let state = this.#tracks.get(track.id);
    let jumped = false;
    if (state === undefined) {
      state = this.#newTrack(track, sourceUs);
      this.#tracks.set(track.id, state);
      // The source's clock jumped before the track brought anything.
      const ahead = sourceUs + state.era.offset - this.end;
      if (ahead > FORWARD_LIMIT_US) jumped = this.#jump(track, state, sourceUs);
    } else {
      const ahead = sourceUs + state.era.offset - state.end;
      if (ahead > FORWARD_LIMIT_US || ahead < -BACKWARD_LIMIT_US) jumped = this.#jump(track, state, sourceUs);
      else if (this.#isNearer(state, sourceUs)) this.#follow(track, state);
    }
    const due = dts + state.offsetTicks;
    const placed = Math.max(due, state.lastDts + 1);
    const stepTicks = state.first ? 0 : placed - state.lastDts;
    state.first = false;
    if (stepTicks > 0) state.step = rescale(ticks(stepTicks), base, MICROSECONDS);
    state.lastDts = placed;
    state.end = rescale(ticks(placed), base, MICROSECONDS) + Math.min(state.step, 1_000_000);
    // A decoding time that had to move takes its picture along only if there is no other way.
    let shown = Math.max(0, pts > dts ? Math.max(due + pts - dts, placed) : placed + pts - dts);
    // A time that comes twice stays one picture after the other.
    if (placed > due && shown === state.lastPts) shown++;
    state.lastPts = shown;
    return { dts: ticks(placed), pts: ticks(shown), jumped };
  }

  #newTrack(track: Track, sourceUs: number): TrackState {
    let era = this.#era!;
    const previous = this.#previousEra;
    if (previous !== undefined) {
      const end = this.end;
      if (Math.abs(sourceUs + previous.offset - end) < Math.abs(sourceUs + era.offset - end)) era = previous;
    }
    return {
      era,
      offsetTicks: rescale(ticks(era.offset), MICROSECONDS, track.timebase),
      lastDts: floor(track, this.#before.get(track.parameters.kind)?.lastDts),
      lastPts: Number.NEGATIVE_INFINITY,
      end: this.start,
      step: FIRST_STEP_US,
      first: true,
    };
  }

  /** Chooses the newest offset if it fits, else begins a new one. Returns true for a new one. */
  #jump(track: Track, state: TrackState, sourceUs: number): boolean {
    const newest = this.#era!;
    const ahead = sourceUs + newest.offset - state.end;
    const fits = newest !== state.era && ahead <= FORWARD_LIMIT_US && ahead >= -BACKWARD_LIMIT_US;
    if (!fits) {
      this.#previousEra = newest;
      this.#era = { offset: this.end - sourceUs };
    }
    this.#follow(track, state);
    return !fits;
  }

  /** True if a track that is on an older clock may have jumped, too, while it brought nothing. */
  #isNearer(state: TrackState, sourceUs: number): boolean {
    const newest = this.#era!;
    if (newest === state.era || sourceUs + newest.offset < state.end - BACKWARD_LIMIT_US) return false;
    const { end } = this;
    return Math.abs(sourceUs + newest.offset - end) < Math.abs(sourceUs + state.era.offset - end);
  }

  #follow(track: Track, state: TrackState): void {
    state.era = this.#era!;
    state.offsetTicks = rescale(ticks(state.era.offset), MICROSECONDS, track.timebase);
  }
}

function leftOff(kind: Kind, before: Before | undefined): { lastDts?: number; presentedTo?: number } {
  const lastDts = before?.lastDts(kind);
  const presentedTo = before?.presentedTo(kind);
  return { ...(lastDts !== undefined && { lastDts }), ...(presentedTo !== undefined && { presentedTo }) };
}

function floor(track: Track, lastUs: number | undefined): number {
  // Nothing lies before the stream's beginning, by not one tick of rounding.
  return lastUs === undefined ? -1 : rescale(ticks(lastUs), MICROSECONDS, track.timebase);
}
