import { lastSequence } from '../compare.ts';
import type { MediaPlaylist } from '../model.ts';

/** How far a playlist is: its newest part, or its newest segment if that has none. */
export interface PlaylistProgress {
  readonly msn: number;
  /** Index within the segment; -1 for none. */
  readonly part: number;
}

/** The newest of `playlist`. RFC 8216bis §4.4.5.4. */
export function progressOf(playlist: MediaPlaylist): PlaylistProgress {
  const last = lastSequence(playlist);
  const growing = playlist.pending?.parts.length ?? 0;
  if (growing > 0) return { msn: last + 1, part: growing - 1 };
  return { msn: last, part: (playlist.segments.at(-1)?.parts.length ?? 0) - 1 };
}

/** The first part that `playlist` does not list yet. */
export function nextOf(playlist: MediaPlaylist): { readonly msn: number; readonly part: number } {
  return { msn: lastSequence(playlist) + 1, part: playlist.pending?.parts.length ?? 0 };
}

/** Negative if `a` is behind `b`, 0 if they are as far. */
export function compareProgress(a: PlaylistProgress, b: PlaylistProgress): number {
  return a.msn - b.msn || a.part - b.part;
}

/** Like {@link compareProgress} for two playlists; of two with the same newest part, one may know its segment whole. */
export function comparePlaylistProgress(a: MediaPlaylist, b: MediaPlaylist): number {
  return compareProgress(progressOf(a), progressOf(b)) || lastSequence(a) - lastSequence(b);
}
