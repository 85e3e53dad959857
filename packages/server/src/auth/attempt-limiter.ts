import { addressGroup } from '../observe/index.ts';

const MINUTE_MS = 60_000;
/** Addresses that are remembered at one time; beyond that the one that failed longest ago is forgotten. */
const MAX_ADDRESSES = 50_000;

interface Failures {
  count: number;
  /** When the minute of these failures began, milliseconds. */
  since: number;
}

/** Counts failed attempts per address and minute; an IPv6 /64 counts as one address. */
export class AttemptLimiter {
  readonly #limit: () => number;
  readonly #now: () => number;
  readonly #failures = new Map<string, Failures>();

  /**
   * @param limit failures that an address has in a minute.
   * @param now monotonic milliseconds.
   */
  constructor(limit: () => number, now: () => number) {
    this.#limit = limit;
    this.#now = now;
  }

  /** Seconds until the address may try again; 0 if it may now. */
  retryAfter(address: string): number {
    const known = this.#current(addressGroup(address));
    if (known === undefined || known.count < this.#limit()) return 0;
    return Math.max(1, Math.ceil((known.since + MINUTE_MS - this.#now()) / 1000));
  }

  /** Counts a failed attempt, or one that takes time as if it had. The returned function takes it back, once. */
  failed(address: string): () => void {
    const group = addressGroup(address);
    let known = this.#current(group);
    if (known === undefined) {
      if (this.#failures.size >= MAX_ADDRESSES) this.#failures.delete(this.#failures.keys().next().value!);
      known = { count: 0, since: this.#now() };
      this.#failures.set(group, known);
    }
    known.count++;
    let counts = 1;
    return () => {
      known.count -= counts;
      counts = 0;
    };
  }

  #current(group: string): Failures | undefined {
    const known = this.#failures.get(group);
    if (known === undefined || this.#now() - known.since < MINUTE_MS) return known;
    this.#failures.delete(group);
    return undefined;
  }
}
