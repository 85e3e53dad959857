import type { Clock } from './clock.ts';
import type { Envelope } from './envelope.ts';
import type { FormatLog } from './format-log.ts';
import { Pump, type PumpPolicy, type PumpTracks } from './pump.ts';

/** Merge windows a viewer can ask for, in milliseconds; 0 is every video frame. */
export const WINDOWS_MS = [0, 50, 100, 200, 350] as const;

/** What all pumps of the process share. */
export interface FanoutContext {
  readonly clock: Clock;
  /** Policy of a pump whose viewers asked for `windowMs`; may widen the window while the process is busy. */
  policy(windowMs: number): PumpPolicy;
}

/** How a viewer wants to be served. */
export interface FeedWish<C> {
  readonly envelope: Envelope<C>;
  readonly tracks: PumpTracks;
  /** Merge window in milliseconds; rounded down to one of {@link WINDOWS_MS}. */
  readonly windowMs: number;
}

/** The pumps of one log, one for each kind of viewer, made when the first comes and let go after the last. */
export class Fanout<C> {
  readonly #log: FormatLog<C>;
  readonly #context: FanoutContext;
  readonly #pumps = new Map<string, Pump<C>>();

  constructor(log: FormatLog<C>, context: FanoutContext) {
    this.#log = log;
    this.#context = context;
  }

  /** The pump that serves viewers with this wish. Join it in the same turn. */
  pump(wish: FeedWish<C>): Pump<C> {
    const windowMs = nearestWindow(wish.windowMs);
    const key = `${wish.envelope.name} ${wish.tracks} ${windowMs}`;
    const running = this.#pumps.get(key);
    if (running !== undefined && !running.closed) return running;
    const pump: Pump<C> = new Pump<C>({
      log: this.#log,
      envelope: wish.envelope,
      tracks: wish.tracks,
      clock: this.#context.clock,
      policy: () => this.#context.policy(windowMs),
      idle: () => {
        if (this.#pumps.get(key) === pump) this.#pumps.delete(key);
        pump.close('stream-ended');
      },
    });
    this.#pumps.set(key, pump);
    return pump;
  }

  /** Viewers of all pumps. */
  get size(): number {
    let size = 0;
    for (const pump of this.#pumps.values()) size += pump.size;
    return size;
  }
}

function nearestWindow(wanted: number): number {
  let best = 0;
  for (const window of WINDOWS_MS) if (window <= wanted) best = window;
  return best;
}
