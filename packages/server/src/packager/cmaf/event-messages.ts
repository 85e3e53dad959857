import {
  decodeEvent,
  MICROSECONDS,
  rescale,
  type Sample,
  type Timebase,
  type TimedEvent,
  ticks,
} from '@onair/media';
import { type EventMessage, messagesOfEvent } from '@onair/media/isobmff';

/** Stream time between two repetitions, in µs, if there are places to start more often. */
const REPEAT_US = 1_000_000;

/**
 * Which `emsg` boxes go into the chunks of a track: each event as soon as it is known, and again where a viewer can
 * start as long as it is to come or going on. Players take equal ids for one event (ISO/IEC 23009-1 §5.10.3.3.4).
 */
export class EventMessages {
  #fresh: TimedEvent[] = [];
  #standing: TimedEvent[] = [];
  #repeated = Number.NEGATIVE_INFINITY;

  /** Takes a sample of the stream's event track; gives the event in it. */
  add(sample: Sample): TimedEvent | undefined {
    const event = decodeEvent(sample.data);
    if (event !== undefined) this.#fresh.push(event);
    return event;
  }

  /**
   * What belongs into a chunk that begins at `dts` ticks of `timebase`.
   * @param entry a viewer can start there.
   */
  take(dts: number, timebase: Timebase, entry: boolean): readonly EventMessage[] | undefined {
    if (this.#fresh.length === 0 && this.#standing.length === 0) return undefined;
    const time = rescale(ticks(dts), timebase, MICROSECONDS);
    const events = this.#fresh;
    this.#fresh = [];
    if (entry && time - this.#repeated >= REPEAT_US) {
      this.#repeated = time;
      this.#standing = this.#standing.filter((event) => event.time + event.duration >= time);
      events.unshift(...this.#standing);
    }
    for (const event of events) if (!this.#standing.includes(event)) this.#standing.push(event);
    return events.length === 0 ? undefined : events.flatMap((event) => messagesOfEvent(event, timebase));
  }
}
