import { MICROSECONDS, rescale, type Timebase, ticks } from '@onair/media';
import { id3TextTag, MAX_ID3_TEXT_BYTES, SYSTEM_TIMEBASE } from '@onair/media/mpegts';
import type { Stream } from '../../hub/index.ts';
import type { TimedTags } from './ts-segment.ts';

/** Description of the ID3 text that is an event as JSON. */
export const EVENT_TAG = 'onair.event';

/** The events of a stream as ID3 tags. One that is too long for a tag goes without its data, marked as `cut`. */
export function eventTags(stream: Stream): TimedTags {
  return {
    between: (from, to) =>
      stream.events.between(from, to).map((event) => {
        const whole = JSON.stringify(event);
        const fits = Buffer.byteLength(whole) < MAX_ID3_TEXT_BYTES;
        const value = fits ? whole : JSON.stringify({ ...event, data: null, cut: true });
        const pts = rescale(ticks(event.time), MICROSECONDS, SYSTEM_TIMEBASE as Timebase);
        return { pts, tag: id3TextTag({ description: EVENT_TAG, value }) };
      }),
  };
}
