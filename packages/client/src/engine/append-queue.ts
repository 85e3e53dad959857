import type { BufferPort } from './ports.ts';
import { spansOf } from './ranges.ts';

/** One thing a source buffer is asked to do; the label is what logs and tests see. */
export type BufferOperation =
  | { readonly label: 'init'; readonly mime: string; readonly bytes: Uint8Array }
  | { readonly label: 'append'; readonly bytes: Uint8Array }
  | { readonly label: 'remove'; readonly start: number; readonly end: number };

/** What the owner of an {@link AppendQueue} tells it and hears from it. */
export interface AppendQueueOwner {
  /** Playback position, seconds: what lies well before it may be evicted. */
  position(): number;
  /** An operation is done and the buffered ranges may have changed. */
  done(label: BufferOperation['label']): void;
  /** Media was thrown away because no room could be made: go on at the next independent chunk. */
  dropped(bytes: number): void;
  /** The source buffer refused an operation for good. */
  failed(error: Error): void;
}

/** Bounds of one {@link AppendQueue}. */
export interface AppendLimits {
  /** Seconds of played media kept for stepping back. */
  readonly backSeconds: number;
  /** Bytes that may wait for the source buffer before waiting media is dropped. */
  readonly maxPendingBytes: number;
  /** Most bytes joined into one append. */
  readonly maxAppendBytes: number;
}

/** Limits that suit live streams up to about 50 Mbit/s. */
export const DEFAULT_LIMITS: AppendLimits = {
  backSeconds: 25,
  maxPendingBytes: 32 * 1024 * 1024,
  maxAppendBytes: 2 * 1024 * 1024,
};

/** Played media is evicted in steps of this many seconds, not at every append. */
const EVICT_STEP = 5;
/** Seconds of played media kept in the first, second and third attempt to make room. */
const KEEP_ON_QUOTA = [10, 3, 0] as const;
/** Entry points closer than this, in seconds, to the previous one are not remembered. */
const ENTRY_SPACING = 0.5;

/**
 * The order of work of one source buffer: one operation at a time, waiting chunks joined into one append,
 * played media evicted, room made when the browser's quota is reached.
 */
export class AppendQueue {
  readonly #owner: AppendQueueOwner;
  readonly #limits: AppendLimits;
  readonly #listeners = {
    updateend: () => this.#updateEnded(),
    error: () => this.#fail(new Error(`the source buffer refused to ${this.#current?.label ?? 'go on'}`)),
  };
  #port: BufferPort | undefined;
  #waiting: BufferOperation[] = [];
  #waitingBytes = 0;
  #current: BufferOperation | undefined;
  #mime: string;
  #quotaAttempts = 0;
  #backSeconds: number;
  /** Times at which decoding can start, ascending; eviction must end exactly at one of them. */
  #entries: number[] = [];
  #broken = false;

  constructor(mime: string, owner: AppendQueueOwner, limits: AppendLimits = DEFAULT_LIMITS) {
    this.#mime = mime;
    this.#owner = owner;
    this.#limits = limits;
    this.#backSeconds = limits.backSeconds;
  }

  /** Bytes waiting for the source buffer. */
  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  /** Labels of the running and the waiting operations, first to run first. */
  get labels(): readonly BufferOperation['label'][] {
    const labels = this.#waiting.map((one) => one.label);
    return this.#current === undefined ? labels : [this.#current.label, ...labels];
  }

  /** The source buffer is there: what waited begins. */
  attach(port: BufferPort): void {
    this.#port = port;
    port.addEventListener('updateend', this.#listeners.updateend);
    port.addEventListener('error', this.#listeners.error);
    this.#pump();
  }

  /** Sets the decoder up anew; changes the type of the source buffer if `mime` is another. */
  init(mime: string, bytes: Uint8Array): void {
    this.#push({ label: 'init', mime, bytes });
  }

  /**
   * Appends a chunk; `bytes` belongs to the queue from now on.
   * @param entry presentation time in seconds if decoding can start here.
   * @returns false if the chunk was dropped, because too much waits already.
   */
  append(bytes: Uint8Array, entry?: number): boolean {
    if (this.#waitingBytes + bytes.length > this.#limits.maxPendingBytes) {
      this.#dropWaiting(bytes.length);
      return false;
    }
    const last = this.#entries.at(-1);
    if (entry !== undefined && (last === undefined || Math.abs(entry - last) >= ENTRY_SPACING)) {
      this.#entries.push(entry);
    }
    this.#push({ label: 'append', bytes });
    return true;
  }

  /** Removes a span of media. Seconds; `end` is widened by the browser to the next entry point. */
  remove(start: number, end: number): void {
    this.#push({ label: 'remove', start, end });
  }

  /** Throws away what the source buffer holds and the media that waits for it. */
  clear(): void {
    this.#waiting = this.#waiting.filter(({ label }) => label === 'init');
    this.#waitingBytes = this.#waiting.reduce(
      (sum, one) => sum + (one.label === 'init' ? one.bytes.length : 0),
      0,
    );
    this.#entries = [];
    this.remove(0, Number.POSITIVE_INFINITY);
  }

  /** Forgets what waits and lets go of the source buffer. */
  close(): void {
    this.#broken = true;
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.#port?.removeEventListener('updateend', this.#listeners.updateend);
    this.#port?.removeEventListener('error', this.#listeners.error);
    this.#port = undefined;
  }

  #updateEnded(): void {
    const done = this.#current;
    this.#current = undefined;
    if (this.#broken) return;
    if (done !== undefined) {
      if (done.label === 'append') this.#quotaAttempts = 0;
      this.#evictPlayed();
      this.#owner.done(done.label);
    }
    this.#pump();
  }

  #push(operation: BufferOperation): void {
    if (this.#broken) return;
    this.#waiting.push(operation);
    if (operation.label !== 'remove') this.#waitingBytes += operation.bytes.length;
    this.#pump();
  }

  #pump(): void {
    const port = this.#port;
    if (port === undefined || this.#broken || this.#current !== undefined || port.updating) return;
    const operation = this.#next();
    if (operation === undefined) return;
    this.#current = operation;
    try {
      this.#run(port, operation);
    } catch (error) {
      this.#current = undefined;
      if (isQuotaExceeded(error) && operation.label !== 'remove') this.#makeRoom(operation);
      else this.#fail(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #run(port: BufferPort, operation: BufferOperation): void {
    if (operation.label === 'remove') {
      port.remove(operation.start, operation.end);
      return;
    }
    if (operation.label === 'init' && operation.mime !== this.#mime) {
      if (port.changeType === undefined) throw new Error('this browser cannot change the type of a buffer');
      port.changeType(operation.mime);
      this.#mime = operation.mime;
    }
    port.appendBuffer(operation.bytes as Uint8Array<ArrayBuffer>);
  }

  /** The next operation; chunks that wait one after another become one append. */
  #next(): BufferOperation | undefined {
    const first = this.#waiting.shift();
    if (first === undefined || first.label === 'remove') return first;
    this.#waitingBytes -= first.bytes.length;
    if (first.label !== 'append') return first;
    let total = first.bytes.length;
    let count = 0;
    for (const one of this.#waiting) {
      if (one.label !== 'append' || total + one.bytes.length > this.#limits.maxAppendBytes) break;
      total += one.bytes.length;
      count++;
    }
    if (count === 0) return first;
    const bytes = new Uint8Array(total);
    bytes.set(first.bytes);
    let at = first.bytes.length;
    for (const one of this.#waiting.splice(0, count)) {
      if (one.label !== 'append') continue;
      bytes.set(one.bytes, at);
      at += one.bytes.length;
      this.#waitingBytes -= one.bytes.length;
    }
    return { label: 'append', bytes };
  }

  #makeRoom(operation: BufferOperation & { label: 'append' | 'init' }): void {
    this.#waiting.unshift(operation);
    this.#waitingBytes += operation.bytes.length;
    while (this.#quotaAttempts < KEEP_ON_QUOTA.length) {
      const keep = KEEP_ON_QUOTA[this.#quotaAttempts++]!;
      const span = this.#evictable(keep);
      if (span === undefined) continue;
      this.#backSeconds = Math.min(this.#backSeconds, Math.max(keep, KEEP_ON_QUOTA[1]));
      this.#waiting.unshift({ label: 'remove', ...span });
      this.#pump();
      return;
    }
    this.#quotaAttempts = 0;
    this.#dropWaiting(0);
  }

  #evictPlayed(): void {
    const span = this.#evictable(this.#backSeconds);
    if (span === undefined || span.end - span.start < EVICT_STEP) return;
    if (this.#waiting[0]?.label !== 'remove') this.#waiting.unshift({ label: 'remove', ...span });
  }

  /**
   * Media that ends at the last entry point at least `keep` seconds before the position. A removal that ends
   * elsewhere is widened to the next entry point (Media Source Extensions §3.5.9), which may lie ahead of it.
   */
  #evictable(keep: number): { start: number; end: number } | undefined {
    const start = this.#port === undefined ? undefined : spansOf(this.#port.buffered)[0]?.start;
    if (start === undefined) return undefined;
    const before = this.#owner.position() - keep;
    const index = this.#entries.findLastIndex((entry) => entry <= before);
    const end = this.#entries[index];
    if (end === undefined || end <= start) return undefined;
    this.#entries = this.#entries.slice(index);
    return { start, end };
  }

  #dropWaiting(more: number): void {
    const kept = this.#waiting.filter((one) => one.label !== 'append');
    let dropped = more;
    for (const one of this.#waiting) if (one.label === 'append') dropped += one.bytes.length;
    this.#waiting = kept;
    this.#waitingBytes = kept.reduce((sum, one) => sum + (one.label === 'init' ? one.bytes.length : 0), 0);
    this.#owner.dropped(dropped);
  }

  #fail(error: Error): void {
    if (this.#broken) return;
    this.#broken = true;
    this.#owner.failed(error);
  }
}

function isQuotaExceeded(error: unknown): boolean {
  return (
    typeof error === 'object' && error !== null && 'name' in error && error.name === 'QuotaExceededError'
  );
}
