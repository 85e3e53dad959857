import { type StreamName, splitStreamName } from '@onair/media';
import { orderOf, type PullWish } from './pull-set.ts';
import { type PullDeps, StreamPull } from './stream-pull.ts';

/** How long who asks for a stream is held until its source delivers, ms. */
export const DEMAND_WAIT_MS = 8_000;
/** How often sources and those who wait for them are looked at, ms. */
const LOOK_MS = 100;
/** Sources fetched on demand at one time, and requests held at one time; who asks for more finds no stream. */
const MAX_SOURCES = 256;
const MAX_HELD = 1_000;
/** How long a source is fetched after its last viewer unless the wish says it, ms. */
const IDLE_MS = 10_000;

interface Fetched {
  readonly wish: PullWish;
  readonly pull: StreamPull;
  /** When it was wanted last, ms of the clock. */
  wantedAt: number;
}

interface Held {
  readonly stream: StreamName;
  readonly until: number;
  readonly settle: (live: boolean) => void;
}

/** Pulls that begin when somebody asks for their stream, and end some time after the last viewer has gone. */
export class DemandPulls {
  readonly #deps: PullDeps;
  readonly #fetched = new Map<StreamName, Fetched>();
  readonly #held = new Set<Held>();
  #wishes: readonly PullWish[] = [];
  #cancelLook: (() => void) | undefined;

  constructor(deps: PullDeps) {
    this.#deps = deps;
  }

  /** True if anything can be fetched. */
  get any(): boolean {
    return this.#wishes.length > 0;
  }

  /** Fetches by these wishes from now on; those not on demand are no business of it. */
  set(wishes: readonly PullWish[]): void {
    this.#wishes = wishes.filter(({ onDemand }) => onDemand === true);
    for (const [stream, { wish }] of this.#fetched) {
      const kept = this.#wishFor(stream);
      if (kept?.url !== wish.url || kept.insecure !== wish.insecure)
        this.#drop(stream, 'no longer configured');
    }
  }

  /**
   * Somebody asks for a stream: it is fetched if it is not there and a wish fits.
   * @returns true once it is live, false if that fails or lasts too long; undefined if there is nothing to wait for.
   */
  wanted(stream: StreamName): Promise<boolean> | undefined {
    const { registry, clock } = this.#deps;
    const fetched = this.#fetched.get(stream);
    if (fetched !== undefined) fetched.wantedAt = clock.now();
    const there = registry.find(stream);
    // While the source fails for a moment the stream waits for it as for any publisher.
    if (there?.state === 'live' || (fetched !== undefined && there?.state === 'waiting')) return undefined;
    if (fetched === undefined && there?.publication !== undefined) return undefined;
    if (fetched === undefined && !this.#begin(stream)) return undefined;
    if (this.#held.size >= MAX_HELD) return Promise.resolve(false);
    return new Promise((settle) => {
      this.#held.add({ stream, until: clock.now() + DEMAND_WAIT_MS, settle });
    });
  }

  /** Ends all, and lets go of all who wait. */
  close(reason: string): void {
    this.#wishes = [];
    for (const stream of this.#fetched.keys()) this.#drop(stream, reason);
    for (const held of this.#held) held.settle(false);
    this.#held.clear();
    this.#cancelLook?.();
    this.#cancelLook = undefined;
  }

  #wishFor(stream: StreamName): PullWish | undefined {
    const every = `${splitStreamName(stream).app}/*`;
    return this.#wishes.find((wish) => wish.stream === stream || wish.stream === every);
  }

  #begin(stream: StreamName): boolean {
    const wish = this.#wishFor(stream);
    if (wish === undefined) return false;
    const { clock, log } = this.#deps;
    if (this.#fetched.size >= MAX_SOURCES) {
      log('a source was left out', { stream, reason: `${MAX_SOURCES} are fetched already` });
      return false;
    }
    const pull = new StreamPull(orderOf(wish, stream), this.#deps);
    this.#fetched.set(stream, { wish, pull, wantedAt: clock.now() });
    pull.start();
    this.#lookLater();
    return true;
  }

  #drop(stream: StreamName, reason: string): void {
    const fetched = this.#fetched.get(stream);
    this.#fetched.delete(stream);
    fetched?.pull.close(reason);
  }

  #lookLater(): void {
    this.#cancelLook ??= this.#deps.clock.after(LOOK_MS, () => {
      this.#cancelLook = undefined;
      this.#look();
      if (this.#fetched.size > 0 || this.#held.size > 0) this.#lookLater();
    });
  }

  #look(): void {
    const { clock, registry, sessions } = this.#deps;
    const now = clock.now();
    for (const held of this.#held) {
      const fetched = this.#fetched.get(held.stream);
      const live = registry.find(held.stream)?.state === 'live';
      const failed = fetched === undefined || fetched.pull.failure !== undefined;
      if (!live && !failed && now < held.until) continue;
      if (fetched !== undefined) fetched.wantedAt = now;
      this.#held.delete(held);
      held.settle(live);
    }
    for (const [stream, fetched] of this.#fetched) {
      if (sessions.viewers(stream) > 0) fetched.wantedAt = now;
      else if (now - fetched.wantedAt >= (fetched.wish.idleMs ?? IDLE_MS))
        this.#drop(stream, 'nobody watches');
    }
  }
}
