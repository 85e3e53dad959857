import type { PlayerStatus } from '../player/status.ts';
import { ICONS, icon, make } from './markup.ts';
import type { Speak, Word } from './words.ts';

/** What the card needs to know besides the status. */
export interface CardContext {
  readonly speak: Speak;
  /** Stream as people see it, `APP/NAME`. */
  readonly name: string;
  /** A picture was shown before: it stays visible, dimmed. */
  readonly hasPicture: boolean;
  /** The stream plays and has no picture. */
  readonly soundOnly: boolean;
  readonly play: () => void;
  readonly retry: () => void;
}

/** Waiting shorter than this shows no spinner, ms; quick recoveries should not flicker. */
const SPINNER_AFTER_MS = 400;

/** The layer over the picture that says why there is none, and what will happen. */
export class StatusCard {
  /** To be put over the picture. */
  readonly element = make('div', {
    class: 'veil bare',
    attributes: { role: 'status', 'aria-live': 'polite' },
  });
  #timer: ReturnType<typeof setInterval> | undefined;
  #delay: ReturnType<typeof setTimeout> | undefined;
  /** When the wait for a publisher that is shown began, ms. */
  #absentSince: { readonly until: number; readonly at: number } | undefined;

  /** Shows what belongs to `status`. */
  show(status: PlayerStatus, context: CardContext): void {
    this.close();
    const { speak, name } = context;
    this.element.replaceChildren();
    this.element.className = context.hasPicture ? 'veil' : 'veil solid';
    this.element.hidden = false;
    if (status.kind !== 'absent') this.#absentSince = undefined;
    switch (status.kind) {
      case 'playing':
      case 'paused':
        if (context.soundOnly) {
          this.element.className = 'veil solid';
          this.#card('calm', ICONS.sound, name, speak('soundOnly'));
        } else this.element.hidden = true;
        break;
      case 'idle':
      case 'blocked':
        this.element.className = 'veil bare';
        if (name === '') this.#card('calm', ICONS.waves, speak('nothing'));
        else this.element.append(this.#startButton(context));
        break;
      case 'connecting':
      case 'buffering':
        this.element.className = context.hasPicture ? 'veil bare' : 'veil solid';
        this.#delay = setTimeout(() => this.element.append(this.#spinner(speak)), SPINNER_AFTER_MS);
        break;
      case 'waiting':
        this.element.className = 'veil solid';
        this.#card('calm', ICONS.waves, speak('waiting', { name }), speak('waitingHint'));
        break;
      case 'ended':
        this.#card('', ICONS.stop, speak('ended'), speak('endedHint'));
        break;
      case 'absent':
        this.#absent(status.until, speak);
        break;
      case 'reconnecting':
        this.#card('needs', ICONS.plug, speak('reconnecting'));
        break;
      case 'failed':
        this.#failed(status, context);
        break;
    }
  }

  /** Stops its timers. */
  close(): void {
    clearInterval(this.#timer);
    clearTimeout(this.#delay);
  }

  #startButton({ speak, play }: CardContext): HTMLElement {
    return make('button', { class: 'start', attributes: { 'aria-label': speak('playNow') }, click: play }, [
      icon(ICONS.play),
    ]);
  }

  #spinner(speak: Speak): HTMLElement {
    return make('div', { class: 'spinner', attributes: { role: 'img', 'aria-label': speak('loading') } });
  }

  #card(mood: '' | 'calm' | 'needs', shape: string, title: string, hint?: string): HTMLElement {
    const card = make('div', { class: `card ${mood}` }, [
      make('div', { class: 'badge' }, [icon(shape, false)]),
      make('h2', { text: title }),
    ]);
    if (hint !== undefined) card.append(make('p', { text: hint }));
    this.element.append(card);
    return card;
  }

  #absent(until: number | undefined, speak: Speak): void {
    const card = this.#card('needs', ICONS.plug, speak('absent'), speak('absentHint'));
    if (until === undefined) return;
    if (this.#absentSince?.until !== until) this.#absentSince = { until, at: Date.now() };
    const { at } = this.#absentSince;
    // Seconds are for the eye: read aloud every second they would drown everything else.
    const left = make('p', { class: 'left number', attributes: { 'aria-hidden': 'true' } });
    const bar = make('i');
    card.append(left, make('div', { class: 'meter', attributes: { 'aria-hidden': 'true' } }, [bar]));
    const tick = (): void => {
      const ms = Math.max(0, until - Date.now());
      left.textContent = speak('secondsLeft', { seconds: String(Math.ceil(ms / 1000)) });
      bar.style.width = `${Math.min(100, (100 * ms) / Math.max(1, until - at))}%`;
    };
    tick();
    this.#timer = setInterval(tick, 500);
  }

  #failed(status: PlayerStatus & { kind: 'failed' }, { speak, retry }: CardContext): void {
    const words: Record<typeof status.failure.code, Word> = {
      unreachable: 'failedUnreachable',
      denied: 'failedDenied',
      unsupported: 'failedUnsupported',
      media: 'failedMedia',
    };
    const card = this.#card('needs', ICONS.warning, speak(words[status.failure.code]), status.failure.detail);
    const { retryAt } = status;
    if (retryAt !== undefined) {
      const left = make('p', { class: 'left number', attributes: { 'aria-hidden': 'true' } });
      const tick = (): void => {
        const seconds = Math.max(0, Math.ceil((retryAt - Date.now()) / 1000));
        left.textContent = speak('retryIn', { seconds: String(seconds) });
      };
      tick();
      this.#timer = setInterval(tick, 500);
      card.append(left);
    }
    card.append(make('button', { class: 'action', text: speak('tryAgain'), click: retry }));
  }
}
