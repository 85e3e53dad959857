/** A clock that moves only when told. Starts at wall time 1,700,000,000,000. */
export class FakeClock {
  #now = 1_000;
  #order = 0;
  #timers = new Set();
  now() {
    return this.#now;
  }
  wall() {
    return 1_700_000_000_000 + this.#now - 1_000;
  }
  after(ms, callback) {
    const timer = { at: this.#now + ms, order: this.#order++, callback };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }
  soon(callback) {
    return this.after(0, callback);
  }
  /** Timers that have not fired. */
  get waiting() {
    return this.#timers.size;
  }
  /** Moves on by `ms`, firing what falls due in order. */
  advance(ms) {
    const end = this.#now + ms;
    for (;;) {
      let next;
      for (const timer of this.#timers) {
        if (timer.at > end) continue;
        if (next === undefined || timer.at < next.at || (timer.at === next.at && timer.order < next.order))
          next = timer;
      }
      if (next === undefined) break;
      this.#timers.delete(next);
      this.#now = Math.max(this.#now, next.at);
      next.callback();
    }
    this.#now = end;
  }
}
//# sourceMappingURL=fake-clock.js.map
