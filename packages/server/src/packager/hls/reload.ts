import type { Rendition } from './rendition.ts';

/** What a client that reloads a playlist wants to see in it. RFC 8216bis §6.2.5.2. */
export interface ReloadWish {
  /** `_HLS_msn`: the segment with this number or a later one … */
  readonly msn: number;
  /** … or `_HLS_part`: at least this part of it. */
  readonly part?: number;
}

/** True if the playlist of `rendition` has what is wished for, or never will have more. */
export function isListed(rendition: Rendition, { msn, part }: ReloadWish): boolean {
  if (rendition.ended) return true;
  const { progress, open } = rendition;
  if (progress === undefined || msn > progress.msn) return false;
  if (msn < progress.msn) return true;
  const growing = open !== undefined && open.boundary.msn === msn;
  // A part behind the last one of a whole segment is the first of the next.
  return part === undefined ? !growing : part <= progress.part;
}

/**
 * True if the wish lies so far ahead that it must be a mistake: more than two segments, or more parts than
 * `advance` (RFC 8216bis §6.2.5.2).
 */
export function isTooFarAhead(rendition: Rendition, { msn, part }: ReloadWish, advance: number): boolean {
  const { progress, open, window } = rendition;
  if (progress === undefined || rendition.ended) return false;
  const last = window.listed.at(-1)?.boundary.msn ?? progress.msn - 1;
  if (msn > last + 2) return true;
  if (part === undefined || msn <= last) return false;
  const listed = open !== undefined && open.boundary.msn === msn ? open.parts.length : 0;
  return part - (listed - 1) > advance;
}
