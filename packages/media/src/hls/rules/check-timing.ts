import { listedSeconds } from '../check.ts';
import { lastSequence } from '../compare.ts';
import type { MediaPlaylist, Segment } from '../model.ts';
import type { HlsAnswer } from './answers.ts';
import type { SeenPlaylist } from './check-reports.ts';
import { type Fault, Faults } from './rule.ts';

/**
 * What is wrong with when new segments were listed. RFC 8216 §6.2.1.
 * @param slackMs milliseconds that a machine with other work may add.
 */
export function checkPace(url: string, seen: readonly SeenPlaylist[], slackMs: number): Fault[] {
  const faults = new Faults();
  let last: SeenPlaylist | undefined;
  for (const item of seen) {
    if (item.playlist.endList) break;
    const target = item.playlist.targetDuration;
    if (last === undefined || lastSequence(item.playlist) > lastSequence(last.playlist)) {
      const apart = last === undefined ? 0 : item.answeredMs - last.answeredMs;
      if (apart > 1500 * target + slackMs) {
        faults.add(
          'pace',
          `${url}: ${(apart / 1000).toFixed(2)} s without a new segment, target duration ${target} s`,
        );
      }
      last = item;
    }
  }
  return faults.list;
}

/** A segment that was seen to leave a playlist. */
export interface RemovedSegment {
  readonly msn: number;
  readonly segment: Segment;
  /** Milliseconds when the last version was asked for that listed it. */
  readonly listedMs: number;
  /** Seconds of the playlist that it left. */
  readonly playlistSeconds: number;
}

/** Segments of `older` that are not in `newer`. @param listedMs when `older` was asked for. */
export function removedSegments(
  older: MediaPlaylist,
  newer: MediaPlaylist,
  listedMs: number,
): RemovedSegment[] {
  if (older.skip !== undefined) return [];
  const playlistSeconds = listedSeconds(older);
  return older.segments
    .slice(0, Math.max(0, newer.mediaSequence - older.mediaSequence))
    .map((segment, i) => ({ msn: older.mediaSequence + i, segment, listedMs, playlistSeconds }));
}

/** Milliseconds of the same clock until when `removed` must be served. RFC 8216 §6.2.2. */
export function servedUntil({ segment, listedMs, playlistSeconds }: RemovedSegment): number {
  return listedMs + (segment.duration + playlistSeconds) * 1000;
}

/** What is wrong with an answer for a removed segment. */
export function checkRemoved(removed: RemovedSegment, { url, status, askedMs }: HlsAnswer): Fault[] {
  const faults = new Faults();
  const left = servedUntil(removed) - askedMs;
  if (status !== 200 && left > 0) {
    faults.add('removed-segment', `${url}: ${status}, ${(left / 1000).toFixed(2)} s too early`);
  }
  return faults.list;
}

/** What is wrong with a live playlist that has had time to grow: too short a window. RFC 8216 §6.2.2. */
export function checkWindow(url: string, playlist: MediaPlaylist, streamSeconds: number): Fault[] {
  const faults = new Faults();
  const needed = 3 * playlist.targetDuration;
  const seconds = listedSeconds(playlist);
  if (!playlist.endList && streamSeconds > needed + playlist.targetDuration && seconds < needed - 0.01) {
    faults.add(
      'window',
      `${url}: ${seconds.toFixed(3)} s are listed, three target durations are ${needed} s`,
    );
  }
  return faults.list;
}
