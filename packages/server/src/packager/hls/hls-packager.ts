import { createHash } from 'node:crypto';
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
import { mediaPlaylist } from './media-playlist.ts';
import { multivariantPlaylist } from './multivariant.ts';
import type { HlsOptions } from './options.ts';
import { PlaylistBody } from './playlist-body.ts';
import { isListed, isTooFarAhead, type ReloadWish } from './reload.ts';
import type { Rendition } from './rendition.ts';
import { Segmenter } from './segmenter.ts';
import { Waiters, type WaitResult } from './waiters.ts';

/** A publisher's clock may jump without breaking a playlist if media and wall clock still agree within this, in ms. */
const SAME_CLOCK_MS = 500;

/** What requests need of one rendition. */
interface Desk {
  readonly waiters: Waiters;
  /** Rendered texts by kind, each with the state it shows. */
  readonly rendered: Map<string, { readonly state: string; readonly body: PlaylistBody }>;
}

/** What a request for a part finds: the bytes, a part that is coming, one that is no longer kept, or nothing. */
export type PartState = Uint8Array | 'coming' | 'gone' | 'unknown';

/**
 * Cuts the CMAF chunks of a stream into parts and segments, one rendition per track, and writes their playlists.
 * Nothing is serialised again: a segment is its chunks one after the other.
 */
export class HlsPackager implements Packager, LogReader<CmafConfig> {
  readonly #cmaf: CmafPackager;
  readonly #clock: Clock;
  readonly #options: () => HlsOptions;
  readonly #segmenter: Segmenter;
  readonly #desks = new Map<string, Desk>();
  /** Those who wait for the first playlist of all. */
  readonly #lobby: Waiters;
  readonly #unfollow: () => void;
  /** The cut that the next block comes after. */
  #pending: { readonly anchor: ClockAnchor; readonly discontinuity: boolean } | undefined;
  #place: { readonly epoch: number; readonly anchor: ClockAnchor } | undefined;
  /** The publisher was gone since the last cut. */
  #away = false;

  constructor(cmaf: CmafPackager, clock: Clock, options: () => HlsOptions) {
    this.#cmaf = cmaf;
    this.#clock = clock;
    this.#options = options;
    this.#lobby = this.#newWaiters();
    this.#segmenter = new Segmenter(clock, options, (rendition) => this.#changed(rendition));
    this.#unfollow = cmaf.log.follow(this);
  }

  /** A rendition by name. */
  rendition(name: string): Rendition | undefined {
    return this.#segmenter.rendition(name);
  }

  /** The renditions of the running epoch, the leading one first. */
  get current(): readonly Rendition[] {
    return this.#segmenter.current;
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
    let size = this.#lobby.size;
    for (const { waiters } of this.#desks.values()) size += waiters.size;
    return size;
  }

  /**
   * The multivariant playlist, or undefined while some rendition has nothing to list.
   * @param base in front of each address, e.g. `hls/`.
   */
  multivariant(base: string): PlaylistBody | undefined {
    if (!this.#complete()) return undefined;
    const renditions = this.#segmenter.current.filter(({ progress }) => progress !== undefined);
    const video = renditions[0]?.track;
    const rate = video?.parameters.kind === 'video' ? this.#cmaf.frameRate(video.id) : undefined;
    return newBody(writeMultivariantPlaylist(multivariantPlaylist(renditions, rate, base)));
  }

  /** Waits until {@link multivariant} has something to tell. */
  ready(cancel?: AbortSignal): Promise<WaitResult> {
    return this.#lobby.wait(() => this.#complete(), this.patienceMs, cancel);
  }

  /** The playlist of a rendition, rendered once per change whoever asks; undefined while nothing is listed. */
  playlist(name: string, skip: boolean): PlaylistBody | undefined {
    const rendition = this.#segmenter.rendition(name);
    const desk = this.#desks.get(name);
    if (desk === undefined || rendition?.progress === undefined) return undefined;
    const reports = this.#reports(rendition);
    const state = [
      rendition.version,
      ...reports.map(({ lastMsn, lastPart }) => `${lastMsn}.${lastPart}`),
    ].join();
    const kind = skip ? 'delta' : 'whole';
    const known = desk.rendered.get(kind);
    if (known?.state === state) return known.body;
    const targets = { target: this.#segmenter.settleTarget(), partTarget: this.#segmenter.partTarget };
    const body = newBody(writeMediaPlaylist(mediaPlaylist(rendition, targets, reports, skip)));
    desk.rendered.set(kind, { state, body });
    return body;
  }

  /** Waits until the playlist of a rendition lists something. */
  listed(name: string, cancel?: AbortSignal): Promise<WaitResult> {
    return this.#wait(name, () => this.rendition(name)?.progress !== undefined, cancel);
  }

  /** Waits until the playlist of a rendition has what is wished for; `bad` for what is too far ahead. */
  reload(name: string, wish: ReloadWish, cancel?: AbortSignal): Promise<WaitResult | 'bad'> {
    const rendition = this.rendition(name);
    const advance = Math.max(3, Math.ceil(3_000_000 / this.#segmenter.partTarget));
    if (rendition === undefined || isTooFarAhead(rendition, wish, advance)) return Promise.resolve('bad');
    return this.#wait(name, () => isListed(rendition, wish), cancel);
  }

  /** What there is under a part's number. */
  part(name: string, number: number): PartState {
    const rendition = this.rendition(name);
    if (rendition === undefined) return 'unknown';
    const part = rendition.part(number);
    if (part !== undefined) return part.bytes;
    if (number === rendition.nextPart && !rendition.ended) return 'coming';
    return number < rendition.nextPart && number >= rendition.firstPart ? 'gone' : 'unknown';
  }

  /** Waits for a part that is {@link part | coming}. */
  partThere(name: string, number: number, cancel?: AbortSignal): Promise<WaitResult> {
    return this.#wait(name, () => this.part(name, number) !== 'coming', cancel);
  }

  cut({ anchor, epoch }: Cut): void {
    const before = this.#place;
    if (before === undefined) {
      this.#away = false;
      this.#pending = { anchor, discontinuity: false };
      this.#prime();
      return;
    }
    const drift = anchor.wallMs - before.anchor.wallMs - (anchor.time - before.anchor.time) / 1000;
    const goesOn = epoch.number === before.epoch && Math.abs(drift) <= SAME_CLOCK_MS;
    if (goesOn && !this.#away) return;
    this.#segmenter.closeSegments();
    this.#away = false;
    this.#pending = { anchor, discontinuity: true };
  }

  sample(): void {
    // Everything comes through the log of chunks.
  }

  state(state: StreamState): void {
    if (state !== 'waiting' && state !== 'ended') return;
    this.#away = true;
    if (state === 'waiting') this.#segmenter.closeSegments();
    else this.#segmenter.end();
  }

  appended(block: Block<CmafConfig>): void {
    if (block.kind !== 'media') return;
    const pending = this.#pending;
    if (pending !== undefined) {
      this.#pending = undefined;
      this.#place = { epoch: block.epoch.number, anchor: pending.anchor };
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
    this.#lobby.close();
    for (const { waiters } of this.#desks.values()) waiters.close();
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

  #complete(): boolean {
    const [leader, ...others] = this.#segmenter.current;
    if (leader?.progress === undefined) return false;
    // A track that was announced but brings nothing must not keep the others from being shown.
    return leader.window.listed.length > 0 || others.every(({ progress }) => progress !== undefined);
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

  #wait(name: string, ready: () => boolean, cancel: AbortSignal | undefined): Promise<WaitResult> {
    return this.#desk(name).waiters.wait(ready, this.patienceMs, cancel);
  }

  #changed({ name }: Rendition): void {
    this.#desk(name).waiters.check();
    this.#lobby.check();
  }

  #desk(name: string): Desk {
    let desk = this.#desks.get(name);
    if (desk === undefined) {
      desk = { waiters: this.#newWaiters(), rendered: new Map() };
      this.#desks.set(name, desk);
    }
    return desk;
  }

  #newWaiters(): Waiters {
    return new Waiters(this.#clock, () => this.#options().maxWaiters);
  }
}

/** The kind of packager under which a stream shares its HLS output; one object per process. */
export function hlsPackagerKind(
  cmaf: PackagerKind<CmafPackager>,
  clock: Clock,
  options: () => HlsOptions,
): PackagerKind<HlsPackager> {
  return { name: 'hls', create: (stream) => new HlsPackager(stream.packager(cmaf), clock, options) };
}

function newBody(text: string): PlaylistBody {
  return new PlaylistBody(text, createHash('sha256').update(text).digest('base64url').slice(0, 16));
}
