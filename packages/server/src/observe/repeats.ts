import type { Logger } from './logger.ts';

/** Different texts of warnings that are counted at one time; the oldest is let go. */
const MAX_KEYS = 500;

interface Entry {
  timer: NodeJS.Timeout;
  repeats: number;
  fields: Readonly<Record<string, unknown>>;
}

/**
 * Warnings that a peer could cause without end: each text is written at once the first time, then at most once
 * per window with the number of repeats.
 */
export class RepeatedWarnings {
  readonly #logger: Logger;
  readonly #windowMs: number;
  readonly #entries = new Map<string, Entry>();

  /** @param windowMs shortest time between two lines of the same text, milliseconds. */
  constructor(logger: Logger, windowMs = 1000) {
    this.#logger = logger;
    this.#windowMs = windowMs;
  }

  /** Warns with `text`, a constant; what differs belongs into `fields`, of which the newest are shown. */
  warn(text: string, fields: Readonly<Record<string, unknown>> = {}): void {
    const known = this.#entries.get(text);
    if (known !== undefined) {
      known.repeats++;
      known.fields = fields;
      return;
    }
    this.#logger.warn(fields, text);
    if (this.#entries.size >= MAX_KEYS) this.#drop(this.#entries.keys().next().value!);
    const timer = setTimeout(() => this.#windowOver(text), this.#windowMs).unref();
    this.#entries.set(text, { timer, repeats: 0, fields });
  }

  #windowOver(text: string): void {
    const entry = this.#entries.get(text);
    if (entry === undefined) return;
    if (entry.repeats === 0) {
      this.#entries.delete(text);
      return;
    }
    this.#logger.warn({ ...entry.fields, repeats: entry.repeats }, text);
    entry.repeats = 0;
    entry.timer = setTimeout(() => this.#windowOver(text), this.#windowMs).unref();
  }

  #drop(text: string): void {
    const entry = this.#entries.get(text);
    if (entry === undefined) return;
    clearTimeout(entry.timer);
    this.#entries.delete(text);
    if (entry.repeats > 0) this.#logger.warn({ ...entry.fields, repeats: entry.repeats }, text);
  }

  /** Writes the counts that are still open and stops. */
  close(): void {
    for (const text of [...this.#entries.keys()]) this.#drop(text);
  }
}
