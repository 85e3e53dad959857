import { listedSeconds } from '../check.ts';
import { comparePlaylists } from '../compare.ts';
import type { MediaPlaylist } from '../model.ts';
import { comparePlaylistProgress, compareProgress, type PlaylistProgress, progressOf } from './progress.ts';
import { type Fault, Faults } from './rule.ts';

/** One version of a playlist with when it was asked for and here, in milliseconds of one clock. */
export interface SeenPlaylist {
  readonly playlist: MediaPlaylist;
  readonly askedMs: number;
  readonly answeredMs: number;
}

/** The versions that were seen of one playlist of a presentation. */
export interface SeenRendition {
  /** Absolute. */
  readonly url: string;
  /** In the order of the answers. */
  readonly seen: readonly SeenPlaylist[];
}

/**
 * What is wrong with the rendition reports of `own`: one that is missing, behind what the other playlist had shown
 * before it was asked for, or ahead of what that shows when asked later. RFC 8216bis §4.4.5.4.
 * @param resolve makes an address in a playlist absolute.
 */
export function checkReports(
  own: SeenRendition,
  others: readonly SeenRendition[],
  resolve: (uri: string, base: string) => string,
): Fault[] {
  const faults = new Faults();
  for (const { playlist, askedMs, answeredMs } of own.seen) {
    if (playlist.partTarget === undefined || playlist.endList) continue;
    const reports = new Map(
      playlist.renditionReports.map((report) => [resolve(report.uri, own.url), report]),
    );
    for (const other of others) {
      const report = reports.get(other.url);
      if (report === undefined) {
        faults.add('rendition-report', `${own.url} does not report ${other.url}`);
        continue;
      }
      const told = { msn: report.lastMsn ?? -1, part: report.lastPart ?? -1 };
      const least = newestBefore(other.seen, askedMs);
      const most = oldestAfter(other.seen, answeredMs);
      if (least !== undefined && compareProgress(told, least) < 0) {
        faults.add(
          'rendition-report',
          `${own.url} reports ${show(told)} of ${other.url}, which was at ${show(least)}`,
        );
      } else if (most !== undefined && compareProgress(told, most) > 0) {
        faults.add(
          'rendition-report',
          `${own.url} reports ${show(told)} of ${other.url}, which is at ${show(most)}`,
        );
      }
    }
    for (const url of reports.keys()) {
      if (!others.some((other) => other.url === url)) {
        faults.add('rendition-report', `${own.url} reports ${url}, which is no other playlist`);
      }
    }
  }
  return faults.list;
}

function newestBefore(seen: readonly SeenPlaylist[], ms: number): PlaylistProgress | undefined {
  let newest: PlaylistProgress | undefined;
  for (const { playlist, answeredMs } of seen) {
    const progress = progressOf(playlist);
    if (answeredMs < ms && (newest === undefined || compareProgress(progress, newest) > 0)) newest = progress;
  }
  return newest;
}

function oldestAfter(seen: readonly SeenPlaylist[], ms: number): PlaylistProgress | undefined {
  let oldest: PlaylistProgress | undefined;
  for (const { playlist, askedMs } of seen) {
    const progress = progressOf(playlist);
    if (askedMs > ms && (oldest === undefined || compareProgress(progress, oldest) < 0)) oldest = progress;
  }
  return oldest;
}

function show({ msn, part }: PlaylistProgress): string {
  return `${msn}.${part}`;
}

/**
 * What is wrong with a delta update beside a full playlist, the two asked for together. What one of them does not
 * have yet is not judged. RFC 8216bis §6.2.5.1.
 */
export function checkDelta(full: MediaPlaylist, delta: MediaPlaylist): Fault[] {
  const faults = new Faults();
  const order = comparePlaylistProgress(full, delta);
  const found = order > 0 ? comparePlaylists(delta, full) : comparePlaylists(full, delta);
  for (const { message } of found) faults.add('delta', `${message} in the delta update`);
  const boundary = full.serverControl?.canSkipUntil;
  if (boundary === undefined || order !== 0 || full.mediaSequence !== delta.mediaSequence) return faults.list;
  const first = full.segments[0];
  const skippable = first !== undefined && listedSeconds(full) - first.duration > boundary + 1;
  if (skippable && delta.skip === undefined) {
    faults.add(
      'delta',
      `nothing is skipped of ${listedSeconds(full).toFixed(3)} s, CAN-SKIP-UNTIL is ${boundary} s`,
    );
  }
  return faults.list;
}

/** What is wrong with a delta update beside a full playlist that was asked for once it was here. */
export function checkDeltaBefore(delta: MediaPlaylist, later: MediaPlaylist): Fault[] {
  const faults = new Faults();
  if (comparePlaylistProgress(delta, later) > 0) {
    const [told, is] = [delta, later].map((playlist) => show(progressOf(playlist)));
    faults.add('delta', `the delta update is at ${told}, the playlist after it at ${is}`);
    return faults.list;
  }
  return checkDelta(later, delta);
}
