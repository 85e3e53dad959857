import { bytesOfHex, MICROSECONDS, rescale, type Timebase, ticks } from '@onair/media';
import { id3OfEvent, retimedSplice, SYSTEM_TIMEBASE, TS_TIME_OFFSET } from '@onair/media/mpegts';
import type { Stream } from '../../hub/index.ts';
import type { TimedTags } from './ts-segment.ts';

/** The events of a stream as ID3 tags, and those with SCTE 35 as its sections too. */
export function eventTags(stream: Stream): TimedTags {
  return {
    between: (from, to) =>
      stream.events.between(from, to).map((event) => ({
        pts: rescale(ticks(event.time), MICROSECONDS, SYSTEM_TIMEBASE as Timebase),
        tag: id3OfEvent(event),
      })),
    splices: (from, to) =>
      stream.events.between(from, to).flatMap(({ splice, time }) => {
        const section = splice === undefined ? undefined : bytesOfHex(splice.section);
        const pts = rescale(ticks(time), MICROSECONDS, SYSTEM_TIMEBASE as Timebase) + TS_TIME_OFFSET;
        const retimed = section === undefined ? undefined : retimedSplice(section, pts);
        return retimed === undefined ? [] : [retimed];
      }),
  };
}
