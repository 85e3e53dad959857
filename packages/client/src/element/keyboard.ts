import { ICONS, icon, make } from './markup.ts';
import type { Speak, Word } from './words.ts';

/** What a key does. */
export type KeyAction =
  | { readonly kind: 'toggle-play' | 'toggle-mute' | 'toggle-fullscreen' | 'go-live' | 'go-back' }
  | { readonly kind: 'toggle-stats' | 'toggle-keys' | 'escape' }
  | { readonly kind: 'seek'; readonly seconds: number }
  | { readonly kind: 'volume'; readonly step: number };

/** What of a keyboard event matters. */
export interface Key {
  readonly key: string;
  readonly altKey: boolean;
  readonly ctrlKey: boolean;
  readonly metaKey: boolean;
}

/** The action of a key, undefined if it has none. */
export function keyAction({ key, altKey, ctrlKey, metaKey }: Key): KeyAction | undefined {
  if (altKey || ctrlKey || metaKey) return undefined;
  switch (key.length === 1 ? key.toLowerCase() : key) {
    case ' ':
    case 'k':
      return { kind: 'toggle-play' };
    case 'j':
      return { kind: 'seek', seconds: -10 };
    case 'l':
      return { kind: 'seek', seconds: 10 };
    case 'ArrowLeft':
      return { kind: 'seek', seconds: -5 };
    case 'ArrowRight':
      return { kind: 'seek', seconds: 5 };
    case 'ArrowUp':
      return { kind: 'volume', step: 0.05 };
    case 'ArrowDown':
      return { kind: 'volume', step: -0.05 };
    case 'm':
      return { kind: 'toggle-mute' };
    case 'f':
      return { kind: 'toggle-fullscreen' };
    case 'Home':
      return { kind: 'go-back' };
    case 'End':
      return { kind: 'go-live' };
    case 's':
      return { kind: 'toggle-stats' };
    case '?':
      return { kind: 'toggle-keys' };
    case 'Escape':
      return { kind: 'escape' };
    default:
      return undefined;
  }
}

/** True if the element that has the focus needs `key` for itself: buttons space and enter, choices the arrows. */
export function ownsKey(target: EventTarget | undefined, key: string): boolean {
  if (!(target instanceof Element)) return false;
  const tag = target.localName;
  if (tag === 'input' || tag === 'textarea' || tag === 'select') return key !== 'Escape';
  if (tag === 'media-volume-range') return key.startsWith('Arrow') || key === 'Home' || key === 'End';
  if (tag === 'button' || tag.startsWith('media-')) return key === ' ' || key === 'Enter';
  return false;
}

const LIST: readonly (readonly [readonly string[], Word])[] = [
  [['Space', 'K'], 'keyPlay'],
  [['J'], 'keyBack'],
  [['L'], 'keyOn'],
  [['←', '→'], 'keyStep'],
  [['↑', '↓'], 'keyVolume'],
  [['M'], 'keyMute'],
  [['F'], 'keyFullscreen'],
  [['Home'], 'keyHome'],
  [['End'], 'keyEnd'],
  [['S'], 'keyStats'],
  [['?'], 'keyHelp'],
];

/** The panel that lists the keys. */
export function keysPanel(speak: Speak, close: () => void): HTMLElement {
  const rows = LIST.flatMap(([keys, word]) => [
    make(
      'dt',
      {},
      keys.map((key) => make('kbd', { text: key })),
    ),
    make('dd', { text: speak(word) }),
  ]);
  return make('section', { class: 'panel keys', attributes: { 'aria-label': speak('keys'), hidden: '' } }, [
    make('header', {}, [
      make('h2', { text: speak('keys') }),
      make('button', { attributes: { 'aria-label': speak('close') }, click: close }, [
        icon(ICONS.close, false),
      ]),
    ]),
    make('dl', {}, rows),
  ]);
}
