import type { PlayerFigures } from '../player/player.ts';
import { ICONS, icon, make } from './markup.ts';
import { sparkline } from './sparkline.ts';
import type { Speak, Word } from './words.ts';

/** Seconds of history in the plot. */
export const HISTORY = 60;

/** One line of the statistics: what and how much. */
export interface StatLine {
  readonly word: Word;
  readonly value: string;
}

/** The statistics as lines of text, in the order shown. */
export function statLines(figures: PlayerFigures, speak: Speak): StatLine[] {
  const none = speak('unknown');
  const seconds = (value: number | undefined): string =>
    value === undefined ? none : `${value.toFixed(2)} s`;
  const share = figures.decoded === 0 ? 0 : (100 * figures.dropped) / figures.decoded;
  return [
    { word: 'statTransport', value: figures.transport === undefined ? none : speak(figures.transport) },
    { word: 'statLatency', value: seconds(figures.latency) },
    { word: 'statBuffer', value: seconds(figures.ahead) },
    { word: 'statDropped', value: `${figures.dropped} / ${figures.decoded} (${share.toFixed(1)} %)` },
    { word: 'statBitrate', value: figures.bitrate === undefined ? none : bitrate(figures.bitrate) },
    { word: 'statResolution', value: figures.width === 0 ? none : `${figures.width} × ${figures.height}` },
    { word: 'statCodec', value: figures.codecs === '' ? none : figures.codecs },
    { word: 'statSpeed', value: `${figures.rate.toFixed(2)} ×` },
    { word: 'statStalls', value: String(figures.stalls) },
    { word: 'statReconnects', value: String(figures.reconnects) },
    { word: 'statSkipped', value: String(figures.skipped) },
    ...peerLines(figures),
  ];
}

/** What came from other viewers and went to them, where they carry the stream. */
function peerLines({ transport, peerShare, peerBytesSent }: PlayerFigures): StatLine[] {
  if (transport !== 'relay') return [];
  return [
    { word: 'statPeers', value: `${((peerShare ?? 0) * 100).toFixed(0)} %` },
    { word: 'statPeersSent', value: `${((peerBytesSent ?? 0) / 1e6).toFixed(1)} MB` },
  ];
}

/** Bits per second for people. */
export function bitrate(bits: number): string {
  return bits >= 1e6 ? `${(bits / 1e6).toFixed(2)} Mbit/s` : `${Math.round(bits / 1000)} kbit/s`;
}

/** The panel with figures and the plot of the last minute's latency. */
export class StatsPanel {
  /** To be put over the picture. */
  readonly element: HTMLElement;
  readonly #speak: Speak;
  readonly #list = make('dl');
  readonly #line = path();
  readonly #area = path('under');
  readonly #copy: HTMLButtonElement;
  #text = '';
  #restore: ReturnType<typeof setTimeout> | undefined;

  constructor(speak: Speak, close: () => void) {
    this.#speak = speak;
    const plot = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
    plot.setAttribute('class', 'plot');
    plot.setAttribute('viewBox', '0 0 100 40');
    plot.setAttribute('preserveAspectRatio', 'none');
    plot.setAttribute('role', 'img');
    plot.setAttribute('aria-label', speak('statMinute'));
    plot.append(this.#area, this.#line);
    this.#copy = make('button', { text: speak('copy'), click: () => this.#copyText() });
    const x = make('button', { attributes: { 'aria-label': speak('close') }, click: close }, [
      icon(ICONS.close, false),
    ]);
    this.element = make(
      'section',
      { class: 'panel stats', attributes: { 'aria-label': speak('stats'), hidden: '' } },
      [make('header', {}, [make('h2', { text: speak('stats') }), this.#copy, x]), plot, this.#list],
    );
  }

  /** Shows figures. @param history latency in seconds per second, newest last */
  update(figures: PlayerFigures, history: readonly (number | undefined)[]): void {
    const lines = statLines(figures, this.#speak);
    const { line, area } = sparkline(history, HISTORY, 100, 40);
    this.#line.setAttribute('d', line);
    this.#area.setAttribute('d', area);
    this.#text = lines.map(({ word, value }) => `${this.#speak(word)}: ${value}`).join('\n');
    this.#list.replaceChildren(
      ...lines.flatMap(({ word, value }) => [
        make('dt', { text: this.#speak(word) }),
        make('dd', { text: value }),
      ]),
    );
  }

  /** Stops its timer. */
  close(): void {
    clearTimeout(this.#restore);
  }

  #copyText(): void {
    const done = (): void => {
      this.#copy.textContent = this.#speak('copied');
      clearTimeout(this.#restore);
      this.#restore = setTimeout(() => {
        this.#copy.textContent = this.#speak('copy');
      }, 1500);
    };
    const select = (): void => {
      // Without clipboard (plain HTTP, no permission) the figures are selected for the viewer's own copy key.
      getSelection()?.selectAllChildren(this.#list);
    };
    if (navigator.clipboard === undefined) select();
    else navigator.clipboard.writeText(this.#text).then(done, select);
  }
}

function path(name?: string): SVGPathElement {
  const shape = document.createElementNS('http://www.w3.org/2000/svg', 'path');
  if (name !== undefined) shape.setAttribute('class', name);
  return shape;
}
