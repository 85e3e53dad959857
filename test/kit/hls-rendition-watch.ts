import { setTimeout as sleep } from 'node:timers/promises';
import {
  checkCaching,
  checkDelta,
  checkDeltaBefore,
  checkHintAnswer,
  checkHinted,
  checkMediaPlaylist,
  checkPlaylistAnswer,
  checkReloaded,
  checkSharedAnswer,
  comparePlaylists,
  type Fault,
  type HlsAnswer,
  type MediaPlaylist,
  nextOf,
  type Part,
  parseMediaPlaylist,
  progressOf,
  type RemovedSegment,
  removedSegments,
  type SeenPlaylist,
  type Wish,
} from '@onair/media/hls';
import { askHls, resolveUri, withQuery } from './hls-ask.ts';
import type { HlsMediaReader } from './hls-media-reader.ts';

/** Every so many reloads, the same is asked for twice and as a delta update too. */
const COMPARE_EVERY = 4;
/** A machine that brings too few versions within this time brings none, in ms. */
const LONGEST_MS = 40_000;

/** How long parts that are listed, and were asked for before, may still take at the end. */
const HINT_PATIENCE_MS = 5000;
const PATIENCE_STEP_MS = 100;

interface Hint {
  answer: Promise<HlsAnswer | undefined>;
  /** Why there is no answer. */
  failure: string | undefined;
  listed: { readonly part: Part; readonly ms: number } | undefined;
}

/** What {@link RenditionWatch} is told. */
export interface WatchDeps {
  /** Of the media playlist, absolute. */
  readonly url: string;
  readonly media: HlsMediaReader;
  readonly found: (faults: readonly Fault[]) => void;
  /** Milliseconds that a busy machine may add. */
  readonly slackMs: () => number;
}

/** Follows one media playlist as the most demanding client would, and fetches everything it lists and hints at. */
export class RenditionWatch {
  /** Versions of the full playlist, in the order they came. */
  readonly seen: SeenPlaylist[] = [];
  readonly removed: RemovedSegment[] = [];
  readonly #deps: WatchDeps;
  readonly #hints = new Map<string, Hint>();
  readonly #stop = new AbortController();
  readonly #begun = performance.now();
  #reloads = 0;
  /** A delta update that the next full playlist is compared with. */
  #delta: MediaPlaylist | undefined;

  constructor(deps: WatchDeps) {
    this.#deps = deps;
  }

  get url(): string {
    return this.#deps.url;
  }

  get media(): HlsMediaReader {
    return this.#deps.media;
  }

  /** The newest version. @throws if there is none. */
  get last(): MediaPlaylist {
    const last = this.seen.at(-1);
    if (last === undefined) throw new Error(`${this.url}: no playlist was seen`);
    return last.playlist;
  }

  /** Seconds since it was followed. */
  get seconds(): number {
    return (performance.now() - this.#begun) / 1000;
  }

  /** Parts that were hinted at. */
  get hints(): number {
    return this.#hints.size;
  }

  /** Follows for `seconds` and until there are `versions`, or until the playlist ends. */
  async follow(seconds: number, versions: number): Promise<void> {
    const begin = performance.now();
    const goesOn = (): boolean => {
      const ms = performance.now() - begin;
      return ms < seconds * 1000 || (this.seen.length < versions && ms < LONGEST_MS);
    };
    while (goesOn() && this.seen.at(-1)?.playlist.endList !== true) {
      const last = this.seen.at(-1);
      const blocking = last?.playlist.serverControl?.canBlockReload === true;
      if (last !== undefined && !blocking) await sleep(last.playlist.targetDuration * 500);
      await this.#reload(blocking ? nextOf(last!.playlist) : undefined);
    }
    const there = [...this.#hints.values()].filter(({ listed }) => listed !== undefined);
    await Promise.race([Promise.all(there.map(({ answer }) => answer)), patience(HINT_PATIENCE_MS)]);
    this.#stop.abort();
    await this.#judgeHints();
    await this.#deps.media.settled();
  }

  async #reload(wish: Wish | undefined): Promise<void> {
    const url = wish === undefined ? this.url : withQuery(this.url, wishQuery(wish));
    const compares = wish !== undefined && ++this.#reloads % COMPARE_EVERY === 0;
    const shared = compares ? askHls(url) : undefined;
    const skip = this.#reloads % (2 * COMPARE_EVERY) === 0 ? 'YES' : 'v2';
    const delta = compares ? askHls(withQuery(url, `_HLS_skip=${skip}`)) : undefined;
    const answer = await askHls(url);
    const { faults, playlist: parsed } = checkPlaylistAnswer(answer);
    this.#deps.found(faults);
    if (parsed?.kind !== 'media') {
      await sleep(200);
      return;
    }
    const playlist = parsed.media;
    this.#deps.found([
      ...checkMediaPlaylist(playlist),
      ...checkHinted(url, playlist),
      ...(isBeyond(playlist, wish) ? [] : checkCaching(answer, playlist.targetDuration, wish)),
      ...(wish === undefined ? [] : checkReloaded(answer, wish, playlist)),
    ]);
    if (this.#delta !== undefined) this.#deps.found(checkDeltaBefore(this.#delta, playlist));
    this.#delta = undefined;
    this.#take(playlist, answer);
    if (shared !== undefined) {
      const other = checkPlaylistAnswer(await shared);
      this.#deps.found(other.faults);
      if (other.playlist?.kind === 'media') {
        this.#deps.found(checkSharedAnswer(url, playlist, other.playlist.media));
      }
    }
    if (delta !== undefined) this.#judgeDelta(playlist, await delta);
  }

  #take(playlist: MediaPlaylist, { askedMs, answeredMs }: HlsAnswer): void {
    const before = this.seen.at(-1);
    if (before !== undefined) {
      this.#deps.found(comparePlaylists(before.playlist, playlist));
      this.removed.push(...removedSegments(before.playlist, playlist, before.askedMs));
    }
    this.seen.push({ playlist, askedMs, answeredMs });
    this.#noteHints(playlist, answeredMs);
    const { media } = this.#deps;
    const from = playlist.mediaSequence + (playlist.skip?.skippedSegments ?? 0);
    const { targetDuration, partTarget = Number.POSITIVE_INFINITY } = playlist;
    for (const [i, segment] of playlist.segments.entries()) {
      media.parts(segment.parts, segment.map, partTarget, (part) => this.#hinted(part));
      media.segment(from + i, segment, targetDuration);
    }
    const { pending } = playlist;
    if (pending !== undefined) {
      media.parts(pending.parts, pending.map, partTarget, (part) => this.#hinted(part));
    }
  }

  #noteHints(playlist: MediaPlaylist, ms: number): void {
    const parts = [...playlist.segments.flatMap(({ parts: own }) => own), ...(playlist.pending?.parts ?? [])];
    for (const part of parts) {
      const hint = this.#hints.get(part.uri);
      if (hint !== undefined) hint.listed ??= { part, ms };
    }
    for (const { type, uri } of playlist.preloadHints) {
      if (type !== 'PART' || this.#hints.has(uri)) continue;
      const hint: Hint = { answer: Promise.resolve(undefined), listed: undefined, failure: undefined };
      hint.answer = askHls(resolveUri(uri, this.url), this.#stop.signal).catch((error) => {
        hint.failure = error instanceof Error ? `${error.message} ${error.cause ?? ''}` : String(error);
        return undefined;
      });
      this.#hints.set(uri, hint);
    }
  }

  /** The bytes of a part that was asked for before it was there. */
  #hinted({ uri }: Part): Promise<HlsAnswer | undefined> | undefined {
    return this.#hints.get(uri)?.answer;
  }

  async #judgeHints(): Promise<void> {
    for (const [uri, hint] of this.#hints) {
      const came = await hint.answer;
      const { listed, failure } = hint;
      if (listed === undefined) continue;
      const nothing = {
        url: `${uri} (${failure})`,
        status: 0,
        headers: new Map(),
        body: new Uint8Array(),
        askedMs: 0,
      };
      const judged = came ?? { ...nothing, answeredMs: performance.now() };
      this.#deps.found(checkHintAnswer(judged, listed.part, listed.ms, this.#deps.slackMs()));
    }
  }

  #judgeDelta(full: MediaPlaylist, answer: HlsAnswer): void {
    const { faults, playlist } = checkPlaylistAnswer(answer);
    this.#deps.found(faults);
    if (playlist?.kind !== 'media') return;
    this.#delta = playlist.media;
    this.#deps.found([...checkMediaPlaylist(playlist.media), ...checkDelta(full, playlist.media)]);
  }
}

/**
 * Waits for `ms`, in which answers can be read: of a time in which this process stands still, as on a busy machine, a
 * step counts, or the end would come before what has arrived meanwhile is looked at.
 */
async function patience(ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= PATIENCE_STEP_MS) await sleep(PATIENCE_STEP_MS);
}

/** True if `playlist` lists more than was wished for: the request came late. */
function isBeyond(playlist: MediaPlaylist, wish: Wish | undefined): boolean {
  if (wish === undefined) return false;
  const { msn, part } = progressOf(playlist);
  return msn > wish.msn || part > (wish.part ?? 0);
}

/** `_HLS_msn` and `_HLS_part` of a wish. */
export function wishQuery({ msn, part }: Wish): string {
  return part === undefined ? `_HLS_msn=${msn}` : `_HLS_msn=${msn}&_HLS_part=${part}`;
}

/** The media playlist behind `url` as it stands, or a later one. @throws if it is none. */
export async function plainPlaylist(url: string): Promise<MediaPlaylist> {
  return parseMediaPlaylist((await askHls(url)).body);
}
