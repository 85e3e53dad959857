import { createHash } from 'node:crypto';
import { decodeEvent, type Sample, type StreamName, type Track } from '@onair/media';
import { type RenditionReport, writeMediaPlaylist, writeMultivariantPlaylist } from '@onair/media/hls';
import type {
  Block,
  Clock,
  ClockAnchor,
  Cut,
  LogReader,
  Packager,
  PackagerKind,
  StreamState,
} from '../../hub/index.ts';
import type { CmafConfig } from '../cmaf/cmaf-log.ts';
import type { CmafPackager } from '../cmaf/cmaf-packager.ts';
import { Bitrates } from './bitrates.ts';
import { DateRanges } from './date-ranges.ts';
import { Desks } from './desks.ts';
import { tellEvent } from './event-range.ts';
import { mediaPlaylist, type SkipWish } from './media-playlist.ts';
import { multivariantPlaylist } from './multivariant.ts';
import type { HlsOptions } from './options.ts';
import { PlaylistBody } from './playlist-body.ts';
import { isListed, isTooFarAhead, type ReloadWish } from './reload.ts';
import type { Rendition } from './rendition.ts';
import { Segmenter } from './segmenter.ts';
import { type StopWaiting, Waiters, type WaitResult } from './waiters.ts';

/** A publisher's clock may jump without breaking a playlist if media and wall clock still agree within this, in ms. */
const SAME_CLOCK_MS = 500;

/** How long the first playlist of a rendition is held back for its first whole segment, in ms: hls.js waits 10 s. */
const FIRST_SEGMENT_MS = 9_000;

/** How long it is waited for a track that was announced, e.g. sound that is turned into another codec, in ms. */
const SILENT_TRACK_MS = 2_500;

/**
 * How long after the beginning a rendition is waited for that lists less than the leading one, in ms: sound of the past
 * that is turned into another codec comes bit by bit. Chromium's own player ends where its list is shorter.
 */
const CATCH_UP_MS = 6_000;

/** Segments with which a rendition is far enough, whatever the leading one lists, and whoever asks can begin. */
const ENOUGH = 3;

/** Part of the wished length below which a stream's first segment is not enough to begin with. */
const SHORT = 0.5;

/** What is known of the publisher. */
interface Source {
  /** The cut that the next block comes after. */
  pending: { readonly anchor: ClockAnchor; readonly discontinuity: boolean } | undefined;
  place: { readonly epoch: number; readonly anchor: ClockAnchor } | undefined;
  /** It was gone since the last cut. */
  away: boolean;
}

/** What a request for a part finds: the bytes, a part that is coming, one that is no longer kept, or nothing. */
export type PartState = Uint8Array | 'coming' | 'gone' | 'unknown';

/**
 * Cuts the CMAF chunks of a stream into parts and segments, one rendition per track, and writes their playlists.
 * Nothing is serialised again: a segment is its chunks one after the other.
 */
export class HlsPackager implements Packager, LogReader<CmafConfig> {
  /** Date ranges of all its playlists: where timed events are added. */
  readonly dateRanges: DateRanges;
  readonly #cmaf: CmafPackager;
  readonly #clock: Clock;
  /** When it began, in ms of the clock. */
  readonly #since: number;
  readonly #options: () => HlsOptions;
  readonly #segmenter: Segmenter;
  readonly #bitrates: Bitrates;
  readonly #desks: Desks;
  readonly #unfollow: () => void;
  readonly #source: Source = { pending: undefined, place: undefined, away: false };

  /** @param warn tells the publisher what to change. */
  constructor(
    cmaf: CmafPackager,
    clock: Clock,
    options: () => HlsOptions,
    warn: (code: string, text: string) => void,
  ) {
    this.#cmaf = cmaf;
    this.#clock = clock;
    this.#since = clock.now();
    this.#options = options;
    this.#bitrates = new Bitrates(() => options().segmentMs);
    this.#desks = new Desks(() => new Waiters(clock, () => options().maxWaiters));
    this.dateRanges = new DateRanges(() => clock.now());
    this.#segmenter = new Segmenter(clock, options, {
      changed: ({ name }) => this.#desks.changed(name),
      steady: (track) => cmaf.frameRate(track) !== undefined,
      keyframeMissing: (seconds) => warn('KEYFRAMES_RARE', rareKeyframes(seconds, options().segmentMs)),
    });
    this.#unfollow = cmaf.log.follow(this);
  }

  /** Wall-clock time of a place in the stream, in ms since the Unix epoch. @param time stream time in µs. */
  dateOf(time: number): number | undefined {
    return this.#segmenter.timeline.clock?.dateOf(time);
  }

  /** A rendition by name. */
  rendition(name: string): Rendition | undefined {
    return this.#segmenter.rendition(name);
  }

  /** The renditions of the running epoch, the leading one first. */
  get current(): readonly Rendition[] {
    return this.#segmenter.current;
  }

  /** Tracks of the running epoch, those without rendition included; none before the first. */
  get tracks(): readonly Track[] {
    return this.#cmaf.tracks;
  }

  /** Every rendition there ever was. */
  get renditions(): readonly Rendition[] {
    return this.#segmenter.renditions;
  }

  /** How the stream is cut. */
  get options(): HlsOptions {
    return this.#options();
  }

  /** Milliseconds a request may wait: three target durations. RFC 8216bis §6.2.5.2. */
  get patienceMs(): number {
    const { target } = this.#segmenter.timeline;
    return 3000 * (target ?? Math.max(1, Math.round(this.#options().segmentMs / 1000)));
  }

  /** Seconds of EXT-X-TARGETDURATION. */
  get targetDuration(): number {
    return this.#segmenter.settleTarget();
  }

  /** Seconds of EXT-X-TARGETDURATION, if a playlist was shown. */
  get settledTarget(): number | undefined {
    return this.#segmenter.timeline.target;
  }

  /** Requests that wait at present. */
  get waiting(): number {
    return this.#desks.waiting;
  }

  /**
   * The multivariant playlist, or undefined while some rendition has nothing to list.
   * @param base in front of each address, e.g. `hls/`.
   */
  multivariant(base: string): PlaylistBody | undefined {
    if (!this.#complete()) return undefined;
    const { current, independent } = this.#segmenter;
    const renditions = current.filter(({ progress }) => progress !== undefined);
    const frameRate = ({ id }: Track): number | undefined => this.#cmaf.frameRate(id);
    const figures = { frameRate, bitrate: (rendition: Rendition) => this.#bitrates.of(rendition) };
    return newBody(writeMultivariantPlaylist(multivariantPlaylist(renditions, figures, independent, base)));
  }

  /** Waits until {@link multivariant} has something to tell. */
  whenReady(settle: (result: WaitResult) => void): StopWaiting {
    return this.#desks.lobby.hold(() => this.#complete(), this.patienceMs, settle);
  }

  /** The playlist of a rendition, rendered once per change whoever asks; undefined while nothing is listed. */
  playlist(name: string, skip: SkipWish = 'no'): PlaylistBody | undefined {
    const rendition = this.#segmenter.rendition(name);
    if (rendition?.progress === undefined) return undefined;
    return this.#desks.of(name).text(
      skip,
      this.#desks.changes + this.dateRanges.version,
      () => this.#shown(rendition),
      () => {
        const targets = { target: this.#segmenter.settleTarget(), partTarget: this.#segmenter.partTarget };
        const playlist = mediaPlaylist(rendition, targets, this.#reports(rendition), this.dateRanges, skip);
        return newBody(writeMediaPlaylist(playlist));
      },
    );
  }

  /**
   * Waits until the playlist of a rendition lists a whole segment: there are players that take a list without one
   * for broken. One that a stream began with in the middle is too short for that. After a while they get what there is.
   * @param full waits for three: RFC 8216 §6.3.3 lets players begin three target durations from the end, and Chromium's
   *   own gives up where it has played a shorter list before the next version comes.
   */
  whenListed(name: string, full: boolean, settle: (result: WaitResult) => void): StopWaiting {
    const least = full ? ENOUGH : 1;
    const ready = (): boolean => {
      const rendition = this.rendition(name);
      if (rendition === undefined || rendition.ended) return true;
      const { listed } = rendition.window;
      if (listed.length === 1 && listed[0]!.duration < SHORT * this.#options().segmentMs * 1000) return false;
      return listed.length >= least && !this.#isBehind(rendition);
    };
    return this.#desks
      .of(name)
      .waiters.hold(ready, FIRST_SEGMENT_MS, (result) =>
        settle(result === 'late' && this.rendition(name)?.progress !== undefined ? 'ready' : result),
      );
  }

  /** True if what is wished for lies so far ahead that it must be a mistake. RFC 8216bis §6.2.5.2. */
  isTooFarAhead(name: string, wish: ReloadWish): boolean {
    const rendition = this.rendition(name);
    const advance = Math.max(3, Math.ceil(3_000_000 / this.#segmenter.partTarget));
    return rendition === undefined || isTooFarAhead(rendition, wish, advance);
  }

  /** True if the playlist of a rendition has what is wished for, or never will. */
  hasListed(name: string, wish: ReloadWish): boolean {
    const rendition = this.rendition(name);
    return rendition === undefined || isListed(rendition, wish);
  }

  /** Waits until the playlist of a rendition has what is wished for. */
  whenReloaded(name: string, wish: ReloadWish, settle: (result: WaitResult) => void): StopWaiting {
    const ready = (): boolean => this.hasListed(name, wish);
    return this.#desks.of(name).waiters.hold(ready, this.patienceMs, settle);
  }

  /** What there is under a part's number. */
  part(name: string, number: number): PartState {
    const rendition = this.rendition(name);
    if (rendition === undefined) return 'unknown';
    const part = rendition.part(number);
    if (part !== undefined) return part.bytes;
    if (number === rendition.hint && !rendition.ended && rendition.track !== undefined) return 'coming';
    return number < rendition.nextPart && number >= rendition.firstPart ? 'gone' : 'unknown';
  }

  /** Waits for a part that is {@link part | coming}. */
  whenPart(name: string, number: number, settle: (result: WaitResult) => void): StopWaiting {
    const ready = (): boolean => this.part(name, number) !== 'coming';
    return this.#desks.of(name).waiters.hold(ready, this.patienceMs, settle);
  }

  cut({ anchor, epoch }: Cut): void {
    const source = this.#source;
    const before = source.place;
    if (before === undefined) {
      this.#source.away = false;
      this.#source.pending = { anchor, discontinuity: false };
      this.#prime();
      return;
    }
    const drift = anchor.wallMs - before.anchor.wallMs - (anchor.time - before.anchor.time) / 1000;
    const goesOn = epoch.number === before.epoch && Math.abs(drift) <= SAME_CLOCK_MS;
    if (goesOn && !this.#source.away) return;
    this.#segmenter.closeSegments();
    this.#source.away = false;
    this.#source.pending = { anchor, discontinuity: true };
  }

  /** Media come through the log of chunks, events here. */
  sample(sample: Sample): void {
    if (sample.track.parameters.kind !== 'data') return;
    const event = decodeEvent(sample.data);
    if (event !== undefined) tellEvent(this.dateRanges, event, (time) => this.dateOf(time));
  }

  state(state: StreamState): void {
    if (state !== 'waiting' && state !== 'ended') return;
    this.#source.away = true;
    if (state === 'waiting') this.#segmenter.closeSegments();
    else this.#segmenter.end();
  }

  appended(block: Block<CmafConfig>): void {
    if (block.kind !== 'media') return;
    const pending = this.#source.pending;
    if (pending !== undefined) {
      this.#source.pending = undefined;
      this.#desks.replaced();
      this.#source.place = { epoch: block.epoch.number, anchor: pending.anchor };
      this.#segmenter.place(block.epoch, pending.anchor, pending.discontinuity);
    }
    this.#segmenter.block(block);
  }

  ended(): void {
    // The stream's state says it too, and is the one that counts.
  }

  close(): void {
    this.#unfollow();
    this.#segmenter.end();
    this.#desks.close();
    this.#segmenter.clear();
  }

  /** Begins with what the log still has of the running epoch, from its first keyframe on. */
  #prime(): void {
    const { log } = this.#cmaf;
    const begun = new Set<number>();
    const newest = log.at(log.end - 1);
    let from = log.end;
    for (let seq = log.end - 1; seq >= log.start; seq--) {
      const block = log.at(seq)!;
      if (block.kind === 'config' || block.epoch !== newest?.epoch || begun.has(block.track)) break;
      if (block.independent) from = seq;
      if (block.discontinuity) begun.add(block.track);
    }
    for (let seq = from; seq < log.end; seq++) this.appended(log.at(seq)!);
  }

  #isBehind({ window }: Rendition): boolean {
    const ahead = this.#segmenter.current[0]?.window.listed.length ?? 0;
    return window.listed.length < Math.min(ahead, ENOUGH) && this.#clock.now() - this.#since < CATCH_UP_MS;
  }

  #complete(): boolean {
    const [leader, ...others] = this.#segmenter.current;
    if (leader?.progress === undefined) return false;
    if (others.every(({ progress }) => progress !== undefined)) return true;
    // A track that was announced but brings nothing must not keep the others from being shown for long.
    return leader.window.listed.length > 0 && this.#clock.now() - this.#since >= SILENT_TRACK_MS;
  }

  #reports(own: Rendition): RenditionReport[] {
    return this.#segmenter.current
      .filter((other) => other !== own && other.progress !== undefined)
      .map(({ name, progress }) => ({
        uri: `${name}.m3u8`,
        lastMsn: progress!.msn,
        ...(progress!.part < 0 ? {} : { lastPart: progress!.part }),
      }));
  }

  /** What tells one version of a playlist from another. */
  #shown(rendition: Rendition): string {
    const reports = this.#reports(rendition).map(({ lastMsn, lastPart }) => `${lastMsn}.${lastPart}`);
    return [rendition.version, this.dateRanges.version, ...reports].join();
  }
}

/**
 * The kind of packager under which a stream shares its HLS output; one object per process.
 * @param options asked for with each request: the same object as long as nothing changes.
 */
export function hlsPackagerKind(
  cmaf: PackagerKind<CmafPackager>,
  clock: Clock,
  options: (stream: StreamName) => HlsOptions,
): PackagerKind<HlsPackager> {
  return {
    name: 'hls',
    create: (stream) => {
      // How a stream is cut must not change while it lasts.
      let newest = options(stream.name);
      let kept = newest;
      const { segmentMs, partMs, windowSegments } = newest;
      const settled = (): HlsOptions => {
        const now = options(stream.name);
        if (now !== newest) kept = { ...now, segmentMs, partMs, windowSegments };
        newest = now;
        return kept;
      };
      return new HlsPackager(stream.packager(cmaf), clock, settled, (code, text) => stream.warn(code, text));
    },
  };
}

function rareKeyframes(seconds: number, segmentMs: number): string {
  const wished = segmentMs / 1000;
  return `no key frame for ${seconds.toFixed(1)} s: HLS segments begin without one, and players start late; set a key frame interval of ${wished} s`;
}

function newBody(text: string): PlaylistBody {
  return new PlaylistBody(text, createHash('sha256').update(text).digest('base64url').slice(0, 16));
}
