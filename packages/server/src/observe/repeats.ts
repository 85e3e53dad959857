import type { Logger } from './logger.ts';

/** Different texts of warnings that are counted at one time; the oldest is let go. */
const MAX_KEYS = 500;

interface Entry {
  readonly text: string;
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
  readonly #level: 'warn' | 'info';
  readonly #entries = new Map<string, Entry>();

  /**
   * @param windowMs shortest time between two lines of the same text, milliseconds.
   * @param level `info` for what is no fault.
   */
  constructor(logger: Logger, windowMs = 1000, level: 'warn' | 'info' = 'warn') {
    this.#logger = logger;
    this.#windowMs = windowMs;
    this.#level = level;
  }

  /**
   * Warns with `text`, a constant; what differs belongs into `fields`, of which the newest are shown.
   * @param kind tells apart what is counted separately, e.g. an error code; one of few, never a peer's words.
   */
  warn(text: string, fields: Readonly<Record<string, unknown>> = {}, kind = ''): void {
    const key = `${text} ${kind}`;
    const known = this.#entries.get(key);
    if (known !== undefined) {
      known.repeats++;
      known.fields = fields;
      return;
    }
    this.#logger[this.#level](fields, text);
    if (this.#entries.size >= MAX_KEYS) this.#drop(this.#entries.keys().next().value!);
    const timer = setTimeout(() => this.#windowOver(key), this.#windowMs).unref();
    this.#entries.set(key, { text, timer, repeats: 0, fields });
  }

  #windowOver(key: string): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    if (entry.repeats === 0) {
      this.#entries.delete(key);
      return;
    }
    this.#logger[this.#level]({ ...entry.fields, repeats: entry.repeats }, entry.text);
    entry.repeats = 0;
    entry.timer = setTimeout(() => this.#windowOver(key), this.#windowMs).unref();
  }

  #drop(key: string): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    clearTimeout(entry.timer);
    this.#entries.delete(key);
    if (entry.repeats > 0) this.#logger[this.#level]({ ...entry.fields, repeats: entry.repeats }, entry.text);
  }

  /** Writes the counts that are still open and stops. */
  close(): void {
    for (const key of [...this.#entries.keys()]) this.#drop(key);
  }
}
