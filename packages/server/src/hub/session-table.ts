import type { StreamName } from '@onair/media';

/** Figures of one session at the moment of asking. Bytes and counts since its start. */
export interface SessionFigures {
  /** Bytes sent to a viewer, or received from a publisher. */
  readonly bytes: number;
  /** Times a viewer was moved to the newest independent block. */
  readonly skips: number;
  /** Blocks a viewer missed by that, or samples of a publisher that could not be used. */
  readonly dropped: number;
  /** Bytes that wait in the process for the viewer's connection. */
  readonly backlog: number;
}

/** What a session tells of itself. */
export interface SessionEntry {
  readonly kind: 'publisher' | 'viewer';
  /** Protocol, e.g. `rtmp`, `http-flv`, `ws-fmp4`, `hls`. */
  readonly protocol: string;
  readonly stream: StreamName;
  /** Remote address without port. */
  readonly address: string;
  figures(): SessionFigures;
  /** Ends the session; the reason reaches the peer if its protocol can tell. */
  close(reason: string): void;
  /**
   * Goes on with another stream, as another session; false if it cannot, and stays. Without it the protocol knows no
   * such thing.
   */
  move?(to: StreamName): boolean;
}

/** An entry with what the table knows. */
export interface Session extends SessionEntry {
  readonly id: string;
  /** Milliseconds since the Unix epoch. */
  readonly since: number;
}

/** What sessions that are over have left behind. */
export interface SessionTotals {
  readonly sessions: number;
  readonly bytes: number;
  readonly skips: number;
  readonly dropped: number;
}

const NONE: SessionTotals = { sessions: 0, bytes: 0, skips: 0, dropped: 0 };

/** Every session of the process, for counting, showing and ending them. */
export class SessionTable {
  readonly #sessions = new Map<string, Session>();
  readonly #viewers = new Map<StreamName, number>();
  /** By stream, then by `kind:protocol`. */
  readonly #past = new Map<StreamName, Map<string, SessionTotals>>();
  readonly #wall: () => number;
  readonly #id: () => string;

  /** @param id makes unguessable ids. */
  constructor(wall: () => number, id: () => string) {
    this.#wall = wall;
    this.#id = id;
  }

  /** Adds a session; `remove` takes it out, once. */
  add(entry: SessionEntry): { readonly id: string; readonly remove: () => void } {
    const id = this.#id();
    this.#sessions.set(id, {
      id,
      since: this.#wall(),
      kind: entry.kind,
      protocol: entry.protocol,
      stream: entry.stream,
      address: entry.address,
      figures: () => entry.figures(),
      close: (reason) => entry.close(reason),
      move: (to) => entry.move?.(to) === true,
    });
    if (entry.kind === 'viewer') this.#count(entry.stream, 1);
    const remove = (): void => {
      if (!this.#sessions.delete(id)) return;
      if (entry.kind === 'viewer') this.#count(entry.stream, -1);
      this.#keep(entry);
    };
    return { id, remove };
  }

  get(id: string): Session | undefined {
    return this.#sessions.get(id);
  }

  list(): Session[] {
    return [...this.#sessions.values()];
  }

  /** Viewers of a stream at present. */
  viewers(stream: StreamName): number {
    return this.#viewers.get(stream) ?? 0;
  }

  /** Totals of the stream's sessions that are over, by `kind:protocol`. */
  past(stream: StreamName): ReadonlyMap<string, SessionTotals> {
    return this.#past.get(stream) ?? new Map();
  }

  /** Drops the totals of a stream that is no longer known. */
  forget(stream: StreamName): void {
    this.#past.delete(stream);
  }

  #keep(entry: SessionEntry): void {
    const key = `${entry.kind}:${entry.protocol}`;
    const perStream = this.#past.get(entry.stream) ?? new Map<string, SessionTotals>();
    this.#past.set(entry.stream, perStream);
    const before = perStream.get(key) ?? NONE;
    const figures = entry.figures();
    perStream.set(key, {
      sessions: before.sessions + 1,
      bytes: before.bytes + figures.bytes,
      skips: before.skips + figures.skips,
      dropped: before.dropped + figures.dropped,
    });
  }

  #count(stream: StreamName, by: number): void {
    const count = (this.#viewers.get(stream) ?? 0) + by;
    if (count > 0) this.#viewers.set(stream, count);
    else this.#viewers.delete(stream);
  }
}
