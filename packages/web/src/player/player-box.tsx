import type { OnairPlayerEvents } from '@onair/client';
import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { language } from '../words/words.ts';
import './player-box.css';
import { LATENCIES, type PlayerView, PREFERENCES } from './player-view.ts';

/** The player as an element of the page; its box keeps its form before the player is loaded. */
export function PlayerBox({
  src,
  view,
  controls = true,
  autoplay = true,
  muted = false,
}: {
  /** `/APP/NAME`. */
  readonly src: string;
  readonly view: PlayerView;
  readonly controls?: boolean;
  readonly autoplay?: boolean;
  readonly muted?: boolean;
}): JSX.Element {
  const box = useRef<HTMLDivElement>(null);

  useEffect(() => {
    const player = document.createElement('onair-player');
    player.setAttribute('src', src);
    player.setAttribute('controls', controls ? 'on' : 'off');
    player.setAttribute('latency', view.latency.peek());
    player.setAttribute('transport', view.transport.peek());
    player.setAttribute('lang', language.peek());
    player.toggleAttribute('autoplay', autoplay);
    player.toggleAttribute('muted', muted);

    const on = <K extends keyof OnairPlayerEvents>(
      name: K,
      take: (detail: OnairPlayerEvents[K]) => void,
    ): void =>
      player.addEventListener(name, (event) => take((event as CustomEvent<OnairPlayerEvents[K]>).detail));
    on('onair-stats', (figures) => {
      view.figures.value = figures;
    });
    on('onair-transport', (choice) => {
      view.choice.value = choice;
      view.figures.value = undefined;
    });
    on('onair-state', (status) => {
      view.status.value = status;
    });
    // The player's own menu writes its attributes.
    const changes = new MutationObserver(() => {
      view.latency.value = LATENCIES.find((one) => one === player.getAttribute('latency')) ?? 'lowest';
      view.transport.value = PREFERENCES.find((one) => one === player.getAttribute('transport')) ?? 'auto';
    });
    changes.observe(player, { attributeFilter: ['latency', 'transport'] });
    const stops = [
      view.latency.subscribe((value) => setChanged(player, 'latency', value)),
      view.transport.subscribe((value) => setChanged(player, 'transport', value)),
      language.subscribe((value) => setChanged(player, 'lang', value)),
    ];

    box.current?.replaceChildren(player);
    view.element.value = player;
    void import('@onair/client');
    return () => {
      for (const stop of stops) stop();
      changes.disconnect();
      player.remove();
      view.element.value = undefined;
    };
  }, [src, view, controls, autoplay, muted]);
  return <div ref={box} class="player-box" />;
}

function setChanged(element: Element, name: string, value: string): void {
  if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}
