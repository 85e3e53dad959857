import { type StreamName, splitStreamName, streamName } from '@onair/media';
import { type PushDeps, type PushStatus, StreamPush } from './stream-push.ts';

/** A push as the configuration names it. */
export interface PushWish {
  readonly url: string;
  /** `APP/NAME`. */
  readonly stream: string;
  /** Takes any certificate. */
  readonly insecure?: boolean | undefined;
}

/** The pushes that run. A new list stops what is no longer in it and leaves the rest alone. */
export class PushSet {
  readonly #deps: PushDeps;
  readonly #running = new Map<string, StreamPush>();

  constructor(deps: PushDeps) {
    this.#deps = deps;
  }

  /** How each push is doing, in the order of the configuration. */
  list(): readonly PushStatus[] {
    return [...this.#running.values()].map((push) => push.status);
  }

  /** Runs exactly these pushes from now on. */
  set(wishes: readonly PushWish[]): void {
    const wanted = new Map(
      wishes.map((wish) => [`${wish.stream} ${wish.url} ${wish.insecure === true}`, wish]),
    );
    for (const [key, push] of this.#running) {
      if (wanted.has(key)) continue;
      this.#running.delete(key);
      push.close('no longer configured');
    }
    for (const [key, { url, stream, insecure }] of wanted) {
      if (this.#running.has(key)) continue;
      const { app, name } = splitStreamName(stream as StreamName);
      this.#running.set(key, new StreamPush({ url, stream: streamName(app, name), insecure }, this.#deps));
    }
  }

  /** Stops all pushes. */
  close(reason: string): void {
    for (const push of this.#running.values()) push.close(reason);
    this.#running.clear();
  }
}
