import type { MediaPlaylist, Part, RenditionReport, Segment, SegmentHead } from '@onair/media/hls';
import type { Rendition } from './rendition.ts';
import type { HlsPart, HlsSegment, OpenSegment } from './segment.ts';

/** EXT-X-VERSION of every playlist, delta updates included. RFC 8216bis §8. */
export const HLS_VERSION = 9;

/** The durations that never change in the life of a playlist. */
export interface PlaylistTargets {
  /** EXT-X-TARGETDURATION, seconds. */
  readonly target: number;
  /** PART-TARGET, µs. */
  readonly partTarget: number;
}

/**
 * The playlist of a rendition as it stands.
 * @param skip leave out what a delta update may (RFC 8216bis §6.2.5.1).
 */
export function mediaPlaylist(
  rendition: Rendition,
  targets: PlaylistTargets,
  reports: readonly RenditionReport[],
  skip: boolean,
): MediaPlaylist {
  const { target, partTarget } = targets;
  const { open, ended } = rendition;
  const listed = rendition.window.listed;
  const growing = open !== undefined && open.parts.length > 0 ? open : undefined;
  const skipped = skip ? skippable(listed, growing, 6 * target * 1_000_000) : 0;
  const part = partTarget / 1_000_000;
  const first = listed[0]?.boundary ?? growing?.boundary;
  return {
    version: HLS_VERSION,
    targetDuration: target,
    mediaSequence: first?.msn ?? 0,
    discontinuitySequence: first === undefined ? 0 : first.discontinuities - (first.discontinuity ? 1 : 0),
    independentSegments: true,
    serverControl: {
      canBlockReload: true,
      canSkipUntil: 6 * target,
      holdBack: 3 * target,
      partHoldBack: 3 * part,
    },
    partTarget: part,
    skip: skipped > 0 ? { skippedSegments: skipped } : undefined,
    segments: modelSegments(rendition.name, listed, growing, skipped, 3 * target * 1_000_000),
    pending: growing === undefined ? undefined : modelHead(rendition.name, growing, growing.parts),
    preloadHints: ended ? [] : [{ type: 'PART', uri: partUri(rendition.name, rendition.nextPart) }],
    renditionReports: ended ? [] : reports,
    dateRanges: [],
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

/** @param partsFor µs from the end within which parts are listed (RFC 8216bis §4.4.4.9). */
function modelSegments(
  name: string,
  listed: readonly HlsSegment[],
  growing: OpenSegment | undefined,
  skipped: number,
  partsFor: number,
): Segment[] {
  let behind = 0;
  for (const part of growing?.parts ?? []) behind += part.duration;
  const segments: Segment[] = [];
  for (let i = listed.length - 1; i >= skipped; i--) {
    const segment = listed[i]!;
    segments.push({
      ...modelHead(name, segment, behind < partsFor ? segment.parts : []),
      uri: `${name}/s${segment.boundary.msn}.m4s`,
      duration: seconds(segment.duration),
      ...(segment.gap ? { gap: true } : {}),
    });
    behind += segment.duration;
  }
  return segments.reverse();
}

function modelHead(name: string, segment: HlsSegment | OpenSegment, parts: readonly HlsPart[]): SegmentHead {
  return {
    discontinuity: segment.boundary.discontinuity,
    programDateTime: segment.programDateTime,
    map: { uri: `${name}/${segment.init.file}` },
    parts: parts.map(
      (part): Part => ({
        uri: partUri(name, part.number),
        duration: seconds(part.duration),
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
