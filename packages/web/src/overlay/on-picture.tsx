import type { FiredEvent } from '@onair/client';
import { useSignal } from '@preact/signals';
import type { FunctionComponent, JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import type { PlayerView } from '../player/player-view.ts';

type Overlay = typeof import('./event-overlay.tsx').EventOverlay;

/** Shows what timed events tell the viewers; what it takes is loaded with the first event. */
export function OnPicture({
  view,
  stream,
}: {
  readonly view: PlayerView;
  /** `APP/NAME`. */
  readonly stream: string;
}): JSX.Element | null {
  const events = useSignal<FiredEvent | undefined>(undefined);
  const overlay = useSignal<{ readonly show: Overlay } | undefined>(undefined);
  const player = view.element.value;
  useEffect(() => {
    if (player === undefined) return;
    const take = (event: Event): void => {
      events.value = (event as CustomEvent<FiredEvent>).detail;
      if (overlay.value !== undefined) return;
      import('./event-overlay.tsx').then(
        ({ EventOverlay }) => {
          overlay.value = { show: EventOverlay };
        },
        () => undefined, // the server is away: the next event tries again
      );
    };
    player.addEventListener('onair-event', take);
    return () => player.removeEventListener('onair-event', take);
  }, [player]);
  const Show = overlay.value?.show as FunctionComponent<Parameters<Overlay>[0]> | undefined;
  return Show === undefined ? null : <Show events={events} stream={stream} />;
}
