import type { StreamName } from '@onair/media';
import type { SessionTable, Stream, StreamRegistry, Viewer } from '../../hub/index.ts';

/** What every live output needs. */
export interface LiveDeps {
  readonly registry: StreamRegistry;
  readonly sessions: SessionTable;
  /** One line about the end of a session. */
  readonly log: (message: string, fields: Readonly<Record<string, unknown>>) => void;
}

/** Who watches what. */
export interface ViewingRequest {
  readonly stream: StreamName;
  readonly protocol: string;
  /** Remote address without port. */
  readonly address: string;
  /** Ends the connection; the reason is for the peer, if its protocol can tell. */
  close(reason: string): void;
  /** Goes on with another stream, if its protocol can; false, and stays, if that cannot be. */
  move?(to: StreamName): boolean;
}

/**
 * One viewer's session on a stream: keeps the stream known, counts, shows up in the session table, and lets
 * everything go once.
 */
export class Viewing {
  readonly stream: Stream;
  readonly id: string;
  #viewer: Viewer | undefined;
  #done = false;
  readonly #past = { bytes: 0, skips: 0, dropped: 0 };
  readonly #release: (reason: string) => void;

  /** @throws HubError `TOO_MANY_STREAMS`, `HUB_CLOSED`. */
  constructor(deps: LiveDeps, request: ViewingRequest) {
    this.stream = deps.registry.open(request.stream);
    const detach = this.stream.attach();
    const since = performance.now();
    const session = deps.sessions.add({
      kind: 'viewer',
      protocol: request.protocol,
      stream: request.stream,
      address: request.address,
      figures: () => this.figures(),
      close: (reason) => request.close(reason),
      move: (to) => request.move?.(to) === true,
    });
    this.id = session.id;
    this.#release = (reason) => {
      const figures = this.figures();
      session.remove();
      detach();
      deps.log('viewer left', {
        session: session.id,
        stream: request.stream,
        protocol: request.protocol,
        address: request.address,
        reason,
        seconds: Math.round((performance.now() - since) / 1000),
        bytes: figures.bytes,
        skips: figures.skips,
      });
    };
  }

  /** The viewer in its pump, once it has joined. */
  get viewer(): Viewer | undefined {
    return this.#viewer;
  }

  /** Takes over the feed of a pump; a feed from before is left. */
  join(viewer: Viewer): void {
    this.#leave();
    this.#viewer = viewer;
  }

  /** Bytes sent and blocks missed since the session began. */
  figures() {
    const counters = this.#viewer?.counters;
    return {
      bytes: this.#past.bytes + (counters?.bytes ?? 0),
      skips: this.#past.skips + (counters?.skips ?? 0),
      dropped: this.#past.dropped + (counters?.skippedBlocks ?? 0),
      backlog: this.#viewer?.transport.backlog ?? 0,
    };
  }

  /** Leaves the stream. Safe to call twice. */
  close(reason: string): void {
    if (this.#done) return;
    this.#done = true;
    this.#leave();
    this.#release(reason);
  }

  #leave(): void {
    const viewer = this.#viewer;
    if (viewer === undefined) return;
    viewer.close();
    this.#past.bytes += viewer.counters.bytes;
    this.#past.skips += viewer.counters.skips;
    this.#past.dropped += viewer.counters.skippedBlocks;
    this.#viewer = undefined;
  }
}
