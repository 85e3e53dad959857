import type { CommandMessage } from './messages/index.ts';
import type { CallResult } from './server-events.ts';

/** Most calls that may wait for an answer; the oldest is forgotten first. */
export const MAX_PENDING_CALLS = 64;

/** Numbers our own calls and tells answers to them from answers to nothing. */
export class PendingCalls {
  readonly #waiting = new Set<number>();
  #last: number;

  /** @param last number used before the first one issued here. */
  constructor(last = 0) {
    this.#last = last;
  }

  /** A fresh transaction id for a call whose answer does not matter. */
  number(): number {
    return ++this.#last;
  }

  /** A fresh transaction id for a call whose answer is awaited. */
  issue(): number {
    this.#last++;
    if (this.#waiting.size >= MAX_PENDING_CALLS) {
      for (const oldest of this.#waiting) {
        this.#waiting.delete(oldest);
        break;
      }
    }
    this.#waiting.add(this.#last);
    return this.#last;
  }

  /** The event for a `_result` or `_error`, or undefined if nobody asked. */
  settle({ name, transactionId, values }: CommandMessage): CallResult | undefined {
    if (!this.#waiting.delete(transactionId)) return undefined;
    return { kind: 'result', transactionId, ok: name === '_result', values: values.slice(1) };
  }
}
