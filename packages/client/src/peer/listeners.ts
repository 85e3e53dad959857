/** Listeners by the name of their event; `E` maps names to what listeners are given. */
export class Listeners<E extends Readonly<Record<string, readonly unknown[]>>> {
  readonly #lists: { [N in keyof E]?: Set<(...what: E[N]) => void> } = {};

  /** Adds a listener. Returns what takes it away again. */
  add<N extends keyof E>(name: N, listener: (...what: E[N]) => void): () => void {
    const list = this.#lists[name] ?? new Set();
    this.#lists[name] = list;
    list.add(listener);
    return () => void list.delete(listener);
  }

  /** Tells everybody who listens; true if there was somebody. */
  tell<N extends keyof E>(name: N, ...what: E[N]): boolean {
    const list = [...(this.#lists[name] ?? [])];
    for (const listener of list) listener(...what);
    return list.length > 0;
  }
}
