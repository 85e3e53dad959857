import type { StreamName } from '@onair/media';
import { type Clock, systemClock } from './clock.ts';
import { HubError } from './errors.ts';
import { DEFAULT_POLICY, type HubPolicy } from './policy.ts';
import type { Publication, PublicationWarning, Publisher } from './publication.ts';
import { type Packager, type PackagerKind, Stream, type StreamContext } from './stream.ts';

/** What the hub is made with. */
export interface RegistryOptions {
  readonly clock?: Clock;
  readonly policy?: HubPolicy;
  /** Packagers that run as long as their stream is live. */
  readonly eager?: readonly PackagerKind<Packager>[];
  /** Told of sinks that threw; they are removed. */
  readonly onFault?: (stream: Stream, error: unknown) => void;
  /** Told what publishers should change. */
  readonly onWarning?: (stream: Stream, warning: PublicationWarning) => void;
}

/** All streams of the process by name. */
export class StreamRegistry {
  /** Replaceable at run time. */
  policy: HubPolicy;
  readonly #streams = new Map<StreamName, Stream>();
  readonly #listeners = new Set<(stream: Stream) => void>();
  readonly #context: StreamContext;
  #closed = false;

  constructor(options: RegistryOptions = {}) {
    this.policy = options.policy ?? DEFAULT_POLICY;
    this.#context = {
      clock: options.clock ?? systemClock,
      policy: () => this.policy,
      eager: options.eager ?? [],
      changed: (stream) => this.#changed(stream),
      fault: (stream, error) => options.onFault?.(stream, error),
      warned: (stream, warning) => options.onWarning?.(stream, warning),
    };
  }

  /** Every stream known, in no order. */
  list(): Stream[] {
    return [...this.#streams.values()];
  }

  /** The stream if it is known. */
  find(name: StreamName): Stream | undefined {
    return this.#streams.get(name);
  }

  /**
   * The stream, made if it is not known, so that viewers can wait for it. The caller attaches to it in the
   * same turn, or it is forgotten.
   * @throws HubError `TOO_MANY_STREAMS`, `HUB_CLOSED`.
   */
  open(name: StreamName): Stream {
    const known = this.#streams.get(name);
    if (known !== undefined) return known;
    if (this.#closed) throw new HubError('HUB_CLOSED', 'the server is stopping');
    if (this.#streams.size >= this.policy.maxStreams) {
      throw new HubError('TOO_MANY_STREAMS', `${this.policy.maxStreams} streams are known already`);
    }
    const stream = new Stream(name, this.#context);
    this.#streams.set(name, stream);
    return stream;
  }

  /**
   * Opens a way in for a publisher.
   * @throws HubError `PUBLISH_CONFLICT`, `TOO_MANY_STREAMS`, `HUB_CLOSED`.
   */
  publish(name: StreamName, publisher: Publisher): Publication {
    if (this.#closed) throw new HubError('HUB_CLOSED', 'the server is stopping');
    return this.open(name).publish(publisher);
  }

  /** Calls `listener` when a stream appears, changes its state or publisher, or goes. */
  onChange(listener: (stream: Stream) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Ends every stream. Safe to call twice. */
  close(reason: string): void {
    this.#closed = true;
    for (const stream of this.list()) {
      this.#streams.delete(stream.name);
      stream.close(reason);
    }
    this.#listeners.clear();
  }

  #changed(stream: Stream): void {
    if (stream.forgettable && stream.publication === undefined && this.#streams.get(stream.name) === stream) {
      this.#streams.delete(stream.name);
      stream.close('not in use');
    }
    for (const listener of this.#listeners) listener(stream);
  }
}
