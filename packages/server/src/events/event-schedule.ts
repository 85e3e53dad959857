import type { Field, ScheduledEvent } from '@onair/contracts';
import { eventOf, type StreamName } from '@onair/media';
import { HubError } from '../hub/index.ts';
import type { EventRequest } from './event-request.ts';
import { keptStream } from './operator-file.ts';

/** An event is put into its stream so long before its time, ms: after that it cannot be called back. */
export const ANNOUNCE_MS = 10_000;
/** Furthest a date may lie ahead, ms: a day. */
export const MAX_HELD_MS = 86_400_000;
/** Events that wait, and JSON of their data together in characters. */
const MAX_HELD = 512;
const MAX_HELD_DATA = 2_097_152;
/** How often the clock is looked at while something waits, ms. */
const LOOK_MS = 500;

/** An event that waits for its time. */
export interface HeldEvent {
  readonly stream: StreamName;
  readonly request: EventRequest & { readonly id: string };
  readonly by: string;
  readonly address: string;
  /** A date in ms since the Unix epoch, or a place of the stream in µs. */
  readonly at: { readonly wallMs: number } | { readonly media: number };
}

/** What a schedule works with. */
export interface EventScheduleDeps {
  /** ms since the Unix epoch. */
  wall(): number;
  /** Stream time now, µs; undefined while the stream is off air. */
  now(stream: StreamName): number | undefined;
  /** True if the stream takes events now. */
  ready(stream: StreamName): boolean;
  /** Called with each event whose time is near. Throws nothing. */
  due(held: HeldEvent): void;
  /** Called when what waits is something else than before. */
  changed(): void;
}

/** Holds events back until shortly before their time, so that they can still be cancelled. */
export class EventSchedule {
  readonly #deps: EventScheduleDeps;
  readonly #held = new Map<string, HeldEvent>();
  #timer: NodeJS.Timeout | undefined;

  constructor(deps: EventScheduleDeps) {
    this.#deps = deps;
  }

  /** True if an event of that place is to wait: the rest goes out at once. */
  isFar(stream: StreamName, at: HeldEvent['at']): boolean {
    const left = this.#left(stream, at);
    return left !== undefined && left > ANNOUNCE_MS;
  }

  /** Keeps an event; one with the id of another one of the stream takes its place. @throws HubError */
  hold(held: HeldEvent): void {
    const { stream, request, at } = held;
    const left = this.#left(stream, at);
    if (left === undefined || left > MAX_HELD_MS)
      throw new HubError('EVENT_TIME', 'an event is a day ahead at most');
    this.#held.delete(keyOf(stream, request.id));
    let data = lengthOf(held);
    for (const other of this.#held.values()) data += lengthOf(other);
    if (this.#held.size >= MAX_HELD || data > MAX_HELD_DATA)
      throw new HubError('EVENT_LIMIT', `${MAX_HELD} events or ${MAX_HELD_DATA} bytes wait already`);
    this.#keep(held);
    this.#deps.changed();
  }

  /** What is to outlive the process. A place of a stream becomes a date: the next process counts from 0. */
  save(): readonly object[] {
    return [...this.#held.values()].flatMap(({ stream, request, by, address, at }) => {
      const left = this.#left(stream, at);
      const { at: _, ...event } = request;
      return left === undefined
        ? []
        : [{ stream, by, address, wall: Math.round(this.#deps.wall() + left), event: { ...event, time: 0 } }];
    });
  }

  /** Takes back what {@link save} gave. What is past by now is due at once. @throws DecodeError */
  restore(kept: readonly Field[]): void {
    for (const field of kept.slice(0, MAX_HELD)) {
      const { time: _, ...draft } = eventOf(field.at('event').value) ?? field.at('event').fail('an event');
      const wallMs = field.at('wall').number(0);
      this.#keep({
        stream: keptStream(field.at('stream')),
        by: field.at('by').string(256),
        address: field.at('address').string(256),
        request: { ...draft, at: { kind: 'wall', wallMs } },
        at: { wallMs },
      });
    }
  }

  /** Takes an event back. @returns it; undefined if it does not wait. */
  cancel(stream: StreamName, id: string): HeldEvent | undefined {
    const held = this.#held.get(keyOf(stream, id));
    if (this.#held.delete(keyOf(stream, id))) this.#deps.changed();
    return held;
  }

  /** What waits, the next first. */
  list(): readonly ScheduledEvent[] {
    const now = this.#deps.wall();
    const shown = [...this.#held.values()].map(({ stream, request, by, at }): ScheduledEvent => {
      const left = this.#left(stream, at);
      const due = 'wallMs' in at ? at.wallMs : left === undefined ? undefined : now + left;
      const { id, name, duration, data } = request;
      const time =
        'media' in at
          ? at.media
          : Math.max(0, Math.round((this.#deps.now(stream) ?? 0) + (left ?? 0) * 1000));
      const of = 'media' in at ? 'media' : 'wall';
      return {
        stream,
        by,
        of,
        event: { id, name, time, duration, data },
        ...(due === undefined ? {} : { due }),
      };
    });
    return shown.sort((a, b) => (a.due ?? Infinity) - (b.due ?? Infinity));
  }

  /** Forgets everything. */
  close(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#held.clear();
  }

  #keep(held: HeldEvent): void {
    this.#held.set(keyOf(held.stream, held.request.id), held);
    this.#timer ??= setInterval(() => this.#look(), LOOK_MS).unref();
  }

  #look(): void {
    for (const [key, held] of this.#held) {
      const left = this.#left(held.stream, held.at);
      if (left === undefined || left > ANNOUNCE_MS) continue;
      // A publisher that comes in time is early enough.
      if (left > 0 && !this.#deps.ready(held.stream)) continue;
      this.#held.delete(key);
      this.#deps.changed();
      this.#deps.due(held);
    }
    if (this.#held.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** ms until then; undefined for a place of a stream that is off air. */
  #left(stream: StreamName, at: HeldEvent['at']): number | undefined {
    if ('wallMs' in at) return at.wallMs - this.#deps.wall();
    const now = this.#deps.now(stream);
    return now === undefined ? undefined : (at.media - now) / 1000;
  }
}

function keyOf(stream: StreamName, id: string): string {
  return `${stream} ${id}`;
}

function lengthOf({ request }: HeldEvent): number {
  return JSON.stringify(request.data ?? null).length;
}
