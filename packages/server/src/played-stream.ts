import { DEFAULT_APP, isNamePart, type StreamName, streamName } from '@onair/media';
import { RESERVED_APPS } from './auth/index.ts';

/** A stream that a request plays. */
export interface Played {
  readonly stream: StreamName;
  /** It begins to play what is live; false for recordings, and for what goes on playing. */
  readonly live: boolean;
}

/** Longest path that is looked at, in characters. */
const MAX_PATH = 1024;
const BEGINS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST']);
/** What stands behind `/APP/NAME/` where something is played. */
const LIVE: ReadonlySet<string> = new Set([
  'index.m3u8',
  'manifest.mpd',
  'hls',
  'dash',
  'ts',
  'ts.m3u8',
  'whep',
]);
const RECORDED: ReadonlySet<string> = new Set(['playlist.m3u8', 'playlist.webm', 'recordings']);

/** The streams that an address may mean, of HTTP or WebSocket; none for what plays nothing. @param url path and query */
export function playedStreams(method: string, url: string): Played[] {
  if (method === 'OPTIONS') return [];
  // A target may be a whole address (RFC 9112 §3.2.2).
  const path = url.replace(/^[a-z]+:\/\/[^/?#]*/i, '').split(/[?#]/, 1)[0]!;
  if (path.length > MAX_PATH) return [];
  const parts = path.split('/').map(plain);
  const [, first = '', second = '', third = ''] = parts;
  const found: Played[] = [];
  const add = (app: string, name: string, live = true): void => {
    if (!isNamePart(app) || !isNamePart(name)) return;
    found.push({ stream: streamName(app, name), live: live && BEGINS.has(method) });
  };
  if (first === 'hls' || first === 'dash') {
    if (parts.length === 3) add(DEFAULT_APP, stem(second));
    if (parts.length === 4) add(second, stem(third));
  }
  if (RESERVED_APPS.has(first)) return found;
  // `POST` and `PUT` of a transport stream publish it.
  const plays = method === 'GET' || method === 'HEAD' ? /\.(?:flv|fmp4|ts|relay)$/ : /\.(?:flv|fmp4|relay)$/;
  if (parts.length === 3 && plays.test(second)) add(first, stem(second));
  if (parts.length >= 4 && (LIVE.has(third) || RECORDED.has(third))) add(first, second, LIVE.has(third));
  return found;
}

function stem(file: string): string {
  return file.replace(/\.[^.]*$/, '');
}

function plain(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return '';
  }
}
