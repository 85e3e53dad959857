import Hls, { type ErrorData, type HlsConfig, type LevelDetails } from 'hls.js';
import type { LatencyClass } from '../engine/live-edge.ts';
import { availabilityOf } from './availability.ts';
import { BackOff } from './back-off.ts';
import { BitrateMeter } from './bitrate-meter.ts';
import { followHlsEvents } from './hls-events.ts';
import type { Qualities, Source, SourceFigures, SourceListener } from './source.ts';

/** What an {@link HlsSource} works with. */
export interface HlsOptions {
  /** Address of the multivariant playlist. */
  readonly address: string;
  readonly media: HTMLVideoElement;
  readonly latency: LatencyClass;
  /** The playback rate is to stay 1: what is late is made up for by moving the position. */
  readonly steadyRate: boolean;
}

/** Distance to the live edge per latency class, s; undefined leaves it to the playlist's PART-HOLD-BACK. */
const SYNC_SECONDS: Readonly<Record<LatencyClass, number | undefined>> = {
  lowest: undefined,
  balanced: 3,
  smoothest: 8,
};
/** Pause before asking again for a stream that is not there, ms. */
const ASK_AGAIN_MS = 1500;
/** Media errors that are repaired in this many milliseconds before this transport is given up. */
const MAX_REPAIRS = 3;
const REPAIR_WINDOW_MS = 30_000;
/** A playlist that did not grow for its part duration (or segment duration) and this long has no publisher, ms. */
const ABSENT_MS = 2500;
const LOOK_MS = 1000;
/** Later than the target by more than this, the position is moved, s. */
const FAR_SECONDS = 3;
/** The same where the rate cannot make up for anything, s. */
const STEADY_FAR_SECONDS = 0.6;
/** What hls.js calls the level that it chooses itself. */
const AUTOMATIC = -1;
/** Fastest rate to come to the target by … */
const CATCH_UP_RATE = 1.1;
/** … from so much on behind it, s … */
const LATE_SECONDS = 0.6;
/** … until so little is left: hls.js keeps a second in its buffer, and can come no closer. */
const IN_TIME_SECONDS = 0.35;
/** What must lie behind the position to which the first move of the position goes, s: a browser plays on with it at once. */
const SETTLE_AHEAD = 0.5;
/** Play that moved on by so much has begun, s. */
const MOVED_SECONDS = 0.25;
/** `HTMLMediaElement.HAVE_FUTURE_DATA`. */
const HAVE_FUTURE_DATA = 3;
/** How much later the target is after each stall, s. */
const STALL_SECONDS = 0.4;

/** Plays LL-HLS (and plain HLS) by hls.js, which works wherever there is a media source. */
export class HlsSource implements Source {
  readonly transport = 'llhls';
  readonly #options: HlsOptions;
  readonly #listener: SourceListener;
  readonly #meter = new BitrateMeter();
  readonly #backOff = new BackOff();
  readonly #timers: { readonly look: ReturnType<typeof setInterval>; retry?: ReturnType<typeof setTimeout> };
  /** The one that plays. */
  #hls: Hls | undefined;
  /** The one that finds out whether there is something to play. */
  #probe: Hls | undefined;
  #playlist: { edge: number; grewAt: number; patience: number; state: string } | undefined;
  #counts = { reconnects: 0, stalls: 0, repairs: [] as number[] };
  /** What the viewer chose. */
  readonly #wish: { latency: LatencyClass; quality?: number | undefined };
  /** Whether play is kept at the live edge, where it began, s, and whether what its start took has been made up for. */
  readonly #place = { following: true, begun: Number.POSITIVE_INFINITY, settled: false };

  constructor(options: HlsOptions, listener: SourceListener) {
    this.#options = options;
    this.#listener = listener;
    this.#wish = { latency: options.latency };
    this.#timers = { look: setInterval(() => this.#watch(), LOOK_MS) };
  }

  start(): void {
    if (!Hls.isSupported()) {
      this.#listener.failed({ code: 'unsupported', detail: 'this browser has no Media Source Extensions' });
      return;
    }
    this.#listener.state({ kind: 'connecting' });
    this.#open();
  }

  setPaused(paused: boolean): void {
    const hls = this.#hls;
    if (hls === undefined) return;
    if (paused) hls.stopLoad();
    else {
      hls.startLoad(-1);
      this.goLive();
    }
  }

  goLive(): void {
    this.#place.following = true;
    const position = this.#hls?.liveSyncPosition;
    if (typeof position === 'number') this.#options.media.currentTime = position;
  }

  seekTo(position: number): void {
    this.#place.following = position >= (this.#hls?.liveSyncPosition ?? 0);
    this.#options.media.currentTime = position;
  }

  isLive(): boolean {
    return this.#place.following && this.#behind() < FAR_SECONDS;
  }

  setLatency(latency: LatencyClass): void {
    if (latency === this.#wish.latency) return;
    this.#wish.latency = latency;
    if (this.#hls !== undefined) this.#open();
  }

  qualities(): Qualities {
    const hls = this.#hls;
    const levels = (hls?.levels ?? []).map(({ width, height, bitrate }, id) => ({
      id,
      width,
      height,
      bitrate,
    }));
    const playing = hls?.currentLevel ?? -1;
    return {
      levels: levels.sort((a, b) => b.height - a.height || b.bitrate - a.bitrate),
      wanted: this.#wish.quality,
      playing: playing < 0 ? undefined : playing,
    };
  }

  setQuality(id: number | undefined): void {
    this.#wish.quality = id;
    if (this.#hls !== undefined) this.#hls.nextLevel = id ?? AUTOMATIC;
  }

  figures(): SourceFigures {
    const hls = this.#hls;
    const { media } = this.#options;
    const level = hls?.levels[Math.max(0, hls.currentLevel)];
    const codecs = [level?.videoCodec, level?.audioCodec].filter((one) => one !== undefined);
    return {
      latency: this.#latencyNow(),
      ahead: aheadOf(media, media.currentTime),
      bitrate: this.#meter.bitsPerSecond(performance.now()),
      codecs: codecs.join(', '),
      reconnects: this.#counts.reconnects,
      skipped: 0,
      stalls: this.#counts.stalls,
      clockOffset: undefined,
    };
  }

  close(): void {
    clearInterval(this.#timers.look);
    clearTimeout(this.#timers.retry);
    this.#probe?.destroy();
    this.#hls?.destroy();
    this.#probe = undefined;
    this.#hls = undefined;
  }

  #latencyNow(): number | undefined {
    const hls = this.#hls;
    if (hls?.media === undefined || hls.media === null) return undefined;
    // EXT-X-PROGRAM-DATE-TIME tells when the picture came in; without it only the distance to the edge is known.
    const date = hls.playingDate;
    if (date !== null) return (Date.now() - date.getTime()) / 1000;
    return hls.latency > 0 ? hls.latency : undefined;
  }

  #config(): Partial<HlsConfig> {
    const sync = SYNC_SECONDS[this.#wish.latency];
    return {
      lowLatencyMode: true,
      enableWorker: false,
      backBufferLength: 25,
      liveDurationInfinity: true,
      liveSyncOnStallIncrease: STALL_SECONDS,
      ...(sync === undefined ? {} : { liveSyncDuration: sync, liveMaxLatencyDuration: sync * 3 }),
    };
  }

  /** Loads the playlists; the media element is taken only when they tell of a live stream. */
  #open(): void {
    clearTimeout(this.#timers.retry);
    this.#probe?.destroy();
    this.#place.following = true;
    const hls = new Hls(this.#config());
    this.#probe = hls;
    hls.on(Hls.Events.LEVEL_LOADED, (_event, { details }) => {
      if (hls === this.#probe) {
        if (!details.live) {
          this.#wait('ended');
          return;
        }
        this.#probe = undefined;
        this.#backOff.reset();
        this.#hls?.destroy();
        this.#hls = hls;
        this.#playlist = undefined;
        Object.assign(this.#place, { begun: Number.POSITIVE_INFINITY, settled: false });
        hls.attachMedia(this.#options.media);
      }
      if (hls === this.#hls) this.#grew(details);
    });
    hls.on(Hls.Events.MANIFEST_PARSED, (_event, { levels }) => {
      // A stream that came back may have other qualities.
      if (this.#wish.quality !== undefined && this.#wish.quality >= levels.length)
        this.#wish.quality = undefined;
      if (this.#wish.quality !== undefined) hls.loadLevel = this.#wish.quality;
    });
    hls.on(Hls.Events.MEDIA_ATTACHED, () => this.#listener.replaced());
    hls.on(Hls.Events.FRAG_LOADED, (_event, { payload }) => {
      this.#meter.add(payload.byteLength, performance.now());
    });
    followHlsEvents(hls, (event, place) => this.#listener.event(event, place));
    hls.on(Hls.Events.ERROR, (_event, data) => {
      if (hls === this.#hls || hls === this.#probe) this.#error(hls, data);
    });
    hls.loadSource(this.#options.address);
  }

  #grew(details: LevelDetails): void {
    const { edge } = details;
    const playlist = this.#playlist;
    if (!details.live) {
      this.#tell('ended');
      this.#wait('ended');
      return;
    }
    const unit = details.partList === null ? details.targetduration : details.partTarget;
    if (playlist === undefined) {
      this.#playlist = { edge, grewAt: performance.now(), patience: unit * 1000 + ABSENT_MS, state: '' };
      this.#tell('live');
    } else if (edge !== playlist.edge) {
      playlist.edge = edge;
      playlist.grewAt = performance.now();
      this.#tell('live');
    }
  }

  /** Seconds by which play is later than its target. */
  #behind(): number {
    const hls = this.#hls;
    return hls === undefined ? 0 : hls.latency - (hls.targetLatency ?? 0);
  }

  #watch(): void {
    const playlist = this.#playlist;
    const { paused, seeking } = this.#options.media;
    // hls.js makes up for little by its rate; what is more than that it would leave as it is.
    const far = this.#options.steadyRate ? STEADY_FAR_SECONDS : FAR_SECONDS;
    if (this.#place.following && !paused && !seeking && (this.#behind() > far || this.#startedLate()))
      this.goLive();
    else if (!this.#options.steadyRate) this.#hurry();
    if (playlist?.state === 'live' && performance.now() - playlist.grewAt > playlist.patience)
      this.#tell('absent');
  }

  /** True once, when play moves, late, and what lies closer to the target is there: loading and decoding took their time. */
  #startedLate(): boolean {
    const { media } = this.#options;
    const { readyState, currentTime } = media;
    const place = this.#place;
    if (place.settled || readyState < HAVE_FUTURE_DATA) return false;
    place.begun = Math.min(place.begun, currentTime);
    const target = this.#hls?.liveSyncPosition;
    if (typeof target !== 'number' || aheadOf(media, target) < SETTLE_AHEAD) return false;
    place.settled = currentTime > place.begun + MOVED_SECONDS;
    return place.settled && this.#behind() > LATE_SECONDS;
  }

  /** By itself hls.js changes the rate several times a second, and browsers drop pictures at such changes. */
  #hurry(): void {
    const { config } = this.#hls ?? {};
    const behind = this.#behind();
    if (config === undefined) return;
    if (this.#place.following && behind > LATE_SECONDS) config.maxLiveSyncPlaybackRate = CATCH_UP_RATE;
    else if (config.maxLiveSyncPlaybackRate !== 1 && behind < IN_TIME_SECONDS) {
      config.maxLiveSyncPlaybackRate = 1;
      this.#options.media.playbackRate = 1;
    }
  }

  #tell(kind: 'live' | 'absent' | 'ended'): void {
    if (this.#playlist !== undefined) {
      if (this.#playlist.state === kind) return;
      this.#playlist.state = kind;
    }
    this.#listener.state({ kind });
  }

  /** Nobody publishes: ask again after a moment. */
  #wait(kind: 'waiting' | 'ended'): void {
    if (kind === 'waiting' || this.#playlist === undefined) this.#listener.state({ kind });
    clearTimeout(this.#timers.retry);
    this.#timers.retry = setTimeout(() => this.#open(), ASK_AGAIN_MS);
  }

  #error(hls: Hls, data: ErrorData): void {
    if (data.details === Hls.ErrorDetails.BUFFER_STALLED_ERROR) this.#counts.stalls++;
    if (!data.fatal) return;
    if (data.type === Hls.ErrorTypes.MEDIA_ERROR && hls === this.#hls) {
      this.#repair(hls, data);
      return;
    }
    if (data.type !== Hls.ErrorTypes.NETWORK_ERROR) {
      this.#listener.failed({ code: 'media', detail: data.error.message });
      return;
    }
    const status = data.response?.code ?? 0;
    const availability = availabilityOf(status);
    if (availability === 'denied') {
      this.#listener.failed({ code: 'denied', detail: `the server answered ${status}` });
    } else if (availability === 'waiting') {
      this.#playlist = undefined;
      this.#wait('waiting');
    } else if (this.#backOff.exhausted) {
      const detail = status === 0 ? 'no playlist could be loaded' : `the server answered ${status}`;
      this.#listener.failed({ code: 'unreachable', detail });
    } else {
      this.#counts.reconnects++;
      this.#listener.state({ kind: 'reconnecting', reason: data.details });
      clearTimeout(this.#timers.retry);
      this.#timers.retry = setTimeout(() => this.#open(), this.#backOff.next());
    }
  }

  #repair(hls: Hls, data: ErrorData): void {
    const now = performance.now();
    this.#counts.repairs = this.#counts.repairs.filter((at) => now - at < REPAIR_WINDOW_MS);
    this.#counts.repairs.push(now);
    if (this.#counts.repairs.length > MAX_REPAIRS)
      this.#listener.failed({ code: 'media', detail: data.error.message });
    else hls.recoverMediaError();
  }
}

/** Seconds of media from `position` on that are there. Not that of the engine, which is not loaded for this transport. */
function aheadOf({ buffered }: HTMLVideoElement, position: number): number {
  for (let i = 0; i < buffered.length; i++) {
    const end = buffered.end(i);
    if (buffered.start(i) <= position + 0.1 && end > position) return end - position;
  }
  return 0;
}
