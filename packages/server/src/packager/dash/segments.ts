import { MICROSECONDS, rescale, type Track, ticks } from '@onair/media';
import type { TimelineSegment } from '@onair/media/dash';
import type { HlsSegment, OpenSegment, Rendition } from '../hls/index.ts';
import type { Placed, Run } from './runs.ts';

/** Holes up to this are hidden in the length of the segment in front of them, in µs. */
const HIDDEN_HOLE_US = 500_000;
/** How far sound whose frames have no known length may end behind where it should, in µs: one chunk and one frame. */
const AUDIO_SLACK_US = 75_000;
/** How much longer than wished the first segment may be, in µs, before it is taken to be of twice that length. */
const FIRST_SLACK_US = 75_000;
/** By so much times that were rounded to milliseconds may be off, in µs. */
const ROUNDED_US = 2_000;
/** Rounding of times, in frames. */
const ROUNDING = 0.000_1;

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
  const { window, open } = rendition;
  const isOf = ({ boundary }: HlsSegment): boolean => boundary.discontinuities === discontinuities;
  const listed = window.listed.filter(isOf);
  // Whoever falls silent does not leave the run: its last segment stays told, as far behind as it may lie.
  if (listed.every(({ gap }) => gap)) {
    const last = window.find((segment) => isOf(segment) && !segment.gap);
    if (last !== undefined) listed.unshift(last);
  }
  const growing =
    open !== undefined && !open.empty && open.boundary.discontinuities === discontinuities ? open : undefined;
  const first = listed[0] ?? growing;
  if (first === undefined) return undefined;
  const { track, file } = first.init;
  return { rendition, track, init: file, listed, open: growing };
}

/** What tells a segment of a rendition from all others, in this life of the server and in every other. */
export interface SegmentPlace {
  /** Name of the init segment's file, which is never given twice. */
  readonly init: string;
  /** Where it begins, ticks of its track. */
  readonly time: number;
}

/** Name of a segment's file. @param time where it begins in ticks, or the identifier that stands for it. */
export function mediaFile(init: string, time: number | string): string {
  return `${init.slice(0, -'.mp4'.length)}-${time}.m4s`;
}

/** The place of a segment by the name of its file; undefined for a name that is none. */
export function placeOf(file: string): SegmentPlace | undefined {
  const match = /^(i\d{1,15})-(\d{1,15})\.m4s$/.exec(file);
  return match === null ? undefined : { init: `${match[1]}.mp4`, time: Number(match[2]) };
}

/** True if a segment is the one at a place. */
export function isAt({ init, span }: HlsSegment | OpenSegment, place: SegmentPlace): boolean {
  return init.file === place.init && ticksOf(init.track, span.start) === place.time;
}

/** The segments of a run that have media. */
export function heldOf({ listed, open }: RunSegments): Placed[] {
  const held: Placed[] = listed.filter(({ gap }) => !gap);
  return open === undefined ? held : [...held, open];
}

/** µs of stream time where the last whole segment of a run ends, whichever track it is of. */
export function lastEnd(renditions: readonly RunSegments[]): number | undefined {
  const ends = renditions.flatMap(({ listed }) => listed.slice(-1).map(endOf));
  return ends.length === 0 ? undefined : Math.max(...ends);
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
 * seen, as where a segment has no media: there would be nothing to fetch. The growing one is listed last, with the length it is expected to get.
 * @param expectedEnd µs of stream time where the growing segment is expected to end; undefined leaves it out.
 */
export function timelineOf(segments: RunSegments, expectedEnd: number | undefined): TimelineSegment[] {
  const { track, listed, open } = segments;
  const timeline: TimelineSegment[] = [];
  for (const [i, segment] of listed.entries()) {
    const next: Placed | undefined = listed[i + 1] ?? open;
    const own = endOf(segment);
    // What has no media is not told: the length must not change when it leaves.
    const follows = next?.boundary.msn === segment.boundary.msn + 1 && !isEmpty(next);
    const start = follows ? next.span.start : Math.max(segment.end, own);
    const end = start - own <= HIDDEN_HOLE_US ? start : own;
    const t = ticksOf(track, segment.span.start);
    if (!segment.gap) timeline.push({ t, d: Math.max(1, ticksOf(track, end) - t) });
  }
  if (open !== undefined && expectedEnd !== undefined) {
    const t = ticksOf(track, open.span.start);
    timeline.push({ t, d: Math.max(1, ticksOf(track, expectedEnd) - t) });
  }
  return timeline;
}

function isEmpty(segment: Placed): boolean {
  return 'gap' in segment ? segment.gap : segment.empty;
}

/** Part of the wished length below which a first segment tells nothing of those to come. */
const SHORT = 0.75;

/**
 * µs that the growing segment of the leading rendition is expected to last: as long as the longer of the two before it,
 * since a keyframe that somebody asked for ends one early, or a whole multiple of that once it is longer.
 */
export function expectedLength({ listed, open }: RunSegments, segmentMs: number): number {
  const before = listed.at(-1);
  const longest = Math.max(0, ...listed.slice(-2).map(({ span }) => span.length));
  const told = listed.length > 1 || longest >= SHORT * segmentMs * 1000;
  const step = told && longest > 0 ? longest : segmentMs * 1000;
  const grown = open?.span.length ?? 0;
  // Nothing can be cut wherever one wishes; where, is known once the first segment is whole.
  const more = before === undefined ? FIRST_SLACK_US : 1;
  return step * Math.max(1, Math.ceil((grown - more) / step));
}

/** True if a place is of an init segment before that of `newest`. */
export function isOlder({ init }: SegmentPlace, newest: Placed): boolean {
  const number = (file: string): number => Number(/\d+/.exec(file)?.[0]);
  return number(init) < number(newest.init.file);
}

/** True if the next segment may begin so many ticks behind the newest: near where that is expected to end. */
export function isNextAt(behind: number, segments: RunSegments, segmentMs: number): boolean {
  const length = expectedLength(segments, segmentMs);
  const after = (behind * 1_000_000) / segments.track.timebase;
  return after >= length / 2 && after <= length + HIDDEN_HOLE_US;
}

/**
 * µs of stream time where the growing segment of a rendition is expected to end: with the leader's, and audio with the
 * frame that lies nearest to that.
 */
export function expectedEnd(
  segments: RunSegments,
  leader: RunSegments,
  segmentMs: number,
): number | undefined {
  const { open } = segments;
  if (open === undefined) return undefined;
  const end = soundEnd(segments, leaderEnd(segments, leader, segmentMs));
  return Math.max(end, open.span.start + open.span.length);
}

/** µs of stream time where the leader is expected to end the segment that grows. */
function leaderEnd({ open }: RunSegments, leader: RunSegments, segmentMs: number): number {
  const msn = open!.boundary.msn;
  const lead = leader.open;
  if (lead !== undefined && lead.boundary.msn > msn) {
    const next = leader.listed.find(({ boundary }) => boundary.msn === msn + 1) ?? lead;
    return next.boundary.time;
  }
  if (lead === undefined) return open!.span.start + expectedLength(leader, segmentMs);
  return lead.boundary.time + expectedLength(leader, segmentMs);
}

/**
 * Where audio ends that is cut with the video at `end`: if it comes ahead of the keyframe, with the first frame from
 * there on; else with the nearest one. Until that was clearly seen the later is told, which does no harm: dash.js asks for what
 * lies 10 ms behind the end it was told, and loads a segment again that was told too short.
 */
function soundEnd({ open, listed, track }: RunSegments, end: number): number {
  const { parameters } = track;
  if (parameters.kind !== 'audio' || open === undefined) return end;
  const frame = ((parameters.frameSize ?? 0) * 1_000_000) / parameters.sampleRate;
  if (!(frame > 0)) return end + AUDIO_SLACK_US;
  const behind = listed.map((segment, i) => endOf(segment) - (listed[i + 1] ?? open).boundary.time);
  const half = frame / 2 + ROUNDED_US;
  const nearest =
    behind.length > 1 &&
    behind.some((one) => one < -frame / 4) &&
    behind.every((one) => Math.abs(one) < half);
  const frames = (end - open.span.start) / frame;
  return open.span.start + Math.ceil(frames - (nearest ? 0.5 : 0) - ROUNDING) * frame;
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
