import { type StreamName, splitStreamName, streamName } from '@onair/media';
import type { Stream } from '../../hub/index.ts';
import { type PushDeps, type PushStatus, StreamPush } from './stream-push.ts';

/** A push as the configuration names it. */
export interface PushWish {
  readonly url: string;
  /** `APP/NAME`, or `APP/*` for every stream of an application. */
  readonly stream: string;
  /** Takes any certificate. */
  readonly insecure?: boolean | undefined;
}

/** The pushes that run. A new list stops what is no longer in it and leaves the rest alone. */
export class PushSet {
  readonly #deps: PushDeps;
  readonly #running = new Map<string, StreamPush | AppPush>();

  constructor(deps: PushDeps) {
    this.#deps = deps;
  }

  /** How each push is doing, in the order of the configuration. */
  list(): readonly PushStatus[] {
    return [...this.#running.values()].flatMap((push) => push.statuses);
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
    for (const [key, wish] of wanted) if (!this.#running.has(key)) this.#running.set(key, this.#begin(wish));
  }

  #begin({ url, stream, insecure }: PushWish): StreamPush | AppPush {
    const { app, name } = splitStreamName(stream as StreamName);
    if (name === '*') return new AppPush(app, { url, insecure }, this.#deps);
    return new StreamPush({ url, stream: streamName(app, name), insecure }, this.#deps);
  }

  /** Stops all pushes. */
  close(reason: string): void {
    for (const push of this.#running.values()) push.close(reason);
    this.#running.clear();
  }
}

/** Sends every stream of an application to a target of its own, for as long as there is such a stream. */
class AppPush {
  readonly #app: string;
  readonly #target: Pick<PushWish, 'url' | 'insecure'>;
  readonly #deps: PushDeps;
  readonly #streams = new Map<StreamName, StreamPush>();
  readonly #unlisten: () => void;

  constructor(app: string, target: Pick<PushWish, 'url' | 'insecure'>, deps: PushDeps) {
    this.#app = app;
    this.#target = target;
    this.#deps = deps;
    this.#unlisten = deps.registry.onChange((stream) => this.#look(stream));
    for (const stream of deps.registry.list()) this.#look(stream);
  }

  get statuses(): readonly PushStatus[] {
    return [...this.#streams.values()].map(({ status }) => status);
  }

  close(reason: string): void {
    this.#unlisten();
    for (const push of this.#streams.values()) push.close(reason);
    this.#streams.clear();
  }

  #look({ name, state }: Stream): void {
    if (splitStreamName(name).app !== this.#app) return;
    const push = this.#streams.get(name);
    if (state === 'live') {
      if (push === undefined)
        this.#streams.set(name, new StreamPush({ ...this.#target, stream: name }, this.#deps));
    } else if (state === 'ended' || this.#deps.registry.find(name) === undefined) {
      push?.close('the stream is over');
      this.#streams.delete(name);
    }
  }
}
