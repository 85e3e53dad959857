import { MAX_EVENT_BYTES, type TimedEvent } from '@onair/media';
import { HubError } from './errors.ts';

/** Events of one source within a second, on average; as many may come at once. */
export const EVENTS_PER_SECOND = 20;
/** Furthest an event may lie ahead, in µs: an hour. */
export const MAX_EVENT_AHEAD_US = 3_600_000_000;
/** Furthest an event may lie back, in µs; what is older is moved to now. */
export const MAX_EVENT_BEHIND_US = 1_000_000;
/** Longest an event may last, in µs: a day. */
export const MAX_EVENT_DURATION_US = 86_400_000_000;
/** Events that may be to come or going on at one time. */
export const MAX_EVENTS_STANDING = 256;
/** How long an event stays known after its end, in µs: longer than any playlist lists it. */
const KEPT_US = 300_000_000;
/** Events kept that are over. */
const MAX_OVER = 256;
/** Ids remembered, so that one that comes again is not taken for another event. */
const MAX_IDS = 2048;
/** Sources whose rate is known; the one that was silent longest is forgotten first. */
const MAX_SOURCES = 256;

/** An event that is to come into a stream. */
export interface EventDraft extends Omit<TimedEvent, 'time' | 'duration'> {
  /** Stream time in µs; now if left out. */
  readonly time?: number;
  /** µs; 0 if left out. */
  readonly duration?: number;
}

/** The events of one stream: those to come, those going on, and those that were lately. */
export class EventShelf {
  /** By time. */
  #events: TimedEvent[] = [];
  readonly #ids = new Map<string, TimedEvent>();
  readonly #sources = new Map<string, { tokens: number; at: number }>();

  /** The event with this id, if it is known. */
  find(id: string): TimedEvent | undefined {
    return this.#ids.get(id);
  }

  /**
   * Adds an event.
   * @param now stream time in µs after the last sample.
   * @throws HubError `EVENT_TIME` for one too far ahead or too long, `EVENT_LIMIT` for one too many or too large.
   */
  add(draft: EventDraft, now: number): TimedEvent {
    const { time = now, duration = 0, ...rest } = draft;
    if (time > now + MAX_EVENT_AHEAD_US)
      throw new HubError('EVENT_TIME', 'an event lies an hour ahead at most');
    if (duration > MAX_EVENT_DURATION_US) throw new HubError('EVENT_TIME', 'an event lasts a day at most');
    if (jsonLength(draft.data) > MAX_EVENT_BYTES)
      throw new HubError('EVENT_LIMIT', `the data of an event are ${MAX_EVENT_BYTES} bytes at most`);
    this.#forget(now);
    if (this.standing(now).length >= MAX_EVENTS_STANDING)
      throw new HubError('EVENT_LIMIT', `${MAX_EVENTS_STANDING} events are to come or going on already`);
    const placed = Math.round(time < now - MAX_EVENT_BEHIND_US ? now : Math.max(0, time));
    const event: TimedEvent = { ...rest, time: placed, duration: Math.round(duration) };
    let at = this.#events.length;
    while (at > 0 && this.#events[at - 1]!.time > placed) at--;
    this.#events.splice(at, 0, event);
    this.#ids.set(event.id, event);
    if (this.#ids.size > MAX_IDS) this.#ids.delete(this.#ids.keys().next().value!);
    return event;
  }

  /** What is to come or goes on at stream time `now` (µs), by time. */
  standing(now: number): TimedEvent[] {
    return this.#events.filter(({ time, duration }) => time + duration >= now);
  }

  /** Events that begin within a stretch of stream time (µs), the end not included. */
  between(from: number, to: number): TimedEvent[] {
    return this.#events.filter(({ time }) => time >= from && time < to);
  }

  /**
   * Counts an event of a source.
   * @param nowMs monotonic ms. @throws HubError `EVENT_RATE` if it sends more than {@link EVENTS_PER_SECOND}.
   */
  spend(source: string, nowMs: number): void {
    const before = this.#sources.get(source) ?? { tokens: EVENTS_PER_SECOND, at: nowMs };
    const grown = before.tokens + ((nowMs - before.at) / 1000) * EVENTS_PER_SECOND;
    const tokens = Math.min(EVENTS_PER_SECOND, grown) - 1;
    this.#sources.delete(source);
    this.#sources.set(source, { tokens: Math.max(0, tokens < 0 ? tokens + 1 : tokens), at: nowMs });
    if (this.#sources.size > MAX_SOURCES) this.#sources.delete(this.#sources.keys().next().value!);
    if (tokens < 0) throw new HubError('EVENT_RATE', `at most ${EVENTS_PER_SECOND} events a second`);
  }

  #forget(now: number): void {
    let over = 0;
    for (const { time, duration } of this.#events) if (time + duration < now) over++;
    this.#events = this.#events.filter(({ time, duration }) => {
      const end = time + duration;
      if (end >= now) return true;
      return end >= now - KEPT_US && over-- <= MAX_OVER;
    });
  }
}

const encoder = new TextEncoder();

function jsonLength(data: unknown): number {
  const text = JSON.stringify(data) ?? '';
  return text.length > MAX_EVENT_BYTES ? text.length : encoder.encode(text).length;
}
