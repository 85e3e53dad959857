import type { Qualities, Quality } from '../sources/source.ts';
import { make } from './markup.ts';
import { bitrate } from './stats-panel.ts';
import type { Speak } from './words.ts';

/** What of the qualities is shown; the rate is told where the height alone does not say which is which. */
export function qualityName(quality: Quality, all: readonly Quality[]): string {
  const rate = bitrate(quality.bitrate);
  if (quality.height === 0) return rate;
  const height = `${quality.height}p`;
  const same = all.filter((one) => one.height === quality.height).length;
  return same > 1 ? `${height} · ${rate}` : height;
}

/** The choice of a quality; hidden while there is nothing to choose from. */
export class QualityGroup {
  /** A group of radio buttons. */
  readonly element: HTMLFieldSetElement;
  readonly #speak: Speak;
  readonly #choose: (id: number | undefined) => void;
  readonly #auto = make('span');
  #shown = '';
  #radios = new Map<number | undefined, HTMLInputElement>();

  /** @param choose told of the chosen quality's id, undefined for the automatic choice */
  constructor(speak: Speak, choose: (id: number | undefined) => void) {
    this.#speak = speak;
    this.#choose = choose;
    this.element = make('fieldset', { attributes: { hidden: '' } });
  }

  /** Shows what there is and what plays. Its radio buttons are made anew only when there is something else to choose. */
  update({ levels, wanted, playing }: Qualities): void {
    const names = levels.map((one) => qualityName(one, levels));
    const shown = JSON.stringify([levels.map(({ id }) => id), names]);
    this.element.hidden = levels.length < 2;
    if (shown !== this.#shown) {
      this.#shown = shown;
      this.#fill(levels, names);
    }
    const now = names[levels.findIndex(({ id }) => id === playing)];
    const text =
      now === undefined || wanted !== undefined
        ? this.#speak('auto')
        : this.#speak('autoUses', { transport: now });
    if (this.#auto.textContent !== text) this.#auto.textContent = text;
    const radio = this.#radios.get(wanted);
    if (radio !== undefined) radio.checked = true;
  }

  #fill(levels: readonly Quality[], names: readonly string[]): void {
    this.#radios = new Map();
    const rows = [undefined, ...levels.map(({ id }) => id)].map((id, i) => {
      const radio = make('input', {
        attributes: { type: 'radio', name: 'quality', value: id === undefined ? 'auto' : String(id) },
      });
      radio.addEventListener('change', () => this.#choose(id));
      this.#radios.set(id, radio);
      const words = id === undefined ? this.#auto : make('span', { text: names[i - 1]! });
      return make('label', {}, [radio, words]);
    });
    this.element.replaceChildren(make('legend', { text: this.#speak('quality') }), ...rows);
  }
}
