import { type StreamName, splitStreamName, streamName } from '@onair/media';
import { type PullDeps, type PullOrder, StreamPull } from './stream-pull.ts';

/** A pull as the configuration names it. */
export interface PullWish {
  readonly url: string;
  /** `APP/NAME`; `APP/*` for all of an application, on demand. */
  readonly stream: string;
  /** Takes any certificate of an RTMP server. */
  readonly insecure?: boolean | undefined;
  /** Fetched only while somebody watches. */
  readonly onDemand?: boolean;
  /** How long after that, ms. */
  readonly idleMs?: number;
}

/** The pulls that run all the time. A new list stops what is no longer in it and leaves the rest alone. */
export class PullSet {
  readonly #deps: PullDeps;
  readonly #running = new Map<string, StreamPull>();

  constructor(deps: PullDeps) {
    this.#deps = deps;
  }

  /** Runs exactly these pulls from now on. */
  set(wishes: readonly PullWish[]): void {
    const wanted = new Map(
      wishes
        .filter(({ onDemand }) => onDemand !== true)
        .map((wish) => [`${wish.stream} ${wish.url} ${wish.insecure === true}`, wish]),
    );
    for (const [key, pull] of this.#running) {
      if (wanted.has(key)) continue;
      this.#running.delete(key);
      pull.close('no longer configured');
    }
    for (const [key, { url, stream, insecure }] of wanted) {
      if (this.#running.has(key)) continue;
      const pull = new StreamPull(orderOf({ url, stream, insecure }, stream), this.#deps);
      this.#running.set(key, pull);
      pull.start();
    }
  }

  /** Stops all pulls. */
  close(reason: string): void {
    for (const pull of this.#running.values()) pull.close(reason);
    this.#running.clear();
  }
}

/** What a wish means for one stream. */
export function orderOf({ url, insecure }: PullWish, stream: string): PullOrder {
  const { app, name } = splitStreamName(stream as StreamName);
  const own = url.replaceAll('{app}', app).replaceAll('{name}', name);
  return { url: own, stream: streamName(app, name), insecure };
}
