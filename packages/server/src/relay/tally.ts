/** Counts who said something about whom within a time. Remembers at most `maxKeys` of those spoken of. */
export class Tally<K, W> {
  readonly #said = new Map<K, Map<W, number>>();
  readonly #windowMs: number;
  readonly #maxKeys: number;

  constructor(windowMs: number, maxKeys = 10_000) {
    this.#windowMs = windowMs;
    this.#maxKeys = maxKeys;
  }

  /** Notes that `who` spoke of `key`; returns how many did within the window. `now` in milliseconds. */
  add(key: K, who: W, now: number): number {
    const said = this.#said.get(key) ?? new Map<W, number>();
    // The longest untouched key is the first.
    this.#said.delete(key);
    this.#said.set(key, said);
    if (this.#said.size > this.#maxKeys) this.#said.delete(this.#said.keys().next().value as K);
    said.set(who, now);
    return this.#count(said, now);
  }

  /** How many different ones spoke of `key` within the window. */
  count(key: K, now: number): number {
    const said = this.#said.get(key);
    return said === undefined ? 0 : this.#count(said, now);
  }

  #count(said: Map<W, number>, now: number): number {
    for (const [who, at] of said) if (now - at > this.#windowMs) said.delete(who);
    return said.size;
  }
}
