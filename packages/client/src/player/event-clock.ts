import type { TimedEvent } from '@onair/media';
import type { EventPlace } from '../sources/source.ts';

/** How exactly an event was told. */
export type EventExactness =
  /** On the picture it belongs to. */
  | 'frame'
  /** By the position of play, where the browser does not tell which picture is shown. */
  | 'position'
  /** After it: it came later than its picture, or that was not shown. */
  | 'late';

/** A timed event as it is told to the page. */
export interface FiredEvent extends TimedEvent {
  readonly exactness: EventExactness;
  /** Seconds from the event's place to the picture that is shown as it is told. */
  readonly skew: number;
}

/** What of `HTMLVideoElement` the clock uses. */
export interface FrameClockPort {
  readonly currentTime: number;
  requestVideoFrameCallback?(callback: (now: number, frame: { readonly mediaTime: number }) => void): number;
  cancelVideoFrameCallback?(handle: number): void;
}

/** Distance of pictures while none was measured, s, and the longest that is believed. */
const FIRST_PERIOD = 1 / 30;
const LONGEST_PERIOD = 0.1;
/** How often the position is looked at where no picture tells, ms. */
const LOOK_MS = 100;
/** The position may be further than an event without a picture having told it, s: hidden pages show none. */
const OVERDUE = 0.3;
/** Ids remembered, so that an event is told once whichever ways it comes. */
const MAX_SEEN = 4096;
/** Events that wait for their place. */
const MAX_WAITING = 512;
/** Raw messages of equal content within this are one, µs: they carry no id. */
const RAW_SAME_US = 1_000_000;

interface Waiting {
  readonly event: TimedEvent;
  readonly place: EventPlace;
}

/** Tells each event of a stream once, on the picture it belongs to, however often and by whatever transport it comes. */
export class EventClock {
  readonly #media: FrameClockPort;
  readonly #fire: (event: FiredEvent) => void;
  readonly #seen = new Set<string>();
  readonly #raw = new Map<string, number>();
  #waiting: Waiting[] = [];
  #frame: number | undefined;
  #timer: ReturnType<typeof setInterval> | undefined;
  #shown = { at: Number.NaN, period: FIRST_PERIOD };

  constructor(media: FrameClockPort, fire: (event: FiredEvent) => void) {
    this.#media = media;
    this.#fire = fire;
  }

  /** Takes an event. @param place where it lies on the media element, as far as is known when asked */
  add(event: TimedEvent, place: EventPlace): void {
    if (this.#known(event)) return;
    this.#waiting.push({ event, place });
    if (this.#waiting.length > MAX_WAITING) this.#waiting.shift();
    this.#watch();
  }

  /** Another transport brings what is still to come once more. */
  restart(): void {
    for (const { event } of this.#waiting) this.#forget(event);
    this.#waiting = [];
    this.#rest();
  }

  /** Another stream: its ids have nothing to do with those before. */
  reset(): void {
    this.restart();
    this.#seen.clear();
    this.#raw.clear();
  }

  /** Tells nothing any more. Safe to call twice. */
  close(): void {
    this.reset();
  }

  #known(event: TimedEvent): boolean {
    if (event.raw === true) {
      const key = rawKey(event);
      const before = this.#raw.get(key);
      this.#raw.set(key, event.time);
      if (this.#raw.size > MAX_SEEN) this.#raw.delete(this.#raw.keys().next().value!);
      return before !== undefined && Math.abs(before - event.time) < RAW_SAME_US;
    }
    if (this.#seen.has(event.id)) return true;
    this.#seen.add(event.id);
    if (this.#seen.size > MAX_SEEN) this.#seen.delete(this.#seen.values().next().value!);
    return false;
  }

  #forget(event: TimedEvent): void {
    if (event.raw === true) this.#raw.delete(rawKey(event));
    else this.#seen.delete(event.id);
  }

  #watch(): void {
    this.#timer ??= setInterval(() => this.#look(), LOOK_MS);
    if (this.#frame !== undefined) return;
    this.#frame = this.#media.requestVideoFrameCallback?.((_now, { mediaTime }) => {
      this.#frame = undefined;
      const step = mediaTime - this.#shown.at;
      // A dropped picture doubles the step: the shortest is the true one, and grows slowly if it is not.
      if (step > 0.001 && step < LONGEST_PERIOD) {
        const { period } = this.#shown;
        this.#shown.period = period === FIRST_PERIOD ? step : Math.min(step, period * 1.05);
      }
      this.#shown.at = mediaTime;
      this.#tell(mediaTime, this.#shown.period / 2, 'frame');
      if (this.#waiting.length > 0) this.#watch();
    });
  }

  #look(): void {
    const frames = this.#media.requestVideoFrameCallback !== undefined;
    this.#tell(this.#media.currentTime - (frames ? OVERDUE : 0), 0, 'position');
  }

  /** @param reach seconds behind `position` up to which events belong to what is shown there */
  #tell(position: number, reach: number, by: 'frame' | 'position'): void {
    const due: { readonly event: TimedEvent; readonly at: number }[] = [];
    this.#waiting = this.#waiting.filter(({ event, place }) => {
      const at = place();
      if (at === undefined || at > position + reach) return true;
      due.push({ event, at });
      return false;
    });
    if (this.#waiting.length === 0) this.#rest();
    const shown = by === 'frame' ? position : this.#media.currentTime;
    for (const { event, at } of due.sort((a, b) => a.at - b.at)) {
      const skew = shown - at;
      const close = skew <= (by === 'frame' ? reach + 0.002 : OVERDUE + (2 * LOOK_MS) / 1000);
      this.#fire({ ...event, exactness: close ? by : 'late', skew });
    }
  }

  #rest(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    if (this.#frame !== undefined) this.#media.cancelVideoFrameCallback?.(this.#frame);
    this.#frame = undefined;
    this.#shown.at = Number.NaN;
  }
}

function rawKey({ name, data }: TimedEvent): string {
  return `${name} ${JSON.stringify(data)}`;
}
