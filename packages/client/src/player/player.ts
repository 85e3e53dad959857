import type { LatencyClass } from '../engine/live-edge.ts';
import type { RelayWish } from '../relay/browser-willingness.ts';
import type { StreamAddresses } from '../sources/address.ts';
import {
  NO_FIGURES,
  type Qualities,
  type Source,
  type SourceFailure,
  type SourceFigures,
  type SourceListener,
  type SourceState,
  type Transport,
} from '../sources/source.ts';
import { createSource, type SourceFactory } from './create-source.ts';
import { EventClock, type FiredEvent } from './event-clock.ts';
import { type PlayerStatus, sameStatus, statusOf, type TransportChoice } from './status.ts';
import {
  type Capabilities,
  detectCapabilities,
  type TransportPreference,
  transportOrder,
} from './transports.ts';

/** What a {@link Player} tells whoever shows it. */
export interface PlayerListener {
  status(status: PlayerStatus): void;
  /** A transport was taken into use. */
  transport(choice: TransportChoice): void;
  /** A transport failed; the player goes on with the next one or tries again. */
  failed(transport: Transport, failure: SourceFailure): void;
  /** The browser allows play without sound only, so the player muted itself. */
  soundRefused(): void;
  /** A timed event of the stream, on the picture it belongs to. */
  event(event: FiredEvent): void;
}

/** What a {@link Player} begins with. */
export interface PlayerOptions {
  readonly transport: TransportPreference;
  readonly latency: LatencyClass;
  /** Makes sources; those of this package by default. */
  readonly factory?: SourceFactory;
  /** What the viewer gives to other viewers: what its line carries by default, false to take no part. */
  readonly relay?: RelayWish | false;
  /** What the browser can do; found out by default. */
  readonly capabilities?: Capabilities;
}

/** Figures for the stats overlay and for pages; undefined where a transport cannot tell. */
export interface PlayerFigures extends SourceFigures {
  readonly transport: Transport | undefined;
  readonly width: number;
  readonly height: number;
  /** Pictures decoded and, of those, dropped. */
  readonly decoded: number;
  readonly dropped: number;
  readonly rate: number;
}

/** How often the position is looked at, ms. */
const LOOK_MS = 200;
/** The position may stand this long before the viewer is told, ms; less if it is known why. */
const PATIENCE_MS = 600;
const SHORT_PATIENCE_MS = 250;
/** Pauses before all transports are tried again, ms; the last one repeats. */
const RETRY_MS = [3000, 6000, 12_000, 30_000] as const;

/** What ends with the player. */
interface Life {
  readonly abort: AbortController;
  readonly look: ReturnType<typeof setInterval>;
  readonly events: EventClock;
  retry: ReturnType<typeof setTimeout> | undefined;
}

/** One stream on one video element: chooses transports, follows the viewer's wish to play, tells how things stand. */
export class Player {
  readonly #media: HTMLVideoElement;
  readonly #listener: PlayerListener;
  readonly #factory: SourceFactory;
  readonly #can: Capabilities;
  readonly #wish: { -readonly [K in keyof PlayerOptions]: PlayerOptions[K] } & { play: boolean };
  readonly #life: Life;
  #addresses: StreamAddresses | undefined;
  #source: Source | undefined;
  #order: readonly Transport[] = [];
  #reported: PlayerStatus = { kind: 'idle' };
  #state = {
    source: undefined as SourceState | undefined,
    blocked: false,
    rounds: 0,
    turn: 0,
    relayFailed: false,
  };
  #motion = { position: -1, at: 0 };

  constructor(media: HTMLVideoElement, options: PlayerOptions, listener: PlayerListener) {
    this.#media = media;
    this.#listener = listener;
    this.#factory = options.factory ?? createSource;
    this.#can = options.capabilities ?? detectCapabilities(media);
    this.#wish = { ...options, play: false };
    const events = new EventClock(media, (event) => listener.event(event));
    const abort = new AbortController();
    const { signal } = abort;
    this.#life = { abort, look: setInterval(() => this.#look(), LOOK_MS), events, retry: undefined };
    media.addEventListener('play', () => this.#onPlay(), { signal });
    media.addEventListener('pause', () => this.#onPause(), { signal });
    document.addEventListener('visibilitychange', () => this.#onVisible(), { signal });
  }

  /** Status as last told. */
  get status(): PlayerStatus {
    return this.#reported;
  }

  /** True while play is kept at the live edge. */
  get isLive(): boolean {
    return this.#source?.isLive() ?? false;
  }

  /** Balance of delay and smoothness. */
  get latency(): LatencyClass {
    return this.#wish.latency;
  }

  /** The transport asked for. */
  get preference(): TransportPreference {
    return this.#wish.transport;
  }

  /** Figures now. */
  figures(): PlayerFigures {
    const media = this.#media;
    const quality = media.getVideoPlaybackQuality?.();
    return {
      ...(this.#source?.figures() ?? NO_FIGURES),
      transport: this.#source?.transport,
      width: media.videoWidth,
      height: media.videoHeight,
      decoded: quality?.totalVideoFrames ?? 0,
      dropped: quality?.droppedVideoFrames ?? 0,
      rate: media.playbackRate,
    };
  }

  /** Another stream, or none. Begins at once if play is wanted. */
  load(addresses: StreamAddresses | undefined): void {
    this.#addresses = addresses;
    this.#life.events.reset();
    this.#state.rounds = 0;
    this.#state.relayFailed = false;
    this.#begin();
  }

  /** The viewer, or the page, wants to play. */
  play(): void {
    this.#wish.play = true;
    if (this.#state.source === undefined) this.#begin();
    else {
      this.#source?.setPaused(false);
      this.#tryPlay();
    }
  }

  /** The viewer, or the page, wants to pause. */
  pause(): void {
    this.#wish.play = false;
    this.#media.pause();
    this.#source?.setPaused(true);
    this.#tell();
  }

  /** To the live edge, playing. */
  goLive(): void {
    this.play();
    this.#source?.goLive();
  }

  /** To `position` (s) within what is buffered. */
  seekTo(position: number): void {
    this.#source?.seekTo(position);
  }

  /** Another transport, without a reload. */
  setTransport(preference: TransportPreference): void {
    if (this.#wish.transport === preference) return;
    this.#wish.transport = preference;
    this.#state.rounds = 0;
    this.#begin();
  }

  /** Another part in the relay tree; false for none. */
  setRelay(relay: RelayWish | false): void {
    this.#wish.relay = relay;
    if (this.#source?.transport === 'relay') this.#begin();
  }

  /** Another balance of delay and smoothness. */
  setLatency(latency: LatencyClass): void {
    this.#wish.latency = latency;
    this.#source?.setLatency(latency);
  }

  /** The qualities of the stream by the transport in use. */
  get qualities(): Qualities {
    return this.#source?.qualities?.() ?? { levels: [], wanted: undefined, playing: undefined };
  }

  /** Another quality by its id, undefined for the automatic choice; kept until the transport changes. */
  setQuality(id: number | undefined): void {
    this.#source?.setQuality?.(id);
  }

  /** Tries all transports again at once. */
  retry(): void {
    this.#begin();
  }

  /** Lets go of everything. Safe to call twice. */
  close(): void {
    clearInterval(this.#life.look);
    this.#life.abort.abort();
    this.#stop();
    this.#life.events.close();
  }

  #stop(): void {
    clearTimeout(this.#life.retry);
    this.#state.turn++;
    const source = this.#source;
    this.#source = undefined;
    this.#life.events.restart();
    this.#state.source = undefined;
    source?.close();
  }

  #begin(): void {
    this.#stop();
    this.#order = transportOrder(this.#wish.transport, this.#can);
    if (this.#addresses === undefined || !this.#wish.play) {
      this.#report({ kind: 'idle' });
      return;
    }
    const first = this.#order[0];
    if (first === undefined) {
      const failure: SourceFailure = { code: 'unsupported', detail: 'no transport works in this browser' };
      this.#report({ kind: 'failed', failure });
      return;
    }
    this.#use({ transport: first, why: this.#wish.transport === 'auto' ? 'first' : 'chosen' });
  }

  #use(choice: TransportChoice): void {
    const addresses = this.#addresses;
    if (addresses === undefined) return;
    const { transport } = choice;
    const turn = ++this.#state.turn;
    const current = (): boolean => turn === this.#state.turn;
    this.#state.source = { kind: 'connecting' };
    this.#listener.transport(choice);
    this.#tell();
    const listener: SourceListener = {
      state: (state) => {
        if (!current()) return;
        this.#state.source = state;
        if (state.kind === 'live') this.#state.rounds = 0;
        this.#tell();
      },
      event: (event, place) => {
        if (current()) this.#life.events.add(event, place);
      },
      offered: (better) => {
        if (!current() || !this.#mayRelay()) return;
        this.#stop();
        this.#use({ transport: better, why: 'offered' });
      },
      replaced: () => {
        if (current() && this.#wish.play) this.#tryPlay();
      },
      failed: (failure) => {
        if (current()) this.#failed(transport, failure);
      },
    };
    const context = { media: this.#media, addresses, latency: this.#wish.latency, relay: this.#wish.relay };
    this.#factory(transport, context, listener).then(
      (source) => {
        if (!current()) source?.close();
        else if (source === undefined) {
          this.#failed(transport, { code: 'unsupported', detail: 'this browser cannot use it' });
        } else {
          this.#source = source;
          source.setLatency(this.#wish.latency);
          source.start();
          if (!this.#wish.play) source.setPaused(true);
        }
      },
      (error: unknown) => {
        if (current()) this.#failed(transport, { code: 'unreachable', detail: String(error) });
      },
    );
  }

  #mayRelay(): boolean {
    const { transport, relay } = this.#wish;
    return transport === 'auto' && relay !== false && this.#can.webRtc && !this.#state.relayFailed;
  }

  #failed(transport: Transport, failure: SourceFailure): void {
    this.#stop();
    this.#state.relayFailed ||= transport === 'relay';
    this.#listener.failed(transport, failure);
    const next = failure.code === 'denied' ? undefined : this.#order[this.#order.indexOf(transport) + 1];
    if (next !== undefined) {
      this.#use({ transport: next, why: 'fallback', failed: { transport, failure } });
      return;
    }
    if (failure.code === 'denied') {
      this.#report({ kind: 'failed', failure });
      return;
    }
    const pause = RETRY_MS[Math.min(this.#state.rounds++, RETRY_MS.length - 1)]!;
    this.#report({ kind: 'failed', failure, retryAt: Date.now() + pause });
    this.#life.retry = setTimeout(() => this.#begin(), pause);
  }

  #tryPlay(): void {
    const media = this.#media;
    media.play().then(
      () => this.#setBlocked(false),
      (error: unknown) => {
        // Only a refusal matters: an interrupted play() is followed by another.
        if (!(error instanceof DOMException) || error.name !== 'NotAllowedError' || !this.#wish.play) return;
        if (media.muted) {
          this.#setBlocked(true);
          return;
        }
        media.muted = true;
        this.#listener.soundRefused();
        this.#tryPlay();
      },
    );
  }

  #setBlocked(blocked: boolean): void {
    this.#state.blocked = blocked;
    this.#tell();
  }

  #look(): void {
    const { currentTime } = this.#media;
    if (currentTime !== this.#motion.position)
      this.#motion = { position: currentTime, at: performance.now() };
    this.#tell();
  }

  #tell(): void {
    const { source, blocked } = this.#state;
    if (source === undefined) return;
    const media = this.#media;
    const patience = source.kind === 'live' ? PATIENCE_MS : SHORT_PATIENCE_MS;
    const still = performance.now() - this.#motion.at;
    const moving = media.readyState >= 2 && !media.paused && still < patience;
    this.#report(statusOf(source, { wanted: this.#wish.play, blocked, moving }));
  }

  #report(status: PlayerStatus): void {
    if (sameStatus(status, this.#reported)) return;
    this.#reported = status;
    this.#listener.status(status);
  }

  #onPlay(): void {
    if (this.#wish.play) return;
    this.play();
  }

  #onPause(): void {
    // A hidden page, an error and the end of media are the browser's reasons to pause, not the viewer's.
    const { ended, error } = this.#media;
    if (!this.#wish.play || document.hidden || ended || error !== null) return;
    this.#wish.play = false;
    this.#source?.setPaused(true);
    this.#tell();
  }

  #onVisible(): void {
    if (!document.hidden && this.#wish.play && this.#media.paused) this.#tryPlay();
  }
}
