import { MICROSECONDS, rescale, type Timebase, ticks } from '@onair/media';
import { id3OfEvent, SYSTEM_TIMEBASE } from '@onair/media/mpegts';
import type { Stream } from '../../hub/index.ts';
import type { TimedTags } from './ts-segment.ts';

/** The events of a stream as ID3 tags. */
export function eventTags(stream: Stream): TimedTags {
  return {
    between: (from, to) =>
      stream.events.between(from, to).map((event) => ({
        pts: rescale(ticks(event.time), MICROSECONDS, SYSTEM_TIMEBASE as Timebase),
        tag: id3OfEvent(event),
      })),
  };
}
