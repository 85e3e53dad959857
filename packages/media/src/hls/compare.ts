import { listedSeconds, ROUNDING } from './check.ts';
import type { MediaPlaylist, Part, Segment, SegmentHead } from './model.ts';
import { type Fault, Faults, type Report } from './rules/rule.ts';

const UPDATE = 'RFC 8216 §6.2.1';

/**
 * Every change from `older` to `newer`, two versions of one media playlist, that a server may not make
 * (RFC 8216 §6.2.1, §6.2.2, RFC 8216bis §6.2.1): numbers going back, segments or parts that changed,
 * wrong counts of what left, hints that did not come true. Delta updates may stand on either side.
 */
export function comparePlaylists(older: MediaPlaylist, newer: MediaPlaylist): Fault[] {
  const faults = new Faults();
  const must = faults.of('update');
  const fixed = ['targetDuration', 'partTarget', 'type', 'independentSegments'] as const;
  for (const name of fixed) {
    if (older[name] === newer[name]) continue;
    const rule = name === 'targetDuration' ? 'target-duration' : 'update';
    faults.of(rule)(UPDATE, `${name} was ${older[name]}, is ${newer[name]}`);
  }
  if (newer.mediaSequence < older.mediaSequence) {
    faults.of('sequence')(
      'RFC 8216 §6.2.2',
      `media sequence went back from ${older.mediaSequence} to ${newer.mediaSequence}`,
    );
    return faults.list;
  }
  const removed = newer.mediaSequence - older.mediaSequence;
  if (removed > 0 && older.type !== undefined) {
    must('RFC 8216 §6.2.1', `segments left a playlist of type ${older.type}`);
  }
  const span = listedSeconds(newer);
  if (
    removed > 0 &&
    newer.skip === undefined &&
    span < 3 * newer.targetDuration - ROUNDING * newer.segments.length
  ) {
    faults.of('window')(
      'RFC 8216 §6.2.2',
      `segments left, though ${span.toFixed(3)} s are below 3 target durations`,
    );
  }
  const end = lastSequence(newer);
  if (end < lastSequence(older)) must(UPDATE, `the last segment was ${lastSequence(older)}, is ${end}`);
  if (older.endList && (!newer.endList || end > lastSequence(older)))
    must(UPDATE, 'it went on after EXT-X-ENDLIST');
  compareDiscontinuities(older, newer, faults.of('sequence'));
  compareSegments(older, newer, must);
  comparePending(older, newer, must);
  compareHint(older, newer, faults.of('preload-hint'));
  return faults.list;
}

/** Media sequence number of the last whole segment. */
export function lastSequence(playlist: MediaPlaylist): number {
  return firstListed(playlist) + playlist.segments.length - 1;
}

/** Media sequence number of the first segment that is listed, behind those a delta update skips. */
export function firstListed(playlist: MediaPlaylist): number {
  return playlist.mediaSequence + (playlist.skip?.skippedSegments ?? 0);
}

/** What stands at a media sequence number: a whole segment, the growing one, or nothing listed. */
function headAt(playlist: MediaPlaylist, sequence: number): SegmentHead | undefined {
  const index = sequence - firstListed(playlist);
  return index === playlist.segments.length ? playlist.pending : playlist.segments[index];
}

/** RFC 8216 §6.2.2: the number rises by one for each segment with the tag that leaves. */
function compareDiscontinuities(older: MediaPlaylist, newer: MediaPlaylist, must: Report): void {
  if (newer.mediaSequence > lastSequence(older) + 1) return; // what left in between was never seen
  let expected = older.discontinuitySequence;
  const seenFrom = firstListed(older);
  if (newer.mediaSequence > older.mediaSequence && seenFrom > older.mediaSequence) return;
  for (let sequence = older.mediaSequence; sequence < newer.mediaSequence; sequence++) {
    if (headAt(older, sequence)?.discontinuity === true) expected++;
  }
  if (newer.discontinuitySequence !== expected) {
    must(
      'RFC 8216 §6.2.2',
      `discontinuity sequence should be ${expected} after ${newer.mediaSequence - older.mediaSequence} segments left, is ${newer.discontinuitySequence}`,
    );
  }
}

function compareSegments(older: MediaPlaylist, newer: MediaPlaylist, must: Report): void {
  const from = Math.max(firstListed(older), firstListed(newer));
  const to = Math.min(lastSequence(older), lastSequence(newer));
  for (let sequence = from; sequence <= to; sequence++) {
    const was = older.segments[sequence - firstListed(older)]!;
    const is = newer.segments[sequence - firstListed(newer)]!;
    for (const [name, a, b] of segmentValues(was, is)) {
      if (a !== b) must(UPDATE, `${name} of segment ${sequence} was ${a}, is ${b}`);
    }
    // The parts of an old segment may leave, all or the oldest, but may not change.
    if (is.parts.length > was.parts.length) must(UPDATE, `segment ${sequence} got parts after it was whole`);
    else compareParts(was.parts.slice(was.parts.length - is.parts.length), is.parts, sequence, must);
  }
}

function segmentValues(was: Segment, is: Segment): [string, unknown, unknown][] {
  return [
    ['address', was.uri, is.uri],
    ['duration', was.duration, is.duration],
    ['gap', was.gap ?? false, is.gap ?? false],
    ['byte range', rangeText(was), rangeText(is)],
    ...headValues(was, is),
  ];
}

function headValues(was: SegmentHead, is: SegmentHead): [string, unknown, unknown][] {
  return [
    ['discontinuity', was.discontinuity, is.discontinuity],
    ['date', was.programDateTime, is.programDateTime],
    ['init segment', was.map?.uri, is.map?.uri],
    ['key', was.key?.uri, is.key?.uri],
  ];
}

function rangeText({ byteRange }: { readonly byteRange?: Part['byteRange'] }): string {
  return byteRange === undefined ? '' : `${byteRange.length}@${byteRange.offset}`;
}

function compareParts(was: readonly Part[], is: readonly Part[], sequence: number, must: Report): void {
  for (const [i, part] of was.entries()) {
    const now = is[i];
    const same =
      now !== undefined &&
      now.uri === part.uri &&
      now.duration === part.duration &&
      now.independent === part.independent &&
      (now.gap ?? false) === (part.gap ?? false) &&
      rangeText(now) === rangeText(part);
    if (!same)
      must(UPDATE, `part ${i} of segment ${sequence} changed: ${part.uri} to ${now?.uri ?? 'nothing'}`);
  }
}

/** What was growing goes on as it began. */
function comparePending(older: MediaPlaylist, newer: MediaPlaylist, must: Report): void {
  const sequence = lastSequence(older) + 1;
  const now = headAt(newer, sequence);
  const was = older.pending;
  if (was !== undefined && was.parts.length > 0 && now !== undefined) {
    for (const [name, a, b] of headValues(was, now)) {
      if (a !== b) must(UPDATE, `${name} of segment ${sequence} was ${a}, is ${b}`);
    }
    if (now.parts.length > 0) compareParts(was.parts, now.parts.slice(0, was.parts.length), sequence, must);
  } else if (was !== undefined && was.parts.length > 0 && newer.mediaSequence <= sequence) {
    if (firstListed(newer) <= sequence) must(UPDATE, `the parts of segment ${sequence} are gone`);
  }
}

/**
 * RFC 8216bis §4.4.5.3: the part that was hinted at is the next one, unless another init segment stands in front of that,
 * which whoever fetched the hint did not know.
 */
function compareHint(older: MediaPlaylist, newer: MediaPlaylist, must: Report): void {
  const sequence = lastSequence(older) + 1;
  const now = headAt(newer, sequence);
  const hint = older.preloadHints.find(({ type }) => type === 'PART');
  const next = older.pending?.parts.length ?? 0;
  if (hint === undefined || now === undefined || now.parts.length === 0) return;
  const goesOn = now.parts[next] !== undefined;
  const head = goesOn ? now : headAt(newer, sequence + 1);
  const real = head?.parts[goesOn ? next : 0];
  if (head === undefined || real === undefined) return;
  const last = older.pending ?? older.segments.at(-1);
  const sameInit = last === undefined || last.map?.uri === head.map?.uri;
  if (sameInit && real.uri !== hint.uri) {
    must('RFC 8216bis §4.4.5.3', `hinted at ${hint.uri}, but ${real.uri} came`);
  }
  if (!sameInit && real.uri === hint.uri) {
    must('RFC 8216bis §4.4.5.3', `${hint.uri} was hinted at and came behind another init segment`);
  }
}
