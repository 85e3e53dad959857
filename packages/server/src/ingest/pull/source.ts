import type { ScriptMessage, Tag } from '@onair/media/flv';
import type { Reach } from '../../net/index.ts';
import type { DialOptions } from '../../net/rtmp-dial.ts';

/** Until when a source must have begun to deliver, in milliseconds from the attempt. */
export const OPEN_TIMEOUT_MS = 10_000;
/** After how long without a byte a source is given up, in milliseconds. */
export const SILENCE_MS = 15_000;

/** Takes what an attempt brings. Nothing comes after `ended` or `redirected`. */
export interface PullSink {
  /** @throws if the source is not to be listened to any longer. */
  tag(tag: Tag): void;
  /** @param timestampMs milliseconds of the source's clock, modulo 2^32. */
  data(message: ScriptMessage, timestampMs: number): void;
  /**
   * Bytes of a transport stream, cut anywhere. @returns true once pictures or sound have come.
   * @throws if the source is not to be listened to any longer.
   */
  ts(bytes: Uint8Array): boolean;
  /** The attempt is over. Called once. */
  ended(reason: string): void;
  /** The source names another address. Called once, in place of `ended`. */
  redirected(url: string): void;
}

/** One connection to a source. */
export interface PullAttempt {
  /** Lets everything go without a word to the sink. Safe to call twice. */
  close(): void;
}

/**
 * Connects to a source; everything that happens is told to `sink`, later.
 * @throws for an address that cannot be read or lies out of `reach`.
 */
export type OpenSource = (url: string, sink: PullSink, reach: Reach, options?: DialOptions) => PullAttempt;

/** Passes on the first end only. */
export class SourceEnd {
  readonly #sink: PullSink;
  readonly #release: () => void;
  #over = false;

  constructor(sink: PullSink, release: () => void) {
    this.#sink = sink;
    this.#release = release;
  }

  get over(): boolean {
    return this.#over;
  }

  /** Releases and tells nobody. */
  silently(): void {
    if (this.#over) return;
    this.#over = true;
    this.#release();
  }

  /** Releases and tells the reason. */
  because(reason: string): void {
    if (this.#over) return;
    this.silently();
    this.#sink.ended(reason);
  }

  /** Releases and tells the other address. */
  elsewhere(url: string): void {
    if (this.#over) return;
    this.silently();
    this.#sink.redirected(url);
  }

  /** Runs something that may throw because of what came in. */
  guard(action: () => void): void {
    try {
      action();
    } catch (error) {
      this.because(error instanceof Error ? error.message : String(error));
    }
  }
}
