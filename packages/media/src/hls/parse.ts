import { ParseError } from '../model/errors.ts';
import { type Line, readLines } from './lines.ts';
import { MediaPlaylistBuilder } from './media-builder.ts';
import type { MediaPlaylist, MultivariantPlaylist } from './model.ts';
import { MultivariantBuilder } from './multivariant-builder.ts';

/** Either kind of playlist. */
export type Playlist =
  | { readonly kind: 'media'; readonly media: MediaPlaylist }
  | { readonly kind: 'multivariant'; readonly multivariant: MultivariantPlaylist };

/** Tags that only a media playlist has. RFC 8216 §4.3.2, §4.3.3, RFC 8216bis §4.4.3–4.4.5. */
const MEDIA_TAGS = new Set([
  'EXTINF',
  'EXT-X-BITRATE',
  'EXT-X-BYTERANGE',
  'EXT-X-DATERANGE',
  'EXT-X-DISCONTINUITY',
  'EXT-X-DISCONTINUITY-SEQUENCE',
  'EXT-X-ENDLIST',
  'EXT-X-GAP',
  'EXT-X-I-FRAMES-ONLY',
  'EXT-X-KEY',
  'EXT-X-MAP',
  'EXT-X-MEDIA-SEQUENCE',
  'EXT-X-PART',
  'EXT-X-PART-INF',
  'EXT-X-PLAYLIST-TYPE',
  'EXT-X-PRELOAD-HINT',
  'EXT-X-PROGRAM-DATE-TIME',
  'EXT-X-RENDITION-REPORT',
  'EXT-X-SERVER-CONTROL',
  'EXT-X-SKIP',
  'EXT-X-TARGETDURATION',
]);
/** Tags that only a multivariant playlist has. RFC 8216 §4.3.4. */
const MULTIVARIANT_TAGS = new Set([
  'EXT-X-CONTENT-STEERING',
  'EXT-X-I-FRAME-STREAM-INF',
  'EXT-X-MEDIA',
  'EXT-X-SESSION-DATA',
  'EXT-X-SESSION-KEY',
  'EXT-X-STREAM-INF',
]);
/** Tags that may stand once in a playlist. */
const SINGLE_TAGS = new Set([
  'EXTM3U',
  'EXT-X-CONTENT-STEERING',
  'EXT-X-DISCONTINUITY-SEQUENCE',
  'EXT-X-ENDLIST',
  'EXT-X-I-FRAMES-ONLY',
  'EXT-X-INDEPENDENT-SEGMENTS',
  'EXT-X-MEDIA-SEQUENCE',
  'EXT-X-PART-INF',
  'EXT-X-PLAYLIST-TYPE',
  'EXT-X-SERVER-CONTROL',
  'EXT-X-SKIP',
  'EXT-X-START',
  'EXT-X-TARGETDURATION',
  'EXT-X-VERSION',
]);

/**
 * Reads a playlist of either kind, refusing what the standard calls an error in its text; unknown tags
 * are passed over (RFC 8216 §6.3.1). What the numbers promise is judged by `checkMediaPlaylist` and
 * `checkMultivariantPlaylist`.
 * @throws ParseError with a code that begins with `HLS_`.
 */
export function parsePlaylist(input: string | Uint8Array): Playlist {
  const lines = readLines(input);
  const multivariant = decideKind(lines);
  return multivariant
    ? { kind: 'multivariant', multivariant: new MultivariantBuilder().read(lines) }
    : { kind: 'media', media: new MediaPlaylistBuilder().read(lines) };
}

/** {@link parsePlaylist} for a playlist that must be a media playlist. @throws ParseError `HLS_TAG`. */
export function parseMediaPlaylist(input: string | Uint8Array): MediaPlaylist {
  const playlist = parsePlaylist(input);
  if (playlist.kind !== 'media') {
    throw new ParseError(
      'HLS_TAG',
      'RFC 8216 §4.1',
      'a multivariant playlist where a media playlist belongs',
    );
  }
  return playlist.media;
}

/** {@link parsePlaylist} for a playlist that must be a multivariant playlist. @throws ParseError `HLS_TAG`. */
export function parseMultivariantPlaylist(input: string | Uint8Array): MultivariantPlaylist {
  const playlist = parsePlaylist(input);
  if (playlist.kind !== 'multivariant') {
    throw new ParseError(
      'HLS_TAG',
      'RFC 8216 §4.1',
      'a media playlist where a multivariant playlist belongs',
    );
  }
  return playlist.multivariant;
}

/** RFC 8216 §4.1: a playlist with tags of both kinds, or with a single tag twice, is an error. */
function decideKind(lines: readonly Line[]): boolean {
  const seen = new Set<string>();
  let media: string | undefined;
  let multivariant: string | undefined;
  for (const line of lines) {
    if (line.kind === 'uri') continue;
    if (MEDIA_TAGS.has(line.name)) media ??= line.name;
    if (MULTIVARIANT_TAGS.has(line.name)) multivariant ??= line.name;
    if (!SINGLE_TAGS.has(line.name)) continue;
    if (seen.has(line.name) || line.name === 'EXTM3U') {
      throw new ParseError('HLS_TAG', 'RFC 8216 §4.3', `line ${line.at}: ${line.name} twice`);
    }
    seen.add(line.name);
  }
  if (media !== undefined && multivariant !== undefined) {
    throw new ParseError('HLS_TAG', 'RFC 8216 §4.1', `${media} and ${multivariant} in one playlist`);
  }
  return multivariant !== undefined;
}
