import type { PlayRequest, PublishRequest } from './server-events.ts';

/** Most message streams of one connection. */
export const MAX_MESSAGE_STREAMS = 16;

/** A message stream of one connection (RTMP 1.0 §7.2.2). */
export interface ServerStream {
  readonly id: number;
  role: 'idle' | 'publishing' | 'playing';
  /** Name it publishes or plays under; '' if idle. */
  name: string;
}

/** The message streams that a client created. Ids are given lowest first, so the first is 1. */
export class ServerStreams {
  readonly #streams = new Map<number, ServerStream>();

  /** A new stream, or undefined if there are too many. */
  create(): ServerStream | undefined {
    for (let id = 1; id <= MAX_MESSAGE_STREAMS; id++) {
      if (this.#streams.has(id)) continue;
      const stream: ServerStream = { id, role: 'idle', name: '' };
      this.#streams.set(id, stream);
      return stream;
    }
    return undefined;
  }

  get(id: number): ServerStream | undefined {
    return this.#streams.get(id);
  }

  /** Takes a stream away; undefined if this client has none of that id. */
  delete(id: number): ServerStream | undefined {
    const stream = this.#streams.get(id);
    this.#streams.delete(id);
    return stream;
  }

  /** The stream that publishes, under `name` if one is given. */
  publishing(name?: string): ServerStream | undefined {
    for (const stream of this.#streams.values()) {
      if (stream.role === 'publishing' && (name === undefined || stream.name === name)) return stream;
    }
    return undefined;
  }

  /** What the connection as a whole is doing. */
  get activity(): 'idle' | 'publishing' | 'playing' {
    let activity: 'idle' | 'playing' = 'idle';
    for (const stream of this.#streams.values()) {
      if (stream.role === 'publishing') return 'publishing';
      if (stream.role === 'playing') activity = 'playing';
    }
    return activity;
  }
}

/** Turns a stream into what was decided on. */
export function occupy(stream: ServerStream, request: PublishRequest | PlayRequest): void {
  stream.role = request.kind === 'publish' ? 'publishing' : 'playing';
  stream.name = request.name;
}
