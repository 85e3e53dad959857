import { ParseError } from '../model/errors.ts';
import { MAX_AMF_BYTES, MAX_AMF_DEPTH, MAX_AMF_VALUES } from './value.ts';

/** Counts depth and values of one message, shared by an AMF0 reader and the AMF3 reader behind it. */
export class AmfBudget {
  #depth = 0;
  #values = 0;

  /** To be called for each value read. */
  value(clause: string): void {
    if (++this.#values > MAX_AMF_VALUES) {
      throw new ParseError('AMF_TOO_LARGE', clause, `more than ${MAX_AMF_VALUES} values in one message`);
    }
  }

  /** To be called before the parts of a value are read or written; `leave` follows. */
  enter(clause: string): void {
    if (++this.#depth > MAX_AMF_DEPTH) {
      throw new ParseError('AMF_DEPTH', clause, `values nested deeper than ${MAX_AMF_DEPTH}`);
    }
  }

  leave(): void {
    this.#depth--;
  }

  /** Refuses a count of things that cannot all be in the bytes that are left. */
  static count(count: number, smallest: number, remaining: number, clause: string): void {
    if (count * smallest > remaining) {
      throw new ParseError('AMF_COUNT', clause, `${count} items announced, ${remaining} bytes left`);
    }
  }

  /** Refuses to write more than a message can carry. */
  static written(length: number, clause: string): void {
    if (length > MAX_AMF_BYTES) {
      throw new ParseError('AMF_TOO_LARGE', clause, `more than ${MAX_AMF_BYTES} bytes to write`);
    }
  }
}
