import type { Clock, PackagerKind, Stream } from '../../hub/index.ts';
import {
  answerPreflight,
  answerProblem,
  type Exchange,
  HttpProblem,
  type HttpServer,
  refusedForNow,
} from '../../net/index.ts';
import type {
  HlsPackager,
  PlaylistBody,
  Rendition,
  StopWaiting,
  WaitResult,
} from '../../packager/hls/index.ts';
import type { LiveDeps } from '../live/index.ts';
import { isOwnPlayer, sendMedia, sendPlaylist } from './answer.ts';
import { Audience, type Seat } from './audience.ts';
import { EndedStreams } from './ended-streams.ts';
import { type HlsAddress, readHlsAddress } from './hls-address.ts';
import { readReload } from './reload-query.ts';

/** What the HLS routes are made of. */
export interface HlsDeps extends LiveDeps {
  /** Under which kind a stream shares its packager. */
  kindOf(stream: Stream): PackagerKind<HlsPackager>;
  readonly clock: Clock;
  /** How long a stream that is over can be fetched, in ms. */
  endedMs(): number;
}

/** What stays open: ends the sessions. */
export interface HlsRoutes {
  /** Viewers at present. */
  readonly viewers: number;
  /** Safe to call twice. */
  close(reason: string): void;
}

/** Seconds that caches keep what tells the newest state. */
const NEWEST_MAX_AGE = 1;

/** One request on its way. */
interface Call {
  readonly exchange: Exchange;
  readonly query: string;
  readonly stream: Stream;
  readonly packager: HlsPackager;
  /** Where the bytes for the viewer's session are counted. */
  readonly seat: Seat;
}

/**
 * `/APP/NAME/index.m3u8`, everything below `/APP/NAME/hls/`, and the old addresses `/hls/NAME.m3u8` and
 * `/hls/APP/NAME.m3u8`. What is sent is finished bytes in memory, the same for everybody.
 */
export function registerHlsRoutes(server: HttpServer, deps: HlsDeps): HlsRoutes {
  const audience = new Audience(deps, deps.clock);
  const ended = new EndedStreams(deps);
  server.intercept((exchange) => {
    const { url, method } = exchange;
    const mark = url.indexOf('?');
    const address = readHlsAddress(mark < 0 ? url : url.slice(0, mark));
    if (address === undefined) return false;
    if (method === 'OPTIONS') {
      answerPreflight(exchange);
      return true;
    }
    if (method !== 'GET' && method !== 'HEAD') {
      throw new HttpProblem('METHOD_NOT_ALLOWED', { headers: { allow: 'GET, HEAD, OPTIONS' } });
    }
    const stream = deps.registry.find(address.stream);
    if (stream === undefined || stream.state === 'idle') {
      throw new HttpProblem('STREAM_NOT_FOUND', { detail: `Nobody publishes ${address.stream} at present.` });
    }
    if (ended.isOver(stream)) throw new HttpProblem('GONE', { detail: `${address.stream} has ended.` });
    const seat = audience.seatOf(stream, server.client(exchange), exchange.headers);
    if (seat.ended) throw new HttpProblem('GONE', { detail: 'The session was ended by the operator.' });
    const query = mark < 0 ? '' : url.slice(mark + 1);
    serve({ exchange, query, stream, packager: stream.packager(deps.kindOf(stream)), seat }, address);
    return true;
  });
  return {
    get viewers() {
      return audience.size;
    },
    close: (reason) => {
      ended.close();
      audience.close(reason);
    },
  };
}

function serve(call: Call, address: HlsAddress): void {
  switch (address.kind) {
    case 'multivariant':
      serveMultivariant(call, address.base);
      break;
    case 'playlist':
      servePlaylist(call, address.rendition);
      break;
    case 'file':
      serveFile(call, address);
      break;
  }
}

function serveMultivariant(call: Call, base: string): void {
  const { packager } = call;
  if (call.stream.state === 'ended' && packager.multivariant(base) === undefined) throw hasEnded(call.stream);
  hold(
    call,
    (settle) => packager.whenReady(settle),
    () => sendNewest(call, packager.multivariant(base)),
  );
}

function servePlaylist(call: Call, name: string): void {
  const { packager } = call;
  const { wish, skip } = readReload(call.query);
  const answer = (): void => {
    if (packager.rendition(name) === undefined) throw new HttpProblem('NOT_FOUND');
    if (wish === undefined) {
      hold(
        call,
        (settle) => packager.whenListed(name, isOwnPlayer(call.exchange), settle),
        () => sendNewest(call, packager.playlist(name, skip)),
      );
      return;
    }
    if (packager.isTooFarAhead(name, wish)) {
      throw new HttpProblem('BAD_REQUEST', {
        detail: '_HLS_msn and _HLS_part are too far ahead of the playlist',
      });
    }
    hold(
      call,
      (settle) =>
        packager.whenReloaded(name, wish, (result) => {
          // While the publisher is away nothing can come; players give up on errors, not on an old playlist.
          const away = result === 'late' && call.stream.state === 'waiting';
          settle(away ? 'ready' : result);
        }),
      () => {
        // RFC 8216bis §6.2.5: the answer to a blocking reload is the same for all who ask for that part. What is
        // long past is not worth keeping.
        const newest = packager.rendition(name)?.progress?.msn ?? 0;
        const recent = wish.msn >= newest - 1 && packager.hasListed(name, wish);
        const maxAge = recent ? 6 * packager.targetDuration : NEWEST_MAX_AGE;
        send(call, packager.playlist(name, skip), maxAge);
      },
    );
  };
  if (packager.rendition(name) !== undefined || call.stream.state === 'ended') answer();
  else hold(call, (settle) => packager.whenReady(settle), answer);
}

function serveFile(call: Call, address: HlsAddress & { readonly kind: 'file' }): void {
  const { file, media } = address;
  const rendition = call.packager.rendition(address.rendition);
  if (rendition === undefined) throw new HttpProblem('NOT_FOUND');
  if (media === undefined) {
    const init = rendition.init(file);
    if (init === undefined) throw new HttpProblem(/^i\d{1,15}\.mp4$/.test(file) ? 'GONE' : 'NOT_FOUND');
    sendFile(call, rendition, file, init.bytes);
  } else if (media.kind === 'segment') serveSegment(call, rendition, file, media.number);
  else servePart(call, rendition, file, media.number);
}

function serveSegment(call: Call, rendition: Rendition, file: string, msn: number): void {
  const segment = rendition.segment(msn);
  if (segment !== undefined && !segment.gap) {
    sendFile(call, rendition, file, segment.bytes);
    return;
  }
  const newest = rendition.progress?.msn ?? Number.POSITIVE_INFINITY;
  throw new HttpProblem(segment === undefined && msn < newest ? 'GONE' : 'NOT_FOUND');
}

function servePart(call: Call, rendition: Rendition, file: string, number: number): void {
  const { packager } = call;
  const there = packager.part(rendition.name, number);
  if (typeof there !== 'string') {
    sendFile(call, rendition, file, there);
    return;
  }
  hold(
    call,
    (settle) => packager.whenPart(rendition.name, number, settle),
    () => {
      const part = packager.part(rendition.name, number);
      if (typeof part === 'string') throw new HttpProblem(part === 'gone' ? 'GONE' : 'NOT_FOUND');
      sendFile(call, rendition, file, part);
    },
  );
}

/** Answers once waiting is over, which may be now; whoever goes away meanwhile is forgotten. */
function hold(
  call: Call,
  wait: (settle: (result: WaitResult) => void) => StopWaiting,
  answer: () => void,
): void {
  const { exchange } = call;
  let done = false;
  const stop = wait((result) => {
    done = true;
    try {
      if (result === 'full') throw refusedForNow('OVERLOADED', 1, 'too many requests wait for this playlist');
      if (result === 'late') throw notYet(call.stream);
      answer();
    } catch (error) {
      answerProblem(exchange, error instanceof HttpProblem ? error : new HttpProblem('INTERNAL'));
    }
  });
  if (!done) exchange.onClose(stop);
}

function sendNewest(call: Call, body: PlaylistBody | undefined): void {
  send(call, body, NEWEST_MAX_AGE);
}

function send({ exchange, seat, stream }: Call, body: PlaylistBody | undefined, maxAge: number): void {
  if (body === undefined) throw notYet(stream);
  seat.bytes += sendPlaylist(exchange, body, maxAge);
}

function sendFile({ exchange, seat }: Call, { name }: Rendition, file: string, bytes: Uint8Array): void {
  const type = name.startsWith('video') ? 'video/mp4' : 'audio/mp4';
  seat.bytes += sendMedia(exchange, name, file, type, bytes);
}

/** RFC 8216bis §6.2.5.2: 503 when nothing came within three target durations. */
function notYet(stream: Stream): HttpProblem {
  return stream.state === 'ended'
    ? hasEnded(stream)
    : refusedForNow('NOT_READY', 1, `${stream.name} is ${stream.state}`);
}

function hasEnded(stream: Stream): HttpProblem {
  return new HttpProblem('STREAM_NOT_FOUND', { detail: `${stream.name} has ended.` });
}
