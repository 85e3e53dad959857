import { createHash } from 'node:crypto';
import type { StreamName } from '@onair/media';
import type { Clock, Stream } from '../../hub/index.ts';
import type { LiveDeps } from '../live/index.ts';

/** Most HLS viewers that are told apart; further ones are served without being counted. */
const MAX_VIEWERS = 20_000;
/** A viewer that asks for nothing for so long has left, in milliseconds. */
const IDLE_MS = 20_000;

interface HlsViewer {
  readonly stream: StreamName;
  readonly address: string;
  readonly since: number;
  bytes: number;
  lastSeen: number;
  ended: boolean;
  readonly leave: (reason: string) => void;
}

/** Who asks: requests of one address and program for one stream count as one viewer. */
export interface HlsClient {
  readonly stream: Stream;
  readonly address: string;
  readonly agent: string | undefined;
}

/** HLS has no connections to count: this makes sessions of requests that belong together. */
export class Audience {
  readonly #deps: LiveDeps;
  readonly #clock: Clock;
  readonly #protocol: string;
  readonly #viewers = new Map<string, HlsViewer>();
  #cancelSweep: (() => void) | undefined;

  /** @param protocol as the session table shows it. */
  constructor(deps: LiveDeps, clock: Clock, protocol = 'hls') {
    this.#deps = deps;
    this.#protocol = protocol;
    this.#clock = clock;
  }

  /** Viewers at present. */
  get size(): number {
    return this.#viewers.size;
  }

  /**
   * Notes a request. The returned function adds bytes that were sent.
   * @returns undefined if the viewer was sent away.
   */
  seen(client: HlsClient): ((bytes: number) => void) | undefined {
    const key = keyOf(client);
    const viewer = this.#viewers.get(key) ?? this.#add(key, client);
    if (viewer === undefined) return () => {};
    viewer.lastSeen = this.#clock.now();
    if (viewer.ended) return undefined;
    return (bytes) => {
      viewer.bytes += bytes;
      viewer.lastSeen = this.#clock.now();
    };
  }

  /** Ends every session. */
  close(reason: string): void {
    this.#cancelSweep?.();
    this.#cancelSweep = undefined;
    for (const viewer of this.#viewers.values()) viewer.leave(reason);
    this.#viewers.clear();
  }

  #add(key: string, { stream, address }: HlsClient): HlsViewer | undefined {
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
    let present = true;
    const viewer: HlsViewer = {
      stream: stream.name,
      address,
      since: now,
      bytes: 0,
      lastSeen: now,
      ended: false,
      leave: (reason) => {
        if (!present) return;
        present = false;
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

function keyOf({ stream, address, agent }: HlsClient): string {
  const program = createHash('sha256')
    .update((agent ?? '').slice(0, 512))
    .digest('base64url')
    .slice(0, 12);
  return `${stream.name} ${address} ${program}`;
}
