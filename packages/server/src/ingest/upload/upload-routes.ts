import type { IncomingMessage } from 'node:http';
import { UPLOAD_SESSION, type UploadResult } from '@onair/contracts/upload';
import { isNamePart, ParseError, type StreamName, streamName } from '@onair/media';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { HubError } from '../../hub/index.ts';
import { checkHost, checkOrigin, HttpProblem, type HttpServer, refusedForNow } from '../../net/index.ts';
import { UploadError, type UploadSession } from './upload-session.ts';
import { serveUploadSocket } from './upload-socket.ts';
import type { Uploads } from './uploads.ts';

/** Decides who may publish; asked before any success is told. */
export interface PublishGate {
  authorize(request: {
    readonly app: string;
    readonly name: string;
    readonly query: string;
    readonly address: string;
    readonly protocol: string;
    readonly forwarded?: boolean;
  }): Promise<
    | { readonly ok: true; readonly identity: string }
    | {
        readonly ok: false;
        readonly code: GateRefusal;
        readonly reason: string;
        /** No key helps. */
        readonly barred?: boolean;
      }
  >;
}

type GateRefusal = 'STREAM_NAME_INVALID' | 'PUBLISH_REFUSED' | 'TOO_MANY_ATTEMPTS';

/** What the routes need. */
export interface UploadRouteDeps {
  readonly uploads: Uploads;
  readonly gate: PublishGate;
  http(): Parameters<typeof checkHost>[1];
}

/** Octets that may be under way beyond the last acknowledged one. */
export const UPLOAD_WINDOW = 8 * 1024 * 1024;

interface UploadCall {
  readonly Params: { readonly app: string; readonly name: string };
  readonly Querystring: Readonly<Record<string, string>>;
}

/** `/APP/NAME/upload` over WebSocket and HTTP, see `docs/protocols/upload.md`. */
export function registerUploadRoutes(server: HttpServer, deps: UploadRouteDeps): void {
  const { uploads, gate } = deps;
  server.upgrades.add({
    pattern: /^\/(?<app>[^/]+)\/(?<name>[^/]+)\/upload$/,
    origins: 'own',
    handle: async ({ request, socket, head, params, query, client }) => {
      const { app = '', name = '' } = params;
      const session = await openUpload(deps, { app, name, id: query.get('session') ?? '', request, server });
      serveUploadSocket(request, socket, head, { session, uploads, address: client.address });
    },
  });
  server.registerMedia((scope) => {
    const config = { anyOrigin: true };
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', (_request, payload, done) => done(null, payload));
    const open = (request: FastifyRequest<UploadCall>): Promise<UploadSession> => {
      const { app, name } = request.params;
      const id = request.query.session ?? '';
      return openUpload(deps, { app, name, id, request: request.raw, server });
    };
    scope.post<UploadCall>(
      '/:app/:name/upload',
      { config, bodyLimit: Number.MAX_SAFE_INTEGER },
      async (request, reply) => {
        guardOrigin(request, deps);
        const session = await open(request);
        const offset = readOffset(request.query.offset);
        if (offset > session.received) {
          return answerState(reply, session, 409);
        }
        await refusing(() => receive(uploads, session, request.raw, offset));
        if (request.query.end === '1') return refusing(() => uploads.end(session, 'upload ended'));
        await refusing(() => session.flush());
        return answerState(reply, session, 200);
      },
    );
    scope.get<UploadCall>('/:app/:name/upload', { config }, async (request, reply) => {
      guardOrigin(request, deps);
      const { app, name } = request.params;
      await authorize(gate, { app, name, request: request.raw, server });
      await uploads.ready;
      const id = request.query.session ?? '';
      const stream = nameOf(app, name);
      const session = uploads.find(stream, id);
      if (session !== undefined) return answerState(reply, session, 200);
      const result = uploads.result(stream, id);
      if (result !== undefined) return { ended: true, ...result };
      throw new HttpProblem('SESSION_NOT_FOUND');
    });
    scope.delete<UploadCall>('/:app/:name/upload', { config }, async (request): Promise<UploadResult> => {
      guardOrigin(request, deps);
      const { app, name } = request.params;
      await authorize(gate, { app, name, request: request.raw, server });
      await uploads.ready;
      const stream = nameOf(app, name);
      const id = request.query.session ?? '';
      const session = uploads.find(stream, id);
      const result = uploads.result(stream, id);
      if (session !== undefined) return refusing(() => uploads.end(session, 'upload ended'));
      if (result !== undefined) return result;
      throw new HttpProblem('SESSION_NOT_FOUND');
    });
  });
}

/** Who asks for which stream. */
interface Claim {
  readonly app: string;
  readonly name: string;
  readonly request: IncomingMessage;
  readonly server: HttpServer;
}

/** The stream that two parts of a path name. @throws HttpProblem `STREAM_NAME_INVALID`. */
export function nameOf(app: string, name: string): StreamName {
  if (!isNamePart(app) || !isNamePart(name)) throw new HttpProblem('STREAM_NAME_INVALID');
  return streamName(app, name);
}

/** Asks the gate. Resolves with the publisher's identity. @throws HttpProblem if it says no. */
export async function authorize(gate: PublishGate, { app, name, request, server }: Claim): Promise<string> {
  const { address, forwarded } = server.client(request);
  const url = request.url ?? '';
  const mark = url.indexOf('?');
  const query = mark < 0 ? '' : url.slice(mark + 1);
  const answer = await gate.authorize({ app, name, query, address, protocol: 'upload', forwarded });
  if (answer.ok) return answer.identity;
  if (answer.code === 'TOO_MANY_ATTEMPTS') throw refusedForNow('TOO_MANY_ATTEMPTS', 60, answer.reason);
  throw new HttpProblem(answer.code, { detail: answer.reason });
}

async function openUpload(
  { gate, uploads }: UploadRouteDeps,
  claim: Claim & { readonly id: string },
): Promise<UploadSession> {
  const { app, name, id, request, server } = claim;
  const identity = await authorize(gate, claim);
  if (!UPLOAD_SESSION.test(id)) {
    throw new HttpProblem('BAD_REQUEST', {
      detail: 'the parameter session must be 16 to 64 of A-Z a-z 0-9 _ -',
    });
  }
  const { address } = server.client(request);
  const stream = nameOf(app, name);
  return refusing(() => uploads.open({ id, stream, identity, protocol: 'upload' }, address));
}

/** What `work` resolves with; refusals become problems. */
export async function refusing<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw problemOf(error);
  }
}

/** The problem for what went wrong with an upload; other errors as they are. */
export function problemOf(error: unknown): unknown {
  if (error instanceof ParseError) {
    return new HttpProblem('UPLOAD_MEDIA', { detail: `${error.code}: ${error.message}` });
  }
  if (error instanceof UploadError) {
    if (error.code === 'FULL') return refusedForNow('OVERLOADED', 5, error.message);
    const code = ({ CONFLICT: 'STREAM_NAME_IN_USE', OVER: 'GONE', TOO_LARGE: 'BODY_TOO_LARGE' } as const)[
      error.code
    ];
    return new HttpProblem(code, { detail: error.message });
  }
  if (error instanceof HubError) {
    return error.code === 'PUBLISH_CONFLICT'
      ? new HttpProblem('STREAM_NAME_IN_USE', { detail: error.message })
      : refusedForNow('OVERLOADED', 5, error.message);
  }
  if (isDiskFull(error)) {
    return refusedForNow('OVERLOADED', 5, 'the disk of the server is full; what was acknowledged is kept');
  }
  return error;
}

function isDiskFull(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return code === 'ENOSPC' || code === 'EDQUOT';
}

/** Takes a body that begins at `offset` of the upload; what is there already is passed over. */
async function receive(
  uploads: Uploads,
  session: UploadSession,
  body: IncomingMessage,
  offset: number,
): Promise<void> {
  let at = offset;
  for await (const part of body as AsyncIterable<Buffer>) {
    const fresh = Math.max(0, session.received - at);
    at += part.length;
    if (fresh < part.length) await uploads.accept(session, new Uint8Array(part.subarray(fresh)));
    if (session.received - session.durable > UPLOAD_WINDOW) await session.flush();
  }
}

function answerState(reply: FastifyReply, session: UploadSession, status: number): FastifyReply {
  const offset = status === 409 ? session.received : session.durable;
  return reply
    .code(status)
    .header('cache-control', 'no-store')
    .send({ session: session.id, offset, window: UPLOAD_WINDOW });
}

function guardOrigin(request: FastifyRequest, deps: UploadRouteDeps): void {
  checkHost(request.raw, deps.http());
  checkOrigin(request.raw, deps.http());
}

function readOffset(text: string | undefined): number {
  if (text === undefined || !/^\d{1,15}$/.test(text)) {
    throw new HttpProblem('BAD_REQUEST', { detail: 'the parameter offset must be a whole number' });
  }
  return Number(text);
}
