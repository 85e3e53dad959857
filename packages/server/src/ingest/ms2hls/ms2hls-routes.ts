import { randomBytes } from 'node:crypto';
import type { UploadResult } from '@onair/contracts/upload';
import { DEFAULT_APP, type StreamName } from '@onair/media';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Clock } from '../../hub/index.ts';
import {
  boundaryOf,
  checkHost,
  checkOrigin,
  HttpProblem,
  type HttpServer,
  readForm,
  refusedForNow,
} from '../../net/index.ts';
import { authorize, nameOf, type PublishGate, refusing } from '../upload/upload-routes.ts';
import type { UploadSession } from '../upload/upload-session.ts';
import type { Uploads } from '../upload/uploads.ts';
import { ChunkOrder } from './chunk-order.ts';

/** What the routes need. */
export interface Ms2hlsDeps {
  readonly uploads: Uploads;
  readonly gate: PublishGate;
  readonly clock: Clock;
  http(): Parameters<typeof checkHost>[1];
  settings(): {
    /** Largest chunk, in octets. */
    readonly maxChunkBytes: number;
    readonly chunkGapMs: number;
    /** Pages of every origin may upload. */
    readonly anyOrigin: boolean;
  };
  log(message: string, fields: Readonly<Record<string, unknown>>): void;
}

interface Call {
  readonly Params: { readonly liveId: string };
}

/** Octets of a form around its file. */
const FORM_BYTES = 16_384;
/** Names whose result is remembered. */
const MAX_RESULTS = 1_000;

/**
 * `/api/initialize/ID`, `/api/chunks/ID` and `/api/finalize/ID`, as the recorder of ms2hls calls them: numbered
 * recordings of some seconds, each complete or all of them one, in any order and more than once.
 */
export function registerMs2hlsRoutes(server: HttpServer, deps: Ms2hlsDeps): { close(): Promise<void> } {
  const routes = new Ms2hlsRoutes(server, deps);
  server.registerMedia((scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
    const common = { config: { anyOrigin: true } };
    for (const method of ['GET', 'POST'] as const) {
      scope.route<Call>({
        ...common,
        method,
        url: '/api/initialize/:liveId',
        handler: (request) => routes.initialize(request),
      });
      scope.route<Call>({
        ...common,
        method,
        url: '/api/finalize/:liveId',
        handler: (request) => routes.finalize(request),
      });
    }
    const bodyLimit = deps.settings().maxChunkBytes + FORM_BYTES;
    scope.post<Call>('/api/chunks/:liveId', { ...common, bodyLimit }, (request, reply) =>
      routes.chunk(request, reply),
    );
  });
  return routes;
}

class Ms2hlsRoutes {
  readonly #server: HttpServer;
  readonly #deps: Ms2hlsDeps;
  readonly #orders = new Map<UploadSession, Promise<ChunkOrder>>();
  readonly #results = new Map<StreamName, UploadResult>();
  readonly #ready: Promise<void>;

  constructor(server: HttpServer, deps: Ms2hlsDeps) {
    this.#server = server;
    this.#deps = deps;
    this.#ready = deps.uploads.ready.then(() => {
      // Chunks that waited when the server stopped go on by themselves.
      for (const session of deps.uploads.list()) {
        if (session.record.protocol === 'ms2hls') void this.#orderOf(session).catch(() => undefined);
      }
    });
  }

  async initialize(request: FastifyRequest<Call>): Promise<object> {
    const { stream, identity, address } = await this.#admit(request);
    const running = this.#deps.uploads.current(stream);
    if (running?.record.protocol !== 'ms2hls') {
      const id = `ms2hls-${randomBytes(12).toString('base64url')}`;
      const session = await refusing(() =>
        this.#deps.uploads.open({ id, stream, identity, protocol: 'ms2hls' }, address),
      );
      await this.#orderOf(session);
      this.#results.delete(stream);
    }
    return { liveId: request.params.liveId, playlist: `/${stream}/playlist.m3u8` };
  }

  async chunk(request: FastifyRequest<Call>, reply: FastifyReply): Promise<object> {
    const { stream } = await this.#admit(request);
    const { number, bytes } = readChunk(request, this.#deps.settings().maxChunkBytes);
    const session = this.#deps.uploads.current(stream);
    if (session === undefined || session.record.protocol !== 'ms2hls') {
      throw new HttpProblem('SESSION_NOT_FOUND', {
        detail: `call /api/initialize/${request.params.liveId} first`,
      });
    }
    if (session.failure !== undefined) await refusing(() => Promise.reject(session.failure));
    this.#deps.uploads.touch(session);
    const order = await this.#orderOf(session);
    const answer = await refusing(() => order.add(number, bytes));
    if (answer === 'full') throw refusedForNow('OVERLOADED', 5, `chunk ${order.next} is missing`);
    reply.code(200);
    return { chunk: number, answer, next: order.next };
  }

  async finalize(request: FastifyRequest<Call>): Promise<object> {
    const { stream } = await this.#admit(request);
    const session = this.#deps.uploads.current(stream);
    if (session?.record.protocol !== 'ms2hls') {
      const known = this.#results.get(stream);
      if (known === undefined) throw new HttpProblem('SESSION_NOT_FOUND');
      return known;
    }
    const order = await this.#orderOf(session);
    const result = await refusing(async () => {
      await order.finish();
      return this.#deps.uploads.end(session, 'finalized');
    });
    this.#orders.delete(session);
    if (this.#results.size >= MAX_RESULTS) this.#results.delete(this.#results.keys().next().value!);
    this.#results.set(stream, result);
    return result;
  }

  /** Safe to call twice. */
  async close(): Promise<void> {
    await this.#ready;
    await Promise.all([...this.#orders.values()].map(async (order) => (await order).close()));
    this.#orders.clear();
  }

  #orderOf(session: UploadSession): Promise<ChunkOrder> {
    for (const known of this.#orders.keys()) {
      if (this.#deps.uploads.current(known.record.stream) !== known) this.#orders.delete(known);
    }
    let order = this.#orders.get(session);
    if (order === undefined) {
      const { uploads, clock, settings } = this.#deps;
      order = ChunkOrder.open({
        folder: session.folder,
        clock,
        gapMs: () => settings().chunkGapMs,
        taker: {
          take: (bytes) => uploads.accept(session, bytes),
          flush: async () => {
            await session.flush();
            return session.durable;
          },
          lost: () => session.lost(),
          over: () => session.failure !== undefined,
        },
      });
      this.#orders.set(session, order);
    }
    return order;
  }

  async #admit(
    request: FastifyRequest<Call>,
  ): Promise<{ readonly stream: StreamName; readonly identity: string; readonly address: string }> {
    const { http, settings, gate } = this.#deps;
    if (!settings().anyOrigin) {
      checkHost(request.raw, http());
      checkOrigin(request.raw, http());
    }
    await this.#ready;
    const stream = nameOf(DEFAULT_APP, request.params.liveId);
    const claim = {
      app: DEFAULT_APP,
      name: request.params.liveId,
      request: request.raw,
      server: this.#server,
    };
    const identity = await authorize(gate, claim);
    return { stream, identity, address: this.#server.client(request.raw).address };
  }
}

/** The file of the form, and the number in its name. @throws HttpProblem */
function readChunk(
  request: FastifyRequest<Call>,
  maxBytes: number,
): { readonly number: number; readonly bytes: Uint8Array } {
  const boundary = boundaryOf(request.headers['content-type']);
  if (boundary === undefined) throw new HttpProblem('UNSUPPORTED_MEDIA_TYPE');
  const parts = Buffer.isBuffer(request.body) ? readForm(request.body, boundary) : undefined;
  const file = parts?.find(({ name }) => name === 'webm');
  const number = Number(/^(\d{1,9})\.(?:webm|mp4|mkv)$/.exec(file?.fileName ?? '')?.[1] ?? 0);
  if (file === undefined || number < 1 || file.bytes.length === 0) {
    throw new HttpProblem('BAD_REQUEST', { detail: 'a form with the file webm named N.webm, N from 1 on' });
  }
  if (file.bytes.length > maxBytes) throw new HttpProblem('BODY_TOO_LARGE');
  return { number, bytes: new Uint8Array(file.bytes) };
}
