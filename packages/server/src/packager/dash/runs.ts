import type { Boundary, HlsSegment, OpenSegment } from '../hls/index.ts';

/** A gap or overlap between two runs that is taken for jitter of the clock, in seconds. */
const JITTER_S = 0.25;

/** A segment as far as its place counts: finished or growing. */
export type Placed = HlsSegment | OpenSegment;

/** Media without a break: from one discontinuity to the next. Becomes a Period. */
export interface Run {
  /** `Period@id`: never given twice. */
  readonly id: string;
  /** Number of the discontinuity it begins with. */
  readonly discontinuities: number;
  /** µs of stream time where it begins. */
  readonly origin: number;
  /** Seconds from availabilityStartTime to `origin`. */
  readonly start: number;
  /** Names of the renditions it has; no other is added later. */
  readonly renditions: readonly string[];
}

/** Where a run stands before it was shown to anybody. */
interface Draft {
  readonly first: Boundary;
  readonly origin: number;
  /** Smallest difference of arrival and stream time, in ms: what arrived with the least delay. */
  offset: number;
}

/**
 * Places the runs of a stream on the presentation's time, which is the wall clock since {@link Runs.epochMs}. Once a run was
 * shown it stays where it is. A run begins when its media would have arrived without delay, so that nothing is said
 * to be available before it is; runs never overlap.
 */
export class Runs {
  readonly #drafts = new Map<number, Draft>();
  readonly #shown = new Map<number, Run>();
  #epochMs: number | undefined;

  /**
   * availabilityStartTime, ms since the Unix epoch; settled with the first run that is shown, which begins then: there
   * are players (GStreamer 1.22) that count the start of a period twice.
   */
  get epochMs(): number {
    return this.#epochMs ?? 0;
  }

  /** Notes the run that a segment of the leading rendition belongs to. */
  note({ boundary, span }: Placed): void {
    const { discontinuities, anchor } = boundary;
    if (this.#drafts.has(discontinuities) || this.#shown.has(discontinuities)) return;
    const offset = anchor.wallMs - anchor.time / 1000;
    this.#drafts.set(discontinuities, { first: boundary, origin: span.start, offset });
  }

  /** Notes when media arrived. @param time µs of stream time. @param wallMs ms since the Unix epoch. */
  arrived(discontinuities: number, time: number, wallMs: number): void {
    const draft = this.#drafts.get(discontinuities);
    if (draft !== undefined) draft.offset = Math.min(draft.offset, wallMs - time / 1000);
  }

  /** Names of the renditions of a run that was shown: one that comes later must not keep it from being shown. */
  renditionsOf(discontinuities: number): readonly string[] | undefined {
    return this.#shown.get(discontinuities)?.renditions;
  }

  /** The run, placed for good. @param before the run in front of it and the µs of stream time where that ends. */
  show(
    discontinuities: number,
    renditions: readonly string[],
    before: { readonly run: Run; readonly end: number } | undefined,
  ): Run | undefined {
    const known = this.#shown.get(discontinuities);
    const draft = this.#drafts.get(discontinuities);
    if (known !== undefined || draft === undefined) return known;
    const wallMs = draft.offset + draft.origin / 1000;
    this.#epochMs ??= Math.floor(wallMs);
    let start = Math.max(0, (wallMs - this.#epochMs) / 1000);
    if (before !== undefined) {
      const earliest = before.run.start + (before.end - before.run.origin) / 1_000_000;
      if (start < earliest + JITTER_S) start = earliest;
    }
    const run: Run = {
      id: `p${draft.first.msn}`,
      discontinuities,
      origin: draft.origin,
      start: Math.round(start * 1_000_000) / 1_000_000,
      renditions,
    };
    this.#drafts.delete(discontinuities);
    this.#shown.set(discontinuities, run);
    return run;
  }

  /** Forgets runs before this discontinuity. */
  forget(before: number): void {
    for (const runs of [this.#drafts, this.#shown]) {
      for (const discontinuities of runs.keys()) if (discontinuities < before) runs.delete(discontinuities);
    }
  }
}
