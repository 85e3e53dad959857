import type { IncomingHttpHeaders } from 'node:http';
import type { Clock, Stream } from '../../hub/index.ts';
import type { HttpClient } from '../../net/index.ts';
import type { LiveDeps } from '../live/index.ts';

/** Most HLS viewers that are told apart; further ones are served without being counted. */
const MAX_VIEWERS = 20_000;
/** A viewer that asks for nothing for so long has left, in milliseconds. */
const IDLE_MS = 20_000;
/** Characters of a program's name that tell viewers apart. */
const MAX_AGENT = 200;

/** A viewer as the routes see it: where bytes are counted. */
export interface Seat {
  /** Bytes sent. */
  bytes: number;
  /** The operator sent the viewer away. */
  readonly ended: boolean;
}

interface Viewer extends Seat {
  readonly stream: Stream;
  lastSeen: number;
  ended: boolean;
  /** False when the session is over. */
  present: boolean;
  readonly leave: (reason: string) => void;
}

/** Who asks: requests of one address and program for one stream count as one viewer. */
export interface SegmentClient {
  readonly stream: Stream;
  readonly address: string;
  /** `User-Agent`. */
  readonly agent: string | undefined;
}

/**
 * Segments come without connections that could be counted: this makes sessions of requests that belong together,
 * those of one address and program for one stream.
 */
export class Audience {
  readonly #deps: LiveDeps;
  readonly #clock: Clock;
  readonly #protocol: string;
  readonly #viewers = new Map<string, Viewer>();
  /** Who asked for what last, by what tells who asks: the same object as long as a connection asks the same way. */
  readonly #recent = new WeakMap<HttpClient, Viewer>();
  #cancelSweep: (() => void) | undefined;

  /** @param protocol as sessions and log name it. */
  constructor(deps: LiveDeps, clock: Clock, protocol = 'hls') {
    this.#deps = deps;
    this.#clock = clock;
    this.#protocol = protocol;
  }

  /** Viewers at present. */
  get size(): number {
    return this.#viewers.size;
  }

  /** Notes a request. The returned function adds bytes that were sent; undefined if the viewer was sent away. */
  seen(client: SegmentClient): ((bytes: number) => void) | undefined {
    const seat = this.seat(client);
    if (seat.ended) return undefined;
    return (bytes) => {
      seat.bytes += bytes;
    };
  }

  /**
   * {@link seat} for who asks again and again.
   * @param client good for these headers alone.
   */
  seatOf(stream: Stream, client: HttpClient, headers: IncomingHttpHeaders): Seat {
    const recent = this.#recent.get(client);
    if (recent?.stream === stream && recent.present) {
      recent.lastSeen = this.#clock.now();
      return recent;
    }
    const seat = this.seat({ stream, address: client.address, agent: headers['user-agent'] });
    if ('present' in seat) this.#recent.set(client, seat as Viewer);
    return seat;
  }

  /** Notes a request. */
  seat({ stream, address, agent }: SegmentClient): Seat {
    const key = `${stream.name} ${address} ${agent === undefined ? '' : agent.slice(0, MAX_AGENT)}`;
    const viewer = this.#viewers.get(key) ?? this.#add(key, stream, address);
    if (viewer === undefined) return { bytes: 0, ended: false };
    viewer.lastSeen = this.#clock.now();
    return viewer;
  }

  /** Ends every session. */
  close(reason: string): void {
    this.#cancelSweep?.();
    this.#cancelSweep = undefined;
    for (const viewer of this.#viewers.values()) viewer.leave(reason);
    this.#viewers.clear();
  }

  #add(key: string, stream: Stream, address: string): Viewer | undefined {
    if (this.#viewers.size >= MAX_VIEWERS) return undefined;
    const detach = stream.attach();
    const now = this.#clock.now();
    const session = this.#deps.sessions.add({
      kind: 'viewer',
      protocol: this.#protocol,
      stream: stream.name,
      address,
      figures: () => ({ bytes: viewer.bytes, skips: 0, dropped: 0, backlog: 0 }),
      close: (reason) => {
        viewer.ended = true;
        viewer.leave(reason);
      },
    });
    const viewer: Viewer = {
      stream,
      present: true,
      bytes: 0,
      lastSeen: now,
      ended: false,
      leave: (reason) => {
        if (!viewer.present) return;
        viewer.present = false;
        session.remove();
        detach();
        this.#deps.log('viewer left', {
          session: session.id,
          stream: stream.name,
          protocol: this.#protocol,
          address,
          reason,
          seconds: Math.round((this.#clock.now() - now) / 1000),
          bytes: viewer.bytes,
          skips: 0,
        });
      },
    };
    this.#viewers.set(key, viewer);
    this.#cancelSweep ??= this.#clock.after(IDLE_MS, () => this.#sweep());
    return viewer;
  }

  #sweep(): void {
    this.#cancelSweep = undefined;
    const now = this.#clock.now();
    for (const [key, viewer] of this.#viewers) {
      if (now - viewer.lastSeen < IDLE_MS) continue;
      this.#viewers.delete(key);
      viewer.leave('no requests any more');
    }
    if (this.#viewers.size > 0) this.#cancelSweep = this.#clock.after(IDLE_MS / 2, () => this.#sweep());
  }
}
