import type { MediaPlaylist, MultivariantPlaylist, Part, Segment, SegmentHead } from './model.ts';
import { type Fault, Faults, type Report } from './rules/rule.ts';

/** Seconds that rounding to five decimals may add per number. */
export const ROUNDING = 0.00002;
/** Seconds a date may be beside the sum of the durations: one frame at 24 per second. */
const DATE_TOLERANCE_MS = 42;

/** Every rule that one version of a media playlist breaks in itself; see also `comparePlaylists`. */
export function checkMediaPlaylist(playlist: MediaPlaylist): Fault[] {
  const faults = new Faults();
  checkVersion(playlist, faults.of('version'));
  checkDurations(playlist, faults.of('target-duration'));
  checkParts(playlist, faults);
  checkServerControl(playlist, faults);
  checkSkip(playlist, faults.of('delta'));
  checkLive(playlist, faults.of('date'));
  return faults.list;
}

/** Lowest version a client must know to read the playlist. RFC 8216bis §8. */
export function requiredVersion(playlist: MediaPlaylist): number {
  let version = 1;
  const need = (wanted: number): void => {
    version = Math.max(version, wanted);
  };
  for (const segment of playlist.segments) {
    if (!Number.isInteger(segment.duration)) need(3);
    if (segment.byteRange !== undefined) need(4);
    if (segment.key?.iv !== undefined) need(2);
    if (segment.key?.keyFormat !== undefined) need(5);
    if (segment.map !== undefined) need(6);
  }
  if (playlist.pending?.map !== undefined) need(6);
  if (playlist.skip !== undefined) need(9);
  if (playlist.skip?.recentlyRemovedDateRanges !== undefined) need(10);
  return version;
}

function checkVersion(playlist: MediaPlaylist, must: Report): void {
  const needed = requiredVersion(playlist);
  if (playlist.version < needed) {
    must('RFC 8216bis §8', `version ${playlist.version}, but its tags need ${needed}`);
  }
}

function checkDurations(playlist: MediaPlaylist, must: Report): void {
  const { targetDuration, partTarget } = playlist;
  if (targetDuration < 1) must('RFC 8216 §4.3.3.1', 'a target duration of 0');
  for (const segment of playlist.segments) {
    if (Math.round(segment.duration) > targetDuration) {
      must('RFC 8216 §4.3.3.1', `${segment.uri}: ${segment.duration} s, target duration ${targetDuration} s`);
    }
  }
  if (partTarget !== undefined && partTarget > targetDuration) {
    must('RFC 8216bis §4.4.3.7', `part target ${partTarget} s, target duration ${targetDuration} s`);
  }
}

function checkParts(playlist: MediaPlaylist, faults: Faults): void {
  const { partTarget, segments, pending } = playlist;
  const must = faults.of('part-duration');
  const all = [...segments.flatMap(({ parts }) => parts), ...(pending?.parts ?? [])];
  if (partTarget === undefined) {
    if (all.length > 0) must('RFC 8216bis §4.4.3.7', 'parts without EXT-X-PART-INF');
    return;
  }
  for (const segment of segments) {
    checkPartLengths(segment.parts, partTarget, must);
    checkPartSum(segment, faults);
  }
  if (pending !== undefined) checkPartLengths(pending.parts, partTarget, must);
  checkPartAges(playlist, faults.of('old-parts', 'should'));
}

/** RFC 8216bis §4.4.4.9: parts should stand within three target durations of the end, and not before. */
function checkPartAges(playlist: MediaPlaylist, should: Report): void {
  if (playlist.endList) return;
  const edge = 3 * playlist.targetDuration;
  let behind = secondsOfParts(playlist.pending);
  for (const segment of playlist.segments.toReversed()) {
    const begin = behind + segment.duration;
    if (segment.parts.length > 0 && behind > edge + ROUNDING * 100) {
      should('RFC 8216bis §4.4.4.9', `${segment.uri} still has parts, ${behind.toFixed(3)} s from the end`);
    }
    if (segment.parts.length === 0 && segment.gap !== true && begin < edge - ROUNDING * 100) {
      should('RFC 8216bis §4.4.4.9', `${segment.uri} has no parts, ${behind.toFixed(3)} s from the end`);
    }
    behind = begin;
  }
}

function secondsOfParts(head: SegmentHead | undefined): number {
  let sum = 0;
  for (const { duration } of head?.parts ?? []) sum += duration;
  return sum;
}

/** RFC 8216bis §4.4.4.9: at most PART-TARGET, at least 85 % of it but for the exceptions named there. */
function checkPartLengths(parts: readonly Part[], partTarget: number, must: Report): void {
  for (const [i, part] of parts.entries()) {
    if (part.duration > partTarget + ROUNDING) {
      must('RFC 8216bis §4.4.4.9', `${part.uri}: ${part.duration} s exceeds PART-TARGET ${partTarget} s`);
    }
    const next = parts[i + 1];
    const mayBeShort = part.gap === true || next === undefined || next.independent;
    if (!mayBeShort && part.duration < 0.85 * partTarget - ROUNDING) {
      must(
        'RFC 8216bis §4.4.4.9',
        `${part.uri}: ${part.duration} s is below 85 % of PART-TARGET ${partTarget} s`,
      );
    }
  }
}

/**
 * The parts are the segment: their durations add up. A hole in the media is part of the segment (RFC 8216 §4.3.2.1:
 * durations can be added up without perceptible error) and may be more than a part can tell.
 */
function checkPartSum(segment: Segment, faults: Faults): void {
  if (segment.parts.length === 0) return;
  let sum = 0;
  for (const part of segment.parts) sum += part.duration;
  const over = sum - segment.duration;
  const message = `${segment.uri}: ${segment.duration} s, its parts ${sum.toFixed(5)} s`;
  if (over > ROUNDING * (segment.parts.length + 1))
    faults.of('part-duration')('RFC 8216bis §4.4.4.9', message);
  if (over < -ROUNDING * (segment.parts.length + 1))
    faults.of('part-duration', 'should')('RFC 8216bis §6.2.1', message);
}

function checkServerControl(playlist: MediaPlaylist, faults: Faults): void {
  const { serverControl: control, targetDuration, partTarget } = playlist;
  const must = faults.of('server-control');
  const clause = 'RFC 8216bis §4.4.3.8';
  if (partTarget !== undefined && control?.partHoldBack === undefined)
    must(clause, 'parts, but no PART-HOLD-BACK');
  if (partTarget !== undefined && control?.canBlockReload !== true) {
    faults.of('blocking-reload')('RFC 8216bis §B.1', 'parts, but no CAN-BLOCK-RELOAD=YES');
  }
  if (control === undefined) return;
  const { holdBack, partHoldBack, canSkipUntil } = control;
  if (holdBack !== undefined && holdBack < 3 * targetDuration - ROUNDING) {
    must(clause, `HOLD-BACK ${holdBack} s is below 3 target durations of ${targetDuration} s`);
  }
  if (canSkipUntil !== undefined && canSkipUntil < 6 * targetDuration - ROUNDING) {
    must(clause, `CAN-SKIP-UNTIL ${canSkipUntil} s is below 6 target durations of ${targetDuration} s`);
  }
  if (control.canSkipDateRanges === true && canSkipUntil === undefined) {
    must(clause, 'CAN-SKIP-DATERANGES without CAN-SKIP-UNTIL');
  }
  if (partHoldBack === undefined || partTarget === undefined) return;
  if (partHoldBack < 2 * partTarget - ROUNDING) {
    must(clause, `PART-HOLD-BACK ${partHoldBack} s is below 2 part targets of ${partTarget} s`);
  } else if (partHoldBack < 3 * partTarget - ROUNDING) {
    faults.of('server-control', 'should')(
      clause,
      `PART-HOLD-BACK ${partHoldBack} s is below 3 part targets of ${partTarget} s`,
    );
  }
}

/** RFC 8216bis §6.2.5.1: nothing nearer to the end than the skip boundary may be left out. */
function checkSkip(playlist: MediaPlaylist, must: Report): void {
  const { skip, serverControl } = playlist;
  if (skip === undefined) return;
  const boundary = serverControl?.canSkipUntil;
  if (boundary === undefined) {
    must('RFC 8216bis §4.4.5.2', 'EXT-X-SKIP, but no CAN-SKIP-UNTIL');
    return;
  }
  const left = listedSeconds(playlist);
  if (left < boundary - ROUNDING * (playlist.segments.length + 1)) {
    must('RFC 8216bis §6.2.5.1', `${left.toFixed(3)} s are left, the skip boundary is ${boundary} s`);
  }
}

function checkLive(playlist: MediaPlaylist, must: Report): void {
  const { segments, pending, targetDuration } = playlist;
  const heads = pending === undefined ? segments : [...segments, pending];
  const first = heads.find((head) => head.programDateTime !== undefined);
  if (!playlist.endList && heads.length > 0 && first === undefined) {
    must('RFC 8216 §4.3.2.6', 'no EXT-X-PROGRAM-DATE-TIME in a live playlist');
  }
  for (const [i, segment] of segments.entries()) {
    const next = heads[i + 1];
    if (next?.programDateTime === undefined || segment.programDateTime === undefined || next.discontinuity)
      continue;
    const apart = next.programDateTime - segment.programDateTime - segment.duration * 1000;
    // A hole that would take the segment beyond the target duration (RFC 8216 §4.3.3.1) is told by the date alone.
    const longest = targetDuration + 0.5;
    const untold =
      apart > 0 && segment.duration + apart / 1000 >= longest && segment.duration > longest - 0.1;
    if (Math.abs(apart) > DATE_TOLERANCE_MS && !untold) {
      must('RFC 8216 §6.2.1', `${segment.uri}: the next date is ${apart.toFixed(0)} ms off its duration`);
    }
  }
}

/** Seconds of media in the playlist, behind what it skips. */
export function listedSeconds(playlist: MediaPlaylist): number {
  let sum = secondsOfParts(playlist.pending);
  for (const { duration } of playlist.segments) sum += duration;
  return sum;
}

/** Every rule that a multivariant playlist breaks in itself. */
export function checkMultivariantPlaylist(playlist: MultivariantPlaylist): Fault[] {
  const faults = new Faults();
  const must = faults.of('variants');
  if (playlist.variants.length === 0) must('RFC 8216 §4.3.4.2', 'no variant');
  if (!playlist.independentSegments) must('HLS Authoring §6.9', 'no EXT-X-INDEPENDENT-SEGMENTS');
  for (const variant of playlist.variants) {
    const { uri, codecs } = variant;
    if (variant.bandwidth === 0) must('RFC 8216 §4.3.4.2', `${uri}: a bandwidth of 0`);
    if (codecs === undefined || codecs === '') must('HLS Authoring §9.15', `${uri}: no CODECS`);
    if (/\b(avc|hvc|hev|av01|vp0|vvc|vvi)/.test(codecs ?? '')) {
      if (variant.resolution === undefined) must('HLS Authoring §9.13', `${uri}: no RESOLUTION`);
      if (variant.frameRate === undefined) must('HLS Authoring §9.14', `${uri}: no FRAME-RATE`);
    }
    const groups = [
      ['AUDIO', variant.audio],
      ['VIDEO', variant.video],
      ['SUBTITLES', variant.subtitles],
    ] as const;
    for (const [type, group] of groups) {
      if (group === undefined) continue;
      if (!playlist.renditions.some((rendition) => rendition.type === type && rendition.groupId === group)) {
        must('RFC 8216 §4.3.4.2.1', `${uri}: no rendition in ${type} group ${group}`);
      }
    }
  }
  const seen = new Set<string>();
  const defaults = new Set<string>();
  for (const rendition of playlist.renditions) {
    const group = `${rendition.type} ${rendition.groupId}`;
    const name = `${group} ${rendition.name}`;
    if (seen.has(name)) must('RFC 8216 §4.3.4.1.1', `two renditions are called ${name}`);
    seen.add(name);
    if (rendition.default && defaults.has(group))
      must('RFC 8216 §4.3.4.1.1', `two defaults in group ${group}`);
    if (rendition.default) defaults.add(group);
    if (rendition.default && !rendition.autoselect) {
      must('RFC 8216 §4.3.4.1', `${name} is default but not AUTOSELECT`);
    }
    if (rendition.language === undefined && (rendition.type === 'AUDIO' || rendition.type === 'SUBTITLES')) {
      must('HLS Authoring §9', `${name} has no LANGUAGE`);
    }
  }
  return faults.list;
}
