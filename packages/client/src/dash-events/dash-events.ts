import { decodeEvent } from '@onair/media';
import { EVENT_SCHEME } from '@onair/media/isobmff';
import { EventClock, type FiredEvent, type FrameClockPort } from '../player/event-clock.ts';

/** A message of a segment as dash.js tells it. */
export interface DashMessage {
  readonly event?:
    | {
        /** Position of play it belongs to, s. */
        readonly calculatedPresentationTime: number;
        readonly messageData: unknown;
      }
    | undefined;
}

/** What of a `MediaPlayer` of dash.js is used. */
export interface DashPlayerPort {
  on(
    scheme: string,
    listener: (message: DashMessage) => void,
    scope?: object,
    options?: { readonly mode: string },
  ): void;
  off(scheme: string, listener: (message: DashMessage) => void, scope?: object): void;
}

/**
 * Tells the timed events of a stream that dash.js plays, each once and on the picture it belongs to. dash.js itself
 * looks ten times a second whether one is due; here the pictures are looked at, as `<onair-player>` does.
 * @param video what the player shows the stream on. @returns ends it; the player stays the caller's.
 */
export function watchDashEvents(
  player: DashPlayerPort,
  video: FrameClockPort,
  fire: (event: FiredEvent) => void,
): () => void {
  const clock = new EventClock(video, fire);
  const take = ({ event }: DashMessage): void => {
    if (!(event?.messageData instanceof Uint8Array)) return;
    const found = decodeEvent(event.messageData);
    if (found !== undefined) clock.add(found, () => event.calculatedPresentationTime);
  };
  // As it is received: that is seconds ahead, and the place is known.
  player.on(EVENT_SCHEME, take, undefined, { mode: 'eventModeOnReceive' });
  return () => {
    player.off(EVENT_SCHEME, take);
    clock.close();
  };
}
