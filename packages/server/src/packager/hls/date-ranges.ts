import { ParseError } from '@onair/media';
import type { DateRange } from '@onair/media/hls';

/** Date ranges that a live playlist keeps at one time. */
const MAX_RANGES = 256;
/** Ids of removed ranges that are remembered. */
const MAX_REMOVED = 1024;
/** Longest text of a range, in characters. */
const MAX_TEXT = 4096;
const CLAUSE = 'RFC 8216bis §4.4.5.1';

interface Entry {
  readonly range: DateRange;
  /** Monotonic ms of the last change. */
  readonly changed: number;
}

/** What a playlist shows of the date ranges. */
export interface ShownRanges {
  readonly listed: readonly DateRange[];
  /** Ids of those that left lately, for a delta update that leaves ranges out. */
  readonly removed: readonly string[];
}

/**
 * Spans of time with something to tell (EXT-X-DATERANGE): timed events, breaks, programmes. The same in every
 * playlist of a stream. They leave when the playlist has moved past their end.
 */
export class DateRanges {
  readonly #now: () => number;
  readonly #max: number;
  readonly #entries = new Map<string, Entry>();
  readonly #removed = new Map<string, number>();
  #version = 0;

  /** @param now monotonic ms. @param max how many there are at one time; the oldest leave first. */
  constructor(now: () => number, max = MAX_RANGES) {
    this.#now = now;
    this.#max = max;
  }

  /** Rises with every change. */
  get version(): number {
    return this.#version;
  }

  /**
   * Adds a range, or adds attributes to the one with the same id: what was told before stays as it was, as the
   * standard demands.
   * @throws ParseError `HLS_ATTRIBUTE` for text that a playlist cannot hold.
   */
  set(range: DateRange): void {
    const before = this.#entries.get(range.id)?.range;
    const merged = before === undefined ? range : merge(before, range);
    check(merged);
    this.#entries.delete(range.id);
    this.#entries.set(range.id, { range: merged, changed: this.#now() });
    this.#removed.delete(range.id);
    if (this.#entries.size > this.#max) this.#drop(this.#entries.keys().next().value!);
    this.#version++;
  }

  /** Takes a range off the playlists. */
  remove(id: string): void {
    if (!this.#entries.has(id)) return;
    this.#drop(id);
    this.#version++;
  }

  /** Drops what ended before `startMs`, the date of the first segment listed (ms since the Unix epoch). */
  expire(startMs: number): void {
    for (const [id, { range }] of this.#entries) {
      const end = endOf(range);
      if (end === undefined || end >= startMs) continue;
      this.#drop(id);
      this.#version++;
    }
  }

  /** All ranges. */
  all(): readonly DateRange[] {
    return [...this.#entries.values()].map(({ range }) => range);
  }

  /** Those that changed within `withinMs`, and the ids of those that left within it (RFC 8216bis §4.4.5.2). */
  recent(withinMs: number): ShownRanges {
    const since = this.#now() - withinMs;
    const listed: DateRange[] = [];
    for (const { range, changed } of this.#entries.values()) if (changed >= since) listed.push(range);
    const removed: string[] = [];
    for (const [id, at] of this.#removed) {
      if (at >= since) removed.push(id);
      else this.#removed.delete(id);
    }
    return { listed, removed };
  }

  #drop(id: string): void {
    this.#entries.delete(id);
    this.#removed.set(id, this.#now());
    if (this.#removed.size > MAX_REMOVED) this.#removed.delete(this.#removed.keys().next().value!);
  }
}

/** When a range ends, ms since the Unix epoch; undefined for one that goes on. */
function endOf({ startDate, endDate, duration, plannedDuration }: DateRange): number | undefined {
  if (endDate !== undefined) return endDate;
  const length = duration ?? plannedDuration;
  return startDate === undefined || length === undefined ? undefined : startDate + length * 1000;
}

function merge(before: DateRange, after: DateRange): DateRange {
  return {
    id: before.id,
    class: before.class ?? after.class,
    startDate: before.startDate ?? after.startDate,
    endDate: before.endDate ?? after.endDate,
    duration: before.duration ?? after.duration,
    plannedDuration: before.plannedDuration ?? after.plannedDuration,
    endOnNext: before.endOnNext ?? after.endOnNext,
    client: new Map([...after.client, ...before.client]),
  };
}

function check(range: DateRange): void {
  const quoted = [range.id, range.class ?? ''];
  if (range.id === '' || quoted.some((text) => text.length > MAX_TEXT || hasForbidden(text))) {
    fail(`a date range cannot be called ${JSON.stringify(range.id.slice(0, 40))}`);
  }
  if (range.startDate === undefined) fail(`date range ${range.id} has no start`);
  if (range.endDate !== undefined && range.endDate < range.startDate)
    fail(`${range.id} ends before its start`);
  if (range.endOnNext === true && range.class === undefined) fail(`${range.id} ends on the next of no class`);
  for (const [name, value] of range.client) {
    const written = /^"[^"]*"$/.test(value) ? value.slice(1, -1) : value;
    const bare = written === value && !/^(0[xX][0-9A-Fa-f]+|-?\d+(\.\d+)?|YES|NO)$/.test(value);
    if (
      !/^(X-|SCTE35-)[A-Z0-9-]{1,60}$/.test(name) ||
      bare ||
      value.length > MAX_TEXT ||
      hasForbidden(written)
    ) {
      fail(`date range ${range.id} cannot hold the attribute ${JSON.stringify(name.slice(0, 40))}`);
    }
  }
}

/** RFC 8216 §4.2: no line ends, no quotes; no tab either, which divides lists of ids. */
function hasForbidden(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x20 || unit === 0x22 || (unit >= 0x7f && unit <= 0x9f)) return true;
  }
  return false;
}

function fail(message: string): never {
  throw new ParseError('HLS_ATTRIBUTE', CLAUSE, message);
}
