import { randomUUID } from 'node:crypto';
import type { Field } from '@onair/contracts';
import type { StreamName, TimedEvent } from '@onair/media';
import type { Stream, StreamRegistry } from '../hub/index.ts';
import { type EventMoment, readEventRequest } from './event-request.ts';

/** Who asks for an event. */
export interface EventAuthor {
  /** `operator`, or what stands for a stream key. */
  readonly by: string;
  /** Remote address without port. */
  readonly address: string;
}

/** One line about an event that somebody asked for. */
export interface EventRecord extends EventAuthor {
  readonly stream: StreamName;
  readonly event: TimedEvent;
  /** When it was asked for, ms since the Unix epoch. */
  readonly at: number;
}

/** What the service stands on. */
export interface EventServiceDeps {
  readonly registry: StreamRegistry;
  /** Stream time in µs of a wall-clock time (ms since the Unix epoch), and back. */
  timeAt(stream: Stream, wallMs: number): number;
  /** One line about each event. */
  readonly log: (message: string, fields: Readonly<Record<string, unknown>>) => void;
  /** ms since the Unix epoch. */
  wall(): number;
}

/** Records kept. */
const MAX_RECORDS = 500;

/** Takes what people and programs want to tell the viewers of a stream, and remembers who told what. */
export class EventService {
  readonly #deps: EventServiceDeps;
  readonly #records: EventRecord[] = [];
  readonly #listeners = new Set<(record: EventRecord) => void>();

  constructor(deps: EventServiceDeps) {
    this.#deps = deps;
  }

  /** Records, newest first. */
  get records(): readonly EventRecord[] {
    return this.#records.toReversed();
  }

  /** Calls `listener` with each record to come, until the returned function is called. */
  onRecord(listener: (record: EventRecord) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Events of a stream that are to come or going on; undefined if there is no such stream. */
  standing(name: StreamName): readonly TimedEvent[] | undefined {
    const stream = this.#deps.registry.find(name);
    return stream?.events.standing(stream.now);
  }

  /**
   * Puts the event of a request (see `docs/protocols/events.md`) into a stream.
   * @throws DecodeError for a request that is none; HubError `EVENT_OFF_AIR`, `EVENT_RATE`, `EVENT_LIMIT`, `EVENT_TIME`.
   */
  fire(name: StreamName, request: Field, author: EventAuthor): TimedEvent {
    const { id = randomUUID(), at, ...draft } = readEventRequest(request);
    const stream = this.#deps.registry.open(name);
    const detach = stream.attach();
    try {
      const event = stream.announce(
        { ...draft, id, ...this.#placeOf(stream, at) },
        `${author.by} ${author.address}`,
      );
      this.#record({ ...author, stream: name, event, at: this.#deps.wall() });
      return event;
    } finally {
      detach();
    }
  }

  #placeOf(stream: Stream, at: EventMoment): { readonly time?: number } {
    switch (at.kind) {
      case 'now':
        return {};
      case 'media':
        return { time: at.time };
      case 'after':
        return { time: stream.now + at.delay };
      case 'wall':
        return { time: Math.max(0, this.#deps.timeAt(stream, at.wallMs)) };
    }
  }

  #record(record: EventRecord): void {
    this.#records.push(record);
    if (this.#records.length > MAX_RECORDS) this.#records.shift();
    const { stream, by, address, event } = record;
    this.#deps.log('event', { stream, by, address, event: event.id, name: event.name, time: event.time });
    for (const listener of this.#listeners) listener(record);
  }
}
