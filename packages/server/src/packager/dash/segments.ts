import { MICROSECONDS, rescale, type Track, ticks } from '@onair/media';
import type { TimelineSegment } from '@onair/media/dash';
import type { HlsSegment, OpenSegment, Rendition } from '../hls/index.ts';
import type { Placed, Run } from './runs.ts';

/** Holes up to this are hidden in the length of the segment in front of them, in µs. */
const HIDDEN_HOLE_US = 500_000;
/** How far the end of an audio segment may lie behind that of the video, in µs: one chunk and one frame. */
const AUDIO_SLACK_US = 75_000;

/** The segments of one rendition in one run. */
export interface RunSegments {
  readonly rendition: Rendition;
  readonly track: Track;
  /** Name of the init segment's file. */
  readonly init: string;
  readonly listed: readonly HlsSegment[];
  /** The segment that grows, if it is of this run and has media. */
  readonly open: OpenSegment | undefined;
}

/** The segments of `rendition` that lie in the run beginning with this discontinuity, or undefined for none. */
export function segmentsOf(rendition: Rendition, discontinuities: number): RunSegments | undefined {
  const listed = rendition.window.listed.filter(
    ({ boundary }) => boundary.discontinuities === discontinuities,
  );
  const { open } = rendition;
  const growing =
    open !== undefined && !open.empty && open.boundary.discontinuities === discontinuities ? open : undefined;
  const first = listed[0] ?? growing;
  if (first === undefined) return undefined;
  const { track, file } = first.init;
  return { rendition, track, init: file, listed, open: growing };
}

/** µs of stream time where a finished segment ends. */
export function endOf({ span, gap, duration }: HlsSegment): number {
  return span.start + (gap ? duration : span.length);
}

/** Stream time in ticks of a track: exact for whatever lies on its ticks. */
export function ticksOf(track: Track, microseconds: number): number {
  return rescale(ticks(Math.round(microseconds)), MICROSECONDS, track.timebase);
}

/**
 * The timeline of a rendition in a run. A segment lasts until the next begins, unless there is a hole that must be
 * seen. The growing one is listed last, with the length it is expected to get.
 * @param expectedEnd µs of stream time where the growing segment is expected to end; undefined leaves it out.
 */
export function timelineOf(segments: RunSegments, expectedEnd: number | undefined): TimelineSegment[] {
  const { track, listed, open } = segments;
  const timeline: TimelineSegment[] = [];
  for (const [i, segment] of listed.entries()) {
    const next: Placed | undefined = listed[i + 1] ?? open;
    const own = endOf(segment);
    const hole = next === undefined ? 0 : next.span.start - own;
    const end = next !== undefined && hole <= HIDDEN_HOLE_US ? next.span.start : own;
    const t = ticksOf(track, segment.span.start);
    timeline.push({ t, d: Math.max(1, ticksOf(track, end) - t) });
  }
  if (open !== undefined && expectedEnd !== undefined) {
    const t = ticksOf(track, open.span.start);
    timeline.push({ t, d: Math.max(1, ticksOf(track, expectedEnd) - t) });
  }
  return timeline;
}

/**
 * µs that the growing segment of the leading rendition is expected to last: as long as the one before it, or a whole
 * multiple of that once it is longer.
 */
export function expectedLength({ listed, open }: RunSegments, segmentMs: number): number {
  const before = listed.at(-1);
  const step = before === undefined || before.span.length === 0 ? segmentMs * 1000 : before.span.length;
  const grown = open?.span.length ?? 0;
  return step * Math.max(1, Math.ceil((grown - 1) / step));
}

/**
 * µs of stream time where the growing segment of a rendition is expected to end: with the leader's, audio by up to
 * one chunk later. Too late is harmless; too early would make players ask for the same segment again.
 */
export function expectedEnd(
  segments: RunSegments,
  leader: RunSegments,
  segmentMs: number,
): number | undefined {
  const { open, track } = segments;
  if (open === undefined) return undefined;
  const slack = track.parameters.kind === 'audio' ? AUDIO_SLACK_US : 0;
  const lead = leader.open;
  if (lead !== undefined && lead.boundary.msn > open.boundary.msn) {
    const next = leader.listed.find(({ boundary }) => boundary.msn === open.boundary.msn + 1) ?? lead;
    return next.boundary.time + slack;
  }
  if (lead === undefined) return open.span.start + expectedLength(segments, segmentMs) + slack;
  return Math.max(
    lead.span.start + expectedLength(leader, segmentMs) + slack,
    open.span.start + open.span.length,
  );
}

/** The runs that the renditions list, by their discontinuities, oldest first. */
export function runsOf(renditions: readonly Rendition[]): number[] {
  const found = new Set<number>();
  for (const { window, open } of renditions) {
    for (const { boundary } of window.listed) found.add(boundary.discontinuities);
    if (open !== undefined && !open.empty) found.add(open.boundary.discontinuities);
  }
  return [...found].sort((a, b) => a - b);
}

/** A run with the segments of each of its renditions, the leading one first. */
export interface ShownRun {
  readonly run: Run;
  readonly renditions: readonly RunSegments[];
}
