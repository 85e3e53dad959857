import { createHash } from 'node:crypto';
import type { Sample } from '@onair/media';
import { concatBytes } from '@onair/media/bytes';
import { writeMediaPlaylist, writeMultivariantPlaylist } from '@onair/media/hls';
import type { Clock, Packager, PackagerKind, Stream, StreamState } from '../../hub/index.ts';
import { type HlsPackager, PlaylistBody } from '../hls/index.ts';
import type { HlsSegment } from '../hls/segment.ts';
import { eventTags } from './event-tags.ts';
import { tsMediaPlaylist, tsMultivariantPlaylist } from './ts-playlist.ts';
import { type TimedTags, TsConverter, type TsSegment, type TsSources } from './ts-segment.ts';
import { chooseTracks, type TsChoice } from './ts-tracks.ts';

/** Everything is let go of when nobody has asked for so long, in milliseconds. */
export const RELEASE_AFTER_MS = 60_000;
/** A segment goes without the audio that is still missing if that is so far behind the video, in µs, and none has come for as long. */
const AUDIO_ABSENT_US = 2_000_000;

/** Segments that the first playlist of a stream is held back for: there are players that get lost in a shorter one. */
const FULL_SEGMENTS = 3;
/** How long it is held back for that, in ms: players give up after 10 s. */
const FULL_AFTER_MS = 7_000;

/** How waiting ended: the playlist has something to list, time is up, or there is no room. */
export type TsWaitResult = 'ready' | 'late' | 'full';

/** What a stream's transport stream is made of. */
export interface TsOptions {
  /** Requests that may wait for the first segment of one stream. */
  readonly maxWaiters: number;
  /** ID3 tags of a stream; its timed events if left out. */
  readonly tags?: (stream: Stream) => TimedTags;
}

/** What exists only while somebody asks. */
interface Shelf {
  readonly converter: TsConverter;
  /** By media sequence number, oldest first. */
  readonly made: Map<number, TsSegment>;
  /** Number of the last that was made. */
  last: number | undefined;
  /** Monotonic ms of the first request. */
  readonly since: number;
}

interface Waiter {
  readonly settle: (result: TsWaitResult) => void;
  readonly cancel: () => void;
}

/**
 * HLS with MPEG-TS: the segments of the fragmented MP4 output, video and audio in one file, under the same numbers
 * and times. Made when somebody asks, each once; let go of when nobody does any more.
 */
export class TsPackager implements Packager {
  readonly #stream: Stream;
  readonly #hls: HlsPackager;
  readonly #clock: Clock;
  readonly #options: () => TsOptions;
  readonly #waiters = new Set<Waiter>();
  readonly #rendered = new Map<string, { readonly state: string; readonly body: PlaylistBody }>();
  #shelf: Shelf | undefined;
  #lastAsked = 0;
  /** Monotonic ms when audio came last. */
  #lastSound = 0;
  #cancelRelease: (() => void) | undefined;
  #cancelWork: (() => void) | undefined;

  constructor(stream: Stream, hls: HlsPackager, clock: Clock, options: () => TsOptions) {
    this.#stream = stream;
    this.#hls = hls;
    this.#clock = clock;
    this.#options = options;
  }

  /** Codec of the running epoch that a transport stream does not carry. */
  get refused(): string | undefined {
    const choice = chooseTracks(this.#hls.tracks);
    return 'refused' in choice ? choice.refused : undefined;
  }

  /** Segments kept at present. */
  get size(): number {
    return this.#shelf?.made.size ?? 0;
  }

  /** The multivariant playlist; undefined while there is nothing to list. @param uri of the media playlist. */
  multivariant(uri: string): PlaylistBody | undefined {
    const listed = this.#listed();
    const last = listed?.at(-1);
    const choice = last === undefined ? undefined : chooseTracks(last.boundary.epoch.tracks);
    if (listed === undefined || choice === undefined || 'refused' in choice) return undefined;
    return this.#render(`multivariant ${uri}`, String(last!.boundary.msn), () =>
      writeMultivariantPlaylist(tsMultivariantPlaylist(listed, choice, uri)),
    );
  }

  /** The media playlist; undefined while there is nothing to list. @param dated with EXT-X-PROGRAM-DATE-TIME. */
  playlist(dated = true): PlaylistBody | undefined {
    const listed = this.#listed();
    if (listed === undefined) return undefined;
    const ended = this.#ended;
    const state = `${listed[0]!.boundary.msn} ${listed.at(-1)!.boundary.msn} ${ended}`;
    return this.#render(dated ? 'dated' : 'undated', state, () =>
      writeMediaPlaylist(tsMediaPlaylist(listed, this.#hls.targetDuration, ended, dated)),
    );
  }

  /** The segment with this media sequence number: its bytes, or whether it was here or never was. */
  segment(msn: number): Uint8Array | 'gone' | 'unknown' {
    this.#catchUp();
    const shelf = this.#shelf!;
    // Whoever kept an address while everything was let go of.
    while (this.#leading(msn) !== undefined && (shelf.last ?? 0) < msn && this.#makeNext(shelf));
    const segment = shelf.made.get(msn);
    if (segment !== undefined && !segment.gap) return segment.bytes;
    return segment === undefined && msn < (shelf.last ?? 0) ? 'gone' : 'unknown';
  }

  /**
   * Calls `settle` once: as soon as the playlists list enough to begin with, or when time is up. It must not throw.
   * @returns takes the call back.
   */
  whenListed(settle: (result: TsWaitResult) => void): () => void {
    if (this.#servable()) {
      settle('ready');
      return () => {};
    }
    if (this.#waiters.size >= this.#options().maxWaiters) {
      settle('full');
      return () => {};
    }
    const waiter: Waiter = {
      settle: (result) => {
        if (!this.#waiters.delete(waiter)) return;
        waiter.cancel();
        settle(result);
      },
      cancel: this.#clock.after(Math.max(FULL_AFTER_MS, this.#hls.patienceMs), () =>
        waiter.settle(this.#listed() === undefined ? 'late' : 'ready'),
      ),
    };
    this.#waiters.add(waiter);
    return () => {
      if (this.#waiters.delete(waiter)) waiter.cancel();
    };
  }

  cut(): void {
    this.#check();
  }

  sample({ track }: Sample): void {
    if (track.parameters.kind === 'audio') this.#lastSound = this.#clock.now();
    this.#check();
  }

  state(_state: StreamState): void {
    this.#check();
  }

  close(): void {
    for (const waiter of [...this.#waiters]) waiter.settle('late');
    this.#release();
  }

  /** Lets those go who wait, if there is something for them now. */
  #check(): void {
    if (this.#waiters.size === 0 || !this.#servable()) return;
    for (const waiter of [...this.#waiters]) waiter.settle('ready');
  }

  /** True if there is a list that players can begin with, or no better one to be waited for. */
  #servable(): boolean {
    const listed = this.#listed();
    if (listed === undefined) return false;
    if (listed.length >= FULL_SEGMENTS || this.#stream.state !== 'live') return true;
    return this.#clock.now() - this.#shelf!.since >= FULL_AFTER_MS;
  }

  /** What the playlist lists, or undefined if that is nothing or not all of it is made yet. */
  #listed(): TsSegment[] | undefined {
    if (!this.#catchUp()) return undefined;
    const { made, last = 0 } = this.#shelf!;
    let listed: TsSegment[] = [];
    for (const { boundary } of this.#leaders()) {
      const segment = made.get(boundary.msn);
      // Numbers must follow one another: what led another epoch may be listed for longer than what came behind it.
      const follows = listed.at(-1)?.boundary.msn === boundary.msn - 1;
      if (segment === undefined ? boundary.msn < last : !follows) listed = [];
      if (segment !== undefined) listed.push(segment);
    }
    return listed.length === 0 ? undefined : this.#lengthened(listed, made);
  }

  /**
   * What the last segments wait for is not made yet: until it is, older ones stay, so that three target durations are
   * listed (RFC 8216 §6.2.2).
   */
  #lengthened(listed: readonly TsSegment[], made: ReadonlyMap<number, TsSegment>): TsSegment[] {
    const list = [...listed];
    let missing = 3_000_000 * (this.#hls.settledTarget ?? 0);
    for (const { duration } of listed) missing -= duration;
    for (let before = made.get(list[0]!.boundary.msn - 1); before !== undefined && missing > 0; ) {
      list.unshift(before);
      missing -= before.duration;
      before = made.get(before.boundary.msn - 1);
    }
    return list;
  }

  /**
   * Makes what has become possible since the last request: one segment now, further ones in turns of their own, so
   * that a first request does not hold up everything else. @returns true if nothing is left to be made.
   */
  #catchUp(): boolean {
    this.#asked();
    this.#shelf ??= {
      converter: new TsConverter((this.#options().tags ?? eventTags)(this.#stream)),
      made: new Map(),
      last: undefined,
      since: this.#clock.now(),
    };
    const shelf = this.#shelf;
    for (const msn of shelf.made.keys()) if (this.#leading(msn) === undefined) shelf.made.delete(msn);
    if (this.#cancelWork !== undefined) return false;
    if (!this.#makeNext(shelf)) return true;
    if (this.#next(shelf) === undefined) return true;
    this.#cancelWork = this.#clock.soon(() => {
      this.#cancelWork = undefined;
      this.#catchUp();
      this.#check();
    });
    return false;
  }

  #makeNext(shelf: Shelf): boolean {
    const next = this.#next(shelf);
    if (next === undefined) return false;
    const { msn } = next.sources.leader.boundary;
    shelf.made.set(msn, shelf.converter.convert(next.sources, next.choice));
    shelf.last = msn;
    return true;
  }

  /** The segment to be made next, if all of it is there. */
  #next(shelf: Shelf): { readonly sources: TsSources; readonly choice: TsChoice } | undefined {
    const leaders = this.#leaders();
    for (const segment of leaders) {
      const { msn, epoch } = segment.boundary;
      if (shelf.last !== undefined && msn <= shelf.last) continue;
      const choice = chooseTracks(epoch.tracks);
      if ('refused' in choice) continue;
      const sources = this.#sources(segment, choice, leaders);
      return sources === undefined ? undefined : { sources, choice };
    }
    return undefined;
  }

  /** The parts of one segment, or undefined while one of them may still come. */
  #sources(leader: HlsSegment, choice: TsChoice, leaders: readonly HlsSegment[]): TsSources | undefined {
    const { msn } = leader.boundary;
    const video = choice.video === undefined ? undefined : this.#hls.rendition('video')?.segment(msn);
    const sound = choice.audio === undefined ? undefined : this.#hls.rendition(choice.audioName);
    const audio = sound?.segment(msn);
    if (sound === undefined || audio !== undefined || this.#ended) return { leader, video, audio };
    if (this.#awaitsAudio(leader, leaders)) return undefined;
    // Sound that stopped leaves the segment open in which it did.
    const { open } = sound;
    return {
      leader,
      video,
      audio: open?.boundary.msn === msn ? { bytes: concatBytes(open.chunks) } : undefined,
    };
  }

  /** True while the audio of a segment may still come, and the segment need not be listed before. */
  #awaitsAudio(leader: HlsSegment, leaders: readonly HlsSegment[]): boolean {
    if (leaders.at(-1)!.end - leader.end < AUDIO_ABSENT_US) return true;
    const silent = (this.#clock.now() - this.#lastSound) * 1000 >= AUDIO_ABSENT_US;
    const leaves = leader === leaders[0] && leaders.length >= this.#hls.options.windowSegments;
    return !silent && !leaves;
  }

  /** True if no segment will be added. */
  get #ended(): boolean {
    return this.#hls.current.length > 0 && this.#hls.current.every(({ ended }) => ended);
  }

  /**
   * The segments that are listed, those of pictures where there are any and else of sound: which of both leads may change
   * with each epoch, and what was listed must not leave for that.
   */
  #leaders(): HlsSegment[] {
    const found: HlsSegment[] = [];
    for (const { name, window } of this.#hls.renditions) {
      for (const segment of window.listed) if (leaderOf(segment) === name) found.push(segment);
    }
    return found.sort((a, b) => a.boundary.msn - b.boundary.msn);
  }

  /** The segment of the leading rendition with this number, listed or still kept. */
  #leading(msn: number): HlsSegment | undefined {
    for (const { name, window } of this.#hls.renditions) {
      const segment = window.segment(msn);
      if (segment !== undefined && leaderOf(segment) === name) return segment;
    }
    return undefined;
  }

  #render(kind: string, state: string, write: () => string): PlaylistBody {
    const known = this.#rendered.get(kind);
    if (known?.state === state) return known.body;
    const text = write();
    const tag = createHash('sha256').update(text).digest('base64url').slice(0, 16);
    const body = new PlaylistBody(text, tag);
    this.#rendered.set(kind, { state, body });
    return body;
  }

  #asked(): void {
    this.#lastAsked = this.#clock.now();
    this.#cancelRelease ??= this.#clock.after(RELEASE_AFTER_MS, () => this.#idle());
  }

  #idle(): void {
    this.#cancelRelease = undefined;
    const left = this.#lastAsked + RELEASE_AFTER_MS - this.#clock.now();
    if (left > 0) this.#cancelRelease = this.#clock.after(left, () => this.#idle());
    else this.#release();
  }

  #release(): void {
    this.#cancelRelease?.();
    this.#cancelRelease = undefined;
    this.#cancelWork?.();
    this.#cancelWork = undefined;
    this.#shelf = undefined;
    this.#rendered.clear();
  }
}

/** Name of the rendition that a segment is led by. */
function leaderOf({ boundary }: HlsSegment): string | undefined {
  const choice = chooseTracks(boundary.epoch.tracks);
  if ('refused' in choice) return undefined;
  return choice.video === undefined ? choice.audioName : 'video';
}

/** The kind of packager under which a stream shares its transport stream; one object per process. */
export function tsPackagerKind(
  hls: PackagerKind<HlsPackager>,
  clock: Clock,
  options: () => TsOptions,
): PackagerKind<TsPackager> {
  return { name: 'ts', create: (stream) => new TsPackager(stream, stream.packager(hls), clock, options) };
}
