/** What an element is made with: attributes as text, listeners by `on…`, the rest as said. */
export interface Traits {
  readonly class?: string;
  readonly text?: string;
  readonly attributes?: Readonly<Record<string, string>>;
  readonly click?: () => void;
}

/** Makes an element with children. */
export function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  traits?: Traits,
  children?: readonly Node[],
): HTMLElementTagNameMap[K];
export function make(tag: string, traits?: Traits, children?: readonly Node[]): HTMLElement;
export function make(tag: string, traits: Traits = {}, children: readonly Node[] = []): HTMLElement {
  const element = document.createElement(tag);
  if (traits.class !== undefined) element.className = traits.class;
  if (traits.text !== undefined) element.textContent = traits.text;
  for (const [name, value] of Object.entries(traits.attributes ?? {})) element.setAttribute(name, value);
  if (traits.click !== undefined) element.addEventListener('click', traits.click);
  element.append(...children);
  return element;
}

const SVG = 'http://www.w3.org/2000/svg';

/** A 24-unit icon of one path, drawn in the text colour; silent to screen readers. */
export function icon(path: string, filled = true): SVGSVGElement {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('aria-hidden', 'true');
  svg.setAttribute('class', filled ? 'icon' : 'icon line');
  const shape = document.createElementNS(SVG, 'path');
  shape.setAttribute('d', path);
  svg.append(shape);
  return svg;
}

/** Shapes of the icons; drawn for this player on a 24-unit grid. */
export const ICONS = {
  play: 'M8 5.2v13.6a.8.8 0 0 0 1.2.7l11-6.8a.8.8 0 0 0 0-1.4l-11-6.8a.8.8 0 0 0-1.2.7z',
  sliders: 'M4 7h8M18 7h2M4 17h2M12 17h8M12 7a3 3 0 1 0 6 0a3 3 0 1 0-6 0M6 17a3 3 0 1 0 6 0a3 3 0 1 0-6 0',
  waves:
    'M12 12h.01M8.5 15.5a5 5 0 0 1 0-7M15.5 8.5a5 5 0 0 1 0 7M5.6 18.4a9 9 0 0 1 0-12.8M18.4 5.6a9 9 0 0 1 0 12.8',
  plug: 'M9 3v5M15 3v5M6 8h12v3a6 6 0 0 1-12 0zM12 17v4',
  speaker: 'M4 9.5v5h3.5L12 18.5v-13L7.5 9.5zM16 9l5 6M21 9l-5 6',
  sound: 'M4 10v4M8 7v10M12 4v16M16 8v8M20 10v4',
  stop: 'M7 7h10v10H7z',
  warning: 'M12 4 2.5 20h19zM12 10v5M12 17.6v.1',
  close: 'M6 6l12 12M18 6 6 18',
  chart: 'M4 19h16M6 15l4-5 3 3 5-7',
  keys: 'M3 7h18v10H3zM7 10.5h.01M11 10.5h.01M15 10.5h.01M8 14h8',
} as const;
