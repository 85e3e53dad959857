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
/** JSON repeated at one place, in UTF-16 units: 128 kbit/s at most. Of more the next place has the rest. */
const REPEAT_LENGTH = 16_384;

/**
 * Which `emsg` boxes go into the chunks of a track: each event as soon as it is known, and again where a viewer can
 * start as long as it is to come or going on. Players take equal ids for one event (ISO/IEC 23009-1 §5.10.3.3.4).
 */
export class EventMessages {
  #fresh: TimedEvent[] = [];
  #standing: TimedEvent[] = [];
  #repeated = Number.NEGATIVE_INFINITY;
  readonly #id3: () => boolean;

  /** @param id3 whether events go as ID3 tags too. */
  constructor(id3: () => boolean) {
    this.#id3 = id3;
  }

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
      events.unshift(...this.#repeat());
    }
    for (const event of events) if (!this.#standing.includes(event)) this.#standing.push(event);
    return events.length === 0
      ? undefined
      : events.flatMap((event) => messagesOfEvent(event, timebase, this.#id3()));
  }

  /** The next ones to be repeated, which then wait behind all others. */
  #repeat(): TimedEvent[] {
    let length = 0;
    let count = 0;
    for (const event of this.#standing) {
      length += JSON.stringify(event).length;
      if (count > 0 && length > REPEAT_LENGTH) break;
      count++;
    }
    const again = this.#standing.splice(0, count);
    this.#standing.push(...again);
    return again;
  }
}
