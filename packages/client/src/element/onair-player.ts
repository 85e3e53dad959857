import type { LatencyClass } from '../engine/live-edge.ts';
import type { FiredEvent } from '../player/event-clock.ts';
import { Player, type PlayerFigures } from '../player/player.ts';
import type { PlayerStatus, TransportChoice } from '../player/status.ts';
import type { TransportPreference } from '../player/transports.ts';
import { streamAddresses } from '../sources/address.ts';
import type { Qualities, SourceFailure, Transport } from '../sources/source.ts';
import {
  ATTRIBUTES,
  firstTransport,
  parseControls,
  parseLatency,
  parseRelay,
  parseTransport,
} from './attributes.ts';
import { type Key, keyAction, ownsKey } from './keyboard.ts';
import { Stage } from './stage.ts';
import { HISTORY } from './stats-panel.ts';
import { pickLanguage } from './words.ts';

/** Details of the events of `<onair-player>`. */
export interface OnairPlayerEvents {
  /** Status changed. */
  'onair-state': PlayerStatus;
  /** Figures, once a second while a stream is connected. */
  'onair-stats': PlayerFigures;
  /** A transport was taken into use. */
  'onair-transport': TransportChoice;
  /** A transport failed. */
  'onair-error': { readonly transport: Transport; readonly failure: SourceFailure };
  /** A timed event of the stream, on the picture it belongs to. */
  'onair-event': FiredEvent;
}

/** Seconds that stay between the earliest media and the position when stepping back, so that it is not evicted. */
const BACK_MARGIN = 1;

/**
 * `<onair-player src="/live/test">`: plays one live stream.
 *
 * Attributes: `src`, `transport` (auto, ws, relay, llhls, hls, flv, whep), `relay` (on, off), `upload-limit` (bit/s),
 * `latency` (lowest, balanced, smoothest, realtime), `autoplay`, `muted`, `poster`, `controls` (on, off), `lang` (en, ja, zh).
 * Events: see {@link OnairPlayerEvents}.
 */
export class OnairPlayerElement extends HTMLElement {
  /** @internal */
  static readonly observedAttributes: readonly string[] = ATTRIBUTES;

  #stage: Stage | undefined;
  #player: Player | undefined;
  #history: (number | undefined)[] = [];
  #second: ReturnType<typeof setInterval> | undefined;
  #choice: TransportChoice | undefined;
  /** What the viewer saw of the stream so far. */
  #seen = { hasPicture: false, soundOnly: false };

  /** Address of the stream, e.g. `/live/test`. */
  get src(): string {
    return this.getAttribute('src') ?? '';
  }
  set src(value: string) {
    this.setAttribute('src', value);
  }

  /** The transport asked for. */
  get transport(): TransportPreference {
    return parseTransport(this.getAttribute('transport'));
  }
  set transport(value: TransportPreference) {
    this.setAttribute('transport', value);
  }

  get #firstTransport(): TransportPreference {
    return firstTransport(this.transport, this.getAttribute('latency'));
  }

  /** Balance of delay and smoothness. */
  get latency(): LatencyClass {
    return parseLatency(this.getAttribute('latency'));
  }
  set latency(value: LatencyClass) {
    this.setAttribute('latency', value);
  }

  /** Play begins by itself. */
  get autoplay(): boolean {
    return this.hasAttribute('autoplay');
  }
  set autoplay(value: boolean) {
    this.toggleAttribute('autoplay', value);
  }

  /** Sound is off. */
  get muted(): boolean {
    return this.#stage?.video.muted ?? this.hasAttribute('muted');
  }
  set muted(value: boolean) {
    if (this.#stage === undefined) this.toggleAttribute('muted', value);
    else this.#stage.video.muted = value;
  }

  /** How things stand. */
  get status(): PlayerStatus {
    return this.#player?.status ?? { kind: 'idle' };
  }

  /** The transport in use and why, undefined before the first. */
  get choice(): TransportChoice | undefined {
    return this.#choice;
  }

  /** Figures now; undefined while not in a document. */
  get figures(): PlayerFigures | undefined {
    return this.#player?.figures();
  }

  /** The video element inside; undefined while not in a document. */
  get video(): HTMLVideoElement | undefined {
    return this.#stage?.video;
  }

  /** Plays, connecting if that has not happened yet. */
  play(): void {
    this.#player?.play();
  }

  /** Pauses. */
  pause(): void {
    this.#player?.pause();
  }

  /** The qualities of the stream, best first, the one asked for and the one that plays. */
  get qualities(): Qualities {
    return this.#player?.qualities ?? { levels: [], wanted: undefined, playing: undefined };
  }

  /** Another quality by its id, undefined for the automatic choice. */
  setQuality(id: number | undefined): void {
    this.#player?.setQuality(id);
    this.#stage?.settings.qualities.update(this.qualities);
  }

  /** To the live edge, playing. */
  goLive(): void {
    this.#player?.goLive();
  }

  /** @internal */
  connectedCallback(): void {
    if (this.#player !== undefined) return;
    const root = this.shadowRoot ?? this.attachShadow({ mode: 'open' });
    if (!this.hasAttribute('tabindex')) this.tabIndex = 0;
    const tags = [this.closest('[lang]')?.getAttribute('lang') ?? '', ...navigator.languages];
    const stage = new Stage(root, pickLanguage(tags), {
      play: () => this.#player?.play(),
      goLive: () => this.goLive(),
      retry: () => this.#player?.retry(),
      transport: (value) => this.setAttribute('transport', value),
      latency: (value) => this.setAttribute('latency', value),
      quality: (id) => this.setQuality(id),
    });
    this.#stage = stage;
    stage.video.muted = this.hasAttribute('muted');
    stage.setPoster(this.getAttribute('poster'));
    stage.setControls(this, parseControls(this.getAttribute('controls')));
    const relay = parseRelay(this.getAttribute('relay'), this.getAttribute('upload-limit'));
    const options = { transport: this.#firstTransport, latency: this.latency, relay };
    this.#player = new Player(stage.video, options, {
      status: (status) => this.#showStatus(status),
      transport: (choice) => {
        this.#choice = choice;
        stage.settings.tell(choice);
        this.#emit('onair-transport', choice);
      },
      failed: (transport, failure) => this.#emit('onair-error', { transport, failure }),
      soundRefused: () => stage.offerSound(),
      event: (event) => this.#emit('onair-event', event),
    });
    stage.settings.update(this.transport, options.latency);
    this.#history = [];
    this.#second = setInterval(() => this.#everySecond(), 1000);
    this.addEventListener('keydown', this.#onKey);
    this.#load();
  }

  /** @internal */
  disconnectedCallback(): void {
    clearInterval(this.#second);
    this.removeEventListener('keydown', this.#onKey);
    this.#player?.close();
    this.#stage?.close();
    this.#player = undefined;
    this.#stage = undefined;
    this.#choice = undefined;
    this.#seen = { hasPicture: false, soundOnly: false };
  }

  /** @internal */
  attributeChangedCallback(
    name: (typeof ATTRIBUTES)[number],
    before: string | null,
    now: string | null,
  ): void {
    const player = this.#player;
    const stage = this.#stage;
    if (player === undefined || stage === undefined || before === now) return;
    switch (name) {
      case 'src':
        this.#seen = { hasPicture: false, soundOnly: false };
        this.#load();
        break;
      case 'transport':
        player.setTransport(this.#firstTransport);
        stage.settings.update(this.transport, this.latency);
        break;
      case 'latency':
        player.setLatency(this.latency);
        player.setTransport(this.#firstTransport);
        stage.settings.update(this.transport, this.latency);
        break;
      case 'autoplay':
        if (now !== null) player.play();
        break;
      case 'muted':
        stage.video.muted = now !== null;
        break;
      case 'poster':
        stage.setPoster(now);
        break;
      case 'controls':
        stage.setControls(this, parseControls(now));
        break;
      case 'relay':
      case 'upload-limit':
        player.setRelay(parseRelay(this.getAttribute('relay'), this.getAttribute('upload-limit')));
        break;
      case 'lang':
        // Words are everywhere in the tree: it is made anew.
        this.disconnectedCallback();
        this.connectedCallback();
        break;
    }
  }

  /**
   * Does what a key means to the player; a page may pass on keys pressed elsewhere.
   * @returns true if the key meant something.
   */
  handleKey(key: Key): boolean {
    const action = keyAction(key);
    const stage = this.#stage;
    const player = this.#player;
    if (action === undefined || stage === undefined || player === undefined) return false;
    const { video } = stage;
    switch (action.kind) {
      case 'toggle-play':
        if (video.paused || player.status.kind === 'idle') player.play();
        else player.pause();
        break;
      case 'toggle-mute':
        video.muted = !video.muted;
        break;
      case 'toggle-fullscreen':
        this.#toggleFullscreen();
        break;
      case 'seek':
        this.#seekTo(video.currentTime + action.seconds);
        break;
      case 'go-back':
        this.#seekTo(Number.NEGATIVE_INFINITY);
        break;
      case 'go-live':
        player.goLive();
        break;
      case 'volume':
        video.volume = Math.min(1, Math.max(0, Math.round((video.volume + action.step) * 100) / 100));
        if (action.step > 0) video.muted = false;
        break;
      case 'toggle-stats':
        stage.toggle('stats');
        this.#refreshStats();
        break;
      case 'toggle-keys':
        stage.toggle('keys');
        break;
      case 'escape':
        return stage.closePanels();
    }
    stage.stir();
    return true;
  }

  readonly #onKey = (event: KeyboardEvent): void => {
    if (event.defaultPrevented || ownsKey(event.composedPath()[0], event.key)) return;
    if (this.handleKey(event)) event.preventDefault();
  };

  #load(): void {
    const addresses = streamAddresses(this.src, document.baseURI);
    if (addresses === undefined && this.src !== '') {
      console.warn(`<onair-player src="${this.src}">: no address of a stream; nothing is played`);
    }
    this.#player?.load(addresses);
    if (this.autoplay) this.#player?.play();
    this.#showStatus(this.status);
  }

  #seekTo(position: number): void {
    const video = this.#stage?.video;
    if (video === undefined) return;
    const { seekable } = video;
    if (seekable.length === 0) return;
    const first = seekable.start(0) + BACK_MARGIN;
    if (position >= seekable.end(seekable.length - 1)) this.goLive();
    else if (first < video.currentTime || position > first) this.#player?.seekTo(Math.max(first, position));
  }

  #toggleFullscreen(): void {
    const done = document.fullscreenElement === this ? document.exitFullscreen() : this.requestFullscreen?.();
    done?.catch(() => {
      // The browser refuses where the page does not allow it; the button is hidden there.
    });
  }

  #showStatus(status: PlayerStatus): void {
    if (status.kind === 'playing') this.#seen.hasPicture = true;
    if (status.kind === 'waiting' || status.kind === 'idle')
      this.#seen = { hasPicture: false, soundOnly: false };
    this.#stage?.showStatus(status, this.#name(), this.#seen);
    this.#emit('onair-state', status);
  }

  #name(): string {
    return streamAddresses(this.src, document.baseURI)?.name ?? '';
  }

  #everySecond(): void {
    const player = this.#player;
    if (player === undefined) return;
    const figures = player.figures();
    const playing = player.status.kind === 'playing';
    this.#history.push(playing ? figures.latency : undefined);
    if (this.#history.length > HISTORY) this.#history.shift();
    this.#stage?.settings.qualities.update(player.qualities);
    this.#stage?.bar.update(playing && player.isLive, playing ? figures.latency : undefined);
    this.#refreshStats(figures);
    this.#lookForPicture(playing && figures.width === 0);
    if (figures.transport !== undefined) this.#emit('onair-stats', figures);
  }

  #lookForPicture(soundOnly: boolean): void {
    if (this.status.kind !== 'playing' || this.#seen.soundOnly === soundOnly) return;
    this.#seen.soundOnly = soundOnly;
    this.#stage?.showStatus(this.status, this.#name(), this.#seen);
  }

  #refreshStats(figures = this.figures): void {
    const panel = this.#stage?.stats;
    if (panel !== undefined && figures !== undefined && !panel.element.hidden)
      panel.update(figures, this.#history);
  }

  #emit<K extends keyof OnairPlayerEvents>(name: K, detail: OnairPlayerEvents[K]): void {
    this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true }));
  }
}

/** Makes `<onair-player>` known to the page. Safe to call twice. */
export function defineOnairPlayer(): void {
  if (customElements.get('onair-player') === undefined)
    customElements.define('onair-player', OnairPlayerElement);
}

declare global {
  interface HTMLElementTagNameMap {
    'onair-player': OnairPlayerElement;
  }
}
