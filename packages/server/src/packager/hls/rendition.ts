import type { Track } from '@onair/media';
import type { Block } from '../../hub/index.ts';
import type { CmafConfig } from '../cmaf/cmaf-log.ts';
import {
  type Boundary,
  type HlsInit,
  type HlsPart,
  type HlsSegment,
  OpenSegment,
  placeOf,
} from './segment.ts';
import { SegmentWindow, type WindowLimits } from './segment-window.ts';

/** How much earlier than in the leading quality a keyframe may stand in another, in µs: sources round differently. */
const KEYFRAME_SLACK_US = 50_000;

/** How a rendition is cut and kept at present: asked for with every block, so it is one object for all of them. */
export interface CutRule {
  /** PART-TARGET in µs. */
  partTarget(): number;
  limits(): WindowLimits;
  /** Longest that a segment may become, µs. */
  longest(): number;
  /** Blocks last as long as they say. */
  readonly steady: boolean;
}

/** How far a rendition is: the newest part listed, or the newest segment if it has no parts. */
export interface Progress {
  readonly msn: number;
  /** Index of the newest part within its segment; -1 for none. */
  readonly part: number;
}

/** Where a rendition stands; replaced as a whole when it changes. */
interface Progressing {
  /** Rises with every change of the playlist. */
  version: number;
  ended: boolean;
  nextPart: number;
  /** The part that was hinted at when the init segment changed, which never comes. */
  withdrawn: number | undefined;
}

/**
 * The segments and parts of one track across epochs. Knows nothing of requests and playlists.
 */
export class Rendition {
  /** Part of the addresses: `video`, `audio`, `audio-3`. */
  readonly name: string;
  /** Number of the first part it ever had. */
  readonly firstPart: number;
  readonly window = new SegmentWindow();
  /** The track in the running epoch; undefined if the epoch has none for this rendition. */
  track: Track | undefined;
  readonly #boundaries: Boundary[] = [];
  readonly #state: Progressing;
  readonly #now: () => number;
  readonly #changed: () => void;
  #init: { readonly epoch: number; readonly init: HlsInit } | undefined;
  #open: OpenSegment | undefined;

  /**
   * @param firstPart number of its first part. @param now monotonic ms.
   * @param changed called when the playlist has changed.
   */
  constructor(name: string, firstPart: number, now: () => number, changed: () => void) {
    this.name = name;
    this.firstPart = firstPart;
    this.#state = { version: 0, ended: false, nextPart: firstPart, withdrawn: undefined };
    this.#now = now;
    this.#changed = changed;
  }

  /** Rises with every change of the playlist; 0 while there is nothing to list. */
  get version(): number {
    return this.#state.version;
  }

  /** No segment will be added, unless {@link reopen} is called. */
  get ended(): boolean {
    return this.#state.ended;
  }

  /** The segment that is growing. */
  get open(): OpenSegment | undefined {
    return this.#open;
  }

  /** Number of the next part to be finished. */
  get nextPart(): number {
    return this.#open?.nextPart ?? this.#state.nextPart;
  }

  /**
   * Number of the part that a playlist hints at: the next one, unless the init segment has changed and no playlist can
   * tell it yet. Whoever fetches a hint puts it behind the init segment that was listed last.
   */
  get hint(): number {
    const { withdrawn } = this.#state;
    return this.nextPart - 1 === withdrawn ? withdrawn : this.nextPart;
  }

  /** The newest that is listed, or undefined while nothing is. */
  get progress(): Progress | undefined {
    const open = this.#open;
    if (open !== undefined && open.parts.length > 0) {
      return { msn: open.boundary.msn, part: open.parts.length - 1 };
    }
    const last = this.window.listed.at(-1);
    return last === undefined ? undefined : { msn: last.boundary.msn, part: last.parts.length - 1 };
  }

  /** µs of stream time where the last segment begins that grows or was announced; undefined for none. */
  get lastStart(): number | undefined {
    return this.#boundaries.at(-1)?.time ?? this.#open?.start;
  }

  /** Tells where a segment begins; it does once a block reaches that time. */
  bound(boundary: Boundary): void {
    this.#boundaries.push(boundary);
  }

  /** True if a segment was announced that no block has reached. */
  get announced(): boolean {
    return this.#boundaries.length > 0;
  }

  /**
   * Takes the next block.
   * @param hurry the segment that was announced next begins now, whatever the block is.
   */
  accept(block: Block<CmafConfig>, rule: CutRule, hurry = false): void {
    let hurried = hurry;
    for (let next = this.#boundaries[0]; next !== undefined; next = this.#boundaries[0]) {
      if (!this.#reaches(block, next)) {
        if (!hurried) break;
        hurried = false;
      }
      this.#boundaries.shift();
      const [after] = this.#boundaries;
      const at = placeOf(block);
      const skipped = after !== undefined && this.#reaches(block, after);
      const behind = this.#open?.empty === false ? at : Math.max(next.time, at);
      const first = skipped ? next.time : behind;
      // What comes is known to go on from the last block only if no segment lies between them.
      this.#begin(next, rule, first, rule.steady ? undefined : Math.min(block.time, next.time));
    }
    const open = this.#open;
    if (open === undefined) return;
    const before = open.parts.length;
    open.add(block, rule.partTarget(), rule.steady);
    if (open.parts.length > before) this.#change();
  }

  /** A segment without media begins: the epoch has no track for this rendition. */
  miss(boundary: Boundary, rule: CutRule): void {
    this.#begin(boundary, rule, boundary.time);
  }

  /** Ends the growing segment and all that were announced, so that numbers stay those of the other renditions. */
  close(end: number, rule: CutRule): void {
    for (const boundary of this.#boundaries.splice(0)) this.#begin(boundary, rule, boundary.time);
    // Nothing follows on: what has media ends with it.
    this.#finish(this.#open?.empty === false ? 0 : end, rule);
  }

  /** No more will come: EXT-X-ENDLIST. */
  end(): void {
    if (this.#state.ended) return;
    this.#state.ended = true;
    this.#change();
  }

  /** Goes on after {@link end}: what was listed leaves the playlist. */
  reopen(): void {
    if (!this.#state.ended) return;
    this.#state.ended = false;
    this.window.retireAll(this.#now());
    this.#change();
  }

  /** The init segment served under this name. */
  init(file: string): HlsInit | undefined {
    return this.#open?.init.file === file ? this.#open.init : this.window.init(file);
  }

  segment(msn: number): HlsSegment | undefined {
    return this.window.segment(msn);
  }

  /** A finished part. */
  part(number: number): HlsPart | undefined {
    const first = this.#open?.parts[0];
    return first !== undefined && number >= first.number
      ? this.#open!.parts[number - first.number]
      : this.window.part(number);
  }

  /** True if the segment that begins at a boundary begins with this block or before it. */
  #reaches(block: Block<CmafConfig>, boundary: Boundary): boolean {
    const at = placeOf(block);
    // Audio goes where most of it belongs.
    if (!block.video) return at + block.duration / 2 >= boundary.time;
    if (block.independent) return at + KEYFRAME_SLACK_US >= boundary.time;
    // Pictures of another quality wait for their own keyframe, but not beyond the next boundary.
    return at >= boundary.time && (boundary.forced || this.#isOverdue(at));
  }

  #isOverdue(at: number): boolean {
    const [, next] = this.#boundaries;
    return next !== undefined && at >= next.time;
  }

  /** @param first µs of stream time where the segment's media begin, or the segment if it has none. */
  #begin(boundary: Boundary, rule: CutRule, first: number, next?: number): void {
    this.#finish(first, rule, next);
    const was = this.#init?.init;
    const init = this.#initFor(boundary);
    if (was !== undefined && init !== was && this.hint === this.#state.nextPart) {
      this.#state.withdrawn = this.#state.nextPart++;
    }
    const before = boundary.discontinuity ? undefined : this.window.listed.at(-1)?.end;
    if (init !== undefined) this.#open = new OpenSegment(boundary, init, this.#state.nextPart, before);
  }

  #finish(end: number, rule: CutRule, next?: number): void {
    const open = this.#open;
    if (open === undefined) return;
    this.#open = undefined;
    // From now on a list tells the init segment that stands in front of the next part.
    this.#state.withdrawn = undefined;
    const segment = open.finish(end, next, rule.partTarget(), rule.longest());
    this.#state.nextPart = open.nextPart;
    this.window.push(segment, rule.limits(), this.#now());
    this.#change();
  }

  #initFor({ epoch, msn }: Boundary): HlsInit | undefined {
    if (this.#init?.epoch === epoch.number) return this.#init.init;
    const { track } = this;
    const bytes = track === undefined ? undefined : epoch.config.inits.get(track.id);
    if (track === undefined || bytes === undefined) return this.#init?.init;
    const init: HlsInit = { file: `i${msn}.mp4`, bytes, track };
    this.#init = { epoch: epoch.number, init };
    return init;
  }

  #change(): void {
    this.#state.version++;
    this.#changed();
  }
}
