import { isNamePart, type StreamName, streamName } from '@onair/media';
import type { FastifyRequest } from 'fastify';
import { HubError } from '../hub/index.ts';
import { HttpProblem, type HttpServer, refusedForNow, type UpgradeRequest } from '../net/index.ts';
import { type FlvDeps, hasPicture, serveHttpFlv, serveWsFlv } from './flv/index.ts';
import type { Fmp4HttpServer } from './fmp4/index.ts';
import type { LiveRequest } from './live/index.ts';
import type { Fmp4SocketServer } from './ws-fmp4/index.ts';

/** What the endless outputs over HTTP and WebSocket are made of. */
export interface LiveRouteDeps {
  readonly flv: FlvDeps;
  readonly fmp4: Fmp4SocketServer;
  readonly fmp4Http: Fmp4HttpServer;
}

const FILE = /^\/(?<app>[^/]+)\/(?<name>[^/]+)\.(?<kind>flv|fmp4)$/;

interface FileCall {
  readonly Params: { readonly app: string; readonly file: string };
  readonly Querystring: Readonly<Record<string, string>>;
}

/** `/APP/NAME.flv` and `/APP/NAME.fmp4`, each over HTTP and WebSocket. */
export function registerLiveRoutes(server: HttpServer, deps: LiveRouteDeps): void {
  const readFile = (request: FastifyRequest<FileCall>): LiveRequest => {
    const stream = nameOf(request.params.app, request.params.file);
    if (!hasPicture(deps.flv.registry.find(stream)) && request.query.wait !== '1') throw notFound(stream);
    const { address } = server.client(request.raw);
    const windowMs = windowOf(request.query.latency);
    return {
      stream,
      address,
      head: request.method === 'HEAD',
      ...(windowMs === undefined ? {} : { windowMs }),
    };
  };
  server.registerMedia((scope) => {
    scope.get<FileCall>('/:app/:file.flv', (request, reply) => {
      const wanted = readFile(request);
      refusing(() => serveHttpFlv(request.raw.socket, wanted, deps.flv));
      reply.hijack();
    });
    scope.get<FileCall>('/:app/:file.fmp4', (request, reply) => {
      const wanted = readFile(request);
      refusing(() => deps.fmp4Http.serve(request.raw.socket, wanted));
      reply.hijack();
    });
  });
  server.upgrades.add({ pattern: FILE, origins: 'any', handle: (upgrade) => serveUpgrade(upgrade, deps) });
}

function serveUpgrade(upgrade: UpgradeRequest, deps: LiveRouteDeps): void {
  const { request, socket, head, query, params, client } = upgrade;
  const stream = nameOf(params.app, params.name);
  const windowMs = windowOf(query.get('latency'));
  const common = { stream, address: client.address, ...(windowMs === undefined ? {} : { windowMs }) };
  if (params.kind === 'fmp4') {
    const after = countOf(query.get('after'), 'after');
    const epoch = countOf(query.get('epoch'), 'epoch');
    deps.fmp4.serve(request, socket, head, {
      ...common,
      ...(after === undefined ? {} : { after }),
      ...(epoch === undefined ? {} : { epoch }),
    });
    return;
  }
  if (!hasPicture(deps.flv.registry.find(stream)) && query.get('wait') !== '1') throw notFound(stream);
  serveWsFlv(request, socket, head, common, deps.flv);
}

function nameOf(app: string | undefined, name: string | undefined): StreamName {
  if (!isNamePart(app) || !isNamePart(name)) throw new HttpProblem('STREAM_NAME_INVALID');
  return streamName(app, name);
}

function notFound(stream: StreamName): HttpProblem {
  return new HttpProblem('STREAM_NOT_FOUND', {
    detail: `Nobody publishes ${stream} at present. Add wait=1 to wait for it.`,
  });
}

function windowOf(text: string | null | undefined): number | undefined {
  const value = countOf(text, 'latency');
  if (value !== undefined && value > 10_000) throw bad('latency', 'at most 10000');
  return value;
}

function countOf(text: string | null | undefined, name: string): number | undefined {
  if (text === null || text === undefined) return undefined;
  if (!/^\d{1,15}$/.test(text)) throw bad(name, 'a whole number');
  return Number(text);
}

function bad(name: string, wanted: string): HttpProblem {
  return new HttpProblem('BAD_REQUEST', { detail: `the parameter ${name} must be ${wanted}` });
}

function refusing(serve: () => void): void {
  try {
    serve();
  } catch (error) {
    if (error instanceof HubError) throw refusedForNow('OVERLOADED', 5, error.message);
    throw error;
  }
}
