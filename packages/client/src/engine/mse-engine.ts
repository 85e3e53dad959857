import { Attachment } from './attachment.ts';
import { type LatencyClass, LiveEdge } from './live-edge.ts';
import type { MediaPort, MediaSourcePlatform } from './ports.ts';
import { aheadOf, intersect, jumpTarget, type Span } from './ranges.ts';
import { type StallFigures, StallWatch } from './stall-watch.ts';
import type { EngineChunk, EngineTrack, TrackBuffer } from './track-buffer.ts';

/** What an {@link MseEngine} tells whoever feeds and shows it. */
export interface EngineListener {
  /** A new media source took the place of the old one, which pauses the media element: play again if wanted. */
  replaced(): void;
  /** What was buffered is gone: begin again at the newest independent chunk. */
  resync(reason: string): void;
  /** The browser has enough (`false`) or wants more media; only managed media sources say so. */
  wantsMedia(wanted: boolean): void;
  /** Play by this engine is not possible. */
  failed(error: Error): void;
}

/** Figures of an {@link MseEngine}. */
export interface EngineFigures {
  /** Seconds of media ahead of the position. */
  readonly ahead: number;
  /** Seconds ahead that are steered to. */
  readonly margin: number;
  readonly stalls: StallFigures;
  /** Holes that were jumped over. */
  readonly jumps: number;
  /** Times the media source was made anew. */
  readonly rebuilds: number;
}

/** How often the engine looks at the position, ms. Background tabs make it rarer, which does no harm. */
const TICK_MS = 100;
/** So many media sources in so many milliseconds mean that it does not work. */
const MAX_REBUILDS = 4;
const REBUILD_WINDOW_MS = 30_000;
/** A stall shorter than this is the network's jitter, a longer one the publisher's absence. */
const JITTER_STALL_MS = 2000;
/** A track without media for so long while the other goes on is left out. */
const STARVED_MS = 1500;
const STARVED_AHEAD = 1.5;
/** After the first media, the position is set a second time when play has begun, at the earliest after this. */
const SETTLE_MS = 250;
/** Less than this off the wanted place, the rate alone brings it there. */
const SETTLE_TOLERANCE = 0.35;
/** Moving the position into a browser's slightly late first frame needs this little more. */
const STEP = 0.01;
/** A seek that has not ended for so long will not where there is hardly any media ahead, in milliseconds. */
const STUCK_SEEK_MS = 700;

interface Selection {
  /** The tracks taken of those announced. */
  tracks: readonly EngineTrack[];
  /**
   * A kind of media that stopped coming although the stream has a track of it; `none` once the browser failed with what
   * was left: then nothing is left out any more.
   */
  starved: EngineTrack['kind'] | 'none' | undefined;
}

/** Plays CMAF chunks of at most one video and one audio track by Media Source Extensions, close to the live edge. */
export class MseEngine {
  readonly #media: MediaPort;
  readonly #platform: MediaSourcePlatform;
  readonly #listener: EngineListener;
  readonly #edge: LiveEdge;
  readonly #stalls = new StallWatch();
  readonly #timer: ReturnType<typeof setInterval>;
  readonly #listeners = {
    seeking: () => this.#onSeeking(),
    waiting: () => this.#onWaiting(),
    error: () => this.#onMediaError(),
  };
  #attached: Attachment | undefined;
  #selection: Selection = { tracks: [], starved: undefined };
  #following = true;
  #figures = { jumps: 0, rebuilds: [] as number[], rebuilt: 0 };
  #closed = false;

  constructor(
    media: MediaPort,
    platform: MediaSourcePlatform,
    latency: LatencyClass,
    listener: EngineListener,
  ) {
    this.#media = media;
    this.#platform = platform;
    this.#listener = listener;
    this.#edge = new LiveEdge(latency, platform.steadyRate);
    media.preservesPitch = true;
    for (const [type, listener] of Object.entries(this.#listeners)) media.addEventListener(type, listener);
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
  }

  /** Figures now. */
  get figures(): EngineFigures {
    return {
      ahead: aheadOf(this.#spans(), this.#media.currentTime),
      margin: this.#edge.margin,
      stalls: this.#stalls.figures,
      jumps: this.#figures.jumps,
      rebuilds: this.#figures.rebuilt,
    };
  }

  /** True if play is kept at the live edge, false after the viewer stepped back. */
  get following(): boolean {
    return this.#following;
  }

  /** Spans of media that can be played without waiting. */
  get spans(): readonly Span[] {
    return this.#spans();
  }

  /** Another balance of delay and smoothness. */
  setLatency(latency: LatencyClass): void {
    this.#edge.setClass(latency);
  }

  /**
   * The tracks from now on, at the start and when parameters change; their init segments follow. Of each kind the
   * first one this browser plays is taken. Goes on in the same source buffers where it can.
   */
  configure(tracks: readonly EngineTrack[]): void {
    if (this.#closed) return;
    const video = tracks.filter((one) => one.kind === 'video');
    const audio = tracks.filter((one) => one.kind === 'audio');
    const taken = [video, audio].flatMap(
      (list) => list.find((one) => this.#platform.supports(one.mime)) ?? [],
    );
    if (taken.length === 0 || (video.length > 0 && taken[0]?.kind !== 'video')) {
      this.#listener.failed(
        new Error(`this browser does not play ${tracks.map((one) => one.mime).join(', ')}`),
      );
      return;
    }
    const same = this.#selection.tracks.map((one) => one.mime).join() === taken.map((one) => one.mime).join();
    if (!same) this.#selection.starved = undefined;
    this.#selection.tracks = taken;
    const wanted = taken.filter((one) => one.kind !== this.#selection.starved);
    const buffers = this.#attached?.buffers;
    if (buffers === undefined || kindsOf(buffers) !== kindsOf(wanted)) this.#attach();
    else for (const buffer of buffers) buffer.follow(wanted.find((one) => one.kind === buffer.kind)!);
  }

  /** The init segment of a track that {@link configure} announced. */
  init(track: number, bytes: Uint8Array): void {
    this.#buffer(track)?.init(bytes);
  }

  /** A chunk of a track; those of tracks not taken are left out. */
  append(chunk: EngineChunk): void {
    if (this.#closed) return;
    const buffer = this.#buffer(chunk.track);
    if (buffer === undefined) {
      this.#perhapsReturn(chunk);
      return;
    }
    if (buffer.isNewTimeline(chunk)) {
      this.#rebuild('the stream began a new timeline');
      return;
    }
    if (!this.#media.paused) {
      this.#edge.observe(performance.now(), aheadOf(this.#spans(), this.#media.currentTime));
    }
    buffer.append(chunk);
  }

  /** Back to the live edge. */
  goLive(): void {
    this.#following = true;
    this.#edge.reset();
    this.#place(SETTLE_TOLERANCE);
  }

  /** Forgets all media, so that play can begin anew; the source feeds from an independent chunk on. */
  restart(): void {
    if (this.#selection.tracks.length > 0) this.#attach();
  }

  /** Lets go of the media element and everything made for it. Safe to call twice. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#timer);
    for (const [type, listener] of Object.entries(this.#listeners)) {
      this.#media.removeEventListener(type, listener);
    }
    this.#media.playbackRate = 1;
    this.#attached?.close();
    this.#attached = undefined;
  }

  #buffer(track: number): TrackBuffer | undefined {
    return this.#attached?.buffers.find((one) => one.track.id === track);
  }

  #spans(): Span[] {
    return intersect((this.#attached?.buffers ?? []).map((one) => one.spans));
  }

  #attach(): void {
    this.#attached?.close();
    const tracks = this.#selection.tracks.filter((one) => one.kind !== this.#selection.starved);
    this.#edge.reset();
    this.#stalls.reset(performance.now());
    this.#following = true;
    this.#attached = new Attachment(this.#platform, tracks, {
      position: () => this.#media.currentTime,
      done: (label) => {
        if (label === 'append') this.#appended();
      },
      failed: (error) => this.#rebuild(error.message),
      opened: () => this.#listener.replaced(),
      wantsMedia: (wanted) => this.#listener.wantsMedia(wanted),
    });
  }

  #rebuild(reason: string): void {
    if (this.#closed) return;
    const now = performance.now();
    const recent = this.#figures.rebuilds.filter((at) => now - at < REBUILD_WINDOW_MS);
    recent.push(now);
    this.#figures.rebuilds = recent;
    this.#figures.rebuilt++;
    if (recent.length > MAX_REBUILDS) {
      this.#listener.failed(new Error(reason));
      return;
    }
    this.#attach();
    this.#listener.resync(reason);
  }

  #appended(): void {
    const attached = this.#attached;
    if (attached === undefined || attached.placedAt !== undefined) return;
    if (this.#spans().length === 0) return;
    attached.placedAt = performance.now();
    this.#place(0);
  }

  /** Moves to the live edge unless it is nearer than `tolerance` seconds. */
  #place(tolerance: number): void {
    const last = this.#spans().at(-1);
    if (last === undefined) return;
    const coarse = Math.max(...(this.#attached?.buffers ?? []).map((one) => one.chunkDuration), 0);
    const target = Math.max(last.start, last.end - this.#edge.margin - coarse);
    const position = this.#media.currentTime;
    if (position >= last.start && position <= last.end && Math.abs(position - target) <= tolerance) return;
    this.#moveTo(target + STEP);
  }

  #moveTo(position: number): void {
    if (this.#attached !== undefined) this.#attached.ownSeek = position;
    this.#edge.reset();
    this.#stalls.reset(performance.now());
    this.#media.currentTime = position;
  }

  #tick(): void {
    const attached = this.#attached;
    if (attached?.placedAt === undefined) return;
    const now = performance.now();
    const media = this.#media;
    this.#settle(attached, now);
    const spans = this.#spans();
    attached.tellSeekable(spans);
    const ahead = aheadOf(spans, media.currentTime);
    if (this.#leftSeek(attached, now, spans)) return;
    const playing = !media.paused && !media.seeking;
    const stalledFor = this.#stalls.lasting(now);
    const sign = this.#stalls.observe(now, media.currentTime, ahead, playing);
    if (!playing) return;
    if (sign === 'over') {
      if (stalledFor < JITTER_STALL_MS) this.#edge.stalled(now);
    } else if (sign !== 'none') {
      this.#unstick(sign, spans, stalledFor);
      return;
    }
    if (this.#following) this.#steer(now, ahead);
    else if (media.playbackRate !== 1) media.playbackRate = 1;
  }

  /** A seek to the very end of a span never ends: browsers want more ahead than is there. Goes on to the next span. */
  #leftSeek(attached: Attachment, now: number, spans: readonly Span[]): boolean {
    const { seeking, paused, currentTime } = this.#media;
    if (!seeking || paused) {
      attached.seekingSince = undefined;
      return false;
    }
    attached.seekingSince ??= now;
    const target = now - attached.seekingSince < STUCK_SEEK_MS ? undefined : jumpTarget(spans, currentTime);
    if (target === undefined) return false;
    attached.seekingSince = undefined;
    this.#figures.jumps++;
    this.#moveTo(target + STEP);
    return true;
  }

  /** Once play moves, the time that its start took is made up for by one more step. */
  #settle(attached: Attachment, now: number): void {
    if (attached.settled || attached.placedAt === undefined || now - attached.placedAt < SETTLE_MS) return;
    const { currentTime, paused, seeking } = this.#media;
    if (paused || seeking || currentTime <= (attached.ownSeek ?? 0)) return;
    attached.settled = true;
    if (this.#following) this.#place(SETTLE_TOLERANCE);
  }

  #steer(now: number, ahead: number): void {
    this.#edge.observe(now, ahead);
    const { rate, skip } = this.#edge.decide(now);
    if (skip > 0) this.#moveTo(this.#media.currentTime + skip);
    else if (this.#media.playbackRate !== rate) this.#media.playbackRate = rate;
  }

  #unstick(sign: string, spans: readonly Span[], stalledFor: number): void {
    const position = this.#media.currentTime;
    const target = jumpTarget(spans, position);
    if (target !== undefined) {
      this.#figures.jumps++;
      this.#moveTo(target + STEP);
    } else if (sign === 'nudge') {
      if (this.#attached !== undefined) this.#attached.ownSeek = position + STEP;
      this.#media.currentTime = position + STEP;
      this.#stalls.nudged(this.#media.currentTime);
    } else if (sign === 'hopeless') {
      this.#rebuild('play stood still in front of media');
    } else if (stalledFor > STARVED_MS) {
      this.#leaveOutStarved(position);
    }
  }

  #leaveOutStarved(position: number): void {
    const buffers = this.#attached?.buffers ?? [];
    if (buffers.length < 2 || this.#selection.starved !== undefined) return;
    const ahead = buffers.map((one) => (one.spans.at(-1)?.end ?? position) - position);
    const rich = ahead.findIndex((seconds) => seconds > STARVED_AHEAD);
    const poor = ahead.findIndex((seconds) => seconds < 0.1);
    if (rich < 0 || poor < 0) return;
    this.#selection.starved = buffers[poor]!.kind;
    this.#rebuild(`no more ${this.#selection.starved} arrives`);
  }

  /** The kind that was left out comes in again, level with the other: take it back. */
  #perhapsReturn(chunk: EngineChunk): void {
    const track = this.#selection.tracks.find((one) => one.id === chunk.track);
    if (track === undefined || track.kind !== this.#selection.starved || this.#attached?.settled !== true)
      return;
    const other = this.#attached.buffers[0]?.latest;
    if (other === undefined || Math.abs(chunk.start - other) > 1) return;
    this.#selection.starved = undefined;
    this.#rebuild(`${track.kind} arrives again`);
  }

  #onSeeking(): void {
    const { currentTime } = this.#media;
    const attached = this.#attached;
    if (attached === undefined) return;
    if (attached.ownSeek !== undefined && Math.abs(attached.ownSeek - currentTime) < 0.05) return;
    const behind = (this.#spans().at(-1)?.end ?? currentTime) - currentTime;
    this.#following = behind < this.#edge.margin + 1;
    this.#edge.reset();
  }

  /** The decoder ran dry although some media lay ahead, too briefly for the watch to see: its needs are larger. */
  #onWaiting(): void {
    const { seeking, paused, currentTime } = this.#media;
    if (seeking || paused || this.#attached?.settled !== true) return;
    if (aheadOf(this.#spans(), currentTime) > 0.02) this.#edge.stalled(performance.now());
  }

  #onMediaError(): void {
    const { error } = this.#media;
    if (error === null || this.#attached === undefined) return;
    // Firefox, for one, plays no sound alone where there is nothing to hear it by, but does beside pictures.
    if (this.#selection.starved !== undefined) this.#selection.starved = 'none';
    this.#rebuild(error.message || `media error ${error.code}`);
  }
}

function kindsOf(list: readonly { readonly kind: string }[]): string {
  return list.map((one) => one.kind).join('+');
}
