import { ID } from './element-id.ts';
import type { Handling } from './element-stream.ts';
import type { ElementHeader } from './placement.ts';

/** Largest block accepted unless told otherwise, in octets: some 60 Mbit/s all in one key frame per second. */
export const DEFAULT_MAX_BLOCK_BYTES = 8 * 1024 * 1024;
/** What a BlockGroup may hold besides its block, in octets: BlockAdditions, for the most part. */
export const MAX_BLOCK_EXTRA_BYTES = 1024 * 1024;
/** Largest EBML header, in octets; it has some 40. */
export const MAX_EBML_HEADER_BYTES = 4096;
/** Largest Info, in octets. */
export const MAX_INFO_BYTES = 64 * 1024;
/** Largest Tracks, in octets. */
export const MAX_TRACKS_BYTES = 1024 * 1024;
/** Largest SeekHead, in octets. */
export const MAX_SEEK_HEAD_BYTES = 64 * 1024;
/** Largest Tags, in octets; cover pictures are attachments. */
export const MAX_TAGS_BYTES = 1024 * 1024;
/** Largest Cues, in octets: an entry for each second of ten hours and more. */
export const MAX_CUES_BYTES = 2 * 1024 * 1024;
/** Largest number of an integer element, in octets. */
const INTEGER_BYTES = 8;

/** Which elements a demuxer's user asks for. */
interface Wanted {
  readonly onCues?: unknown;
  readonly onTags?: unknown;
  readonly onSeekHead?: unknown;
}

/** What a demuxer does with an element: holds it in memory whole up to its limit, or passes over it. */
export function handlingOf({ id }: ElementHeader, maxBlockBytes: number, wanted: Wanted): Handling {
  const only = (want: unknown, limit: number): Handling => (want === undefined ? 'skip' : limit);
  switch (id) {
    case ID.EBML:
      return MAX_EBML_HEADER_BYTES;
    case ID.Segment:
    case ID.Cluster:
      return 'open';
    case ID.Info:
      return MAX_INFO_BYTES;
    case ID.Tracks:
      return MAX_TRACKS_BYTES;
    case ID.Timestamp:
      return INTEGER_BYTES;
    case ID.SimpleBlock:
      return maxBlockBytes;
    case ID.BlockGroup:
      return maxBlockBytes + MAX_BLOCK_EXTRA_BYTES;
    case ID.Cues:
      return only(wanted.onCues, MAX_CUES_BYTES);
    case ID.Tags:
      return only(wanted.onTags, MAX_TAGS_BYTES);
    case ID.SeekHead:
      return only(wanted.onSeekHead, MAX_SEEK_HEAD_BYTES);
    default:
      return 'skip';
  }
}
