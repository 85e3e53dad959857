import { isNamePart, type StreamName, streamName } from '@onair/media';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Clock, PackagerKind, Stream } from '../../hub/index.ts';
import { HttpProblem, type HttpServer, refusedForNow } from '../../net/index.ts';
import type { PlaylistBody } from '../../packager/hls/index.ts';
import type { TsPackager, TsWaitResult } from '../../packager/ts/index.ts';
import { replyMedia, replyPlaylist } from '../hls/answer.ts';
import { Audience } from '../hls/audience.ts';
import type { LiveDeps } from '../live/index.ts';

/** What the routes of HLS with MPEG-TS are made of. */
export interface TsDeps extends LiveDeps {
  readonly kind: PackagerKind<TsPackager>;
  readonly clock: Clock;
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

interface Call {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly stream: Stream;
  readonly packager: TsPackager;
  /** Counts bytes for the viewer's session. */
  readonly sent: (bytes: number) => void;
}

interface StreamParams {
  readonly app: string;
  readonly name: string;
}

/** `/APP/NAME/ts.m3u8` (multivariant), `/APP/NAME/ts/index.m3u8` (media) and `/APP/NAME/ts/sN.ts`. */
export function registerTsRoutes(server: HttpServer, deps: TsDeps): TsRoutes {
  const audience = new Audience(deps, deps.clock);
  const open = (request: FastifyRequest<{ Params: StreamParams }>, reply: FastifyReply): Call => {
    const name = nameOf(request.params);
    const stream = deps.registry.find(name);
    if (stream === undefined || stream.state === 'idle') {
      throw new HttpProblem('STREAM_NOT_FOUND', { detail: `Nobody publishes ${name} at present.` });
    }
    const { address } = server.client(request.raw);
    const sent = audience.seen({ stream, address, agent: request.headers['user-agent'] });
    if (sent === undefined)
      throw new HttpProblem('GONE', { detail: 'The session was ended by the operator.' });
    return { request, reply, stream, packager: stream.packager(deps.kind), sent };
  };
  server.registerMedia((scope) => {
    scope.get<{ Params: StreamParams }>('/:app/:name/ts.m3u8', (request, reply) =>
      servePlaylist(open(request, reply), (packager) => packager.multivariant(MEDIA_PLAYLIST)),
    );
    scope.get<{ Params: StreamParams }>('/:app/:name/ts/index.m3u8', (request, reply) =>
      servePlaylist(open(request, reply), (packager) => packager.playlist()),
    );
    scope.get<{ Params: StreamParams & { file: string } }>('/:app/:name/ts/:file', (request, reply) =>
      serveSegment(open(request, reply), request.params.file),
    );
  });
  return {
    get viewers() {
      return audience.size;
    },
    close: (reason) => audience.close(reason),
  };
}

async function servePlaylist(
  call: Call,
  read: (packager: TsPackager) => PlaylistBody | undefined,
): Promise<FastifyReply> {
  const { packager, reply, request, stream } = call;
  const { refused } = packager;
  if (refused !== undefined) {
    throw new HttpProblem('CODEC_NOT_CARRIED', {
      detail: `${stream.name} has ${refused}, which MPEG-TS does not carry here. Use /${stream.name}/index.m3u8.`,
    });
  }
  if (stream.state === 'ended' && read(packager) === undefined) throw notYet(stream);
  const result = await waited(call);
  if (result === 'gone') return reply.hijack();
  if (result === 'full') throw refusedForNow('OVERLOADED', 1, 'too many requests wait for this playlist');
  const body = read(packager);
  if (body === undefined) throw notYet(stream);
  call.sent(replyPlaylist(request, reply, body, PLAYLIST_MAX_AGE));
  return reply;
}

/** Waits for the first segment, or until nobody waits for the answer any more. */
function waited({ packager, reply }: Call): Promise<TsWaitResult | 'gone'> {
  return new Promise((resolve) => {
    const stop = packager.whenListed(resolve);
    reply.raw.once('close', () => {
      stop();
      resolve('gone');
    });
  });
}

function serveSegment(call: Call, file: string): FastifyReply {
  const match = /^s(\d{1,15})\.ts$/.exec(file);
  if (match === null) throw new HttpProblem('NOT_FOUND');
  const bytes = call.packager.segment(Number(match[1]));
  if (typeof bytes === 'string') throw new HttpProblem(bytes === 'gone' ? 'GONE' : 'NOT_FOUND');
  call.sent(replyMedia(call.request, call.reply, { file: `ts-${file}`, type: 'video/mp2t', bytes }));
  return call.reply;
}

function notYet(stream: Stream): HttpProblem {
  return stream.state === 'ended'
    ? new HttpProblem('STREAM_NOT_FOUND', { detail: `${stream.name} has ended.` })
    : refusedForNow('NOT_READY', 1, `${stream.name} is ${stream.state}`);
}

function nameOf({ app, name }: StreamParams): StreamName {
  if (!isNamePart(app) || !isNamePart(name)) throw new HttpProblem('STREAM_NAME_INVALID');
  return streamName(app, name);
}
