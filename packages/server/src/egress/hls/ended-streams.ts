import type { StreamName } from '@onair/media';
import type { Clock, Stream, StreamRegistry } from '../../hub/index.ts';

/** What {@link EndedStreams} needs. */
export interface EndedDeps {
  readonly registry: StreamRegistry;
  readonly clock: Clock;
  /** How long a stream that is over can be fetched, in ms. */
  endedMs(): number;
}

/** Keeps streams that are over known for a while, so that who came late can still see their end. */
export class EndedStreams {
  readonly #deps: EndedDeps;
  readonly #held = new Map<StreamName, () => void>();
  readonly #unfollow: () => void;

  constructor(deps: EndedDeps) {
    this.#deps = deps;
    this.#unfollow = deps.registry.onChange((stream) => this.#changed(stream));
  }

  /** True for a stream that ended so long ago that it is no longer shown. */
  isOver(stream: Stream): boolean {
    const { clock, endedMs } = this.#deps;
    return stream.state === 'ended' && clock.wall() - stream.since > endedMs();
  }

  /** Lets go of all. Safe to call twice. */
  close(): void {
    this.#unfollow();
    for (const release of [...this.#held.values()]) release();
  }

  #changed(stream: Stream): void {
    const { name } = stream;
    if (stream.state !== 'ended') {
      this.#held.get(name)?.();
      return;
    }
    if (this.#held.has(name) || this.#deps.registry.find(name) !== stream || this.isOver(stream)) return;
    const detach = stream.attach();
    const cancel = this.#deps.clock.after(this.#deps.endedMs(), () => release());
    const release = (): void => {
      if (!this.#held.delete(name)) return;
      cancel();
      detach();
    };
    this.#held.set(name, release);
  }
}
