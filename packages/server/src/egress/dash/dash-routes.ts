import { DEFAULT_APP, isNamePart, type StreamName, streamName } from '@onair/media';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Clock, PackagerKind, Stream } from '../../hub/index.ts';
import { type ClientReader, HttpProblem, type HttpServer, refusedForNow } from '../../net/index.ts';
import {
  type DashPackager,
  type DashWait,
  type ManifestWish,
  placeOf,
  type SegmentState,
} from '../../packager/dash/index.ts';
import { replyMedia } from '../hls/answer.ts';
import { Audience } from '../hls/audience.ts';
import type { LiveDeps } from '../live/index.ts';
import { growingHeaders, sendManifest } from './answer.ts';
import { sendGrowing } from './growing-answer.ts';

/** What the DASH routes are made of. */
export interface DashDeps extends LiveDeps {
  readonly kind: PackagerKind<DashPackager>;
  readonly clock: Clock;
  /** Milliseconds after which a viewer that takes nothing is cut. */
  stallMs(): number;
}

/** What stays open: ends the sessions. */
export interface DashRoutes {
  /** Viewers at present. */
  readonly viewers: number;
  /** Safe to call twice. */
  close(reason: string): void;
}

/** One request on its way. */
interface Call {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly stream: Stream;
  readonly packager: DashPackager;
  readonly deps: DashDeps;
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
 * `/APP/NAME/manifest.mpd`, everything below `/APP/NAME/dash/`, the old addresses `/dash/NAME.mpd` and
 * `/dash/APP/NAME.mpd`, and the clock that manifests point at, `/time`.
 */
export function registerDashRoutes(server: HttpServer, deps: DashDeps): DashRoutes {
  const audience = new Audience(deps, deps.clock, 'dash');
  const open = (request: FastifyRequest, reply: FastifyReply, name: StreamName): Call =>
    openCall(request, reply, name, { deps, audience, client: server.client });
  server.registerMedia((scope) => {
    scope.get<{ Params: StreamParams }>('/:app/:name/manifest.mpd', (request, reply) =>
      serveManifest(open(request, reply, nameOf(request.params)), 'dash/'),
    );
    scope.get<{ Params: StreamParams }>('/dash/:name.mpd', (request, reply) => {
      const name = nameOf(request.params);
      return serveManifest(open(request, reply, name), `../${name}/dash/`);
    });
    scope.get<{ Params: StreamParams }>('/dash/:app/:name.mpd', (request, reply) => {
      const name = nameOf(request.params);
      return serveManifest(open(request, reply, name), `../../${name}/dash/`);
    });
    scope.get<{ Params: StreamParams & { rendition: string; file: string } }>(
      '/:app/:name/dash/:rendition/:file',
      (request, reply) => {
        const { rendition, file } = request.params;
        return serveFile(open(request, reply, nameOf(request.params)), rendition, file);
      },
    );
    // ISO/IEC 23009-1 §5.8.4.11: an xs:dateTime; whoever asks with HEAD reads the Date header.
    scope.get('/time', (_request, reply) =>
      reply
        .header('cache-control', 'no-store')
        .type('text/plain; charset=utf-8')
        .send(new Date(deps.clock.wall()).toISOString()),
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
  shop: { readonly deps: DashDeps; readonly audience: Audience; readonly client: ClientReader },
): Call {
  const { deps } = shop;
  const stream = deps.registry.find(name);
  if (stream === undefined || stream.state === 'idle') {
    throw new HttpProblem('STREAM_NOT_FOUND', { detail: `Nobody publishes ${name} at present.` });
  }
  const { address } = shop.client(request.raw);
  const sent = shop.audience.seen({ stream, address, agent: request.headers['user-agent'] });
  if (sent === undefined) throw new HttpProblem('GONE', { detail: 'The session was ended by the operator.' });
  const gone = new AbortController();
  reply.raw.once('close', () => gone.abort());
  return { request, reply, stream, packager: stream.packager(deps.kind), deps, sent, gone: gone.signal };
}

async function serveManifest(call: Call, base: string): Promise<FastifyReply> {
  const { packager, request, reply } = call;
  const query = request.query as Readonly<Record<string, unknown>>;
  const wish: ManifestWish = { base, lowLatency: query.ll !== '0' };
  let manifest = packager.manifest(wish);
  if (manifest === undefined) {
    if (call.stream.state === 'ended') throw ended(call.stream);
    if (refuse(await packager.wait(() => packager.manifest(wish) !== undefined, call.gone), call))
      return reply;
    manifest = packager.manifest(wish);
  }
  if (manifest === undefined) throw notYet(call.stream);
  call.sent(sendManifest(request, reply, manifest));
  return reply;
}

async function serveFile(call: Call, name: string, file: string): Promise<FastifyReply> {
  const { packager, reply } = call;
  const rendition = packager.rendition(name);
  if (rendition === undefined) throw new HttpProblem('NOT_FOUND');
  const kind = name.startsWith('video') ? 'video' : 'audio';
  const init = rendition.init(file);
  if (init !== undefined) {
    call.sent(replyMedia(call.request, reply, { group: name, file, type: `${kind}/mp4`, bytes: init.bytes }));
    return reply;
  }
  const place = placeOf(file);
  if (place === undefined) throw new HttpProblem(/^i\d{1,15}\.mp4$/.test(file) ? 'GONE' : 'NOT_FOUND');
  let state: SegmentState = packager.segment(name, place);
  if (state.kind === 'coming') {
    const begun = (): boolean => packager.segment(name, place).kind !== 'coming';
    if (refuse(await packager.wait(begun, call.gone), call)) return reply;
    state = packager.segment(name, place);
  }
  if (state.kind === 'whole') {
    const { bytes } = state.segment;
    call.sent(replyMedia(call.request, reply, { group: name, file, type: `${kind}/mp4`, bytes }));
    return reply;
  }
  if (state.kind === 'growing') return serveGrowing(call, kind, state);
  throw new HttpProblem(state.kind === 'gone' ? 'GONE' : 'NOT_FOUND');
}

async function serveGrowing(
  call: Call,
  kind: 'video' | 'audio',
  { open, rendition }: Extract<SegmentState, { kind: 'growing' }>,
): Promise<FastifyReply> {
  const { packager, reply, request, deps, sent } = call;
  reply.hijack();
  const { raw } = reply;
  raw.writeHead(200, growingHeaders(reply, kind));
  if (request.method === 'HEAD') raw.end();
  else {
    const source = {
      open,
      finished: () => rendition.open !== open,
      follow: (changed: () => void) => packager.follow(changed),
    };
    await sendGrowing(raw, source, { clock: deps.clock, stallMs: deps.stallMs(), sent });
  }
  return reply;
}

/** True if nobody is there to be answered any more. @throws HttpProblem where waiting was in vain. */
function refuse(result: DashWait, call: Call): boolean {
  if (result === 'full') throw refusedForNow('OVERLOADED', 1, 'too many requests wait for this stream');
  if (result === 'late') throw notYet(call.stream);
  if (result === 'cancelled') call.reply.hijack();
  return result === 'cancelled';
}

function notYet(stream: Stream): HttpProblem {
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
