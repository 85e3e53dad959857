import { DEFAULT_APP, isNamePart, type StreamName, streamName } from '@onair/media';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Clock, PackagerKind, Stream } from '../../hub/index.ts';
import { type ClientReader, HttpProblem, type HttpServer, refusedForNow } from '../../net/index.ts';
import type { HlsPackager, PlaylistBody, Rendition, WaitResult } from '../../packager/hls/index.ts';
import type { LiveDeps } from '../live/index.ts';
import { sendMedia, sendPlaylist } from './answer.ts';
import { Audience } from './audience.ts';
import { readReload } from './reload-query.ts';

/** What the HLS routes are made of. */
export interface HlsDeps extends LiveDeps {
  readonly kind: PackagerKind<HlsPackager>;
  readonly clock: Clock;
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
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly stream: Stream;
  readonly packager: HlsPackager;
  /** Counts bytes for the viewer's session. */
  readonly sent: (bytes: number) => void;
  /** Aborts when the connection is gone. */
  readonly gone: AbortSignal;
}

interface StreamParams {
  readonly app?: string;
  readonly name: string;
}

/**
 * `/APP/NAME/index.m3u8`, everything below `/APP/NAME/hls/`, and the old addresses `/hls/NAME.m3u8` and
 * `/hls/APP/NAME.m3u8`. What is sent is finished bytes in memory, the same for everybody.
 */
export function registerHlsRoutes(server: HttpServer, deps: HlsDeps): HlsRoutes {
  const audience = new Audience(deps, deps.clock);
  const open = (request: FastifyRequest, reply: FastifyReply, name: StreamName): Call =>
    openCall(request, reply, name, { deps, audience, client: server.client });
  server.registerMedia((scope) => {
    scope.get<{ Params: StreamParams }>('/:app/:name/index.m3u8', (request, reply) =>
      serveMultivariant(open(request, reply, nameOf(request.params)), 'hls/'),
    );
    scope.get<{ Params: StreamParams }>('/hls/:name.m3u8', (request, reply) => {
      const name = nameOf(request.params);
      return serveMultivariant(open(request, reply, name), `../${name}/hls/`);
    });
    scope.get<{ Params: StreamParams }>('/hls/:app/:name.m3u8', (request, reply) => {
      const name = nameOf(request.params);
      return serveMultivariant(open(request, reply, name), `../../${name}/hls/`);
    });
    scope.get<{ Params: StreamParams & { rendition: string } }>(
      '/:app/:name/hls/:rendition.m3u8',
      (request, reply) =>
        servePlaylist(open(request, reply, nameOf(request.params)), request.params.rendition),
    );
    scope.get<{ Params: StreamParams & { rendition: string; file: string } }>(
      '/:app/:name/hls/:rendition/:file',
      (request, reply) => {
        const { rendition, file } = request.params;
        return serveFile(open(request, reply, nameOf(request.params)), rendition, file);
      },
    );
  });
  return {
    get viewers() {
      return audience.size;
    },
    close: (reason) => audience.close(reason),
  };
}

function openCall(
  request: FastifyRequest,
  reply: FastifyReply,
  name: StreamName,
  shop: { readonly deps: HlsDeps; readonly audience: Audience; readonly client: ClientReader },
): Call {
  const stream = shop.deps.registry.find(name);
  if (stream === undefined || stream.state === 'idle') {
    throw new HttpProblem('STREAM_NOT_FOUND', { detail: `Nobody publishes ${name} at present.` });
  }
  const { address } = shop.client(request.raw);
  const sent = shop.audience.seen({ stream, address, agent: request.headers['user-agent'] });
  if (sent === undefined) throw new HttpProblem('GONE', { detail: 'The session was ended by the operator.' });
  const gone = new AbortController();
  reply.raw.once('close', () => gone.abort());
  return { request, reply, stream, packager: stream.packager(shop.deps.kind), sent, gone: gone.signal };
}

async function serveMultivariant(call: Call, base: string): Promise<FastifyReply> {
  const { packager } = call;
  let body = packager.multivariant(base);
  if (body === undefined) {
    if (call.stream.state === 'ended') throw ended(call.stream);
    if (refuse(await packager.ready(call.gone), call)) return call.reply;
    body = packager.multivariant(base);
  }
  if (body === undefined) throw notYet(call);
  return answerPlaylist(call, body, NEWEST_MAX_AGE);
}

async function servePlaylist(call: Call, name: string): Promise<FastifyReply> {
  const { packager, request } = call;
  const query = readReload(request.query as Record<string, unknown>);
  if (packager.rendition(name) === undefined && call.stream.state !== 'ended') {
    if (refuse(await packager.ready(call.gone), call)) return call.reply;
  }
  if (packager.rendition(name) === undefined) throw new HttpProblem('NOT_FOUND');
  const result =
    query.wish === undefined
      ? await packager.listed(name, call.gone)
      : await packager.reload(name, query.wish, call.gone);
  if (result === 'bad') {
    throw new HttpProblem('BAD_REQUEST', {
      detail: '_HLS_msn and _HLS_part are too far ahead of the playlist',
    });
  }
  if (refuse(result, call)) return call.reply;
  const body = packager.playlist(name, query.skip);
  if (body === undefined) throw notYet(call);
  // RFC 8216bis §6.2.5: the answer to a blocking reload is the same for all who ask for that part.
  return answerPlaylist(call, body, query.wish === undefined ? NEWEST_MAX_AGE : 6 * packager.targetDuration);
}

async function serveFile(call: Call, name: string, file: string): Promise<FastifyReply> {
  const rendition = call.packager.rendition(name);
  if (rendition === undefined) throw new HttpProblem('NOT_FOUND');
  const init = rendition.init(file);
  if (init !== undefined) return answerMedia(call, rendition, file, init.bytes);
  const match = /^([sp])(\d{1,15})\.m4s$/.exec(file);
  if (match === null) {
    throw new HttpProblem(/^i\d{1,15}\.mp4$/.test(file) ? 'GONE' : 'NOT_FOUND');
  }
  const number = Number(match[2]);
  if (match[1] === 's') return serveSegment(call, rendition, file, number);
  return servePart(call, rendition, file, number);
}

function serveSegment(call: Call, rendition: Rendition, file: string, msn: number): FastifyReply {
  const segment = rendition.segment(msn);
  if (segment !== undefined && !segment.gap) return answerMedia(call, rendition, file, segment.bytes);
  const newest = rendition.progress?.msn ?? Number.POSITIVE_INFINITY;
  throw new HttpProblem(segment === undefined && msn < newest ? 'GONE' : 'NOT_FOUND');
}

async function servePart(
  call: Call,
  rendition: Rendition,
  file: string,
  number: number,
): Promise<FastifyReply> {
  const { packager } = call;
  let part = packager.part(rendition.name, number);
  if (part === 'coming') {
    if (refuse(await packager.partThere(rendition.name, number, call.gone), call)) return call.reply;
    part = packager.part(rendition.name, number);
  }
  if (typeof part === 'string') throw new HttpProblem(part === 'gone' ? 'GONE' : 'NOT_FOUND');
  return answerMedia(call, rendition, file, part);
}

function answerPlaylist(call: Call, body: PlaylistBody, maxAge: number): FastifyReply {
  call.sent(sendPlaylist(call.request, call.reply, body, maxAge));
  return call.reply;
}

function answerMedia(call: Call, rendition: Rendition, file: string, bytes: Uint8Array): FastifyReply {
  const type = rendition.name.startsWith('video') ? 'video/mp4' : 'audio/mp4';
  call.sent(sendMedia(call.request, call.reply, { file: `${rendition.name}-${file}`, type, bytes }));
  return call.reply;
}

/** True if nobody is there to be answered any more. @throws HttpProblem where waiting was in vain. */
function refuse(result: WaitResult, call: Call): boolean {
  if (result === 'full') throw refusedForNow('OVERLOADED', 1, 'too many requests wait for this playlist');
  if (result === 'late') throw notYet(call);
  if (result === 'cancelled') call.reply.hijack();
  return result === 'cancelled';
}

/** RFC 8216bis §6.2.5.2: 503 when nothing came within three target durations. */
function notYet({ stream }: Call): HttpProblem {
  return stream.state === 'ended'
    ? ended(stream)
    : refusedForNow('NOT_READY', 1, `${stream.name} is ${stream.state}`);
}

function ended(stream: Stream): HttpProblem {
  return new HttpProblem('STREAM_NOT_FOUND', { detail: `${stream.name} has ended.` });
}

function nameOf({ app = DEFAULT_APP, name }: StreamParams): StreamName {
  if (!isNamePart(app) || !isNamePart(name)) throw new HttpProblem('STREAM_NAME_INVALID');
  return streamName(app, name);
}
