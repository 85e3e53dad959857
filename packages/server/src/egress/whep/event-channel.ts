import type { TimedEvent } from '@onair/media';
import type { Stream } from '../../hub/index.ts';
import type { RtcChannel } from '../../net/index.ts';
import type { RtpPackager } from '../../packager/rtp/index.ts';

/** Name of the data channel that a viewer opens for events. */
export const EVENT_CHANNEL = 'onair.events';
/** Octets that may wait for a viewer that does not read. */
const MAX_BACKLOG = 1_048_576;
/** Ticks of RTP pictures in a second. */
const VIDEO_CLOCK = 90_000;

/**
 * Tells a viewer the stream's events on its data channel, beginning with those that are to come or going on:
 * `{ "type": "event", "event", "rtp"? }`, where `rtp` is the RTP timestamp of the picture that the event belongs to.
 * @returns what ends it. A channel of another name is closed at once.
 */
export function tellEvents(
  channel: RtcChannel,
  { stream, packager, pictures }: EventChannelDeps,
): () => void {
  if (channel.label !== EVENT_CHANNEL) {
    channel.close();
    return () => undefined;
  }
  const tell = (event: TimedEvent): void => {
    if (channel.backlog > MAX_BACKLOG) {
      channel.close();
      stop();
      return;
    }
    const rtp = Math.round((event.time / 1_000_000) * VIDEO_CLOCK) % 2 ** 32;
    channel.send(JSON.stringify({ type: 'event', event, ...(pictures ? { rtp } : {}) }));
  };
  const stop = packager.onEvent(tell);
  for (const event of stream.events.standing(stream.now)) tell(event);
  return stop;
}

/** What a channel of events stands on. */
export interface EventChannelDeps {
  readonly stream: Stream;
  readonly packager: RtpPackager;
  /** Whether the viewer gets pictures. */
  readonly pictures: boolean;
}
