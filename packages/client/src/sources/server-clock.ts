/** Round trips kept to find the one least delayed. */
const KEPT = 16;

/** This machine's clock against the server's, from ping and answer: the quickest round trip tells best. */
export class ServerClock {
  #trips: { readonly rtt: number; readonly offset: number }[] = [];
  #guess: number | undefined;

  /** Milliseconds to add to `Date.now()` to get the server's clock; 0 until something is known. */
  get offset(): number {
    return this.#best()?.offset ?? this.#guess ?? 0;
  }

  /** Quickest round trip in ms, undefined before the first. */
  get rtt(): number | undefined {
    return this.#best()?.rtt;
  }

  /** True once the offset is better than a guess. */
  get synchronised(): boolean {
    return this.#trips.length > 0;
  }

  /** The server's clock now, ms since the Unix epoch. */
  now(): number {
    return Date.now() + this.offset;
  }

  /** A server's clock seen in passing, the way back unknown: taken until a round trip is known. Both in ms. */
  guess(server: number, local: number): void {
    this.#guess = server - local;
  }

  /** One round trip. All in ms: when asked, when answered by this machine's clock; the server's clock in between. */
  trip(asked: number, answered: number, server: number): void {
    if (answered < asked) return;
    this.#trips.push({ rtt: answered - asked, offset: server - (asked + answered) / 2 });
    if (this.#trips.length > KEPT) this.#trips.shift();
  }

  #best(): { readonly rtt: number; readonly offset: number } | undefined {
    let best: { readonly rtt: number; readonly offset: number } | undefined;
    for (const trip of this.#trips) if (best === undefined || trip.rtt < best.rtt) best = trip;
    return best;
  }
}
