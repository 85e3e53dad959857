interface Entry {
  readonly at: number;
  readonly order: number;
  readonly run: () => void;
}

/** What happens when, in simulated milliseconds: a heap; equal times keep their order. */
export class Agenda {
  now = 0;
  #order = 0;
  readonly #heap: Entry[] = [];

  /** Calls `run` in `ms` milliseconds. */
  in(ms: number, run: () => void): void {
    const entry = { at: this.now + ms, order: this.#order++, run };
    let at = this.#heap.push(entry) - 1;
    while (at > 0) {
      const up = (at - 1) >> 1;
      if (!before(entry, this.#heap[up]!)) break;
      this.#heap[at] = this.#heap[up]!;
      at = up;
    }
    this.#heap[at] = entry;
  }

  /** Runs everything up to `end`. */
  runTo(end: number): void {
    for (let next = this.#heap[0]; next !== undefined && next.at <= end; next = this.#heap[0]) {
      this.#pop();
      this.now = next.at;
      next.run();
    }
    this.now = end;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop()!;
    if (heap.length === 0) return;
    let at = 0;
    for (;;) {
      let down = 2 * at + 1;
      if (down >= heap.length) break;
      if (down + 1 < heap.length && before(heap[down + 1]!, heap[down]!)) down++;
      if (!before(heap[down]!, last)) break;
      heap[at] = heap[down]!;
      at = down;
    }
    heap[at] = last;
  }
}

function before(a: Entry, b: Entry): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}
