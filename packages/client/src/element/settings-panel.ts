import { LATENCY_CLASSES, type LatencyClass } from '../engine/live-edge.ts';
import type { TransportChoice } from '../player/status.ts';
import type { TransportPreference } from '../player/transports.ts';
import { TRANSPORTS } from '../sources/source.ts';
import { ICONS, icon, make } from './markup.ts';
import { QualityGroup } from './quality-group.ts';
import type { Speak, Word } from './words.ts';

/** What the settings do. */
export interface SettingsActions {
  transport(value: TransportPreference): void;
  latency(value: LatencyClass): void;
  /** By its id; undefined for the automatic choice. */
  quality(id: number | undefined): void;
  stats(): void;
  keys(): void;
  close(): void;
}

/** The panel in which a person chooses delay, quality and transport. */
export class SettingsPanel {
  /** To be put over the picture. */
  readonly element: HTMLElement;
  /** The choice of a quality. */
  readonly qualities: QualityGroup;
  readonly #speak: Speak;
  readonly #radios = new Map<string, HTMLInputElement>();
  readonly #note = make('p', { class: 'note', attributes: { hidden: '' } });
  readonly #auto = make('span');
  readonly #delay: HTMLFieldSetElement;

  constructor(speak: Speak, actions: SettingsActions) {
    this.#speak = speak;
    const more = (word: Word, shape: string, click: () => void): HTMLElement =>
      make('button', { click }, [icon(shape, false), make('span', { text: speak(word) })]);
    this.#auto.textContent = speak('auto');
    this.qualities = new QualityGroup(speak, (id) => actions.quality(id));
    this.#delay = this.#group('delay', LATENCY_CLASSES, (value) => actions.latency(value));
    this.element = make(
      'section',
      { class: 'panel settings', attributes: { 'aria-label': speak('settings'), hidden: '' } },
      [
        make('header', {}, [
          make('h2', { text: speak('settings') }),
          make('button', { attributes: { 'aria-label': speak('close') }, click: () => actions.close() }, [
            icon(ICONS.close, false),
          ]),
        ]),
        this.#delay,
        this.qualities.element,
        this.#group('transport', ['auto', ...TRANSPORTS], (value) => actions.transport(value)),
        this.#note,
        make('div', { class: 'more' }, [
          more('stats', ICONS.chart, () => actions.stats()),
          more('keys', ICONS.keys, () => actions.keys()),
        ]),
      ],
    );
  }

  /** Shows what is chosen now. */
  update(transport: TransportPreference, latency: LatencyClass): void {
    for (const [value, radio] of this.#radios) radio.checked = value === transport || value === latency;
  }

  /** Shows which transport is in use, and why if another was meant to be. */
  tell(choice: TransportChoice): void {
    const speak = this.#speak;
    this.#auto.textContent =
      choice.why === 'chosen' ? speak('auto') : speak('autoUses', { transport: speak(choice.transport) });
    // The browser alone decides how far from the edge it plays HLS.
    this.#delay.disabled = choice.transport === 'hls';
    this.#note.hidden = choice.failed === undefined;
    if (choice.failed !== undefined) {
      const { transport, failure } = choice.failed;
      this.#note.textContent = speak('fellBack', { failed: speak(transport), reason: failure.detail });
    }
  }

  /** Puts the focus on the first choice. */
  focus(): void {
    for (const radio of this.#radios.values()) {
      if (radio.checked && !radio.matches(':disabled')) {
        radio.focus();
        return;
      }
    }
  }

  #group<T extends Word>(
    legend: Word,
    values: readonly T[],
    choose: (value: T) => void,
  ): HTMLFieldSetElement {
    const group = make('fieldset', {}, [make('legend', { text: this.#speak(legend) })]);
    for (const value of values) {
      const radio = make('input', { attributes: { type: 'radio', name: legend, value } });
      radio.addEventListener('change', () => choose(value));
      this.#radios.set(value, radio);
      const words = value === 'auto' ? this.#auto : make('span', { text: this.#speak(value) });
      group.append(make('label', {}, [radio, words]));
    }
    return group;
  }
}
