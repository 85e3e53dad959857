import type { StreamName } from '@onair/media';
import type { Clock, PackagerKind, Stream } from '../../hub/index.ts';
import {
  answerPreflight,
  answerProblem,
  type Exchange,
  HttpProblem,
  type HttpServer,
  refusedForNow,
} from '../../net/index.ts';
import type { PlaylistBody } from '../../packager/hls/index.ts';
import type { TsPackager, TsWaitResult } from '../../packager/ts/index.ts';
import { isOwnPlayer, sendMedia, sendPlaylist } from '../hls/answer.ts';
import { Audience, type Seat } from '../hls/audience.ts';
import { nameOf } from '../hls/hls-address.ts';
import type { LiveDeps } from '../live/index.ts';

/** What the routes of HLS with MPEG-TS are made of. */
export interface TsDeps extends LiveDeps {
  /** Under which kind a stream shares its packager. */
  kindOf(stream: Stream): PackagerKind<TsPackager>;
  readonly clock: Clock;
  /** How long a stream that is over can be fetched, in ms. */
  endedMs(): number;
}

/** What stays open: ends the sessions. */
export interface TsRoutes {
  /** Viewers at present. */
  readonly viewers: number;
  /** Safe to call twice. */
  close(reason: string): void;
}

/** Seconds that caches keep a playlist. */
const PLAYLIST_MAX_AGE = 1;
/** Media playlist, relative to the multivariant one. */
const MEDIA_PLAYLIST = 'ts/index.m3u8';
/** Longest path that is looked at, in characters. */
const MAX_PATH = 1024;

/** What an address asks for. */
interface TsAddress {
  readonly stream: StreamName;
  readonly kind: 'multivariant' | 'media' | 'segment';
  readonly file: string;
}

interface Call {
  readonly exchange: Exchange;
  readonly stream: Stream;
  readonly packager: TsPackager;
  /** Where the bytes for the viewer's session are counted. */
  readonly seat: Seat;
}

/** `/APP/NAME/ts.m3u8` (multivariant), `/APP/NAME/ts/index.m3u8` (media) and `/APP/NAME/ts/sN.ts`. */
export function registerTsRoutes(server: HttpServer, deps: TsDeps): TsRoutes {
  const audience = new Audience(deps, deps.clock);
  server.intercept((exchange) => {
    const { url, method } = exchange;
    const mark = url.indexOf('?');
    const wanted = readAddress(mark < 0 ? url : url.slice(0, mark));
    if (wanted === undefined) return false;
    if (method === 'OPTIONS') {
      answerPreflight(exchange);
      return true;
    }
    if (method !== 'GET' && method !== 'HEAD') {
      throw new HttpProblem('METHOD_NOT_ALLOWED', { headers: { allow: 'GET, HEAD, OPTIONS' } });
    }
    const stream = deps.registry.find(wanted.stream);
    if (stream === undefined || stream.state === 'idle') {
      throw new HttpProblem('STREAM_NOT_FOUND', { detail: `Nobody publishes ${wanted.stream} at present.` });
    }
    if (stream.state === 'ended' && deps.clock.wall() - stream.since > deps.endedMs()) {
      throw new HttpProblem('GONE', { detail: `${wanted.stream} has ended.` });
    }
    const { address } = server.client(exchange);
    const seat = audience.seat({ stream, address, agent: exchange.headers['user-agent'] });
    if (seat.ended) throw new HttpProblem('GONE', { detail: 'The session was ended by the operator.' });
    const call: Call = { exchange, stream, packager: stream.packager(deps.kindOf(stream)), seat };
    if (wanted.kind === 'segment') serveSegment(call, wanted.file);
    else if (wanted.kind === 'media') {
      // Chromium's own player finds its place by dates, and behind a short segment would play that again.
      const dated = !isOwnPlayer(exchange);
      servePlaylist(call, (packager) => packager.playlist(dated), dated);
    } else servePlaylist(call, (packager) => packager.multivariant(MEDIA_PLAYLIST));
    return true;
  });
  return {
    get viewers() {
      return audience.size;
    },
    close: (reason) => audience.close(reason),
  };
}

function readAddress(path: string): TsAddress | undefined {
  // Every request for media comes by here.
  if (path.length > MAX_PATH || !path.includes('/ts')) return undefined;
  const parts = path.split('/');
  const [, app = '', name = '', third = '', file = ''] = parts;
  if (parts.length === 4 && third === 'ts.m3u8')
    return { stream: nameOf(app, name), kind: 'multivariant', file };
  if (parts.length !== 5 || third !== 'ts') return undefined;
  return { stream: nameOf(app, name), kind: file === 'index.m3u8' ? 'media' : 'segment', file };
}

/** @param shared caches may give it to others. */
function servePlaylist(
  call: Call,
  read: (packager: TsPackager) => PlaylistBody | undefined,
  shared = true,
): void {
  const { packager, stream, exchange } = call;
  const { refused } = packager;
  if (refused !== undefined) {
    throw new HttpProblem('CODEC_NOT_CARRIED', {
      detail: `${stream.name} has ${refused}, which MPEG-TS does not carry here. Use /${stream.name}/index.m3u8.`,
    });
  }
  if (stream.state === 'ended' && read(packager) === undefined) throw notYet(stream);
  hold(call, () => {
    const body = read(packager);
    if (body === undefined) throw notYet(stream);
    call.seat.bytes += sendPlaylist(exchange, body, PLAYLIST_MAX_AGE, shared);
  });
}

/** Answers once there is a list to begin with, which may be now; whoever goes away meanwhile is forgotten. */
function hold({ packager, exchange, stream }: Call, answer: () => void): void {
  let done = false;
  const stop = packager.whenListed((result: TsWaitResult) => {
    done = true;
    try {
      if (result === 'full') throw refusedForNow('OVERLOADED', 1, 'too many requests wait for this playlist');
      if (result === 'late') throw notYet(stream);
      answer();
    } catch (error) {
      answerProblem(exchange, error instanceof HttpProblem ? error : new HttpProblem('INTERNAL'));
    }
  });
  if (!done) exchange.onClose(stop);
}

function serveSegment({ packager, exchange, seat }: Call, file: string): void {
  const match = /^s(\d{1,15})\.ts$/.exec(file);
  if (match === null) throw new HttpProblem('NOT_FOUND');
  const bytes = packager.segment(Number(match[1]));
  if (typeof bytes === 'string') throw new HttpProblem(bytes === 'gone' ? 'GONE' : 'NOT_FOUND');
  seat.bytes += sendMedia(exchange, 'ts', file, 'video/mp2t', bytes);
}

function notYet(stream: Stream): HttpProblem {
  return stream.state === 'ended'
    ? new HttpProblem('STREAM_NOT_FOUND', { detail: `${stream.name} has ended.` })
    : refusedForNow('NOT_READY', 1, `${stream.name} is ${stream.state}`);
}
