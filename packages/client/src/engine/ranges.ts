import type { TimeRangesPort } from './ports.ts';

/** A span of media time, seconds. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** Copies the browser's live `TimeRanges`. */
export function spansOf(ranges: TimeRangesPort): Span[] {
  const spans: Span[] = [];
  for (let i = 0; i < ranges.length; i++) spans.push({ start: ranges.start(i), end: ranges.end(i) });
  return spans;
}

/** Where all of `lists` have media. Without any list: nothing. */
export function intersect(lists: readonly (readonly Span[])[]): Span[] {
  let result: readonly Span[] | undefined;
  for (const list of lists) result = result === undefined ? list : intersectTwo(result, list);
  return result === undefined ? [] : [...result];
}

function intersectTwo(a: readonly Span[], b: readonly Span[]): Span[] {
  const out: Span[] = [];
  for (let i = 0, j = 0; i < a.length && j < b.length; ) {
    const x = a[i]!;
    const y = b[j]!;
    const start = Math.max(x.start, y.start);
    const end = Math.min(x.end, y.end);
    if (end > start) out.push({ start, end });
    if (x.end < y.end) i++;
    else j++;
  }
  return out;
}

/** Seconds of media from `position` to the end of the span it lies in; 0 in a hole. */
export function aheadOf(spans: readonly Span[], position: number): number {
  const span = spans.find((one) => position >= one.start - EDGE && position < one.end);
  return span === undefined ? 0 : span.end - position;
}

/** How far outside a span a position may lie and still count as inside: browsers start a little early. */
const EDGE = 0.05;
/** With less than this left in its span, a decoder may not play on: it wants more ahead, which never comes. */
const NEAR_END = 0.5;

/**
 * Where to go from `position` when play cannot go on: the start of the next span if the position is in a hole,
 * before all media, or at the very end of a span. Undefined if play can go on or nothing follows.
 */
export function jumpTarget(spans: readonly Span[], position: number): number | undefined {
  const inside = spans.find((one) => position >= one.start - EDGE && position < one.end);
  if (inside !== undefined && inside.end - position > NEAR_END) {
    return position < inside.start ? inside.start : undefined;
  }
  const next = spans.find((one) => one.start > position && one !== inside);
  return next?.start;
}
