import { DEFAULT_APP, isNamePart, type StreamName, streamName } from '@onair/media';
import { HttpProblem } from '../../net/index.ts';

/** What an address asks for. */
export type HlsAddress =
  | {
      readonly kind: 'multivariant';
      readonly stream: StreamName;
      /** In front of the playlists' addresses, relative to this one. */
      readonly base: string;
    }
  | { readonly kind: 'playlist'; readonly stream: StreamName; readonly rendition: string }
  | {
      readonly kind: 'file';
      readonly stream: StreamName;
      readonly rendition: string;
      readonly file: string;
      readonly media: HlsMediaFile | undefined;
    };

/** What the name of a file says: which segment or part it is. An init segment has a name of another kind. */
export interface HlsMediaFile {
  readonly kind: 'segment' | 'part';
  readonly number: number;
}

const SUFFIX = '.m3u8';
/** Longest path that is looked at, in characters. */
const MAX_PATH = 1024;
/** Addresses read before: whoever watches a stream asks for the same ones within seconds. */
const seen = new Map<string, HlsAddress>();
const MAX_SEEN = 1024;

/**
 * Reads `/APP/NAME/index.m3u8`, `/APP/NAME/hls/RENDITION.m3u8`, `/APP/NAME/hls/RENDITION/FILE`, and the old
 * `/hls/NAME.m3u8` and `/hls/APP/NAME.m3u8`; undefined for every other path.
 * @throws HttpProblem `STREAM_NAME_INVALID`.
 */
export function readHlsAddress(path: string): HlsAddress | undefined {
  const known = seen.get(path);
  if (known !== undefined) return known;
  if (path.length > MAX_PATH) return undefined;
  const address = parse(path);
  if (address === undefined) return undefined;
  if (seen.size >= MAX_SEEN) seen.clear();
  seen.set(path, address);
  return address;
}

function parse(path: string): HlsAddress | undefined {
  const parts = path.split('/');
  const [, first = '', second = '', third = '', fourth = '', fifth = ''] = parts;
  if (first === 'hls' && parts.length === 3 && second.endsWith(SUFFIX)) {
    const stream = nameOf(DEFAULT_APP, cut(second));
    return { kind: 'multivariant', stream, base: `../${stream}/hls/` };
  }
  if (first === 'hls' && parts.length === 4 && third.endsWith(SUFFIX)) {
    const stream = nameOf(second, cut(third));
    return { kind: 'multivariant', stream, base: `../../${stream}/hls/` };
  }
  if (parts.length === 4 && third === 'index.m3u8') {
    return { kind: 'multivariant', stream: nameOf(first, second), base: 'hls/' };
  }
  if (third !== 'hls') return undefined;
  if (parts.length === 5 && fourth.endsWith(SUFFIX)) {
    return { kind: 'playlist', stream: nameOf(first, second), rendition: cut(fourth) };
  }
  if (parts.length === 6) {
    return {
      kind: 'file',
      stream: nameOf(first, second),
      rendition: fourth,
      file: fifth,
      media: readMedia(fifth),
    };
  }
  return undefined;
}

function readMedia(file: string): HlsMediaFile | undefined {
  const match = /^([sp])(\d{1,15})\.m4s$/.exec(file);
  return match === null
    ? undefined
    : { kind: match[1] === 's' ? 'segment' : 'part', number: Number(match[2]) };
}

function cut(file: string): string {
  return file.slice(0, -SUFFIX.length);
}

/** The stream that two parts of a path name. @throws HttpProblem `STREAM_NAME_INVALID`. */
export function nameOf(app: string, name: string): StreamName {
  const parts = [plain(app), plain(name)] as const;
  if (!isNamePart(parts[0]) || !isNamePart(parts[1])) throw new HttpProblem('STREAM_NAME_INVALID');
  return streamName(parts[0], parts[1]);
}

/** Names need no percent signs, but a client may write them (RFC 3986 §6.2.2.2). */
function plain(part: string): string {
  if (!part.includes('%')) return part;
  try {
    return decodeURIComponent(part);
  } catch {
    return '';
  }
}
