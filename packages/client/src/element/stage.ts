import type { LatencyClass } from '../engine/live-edge.ts';
import type { PlayerStatus } from '../player/status.ts';
import type { TransportPreference } from '../player/transports.ts';
import { StatusCard } from './card.ts';
import { type ControlBar, controlBar, loadControls } from './control-bar.ts';
import { keysPanel } from './keyboard.ts';
import { ICONS, icon, make } from './markup.ts';
import { SettingsPanel } from './settings-panel.ts';
import { StatsPanel } from './stats-panel.ts';
import { STYLES } from './styles.ts';
import { type Language, type Speak, speaker } from './words.ts';

/** What a viewer can ask for on the stage. */
export interface StageActions {
  play(): void;
  goLive(): void;
  retry(): void;
  transport(value: TransportPreference): void;
  latency(value: LatencyClass): void;
  quality(id: number | undefined): void;
}

/** Everything one sees of a player: picture, controls, card, panels. */
export class Stage {
  readonly video: HTMLVideoElement;
  readonly bar: ControlBar;
  readonly stats: StatsPanel;
  readonly settings: SettingsPanel;
  readonly #root: ShadowRoot;
  readonly #language: Language;
  readonly #speak: Speak;
  readonly #actions: StageActions;
  readonly #card = new StatusCard();
  readonly #controller: HTMLElement;
  readonly #unmute: HTMLButtonElement;
  readonly #keys: HTMLElement;

  constructor(root: ShadowRoot, language: Language, actions: StageActions) {
    const speak = speaker(language);
    this.#root = root;
    this.#language = language;
    this.#speak = speak;
    this.#actions = actions;
    this.video = make('video', {
      attributes: { slot: 'media', playsinline: '', tabindex: '-1', 'aria-label': speak('player') },
    });
    this.bar = controlBar(speak, actions.goLive, () => this.toggle('settings'));
    // Live play has no end to seek to, keys are ours, and a muted start is not the viewer's preference.
    this.#controller = make(
      'media-controller',
      {
        attributes: {
          defaultstreamtype: 'live',
          noautoseektolive: '',
          nohotkeys: '',
          nomutedpref: '',
          lang: language,
        },
      },
      [this.video, this.bar.element],
    );
    this.#unmute = make(
      'button',
      { class: 'unmute', attributes: { hidden: '' }, click: () => this.#soundOn() },
      [icon(ICONS.speaker, false), make('span', { text: speak('unmute') })],
    );
    this.settings = new SettingsPanel(speak, {
      transport: actions.transport,
      latency: actions.latency,
      quality: actions.quality,
      stats: () => this.toggle('stats'),
      keys: () => this.toggle('keys'),
      close: () => this.closePanels(),
    });
    this.stats = new StatsPanel(speak, () => {
      this.stats.element.hidden = true;
    });
    this.#keys = keysPanel(speak, () => this.closePanels());
    this.video.addEventListener('volumechange', () => {
      if (!this.video.muted) this.#unmute.hidden = true;
    });
    const panels = [this.#unmute, this.stats.element, this.settings.element, this.#keys];
    root.replaceChildren(make('style', { text: STYLES }), this.#controller, this.#card.element, ...panels);
  }

  /** Shows what belongs to a status. */
  showStatus(status: PlayerStatus, name: string, seen: { hasPicture: boolean; soundOnly: boolean }): void {
    const { play, retry } = this.#actions;
    this.#card.show(status, { speak: this.#speak, name, ...seen, play, retry });
  }

  /** Picture before play. */
  setPoster(address: string | null): void {
    if (address === null) this.video.removeAttribute('poster');
    else this.video.poster = address;
  }

  /** Shows or hides the controls, loading them when first wanted. @param host what goes full screen */
  setControls(host: HTMLElement, shown: boolean): void {
    this.bar.element.hidden = !shown;
    if (!shown) return;
    loadControls(this.#speak, this.#language).then(
      () => {
        (this.#controller as HTMLElement & { fullscreenElement?: HTMLElement }).fullscreenElement = host;
      },
      () => {
        // Without our controls the browser's own serve.
        this.video.controls = true;
      },
    );
  }

  /** The browser refused sound: a button offers it. */
  offerSound(): void {
    this.#unmute.hidden = false;
  }

  /** Opens or closes a panel; settings and keys exclude each other. */
  toggle(which: 'stats' | 'settings' | 'keys'): void {
    const { settings, stats } = this;
    const target = { stats: stats.element, settings: settings.element, keys: this.#keys }[which];
    const open = target.hidden;
    settings.element.hidden = true;
    this.#keys.hidden = true;
    target.hidden = !open;
    if (open && which === 'settings') settings.focus();
  }

  /** Closes what is open. @returns true if something was. */
  closePanels(): boolean {
    const open = [this.settings.element, this.#keys, this.stats.element].filter((one) => !one.hidden);
    for (const one of open) one.hidden = true;
    return open.length > 0;
  }

  /** Shows the controls again for a moment, as a moving mouse does. */
  stir(): void {
    this.#controller.dispatchEvent(new PointerEvent('pointermove', { pointerType: 'mouse' }));
  }

  /** Takes everything off the page. */
  close(): void {
    this.#card.close();
    this.stats.close();
    this.#root.replaceChildren();
  }

  #soundOn(): void {
    this.video.muted = false;
    this.#unmute.hidden = true;
  }
}
