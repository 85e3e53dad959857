import { createHash } from 'node:crypto';
import { writeMpd } from '@onair/media/dash';
import type { Block, Clock, Cut, LogReader, Packager, PackagerKind, StreamState } from '../../hub/index.ts';
import type { CmafConfig } from '../cmaf/cmaf-log.ts';
import type { CmafPackager } from '../cmaf/cmaf-packager.ts';
import {
  type HlsPackager,
  type HlsSegment,
  type OpenSegment,
  PlaylistBody,
  type Rendition,
} from '../hls/index.ts';
import { Bandwidths } from './bandwidths.ts';
import { manifestOf } from './manifest.ts';
import type { DashOptions } from './options.ts';
import { Runs } from './runs.ts';
import {
  expectedLength,
  heldOf,
  isAt,
  isNextAt,
  isOlder,
  lastEnd,
  type RunSegments,
  runsOf,
  type SegmentPlace,
  type ShownRun,
  segmentsOf,
  ticksOf,
} from './segments.ts';

/** How a manifest is asked for. */
export interface ManifestWish {
  /** In front of each address, e.g. `dash/`. */
  readonly base: string;
  /** False leaves the growing segment out whatever the options say. */
  readonly lowLatency: boolean;
}

/** A rendered manifest: once made, everybody gets the same bytes. */
export interface Manifest {
  readonly body: PlaylistBody;
  /** Changes whenever the text does. */
  readonly tag: string;
}

/** How waiting ended: it is there, time is up, there is no room, or nobody waits any more. */
export type DashWait = 'ready' | 'late' | 'full' | 'cancelled';

/** What there is at a segment's place. */
export type SegmentState =
  | { readonly kind: 'whole'; readonly segment: HlsSegment }
  | { readonly kind: 'growing'; readonly open: OpenSegment; readonly rendition: Rendition }
  /** One that may be the next, which has not begun. */
  | { readonly kind: 'coming' }
  | { readonly kind: 'gone' }
  | { readonly kind: 'unknown' };

/**
 * Tells the segments that were cut for HLS as DASH: the same bytes under addresses of their own, the growing one
 * chunk by chunk. Holds no media itself.
 */
export class DashPackager implements Packager, LogReader<CmafConfig> {
  readonly #hls: HlsPackager;
  readonly #cmaf: CmafPackager;
  readonly #clock: Clock;
  readonly #options: () => DashOptions;
  readonly #runs = new Runs();
  readonly #bandwidths = new Bandwidths();
  readonly #rendered = new Map<string, { readonly state: string; readonly manifest: Manifest | undefined }>();
  readonly #followers = new Set<() => void>();
  /** Those who wait for a change of what can be told; looked at only when there is one. */
  readonly #waiters = { checks: new Set<() => void>(), state: '' };
  readonly #unfollow: () => void;
  #ended = false;
  #closed = false;

  constructor(hls: HlsPackager, cmaf: CmafPackager, clock: Clock, options: () => DashOptions) {
    this.#hls = hls;
    this.#cmaf = cmaf;
    this.#clock = clock;
    this.#options = options;
    this.#noteRuns();
    const { log } = cmaf;
    for (let seq = log.start; seq < log.end; seq++) this.#arrived(log.at(seq)!);
    // Behind the one who cuts, so that every block has found its segment.
    this.#unfollow = log.follow(this);
  }

  /** Milliseconds a request may wait. */
  get patienceMs(): number {
    return this.#hls.patienceMs;
  }

  /** Requests that wait at present. */
  get waiting(): number {
    return this.#waiters.checks.size;
  }

  /** A rendition by name. */
  rendition(name: string): Rendition | undefined {
    return this.#hls.rendition(name);
  }

  /** Calls `changed` after every block and every change of state; the returned function stops that. */
  follow(changed: () => void): () => void {
    this.#followers.add(changed);
    return () => this.#followers.delete(changed);
  }

  /**
   * Waits until `ready` is true, at most {@link patienceMs}.
   * @param cancel stops waiting when it aborts.
   */
  wait(ready: () => boolean, cancel: AbortSignal): Promise<DashWait> {
    if (ready()) return Promise.resolve('ready');
    if (cancel.aborted) return Promise.resolve('cancelled');
    if (this.waiting >= this.#options().maxWaiters) return Promise.resolve('full');
    return new Promise((resolve) => {
      const settle = (result: DashWait): void => {
        this.#waiters.checks.delete(check);
        stopTimer();
        cancel.removeEventListener('abort', abort);
        resolve(result);
      };
      const abort = (): void => settle('cancelled');
      const check = (): void => {
        if (ready()) settle('ready');
        else if (this.#closed) settle('late');
      };
      const stopTimer = this.#clock.after(this.patienceMs, () => settle('late'));
      this.#waiters.checks.add(check);
      cancel.addEventListener('abort', abort, { once: true });
    });
  }

  /** The manifest, rendered once per change whoever asks; undefined while there is nothing to tell. */
  manifest({ base, lowLatency: wished }: ManifestWish): Manifest | undefined {
    const lowLatency = wished && this.#options().lowLatency;
    const key = `${base} ${lowLatency}`;
    const state = this.#state(lowLatency);
    const known = this.#rendered.get(key);
    if (known?.state === state) return known.manifest;
    const runs = this.#show(lowLatency);
    if (runs.length === 0) {
      this.#rendered.set(key, { state, manifest: undefined });
      return undefined;
    }
    const { latencyMs } = this.#options();
    const { segmentMs } = this.#hls.options;
    const text = writeMpd(
      manifestOf(runs, {
        epochMs: this.#runs.epochMs,
        publishMs: this.#clock.wall(),
        ended: this.#ended,
        lowLatency,
        latencyMs,
        segmentMs,
        windowS: this.#windowS,
        base,
        clock: '/time',
        frameRate: (track) => this.#cmaf.frameRate(track.id),
        bandwidth: ({ run }, segments) => this.#bandwidths.of(run, segments),
      }),
    );
    const tag = createHash('sha256').update(text).digest('base64url').slice(0, 16);
    const manifest = { body: new PlaylistBody(text, tag), tag };
    this.#rendered.set(key, { state, manifest });
    return manifest;
  }

  /** What there is at a place. */
  segment(name: string, place: SegmentPlace): SegmentState {
    const rendition = this.rendition(name);
    if (rendition === undefined) return { kind: 'unknown' };
    const { window } = rendition;
    const segment = window.find((one) => !one.gap && isAt(one, place));
    if (segment !== undefined) return { kind: 'whole', segment };
    const open = rendition.open?.empty === false ? rendition.open : undefined;
    if (open !== undefined && isAt(open, place)) return { kind: 'growing', open, rendition };
    const newest = open ?? window.listed.at(-1);
    if (newest === undefined) return { kind: 'unknown' };
    if (newest.init.file !== place.init) return { kind: isOlder(place, newest) ? 'gone' : 'unknown' };
    const behind = place.time - ticksOf(newest.init.track, newest.span.start);
    if (behind < 0) return { kind: 'gone' };
    const over = rendition.ended || rendition.track === undefined;
    const next = over ? undefined : segmentsOf(rendition, newest.boundary.discontinuities);
    if (next === undefined) return { kind: 'unknown' };
    return { kind: isNextAt(behind, next, this.#hls.options.segmentMs) ? 'coming' : 'unknown' };
  }

  cut(_cut: Cut): void {
    this.#ended = false;
    this.#tell();
  }

  sample(): void {
    // Everything comes through the log of chunks.
  }

  state(state: StreamState): void {
    if (state === 'ended') this.#ended = true;
    this.#tell();
  }

  appended(block: Block<CmafConfig>): void {
    this.#noteRuns();
    this.#arrived(block);
    this.#tell();
  }

  ended(): void {
    // The stream's state says it too, and is the one that counts.
  }

  close(): void {
    this.#unfollow();
    this.#closed = true;
    this.#ended = true;
    this.#tell();
    this.#followers.clear();
    this.#rendered.clear();
  }

  /** Seconds that segments stay listed. */
  get #windowS(): number {
    const { segmentMs, windowSegments } = this.#hls.options;
    let kept = (windowSegments * segmentMs) / 1000;
    for (const { window } of this.#hls.current) {
      // Keyframes may make segments shorter than wished.
      if (window.listed.length >= windowSegments)
        kept = Math.min(kept, Math.floor(window.duration / 1000) / 1000);
    }
    // Only playlists settle the target, and cut keyframe intervals that are longer.
    return Math.max(kept, 3 * (this.#hls.settledTarget ?? 0));
  }

  #tell(): void {
    for (const changed of [...this.#followers]) changed();
    const { checks } = this.#waiters;
    if (checks.size === 0) return;
    const state = `${this.#state(true)} ${this.#closed}`;
    if (state === this.#waiters.state) return;
    this.#waiters.state = state;
    for (const check of [...checks]) check();
  }

  #noteRuns(): void {
    const leader = this.#hls.current[0];
    if (leader === undefined) return;
    for (const segment of leader.window.listed) this.#runs.note(segment);
    const { open } = leader;
    if (open !== undefined && !open.empty) this.#runs.note(open);
  }

  #arrived({ kind, time, wallMs, epoch }: Block<CmafConfig>): void {
    const open = this.#hls.current[0]?.open;
    if (kind !== 'media' || open === undefined || open.boundary.epoch !== epoch) return;
    if (time >= open.boundary.anchor.time) this.#runs.arrived(open.boundary.discontinuities, time, wallMs);
  }

  /** Tells versions of the manifest apart without making them. */
  #state(lowLatency: boolean): string {
    const parts: (string | number)[] = [this.#ended ? 'ended' : 'live'];
    for (const { name, window, open, ended } of this.#hls.renditions) {
      parts.push(
        name,
        ended ? 1 : 0,
        window.listed[0]?.boundary.msn ?? -1,
        window.listed.at(-1)?.boundary.msn ?? -1,
      );
      if (open !== undefined && !open.empty) parts.push(open.boundary.msn, open.parts.length > 0 ? 1 : 0);
    }
    const leader = this.#hls.current[0];
    const segments =
      leader?.open === undefined ? undefined : segmentsOf(leader, leader.open.boundary.discontinuities);
    if (lowLatency && segments !== undefined)
      parts.push(expectedLength(segments, this.#hls.options.segmentMs));
    return parts.join();
  }

  /** The runs that can be told: those of which every rendition has something. */
  #show(lowLatency: boolean): ShownRun[] {
    const { current } = this.#hls;
    // The leading one first: pictures, if there are any.
    const renditions = [...this.#hls.renditions].sort((a, b) => Number(isSound(a)) - Number(isSound(b)));
    const numbers = runsOf(renditions);
    if (numbers.length > 0) this.#runs.forget(numbers[0]!);
    const shown: ShownRun[] = [];
    for (const number of numbers) {
      const own = this.#runs.renditionsOf(number);
      const segments = renditions
        .filter(({ name }) => own?.includes(name) ?? true)
        .map((rendition) => segmentsOf(rendition, number))
        .filter((found) => found !== undefined)
        .filter((found) => heldOf(found).length > 0);
      const before = shown.at(-1);
      const last = before === undefined ? undefined : lastEnd(before.renditions);
      const names = segments.map(({ rendition }) => rendition.name);
      const lasting = number === numbers.at(-1) && !this.#ended;
      const complete =
        !lasting ||
        ((own !== undefined || isPresentable(segments, current, lowLatency ? 1 : 2)) &&
          (lowLatency || segments.every(({ listed }) => listed.some(({ gap }) => !gap))));
      if (segments.length === 0 || !complete) continue;
      const run = this.#runs.show(
        number,
        names,
        before === undefined || last === undefined ? undefined : { run: before.run, end: last },
      );
      if (run === undefined) continue;
      const kept = segments.filter(({ listed }) => lowLatency || listed.some(({ gap }) => !gap));
      if (kept.length > 0) shown.push({ run, renditions: kept });
    }
    this.#bandwidths.keep(shown.map(({ run }) => run));
    return shown;
  }
}

/**
 * True if a run can be shown while it grows: every rendition has something, or the leading one has `enough` whole
 * segments and a track that was announced brings nothing. A part of media shows how late the first of it came.
 */
function isPresentable(
  segments: readonly RunSegments[],
  current: readonly Rendition[],
  enough: number,
): boolean {
  const leader = segments[0];
  if (leader === undefined) return false;
  if (leader.listed.length >= enough) return true;
  const begun = leader.listed.length > 0 || (leader.open?.parts.length ?? 0) > 0;
  return begun && current.every(({ name }) => segments.some(({ rendition }) => rendition.name === name));
}

function isSound({ name }: Rendition): boolean {
  return name.startsWith('audio');
}

/** The kind of packager under which a stream shares its DASH output; one object per process. */
export function dashPackagerKind(
  hls: PackagerKind<HlsPackager>,
  cmaf: PackagerKind<CmafPackager>,
  clock: Clock,
  options: () => DashOptions,
): PackagerKind<DashPackager> {
  return {
    name: 'dash',
    create: (stream) => new DashPackager(stream.packager(hls), stream.packager(cmaf), clock, options),
  };
}
