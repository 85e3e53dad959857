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
}

/** An entry with what the table knows. */
export interface Session extends SessionEntry {
  readonly id: string;
  /** Milliseconds since the Unix epoch. */
  readonly since: number;
}

/** Every session of the process, for counting, showing and ending them. */
export class SessionTable {
  readonly #sessions = new Map<string, Session>();
  readonly #perStream = new Map<StreamName, number>();
  readonly #finished = new Map<string, { sessions: number; bytes: number; skips: number }>();
  readonly #wall: () => number;
  readonly #id: () => string;

  /** @param id makes unguessable ids. */
  constructor(wall: () => number, id: () => string) {
    this.#wall = wall;
    this.#id = id;
  }

  /** Adds a session; the returned function removes it, once. */
  add(entry: SessionEntry): { readonly id: string; readonly remove: () => void } {
    const id = this.#id();
    this.#sessions.set(id, { ...entry, id, since: this.#wall() });
    if (entry.kind === 'viewer') this.#count(entry.stream, 1);
    let present = true;
    const remove = (): void => {
      if (!present) return;
      present = false;
      this.#sessions.delete(id);
      if (entry.kind === 'viewer') this.#count(entry.stream, -1);
      const key = `${entry.kind}:${entry.protocol}`;
      const past = this.#finished.get(key) ?? { sessions: 0, bytes: 0, skips: 0 };
      const figures = entry.figures();
      past.sessions++;
      past.bytes += figures.bytes;
      past.skips += figures.skips;
      this.#finished.set(key, past);
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
    return this.#perStream.get(stream) ?? 0;
  }

  /** Totals of sessions that are over, keyed `kind:protocol`. */
  finished(): ReadonlyMap<
    string,
    { readonly sessions: number; readonly bytes: number; readonly skips: number }
  > {
    return this.#finished;
  }

  #count(stream: StreamName, by: number): void {
    const count = (this.#perStream.get(stream) ?? 0) + by;
    if (count > 0) this.#perStream.set(stream, count);
    else this.#perStream.delete(stream);
  }
}
