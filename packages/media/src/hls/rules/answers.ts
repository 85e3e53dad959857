import { ParseError } from '../../model/errors.ts';
import { lastSequence } from '../compare.ts';
import type { MediaPlaylist } from '../model.ts';
import { type Playlist, parsePlaylist } from '../parse.ts';
import { comparePlaylistProgress, progressOf } from './progress.ts';
import { type Fault, Faults } from './rule.ts';

/** One answer of a server, as it came. */
export interface HlsAnswer {
  /** Absolute, query included. */
  readonly url: string;
  readonly status: number;
  /** Names in lower case. */
  readonly headers: ReadonlyMap<string, string>;
  /** Without content encoding. */
  readonly body: Uint8Array;
  /** Milliseconds of one clock: when the request was sent, when the whole answer was here. */
  readonly askedMs: number;
  readonly answeredMs: number;
}

/** Content types of playlists; `application/x-mpegURL` is not among them. RFC 8216 §4, RFC 8216bis §10. */
const PLAYLIST_TYPES = new Set(['application/vnd.apple.mpegurl', 'audio/mpegurl']);
/** Content types of media by what it is. */
const MEDIA_TYPES = {
  fmp4: ['video/mp4', 'audio/mp4', 'video/iso.segment', 'audio/iso.segment'],
  mpegts: ['video/mp2t'],
} as const;

/** How segments are packed. */
export type HlsContainer = keyof typeof MEDIA_TYPES;

/** A wish of `_HLS_msn` and `_HLS_part`. RFC 8216bis §6.2.5.2. */
export interface Wish {
  readonly msn: number;
  readonly part?: number | undefined;
}

/**
 * What is wrong with the answer to a request for a playlist that takes gzip.
 * @returns the playlist too, if it is one.
 */
export function checkPlaylistAnswer(answer: HlsAnswer): {
  readonly faults: Fault[];
  readonly playlist?: Playlist;
} {
  const faults = new Faults();
  const { url, status, headers } = answer;
  if (status !== 200) {
    faults.add('status', `${url}: ${status} for a playlist`);
    return { faults: faults.list };
  }
  const type = mediaType(answer);
  if (!PLAYLIST_TYPES.has(type)) faults.add('media-type', `${url}: ${type || 'none'} for a playlist`);
  if (headers.get('content-encoding') !== 'gzip')
    faults.add('gzip', `${url}: not in gzip, though it was asked for`);
  try {
    return { faults: faults.list, playlist: parsePlaylist(answer.body) };
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
    faults.of('text')(error.clause, `${url}: ${error.message}`);
    return { faults: faults.list };
  }
}

/** What is wrong with the answer to a request for a segment, part or init segment that is listed. */
export function checkMediaAnswer(answer: HlsAnswer, container: HlsContainer): Fault[] {
  const faults = new Faults();
  const { url, status } = answer;
  if (status !== 200) {
    faults.add('status', `${url}: ${status}, though it is listed`);
    return faults.list;
  }
  const type = mediaType(answer);
  const allowed: readonly string[] = MEDIA_TYPES[container];
  if (!allowed.includes(type)) faults.add('media-type', `${url}: ${type || 'none'} for media`);
  const age = cacheSeconds(answer);
  if (age === undefined || age < 60) {
    faults.add('caching', `${url}: media that never changes may be kept ${age ?? 0} s only`, 'should');
  }
  return faults.list;
}

/** What is wrong with the answer for an address that is no longer, or never was. */
export function checkGone({ url, status }: HlsAnswer): Fault[] {
  const faults = new Faults();
  if (status !== 404 && status !== 410) faults.add('status', `${url}: ${status} for what is not there`);
  return faults.list;
}

/**
 * What is wrong with how long the answers to reloads may be kept. `wish` is undefined for a plain one. An answer to who
 * came so late that the playlist had gone beyond the wish is neither.
 */
export function checkCaching(answer: HlsAnswer, target: number, wish: Wish | undefined): Fault[] {
  const faults = new Faults();
  const { url, headers } = answer;
  const age = cacheSeconds(answer);
  const vary = (headers.get('vary') ?? '').toLowerCase();
  const other = vary.split(',').find((name) => !['', 'accept-encoding', 'origin'].includes(name.trim()));
  if (other !== undefined) faults.add('caching', `${url}: varies by ${other.trim()}`);
  if (wish === undefined) {
    const most = Math.max(1, target / 2);
    if (age === undefined || age > most) {
      faults.add(
        'caching',
        `${url}: the newest may be kept ${age ?? 'without limit'} s, target duration ${target} s`,
      );
    }
  } else if (age === undefined || age < target) {
    faults.add(
      'caching',
      `${url}: what was waited for may be kept ${age ?? 0} s only, target duration ${target} s`,
    );
  }
  return faults.list;
}

/**
 * What is wrong with two playlists that answered one blocking request, asked for at one time. If one is further than the
 * other, its request came late; so did it if the reports of other playlists differ.
 */
export function checkSharedAnswer(url: string, one: MediaPlaylist, other: MediaPlaylist): Fault[] {
  const faults = new Faults();
  if (comparePlaylistProgress(one, other) !== 0) return faults.list;
  const [text, otherText] = [one, other].map((playlist) =>
    JSON.stringify({ ...playlist, renditionReports: [] }),
  );
  if (text !== otherText) faults.add('caching', `${url}: two who waited got two answers`);
  return faults.list;
}

/** What is wrong with the playlist that answers a blocking reload. */
export function checkReloaded({ url }: HlsAnswer, wish: Wish, playlist: MediaPlaylist): Fault[] {
  const faults = new Faults();
  if (playlist.endList) return faults.list;
  const { msn, part } = progressOf(playlist);
  const last = lastSequence(playlist);
  // A part behind the last one of a whole segment is the first of the next.
  const listed =
    wish.part === undefined ? last >= wish.msn : msn > wish.msn || (msn === wish.msn && part >= wish.part);
  if (!listed) faults.add('blocking-reload', `${url}: answered with ${msn}.${part}, before it was there`);
  return faults.list;
}

/** Requests that test the answers a server gives by its state alone. */
export type ReloadProbe = 'too-far' | 'part-alone' | 'past' | 'unknown-query' | 'stalled';

/** Milliseconds within which an answer comes that waits for nothing. */
const AT_ONCE_MS = 500;

/**
 * What is wrong with the answer to a probing reload. RFC 8216bis §6.2.5.2.
 * @param target seconds of EXT-X-TARGETDURATION. @param slackMs milliseconds that a machine with other work may add.
 */
export function checkProbe(probe: ReloadProbe, answer: HlsAnswer, target: number, slackMs = 0): Fault[] {
  const faults = new Faults();
  const { url, status } = answer;
  const took = answer.answeredMs - answer.askedMs;
  const wanted = probe === 'too-far' || probe === 'part-alone' ? 400 : probe === 'stalled' ? 503 : 200;
  if (status !== wanted) faults.add('blocking-reload', `${url}: ${status} instead of ${wanted} (${probe})`);
  else if (probe === 'stalled') {
    const limit = 3000 * target;
    if (took < limit - AT_ONCE_MS || took > limit + 2 * AT_ONCE_MS + slackMs) {
      faults.add('blocking-reload', `${url}: 503 after ${took.toFixed(0)} ms, three targets are ${limit} ms`);
    }
  } else if (took > AT_ONCE_MS + slackMs) {
    faults.add(
      'blocking-reload',
      `${url}: answered after ${took.toFixed(0)} ms instead of at once (${probe})`,
    );
  }
  return faults.list;
}

/**
 * What is wrong with the way a low-latency presentation comes. @param addresses absolute, of all that was fetched.
 * @param protocol what ALPN (RFC 7301) chose where there is TLS; undefined where there is none.
 */
export function checkTransport(addresses: Iterable<string>, protocol: string | undefined): Fault[] {
  const faults = new Faults();
  const hosts = new Set<string>();
  for (const address of addresses) hosts.add(/^https?:\/\/[^/]*/.exec(address)?.[0] ?? address);
  if (hosts.size > 1) faults.add('transport', `it comes from ${[...hosts].join(' and ')}`);
  if (protocol !== undefined && protocol !== 'h2') {
    faults.add('transport', `TLS speaks ${protocol || 'no protocol of ALPN'} instead of h2`);
  }
  return faults.list;
}

function mediaType({ headers }: HlsAnswer): string {
  return (headers.get('content-type') ?? '').split(';')[0]!.trim().toLowerCase();
}

/** Seconds that a shared cache may keep an answer; undefined if the server does not say. RFC 9111 §5.2.2. */
export function cacheSeconds({ headers }: HlsAnswer): number | undefined {
  const control = (headers.get('cache-control') ?? '').toLowerCase();
  if (/\b(no-store|no-cache|private)\b/.test(control)) return 0;
  const match = /\bs-maxage=(\d{1,10})/.exec(control) ?? /\bmax-age=(\d{1,10})/.exec(control);
  return match === null ? undefined : Number(match[1]);
}
