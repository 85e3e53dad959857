import type { StreamName } from '@onair/media';
import { type PushDeps, StreamPush } from './egress/rtmp/index.ts';
import { type PullDeps, StreamPull } from './ingest/pull/index.ts';

/** Relays at one time; who asks for more goes without. */
const MAX_RELAYS = 256;

interface Relay {
  users: number;
  readonly close: (reason: string) => void;
}

/** Pushes and pulls that last as long as somebody publishes or plays who was redirected to another server. */
export class RedirectRelays {
  readonly #deps: PushDeps & PullDeps;
  readonly #running = new Map<string, Relay>();

  constructor(deps: PushDeps & PullDeps) {
    this.#deps = deps;
  }

  /** Sends a stream there. @returns ends it, once. */
  push(stream: StreamName, url: string): () => void {
    return this.#share(`push ${stream} ${url}`, () => new StreamPush({ url, stream }, this.#deps));
  }

  /** Fetches a stream from there, unless somebody publishes it here. @returns ends it, once. */
  pull(stream: StreamName, url: string): () => void {
    const key = `pull ${stream}`;
    const { registry } = this.#deps;
    if (!this.#running.has(key) && registry.find(stream)?.publication !== undefined) return () => undefined;
    return this.#share(key, () => {
      const pull = new StreamPull({ url, stream }, this.#deps);
      pull.start();
      return pull;
    });
  }

  /** Ends all. */
  close(reason: string): void {
    for (const relay of this.#running.values()) relay.close(reason);
    this.#running.clear();
  }

  #share(key: string, begin: () => { close(reason: string): void }): () => void {
    let relay = this.#running.get(key);
    if (relay === undefined) {
      if (this.#running.size >= MAX_RELAYS) {
        this.#deps.log('a relay was left out', { reason: `${MAX_RELAYS} run already` });
        return () => undefined;
      }
      const made = begin();
      relay = { users: 0, close: (reason) => made.close(reason) };
      this.#running.set(key, relay);
    }
    const mine = relay;
    mine.users++;
    let over = false;
    return () => {
      if (over) return;
      over = true;
      if (--mine.users > 0 || this.#running.get(key) !== mine) return;
      this.#running.delete(key);
      mine.close('nobody needs it any more');
    };
  }
}
