import type { MediaPlaylist, Part, RenditionReport, Segment, SegmentHead } from '@onair/media/hls';
import type { DateRanges } from './date-ranges.ts';
import type { Rendition } from './rendition.ts';
import type { HlsPart, HlsSegment, OpenSegment } from './segment.ts';

/**
 * EXT-X-VERSION of every playlist: what a delta update that leaves out date ranges needs (RFC 8216bis §8). The
 * same in all, since a multivariant playlist must not have a lower one than those it lists.
 */
export const HLS_VERSION = 10;

/** What a client would rather not get again: nothing, segments it has, or those and date ranges. */
export type SkipWish = 'no' | 'segments' | 'v2';

/** The durations that never change in the life of a playlist. */
export interface PlaylistTargets {
  /** EXT-X-TARGETDURATION, seconds. */
  readonly target: number;
  /** PART-TARGET, µs. */
  readonly partTarget: number;
}

/**
 * The playlist of a rendition as it stands.
 * @param skip what a delta update may leave out (RFC 8216bis §6.2.5.1).
 */
export function mediaPlaylist(
  rendition: Rendition,
  targets: PlaylistTargets,
  reports: readonly RenditionReport[],
  ranges: DateRanges,
  skip: SkipWish,
): MediaPlaylist {
  const { target, partTarget } = targets;
  const { open, ended } = rendition;
  const listed = rendition.window.listed;
  const growing = open !== undefined && open.parts.length > 0 ? open : undefined;
  const boundary = 6 * target;
  const skipped = skip === 'no' ? 0 : skippable(listed, growing, boundary * 1_000_000);
  const part = partTarget / 1_000_000;
  const first = listed[0]?.boundary ?? growing?.boundary;
  const head = listed[0] ?? growing;
  if (head !== undefined && !ended) ranges.expire(head.programDateTime);
  const recent = skipped > 0 && skip === 'v2' ? ranges.recent(boundary * 1000) : undefined;
  return {
    version: HLS_VERSION,
    targetDuration: target,
    mediaSequence: first?.msn ?? 0,
    discontinuitySequence: first === undefined ? 0 : first.discontinuities - (first.discontinuity ? 1 : 0),
    // The multivariant playlist says it, which may take it back; this one must not change.
    independentSegments: false,
    serverControl: {
      canBlockReload: true,
      canSkipUntil: boundary,
      canSkipDateRanges: true,
      holdBack: 3 * target,
      partHoldBack: 3 * part,
    },
    partTarget: part,
    skip: skipped > 0 ? { skippedSegments: skipped, recentlyRemovedDateRanges: recent?.removed } : undefined,
    segments: modelSegments(rendition.name, listed, growing, skipped, targets),
    pending:
      growing === undefined ? undefined : modelHead(rendition.name, growing, growing.parts, partTarget),
    // Of a track that is not there no part comes.
    preloadHints:
      ended || rendition.track === undefined
        ? []
        : [{ type: 'PART', uri: partUri(rendition.name, rendition.hint) }],
    renditionReports: ended ? [] : reports,
    dateRanges: recent?.listed ?? ranges.all(),
    endList: ended,
  };
}

/** Segments at the front that leave at least `boundary` µs of the playlist. */
function skippable(
  listed: readonly HlsSegment[],
  growing: OpenSegment | undefined,
  boundary: number,
): number {
  let behind = 0;
  for (const part of growing?.parts ?? []) behind += part.duration;
  for (let i = listed.length - 1; i >= 0; i--) {
    if (behind >= boundary) return i + 1;
    behind += listed[i]!.duration;
  }
  return 0;
}

/** What rounding to whole milliseconds changes at most. */
const ROUNDING_MS = 0.5;

function modelSegments(
  name: string,
  listed: readonly HlsSegment[],
  growing: OpenSegment | undefined,
  skipped: number,
  { target, partTarget }: PlaylistTargets,
): Segment[] {
  // So far from the end parts are listed (RFC 8216bis §4.4.4.9).
  const partsFor = 3 * target * 1_000_000;
  let behind = 0;
  for (const part of growing?.parts ?? []) behind += part.duration;
  const segments: Segment[] = [];
  for (let i = listed.length - 1; i >= skipped; i--) {
    const segment = listed[i]!;
    segments.push({
      ...modelHead(name, segment, behind < partsFor ? segment.parts : [], partTarget),
      uri: `${name}/s${segment.boundary.msn}.m4s`,
      duration: seconds(segment.duration),
      ...(segment.gap ? { gap: true } : {}),
    });
    behind += segment.duration;
  }
  return segments.reverse();
}

/** @param longest µs that a part may tell: rounded block times may put it some µs beyond PART-TARGET. */
function modelHead(
  name: string,
  segment: HlsSegment | OpenSegment,
  parts: readonly HlsPart[],
  longest: number,
): SegmentHead {
  return {
    discontinuity: segment.boundary.discontinuity,
    programDateTime: listedDate(segment),
    map: { uri: `${name}/${segment.init.file}` },
    parts: parts.map(
      (part): Part => ({
        uri: partUri(name, part.number),
        duration: seconds(Math.min(part.duration, longest)),
        independent: part.independent,
      }),
    ),
  };
}

function partUri(name: string, number: number): string {
  return `${name}/p${number}.m4s`;
}

function seconds(microseconds: number): number {
  return microseconds / 1_000_000;
}

/**
 * Dates are told in whole milliseconds, and hls.js places sound by them beside the pictures: if rounding puts a segment
 * of sound behind the end of the one before, hls.js may look for that one again, and loads nothing for seconds.
 */
function listedDate({ programDateTime, init, boundary }: HlsSegment | OpenSegment): number {
  const leads = init.track.parameters.kind === boundary.epoch.tracks[0]?.parameters.kind;
  return leads ? programDateTime : Math.floor(programDateTime - ROUNDING_MS);
}
