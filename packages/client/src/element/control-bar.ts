import { ICONS, icon, make } from './markup.ts';
import type { Speak } from './words.ts';

/** The controls under the picture. */
export interface ControlBar {
  /** The bar itself, child of `media-controller`. */
  readonly element: HTMLElement;
  /** Tells whether play is at the live edge and how far behind the server it is (seconds). */
  update(live: boolean, latency: number | undefined): void;
}

/** Makes the bar; its parts come to life when {@link loadControls} has loaded them. */
export function controlBar(speak: Speak, goLive: () => void, settings: () => void): ControlBar {
  const live = make('button', { class: 'live', text: speak('live'), click: goLive });
  const delay = make('span', { class: 'delay number', attributes: { 'aria-hidden': 'true' } });
  const part = (tag: string): HTMLElement => make(tag, { attributes: { notooltip: '' } });
  const element = make('media-control-bar', {}, [
    part('media-play-button'),
    part('media-mute-button'),
    part('media-volume-range'),
    live,
    delay,
    make('span', { class: 'gap' }),
    make(
      'button',
      { attributes: { 'aria-label': speak('settings'), title: speak('settings') }, click: settings },
      [icon(ICONS.sliders, false)],
    ),
    part('media-pip-button'),
    part('media-fullscreen-button'),
  ]);
  return {
    element,
    update(isLive, latency) {
      live.setAttribute('aria-pressed', String(isLive));
      live.title = speak(isLive ? 'atLive' : 'goLive');
      const text = latency === undefined ? '' : `${latency.toFixed(1)} s`;
      if (delay.textContent !== text) delay.textContent = text;
    },
  };
}

/** Loads media-chrome's parts once, with our words. They are not in the first script of a page. */
export async function loadControls(speak: Speak, language: string): Promise<void> {
  const { addTranslation, setLanguage } = await import('media-chrome/dist/utils/i18n.js');
  // The library speaks one language per page; the parts are labelled in the language of the last player.
  addTranslation(language, {
    play: speak('playNow'),
    pause: speak('pause'),
    mute: speak('mute'),
    unmute: speak('unmuteButton'),
    volume: speak('volume'),
    'enter fullscreen mode': speak('fullscreen'),
    'exit fullscreen mode': speak('leaveFullscreen'),
    'enter picture in picture mode': speak('pip'),
    'exit picture in picture mode': speak('leavePip'),
    'media loading': speak('loading'),
    'video player': speak('player'),
  } as Parameters<typeof addTranslation>[1]);
  setLanguage(language);
  await import('./media-chrome-parts.ts');
}
