import type {
  ByteRange,
  DateRange,
  InitMap,
  Key,
  MediaPlaylist,
  MultivariantPlaylist,
  Part,
  PreloadHint,
  Rendition,
  RenditionReport,
  SegmentHead,
  ServerControl,
  Start,
  Variant,
} from './model.ts';

/**
 * The text of a media playlist. RFC 8216 §4.3.3, RFC 8216bis §4.4.3–4.4.5. Strings go out as they are:
 * whoever fills the model keeps quotes and line ends out of them, as our names and addresses do.
 */
export function writeMediaPlaylist(playlist: MediaPlaylist): string {
  const lines = ['#EXTM3U', `#EXT-X-VERSION:${playlist.version}`];
  lines.push(`#EXT-X-TARGETDURATION:${playlist.targetDuration}`);
  if (playlist.serverControl !== undefined) lines.push(serverControlLine(playlist.serverControl));
  if (playlist.partTarget !== undefined) {
    lines.push(`#EXT-X-PART-INF:PART-TARGET=${seconds(playlist.partTarget)}`);
  }
  lines.push(`#EXT-X-MEDIA-SEQUENCE:${playlist.mediaSequence}`);
  if (playlist.discontinuitySequence > 0) {
    lines.push(`#EXT-X-DISCONTINUITY-SEQUENCE:${playlist.discontinuitySequence}`);
  }
  if (playlist.type !== undefined) lines.push(`#EXT-X-PLAYLIST-TYPE:${playlist.type}`);
  if (playlist.independentSegments) lines.push('#EXT-X-INDEPENDENT-SEGMENTS');
  if (playlist.start !== undefined) lines.push(startLine(playlist.start));
  if (playlist.skip !== undefined) {
    const removed = playlist.skip.recentlyRemovedDateRanges;
    const ids = removed === undefined ? '' : `,RECENTLY-REMOVED-DATERANGES="${removed.join('\t')}"`;
    lines.push(`#EXT-X-SKIP:SKIPPED-SEGMENTS=${playlist.skip.skippedSegments}${ids}`);
  }
  for (const range of playlist.dateRanges) lines.push(dateRangeLine(range));
  const inForce: InForce = { map: undefined, key: undefined };
  for (const segment of playlist.segments) {
    writeHead(lines, segment, inForce);
    if (segment.gap === true) lines.push('#EXT-X-GAP');
    lines.push(`#EXTINF:${extinf(segment.duration)},${segment.title ?? ''}`);
    if (segment.byteRange !== undefined) lines.push(`#EXT-X-BYTERANGE:${byteRange(segment.byteRange)}`);
    lines.push(segment.uri);
  }
  if (playlist.pending !== undefined) writeHead(lines, playlist.pending, inForce);
  for (const hint of playlist.preloadHints) lines.push(preloadHintLine(hint));
  for (const report of playlist.renditionReports) lines.push(renditionReportLine(report));
  if (playlist.endList) lines.push('#EXT-X-ENDLIST');
  lines.push('');
  return lines.join('\n');
}

/** The text of a multivariant playlist. RFC 8216 §4.3.4. Strings as in {@link writeMediaPlaylist}. */
export function writeMultivariantPlaylist(playlist: MultivariantPlaylist): string {
  const lines = ['#EXTM3U', `#EXT-X-VERSION:${playlist.version}`];
  if (playlist.independentSegments) lines.push('#EXT-X-INDEPENDENT-SEGMENTS');
  if (playlist.start !== undefined) lines.push(startLine(playlist.start));
  for (const rendition of playlist.renditions) lines.push(renditionLine(rendition));
  for (const variant of playlist.variants) lines.push(variantLine(variant), variant.uri);
  lines.push('');
  return lines.join('\n');
}

/** Seconds with at most six decimals and no trailing zeros, as DURATION and PART-TARGET are written. */
export function seconds(value: number): string {
  return String(Math.round(value * 1_000_000) / 1_000_000);
}

/**
 * EXTINF as a float with six decimals (RFC 8216 §4.3.2.1 asks for floats from version 3 on): whole microseconds are
 * told as they are, so that the durations of a day add up.
 */
function extinf(value: number): string {
  return value.toFixed(6);
}

/** ISO 8601 with milliseconds in UTC. RFC 8216 §4.3.2.6. @param ms since 1970-01-01 UTC. */
function dateTime(ms: number): string {
  return new Date(Math.round(ms)).toISOString();
}

interface InForce {
  map: InitMap | undefined;
  key: Key | undefined;
}

function writeHead(lines: string[], head: SegmentHead, inForce: InForce): void {
  if (head.discontinuity) lines.push('#EXT-X-DISCONTINUITY');
  if (head.key !== undefined && head.key !== inForce.key) lines.push(keyLine(head.key));
  inForce.key = head.key;
  if (head.map !== undefined && !sameMap(head.map, inForce.map)) {
    const range = head.map.byteRange;
    lines.push(
      `#EXT-X-MAP:URI="${head.map.uri}"${range === undefined ? '' : `,BYTERANGE="${byteRange(range)}"`}`,
    );
  }
  inForce.map = head.map;
  if (head.programDateTime !== undefined) {
    lines.push(`#EXT-X-PROGRAM-DATE-TIME:${dateTime(head.programDateTime)}`);
  }
  for (const part of head.parts) lines.push(partLine(part));
}

function sameMap(a: InitMap, b: InitMap | undefined): boolean {
  if (b === undefined || a.uri !== b.uri) return false;
  return a.byteRange?.offset === b.byteRange?.offset && a.byteRange?.length === b.byteRange?.length;
}

function byteRange({ length, offset }: ByteRange): string {
  return offset === undefined ? String(length) : `${length}@${offset}`;
}

function serverControlLine(control: ServerControl): string {
  const attributes: string[] = [];
  if (control.canBlockReload) attributes.push('CAN-BLOCK-RELOAD=YES');
  if (control.canSkipUntil !== undefined) attributes.push(`CAN-SKIP-UNTIL=${seconds(control.canSkipUntil)}`);
  if (control.canSkipDateRanges === true) attributes.push('CAN-SKIP-DATERANGES=YES');
  if (control.holdBack !== undefined) attributes.push(`HOLD-BACK=${seconds(control.holdBack)}`);
  if (control.partHoldBack !== undefined) attributes.push(`PART-HOLD-BACK=${seconds(control.partHoldBack)}`);
  return `#EXT-X-SERVER-CONTROL:${attributes.join(',')}`;
}

function startLine({ timeOffset, precise }: Start): string {
  return `#EXT-X-START:TIME-OFFSET=${seconds(timeOffset)}${precise ? ',PRECISE=YES' : ''}`;
}

function keyLine(key: Key): string {
  let line = `#EXT-X-KEY:METHOD=${key.method}`;
  if (key.uri !== undefined) line += `,URI="${key.uri}"`;
  if (key.iv !== undefined) line += `,IV=${key.iv}`;
  if (key.keyFormat !== undefined) line += `,KEYFORMAT="${key.keyFormat}"`;
  if (key.keyFormatVersions !== undefined) line += `,KEYFORMATVERSIONS="${key.keyFormatVersions}"`;
  return line;
}

function partLine(part: Part): string {
  let line = `#EXT-X-PART:DURATION=${seconds(part.duration)},URI="${part.uri}"`;
  if (part.byteRange !== undefined) line += `,BYTERANGE="${byteRange(part.byteRange)}"`;
  if (part.independent) line += ',INDEPENDENT=YES';
  if (part.gap === true) line += ',GAP=YES';
  return line;
}

function preloadHintLine(hint: PreloadHint): string {
  let line = `#EXT-X-PRELOAD-HINT:TYPE=${hint.type},URI="${hint.uri}"`;
  if (hint.byteRangeStart !== undefined) line += `,BYTERANGE-START=${hint.byteRangeStart}`;
  if (hint.byteRangeLength !== undefined) line += `,BYTERANGE-LENGTH=${hint.byteRangeLength}`;
  return line;
}

function renditionReportLine(report: RenditionReport): string {
  let line = `#EXT-X-RENDITION-REPORT:URI="${report.uri}"`;
  if (report.lastMsn !== undefined) line += `,LAST-MSN=${report.lastMsn}`;
  if (report.lastPart !== undefined) line += `,LAST-PART=${report.lastPart}`;
  return line;
}

function dateRangeLine(range: DateRange): string {
  let line = `#EXT-X-DATERANGE:ID="${range.id}"`;
  if (range.class !== undefined) line += `,CLASS="${range.class}"`;
  if (range.startDate !== undefined) line += `,START-DATE="${dateTime(range.startDate)}"`;
  if (range.endDate !== undefined) line += `,END-DATE="${dateTime(range.endDate)}"`;
  if (range.duration !== undefined) line += `,DURATION=${seconds(range.duration)}`;
  if (range.plannedDuration !== undefined) line += `,PLANNED-DURATION=${seconds(range.plannedDuration)}`;
  for (const [name, value] of range.client) line += `,${name}=${value}`;
  if (range.endOnNext === true) line += ',END-ON-NEXT=YES';
  return line;
}

function renditionLine(rendition: Rendition): string {
  let line = `#EXT-X-MEDIA:TYPE=${rendition.type},GROUP-ID="${rendition.groupId}",NAME="${rendition.name}"`;
  if (rendition.language !== undefined) line += `,LANGUAGE="${rendition.language}"`;
  if (rendition.default) line += ',DEFAULT=YES';
  if (rendition.autoselect) line += ',AUTOSELECT=YES';
  if (rendition.forced === true) line += ',FORCED=YES';
  if (rendition.instreamId !== undefined) line += `,INSTREAM-ID="${rendition.instreamId}"`;
  if (rendition.characteristics !== undefined) line += `,CHARACTERISTICS="${rendition.characteristics}"`;
  if (rendition.channels !== undefined) line += `,CHANNELS="${rendition.channels}"`;
  if (rendition.uri !== undefined) line += `,URI="${rendition.uri}"`;
  return line;
}

function variantLine(variant: Variant): string {
  let line = `#EXT-X-STREAM-INF:BANDWIDTH=${Math.round(variant.bandwidth)}`;
  if (variant.averageBandwidth !== undefined)
    line += `,AVERAGE-BANDWIDTH=${Math.round(variant.averageBandwidth)}`;
  if (variant.codecs !== undefined) line += `,CODECS="${variant.codecs}"`;
  if (variant.resolution !== undefined)
    line += `,RESOLUTION=${variant.resolution.width}x${variant.resolution.height}`;
  if (variant.frameRate !== undefined) line += `,FRAME-RATE=${variant.frameRate.toFixed(3)}`;
  if (variant.videoRange !== undefined) line += `,VIDEO-RANGE=${variant.videoRange}`;
  if (variant.name !== undefined) line += `,NAME="${variant.name}"`;
  if (variant.audio !== undefined) line += `,AUDIO="${variant.audio}"`;
  if (variant.video !== undefined) line += `,VIDEO="${variant.video}"`;
  if (variant.subtitles !== undefined) line += `,SUBTITLES="${variant.subtitles}"`;
  if (variant.closedCaptions !== undefined) {
    line += `,CLOSED-CAPTIONS=${variant.closedCaptions === 'NONE' ? 'NONE' : `"${variant.closedCaptions}"`}`;
  }
  return line;
}
