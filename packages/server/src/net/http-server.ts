import type { AddressInfo, Server, Socket } from 'node:net';
import {
  fastify as createFastify,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
} from 'fastify';
import { type Config, httpHost } from '../config/index.ts';
import { type Logger, newSessionId, normalizeAddress, RepeatedWarnings } from '../observe/index.ts';
import { bindAddress } from './any-address.ts';
import { fingerprint } from './certificate.ts';
import { mayBeLate } from './endless-body.ts';
import { type ClientReader, createClientReader, createProxyTrust } from './http-client.ts';
import { HttpConnections } from './http-connections.ts';
import { type DirectHandler, DirectHandlers } from './http-direct.ts';
import { NodeExchange } from './http-exchange.ts';
import { type AnswerKind, mediaPreflightHeaders, securityHeaders } from './http-headers.ts';
import { createPlainListener, type RequestHandler } from './http-listener.ts';
import { checkHost, checkOrigin } from './http-origin.ts';
import { registerPages } from './http-pages.ts';
import { fromFramework, HttpProblem, installProblems, rawProblem, sendProblem } from './http-problem.ts';
import { UpgradeRouter } from './http-upgrades.ts';
import { QuickReader } from './quick-reader.ts';
import { createTlsListener, type TlsIdentity, type TlsListener } from './tls-listener.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** How browsers have to treat the answers of the route; `api` if left out. */
    answers?: AnswerKind;
    /** True for a route whose state-changing methods pages of any origin may call, e.g. with a token of their own. */
    anyOrigin?: boolean;
  }
}

/** What the HTTP listener is made with. */
export interface HttpServerOptions {
  /** Settings in force at the moment. */
  config(): Config;
  readonly logger: Logger;
  /** Folder of the built pages. */
  readonly pagesFolder: string;
}

/** The HTTP listener: a fastify instance to register routes on, and a router for WebSockets. */
export interface HttpServer {
  readonly fastify: FastifyInstance;
  readonly upgrades: UpgradeRouter;
  /** Tells who is at the other end of a request. */
  readonly client: ClientReader;
  /** Registers routes that everybody may read from any page: media. Answers preflights too. */
  registerMedia(register: (scope: FastifyInstance) => void): void;
  /** Adds a handler that is asked before the routes. */
  intercept(handler: DirectHandler): void;
  /** Starts to listen; resolves with the port. */
  listen(): Promise<number>;
  /** Listens at another port too, with the same routes. Resolves with the port. */
  listenAlso(port: number): Promise<number>;
  /**
   * Listens with TLS too: the same routes over HTTP/2 and HTTP/1.1. Resolves with the port.
   * @param identity tells what to show; asked again each day, for certificates end.
   */
  listenTls(identity: () => TlsIdentity): Promise<number>;
  /**
   * Takes no new connections, lets running answers finish until `deadlineMs` milliseconds have passed, then cuts
   * them. Safe to call twice.
   */
  close(deadlineMs: number): Promise<void>;
}

const SAFE_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);
/** Longest part of a path that a route takes as a parameter, in characters. */
const MAX_PARAM_LENGTH = 128;

/** Makes the HTTP listener with its limits, headers and checks. Pages are registered; everything else is added. */
export function createHttpServer(options: HttpServerOptions): HttpServer {
  const settings = options.config().http;
  const warnings = new RepeatedWarnings(options.logger);
  const directs = new DirectHandlers(options.logger);
  const shared: { handler: RequestHandler; tls: TlsListener | undefined; more: Server[] } = {
    handler: () => {},
    tls: undefined,
    more: [],
  };
  const fastify = createInstance(settings, warnings, (framework) => {
    shared.handler = (request, response) => {
      const exchange = new NodeExchange(request, response);
      if (quick.closing) exchange.lastOfConnection();
      if (!directs.take(exchange)) framework(request, response);
    };
    return shared.handler;
  });
  const quick = new QuickReader(fastify.server, settings, {
    take: (exchange) => directs.take(exchange),
    late: (socket) => answerBadBytes({ code: 'ERR_HTTP_REQUEST_TIMEOUT' }, socket, warnings),
  });
  const trusted = createProxyTrust(settings.trustedProxies);
  const client = createClientReader(trusted);
  const current = (): Config['http'] => options.config().http;
  const connections = new HttpConnections(current, trusted);
  const upgrades = new UpgradeRouter({ config: current, client, logger: options.logger });
  connections.watch(fastify.server);
  upgrades.watch(fastify.server);
  installProblems(fastify, options.logger);
  installChecks(fastify, current);
  registerPages(fastify, options.pagesFolder);
  let closing: Promise<void> | undefined;
  return {
    fastify,
    upgrades,
    client,
    registerMedia: (register) => registerMediaScope(fastify, register),
    intercept: (handler) => directs.add(handler),
    async listen() {
      await fastify.listen({
        host: bindAddress(httpHost(options.config())),
        port: settings.port,
        backlog: 1024,
      });
      return (fastify.server.address() as AddressInfo).port;
    },
    async listenAlso(port) {
      await fastify.ready();
      const server = createPlainListener(settings, shared.handler);
      connections.watch(server);
      upgrades.watch(server);
      server.on('clientError', (error, socket) =>
        answerBadBytes(error as { readonly code?: string }, socket as Socket, warnings),
      );
      await listenOn(server, port, bindAddress(httpHost(options.config())));
      shared.more.push(server);
      return (server.address() as AddressInfo).port;
    },
    async listenTls(identity) {
      await fastify.ready();
      const tls = createTlsListener(settings, identity(), shared.handler);
      connections.watch(tls.server);
      upgrades.watch(tls.server);
      tls.server.on('clientError', (error, socket) => answerBadBytes(error, socket as Socket, warnings));
      await listenOn(tls.server, settings.tlsPort, bindAddress(httpHost(options.config())));
      shared.tls = tls;
      renewDaily(tls, identity, options.logger);
      return (tls.server.address() as AddressInfo).port;
    },
    close(deadlineMs) {
      quick.close();
      closing ??= closeWithin(
        [fastify, shared.tls, ...shared.more.map(closable)],
        connections,
        deadlineMs,
      ).finally(() => warnings.close());
      return closing;
    },
  };
}

/** How often it is looked whether there is another certificate, in ms. */
const RENEW_EVERY_MS = 86_400_000;

function renewDaily(tls: TlsListener, identity: () => TlsIdentity, logger: Logger): void {
  let shown = identity().certificate;
  const timer = setInterval(() => {
    try {
      const next = identity();
      if (next.certificate === shown) return;
      shown = next.certificate;
      tls.renew(next);
      logger.info({ fingerprint: fingerprint(next) }, 'certificate renewed');
    } catch (error) {
      logger.error({ err: error }, 'the certificate cannot be renewed');
    }
  }, RENEW_EVERY_MS);
  timer.unref();
  tls.server.once('close', () => clearInterval(timer));
}

/** Takes a port, or rejects. */
function listenOn(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, host, backlog: 1024 }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

function noSchemas(): never {
  throw new Error('routes have no JSON schemas here');
}

/** @param wrap puts something in front of the framework's own handler. */
function createInstance(
  settings: Config['http'],
  warnings: RepeatedWarnings,
  wrap: (framework: RequestHandler) => RequestHandler,
): FastifyInstance {
  return createFastify({
    // Messages are checked by their own definitions; the framework's compilers of JSON schemas are not even loaded.
    schemaController: { compilersFactory: { buildValidator: noSchemas, buildSerializer: noSchemas } },
    logger: false,
    serverFactory: (framework) => createPlainListener(settings, wrap(framework)),
    bodyLimit: settings.maxBodyBytes,
    routerOptions: { maxParamLength: MAX_PARAM_LENGTH },
    genReqId: () => newSessionId(),
    forceCloseConnections: 'idle',
    onProtoPoisoning: 'error',
    onConstructorPoisoning: 'error',
    frameworkErrors: (error, request, reply) => {
      void sendProblem(request, reply as Parameters<typeof sendProblem>[1], fromFramework(error));
    },
    clientErrorHandler: (error, socket) => answerBadBytes(error, socket, warnings),
  });
}

function installChecks(fastify: FastifyInstance, settings: () => Config['http']): void {
  fastify.removeContentTypeParser('text/plain');
  fastify.addHook('onRequest', async (request, reply) => {
    const { config } = request.routeOptions;
    const answers = config.answers ?? 'api';
    reply.headers(securityHeaders(answers, request.headers.host));
    if (answers === 'api') allowListedOrigin(request, reply, settings());
    if (SAFE_METHODS.has(request.method) || config.anyOrigin === true) return;
    checkHost(request.raw, settings());
    checkOrigin(request.raw, settings());
  });
}

/** Lets pages of listed origins read the API (Fetch §3.2). */
function allowListedOrigin(request: FastifyRequest, reply: FastifyReply, settings: Config['http']): void {
  const { origin } = request.headers;
  if (origin === undefined || !settings.allowedOrigins.includes(origin)) return;
  reply.headers({ 'access-control-allow-origin': origin, vary: 'origin' });
  if (request.method !== 'OPTIONS') return;
  reply.headers({
    'access-control-allow-methods': 'GET, POST, DELETE',
    'access-control-allow-headers': 'authorization, content-type',
    'access-control-max-age': '600',
  });
}

function registerMediaScope(fastify: FastifyInstance, register: (scope: FastifyInstance) => void): void {
  void fastify.register(async (scope) => {
    const preflights = new Set<string>();
    scope.addHook('onRoute', (route) => {
      route.config = { answers: 'media', ...route.config };
      const methods = [route.method].flat();
      if (methods.includes('OPTIONS') || preflights.has(route.url)) return;
      preflights.add(route.url);
      scope.options(route.url, (_request, reply) => reply.headers(mediaPreflightHeaders()).code(204).send());
    });
    register(scope);
  });
}

const BAD_BYTES: Readonly<Record<string, HttpProblem>> = {
  HPE_HEADER_OVERFLOW: new HttpProblem('HEADERS_TOO_LARGE'),
  ERR_HTTP_REQUEST_TIMEOUT: new HttpProblem('REQUEST_TIMEOUT'),
};
const STATUS_TEXTS: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  408: 'Request Timeout',
  431: 'Request Header Fields Too Large',
};

function answerBadBytes(error: { readonly code?: string }, socket: Socket, warnings: RepeatedWarnings): void {
  // Node tells this once for each request, and leaves the rest to us.
  if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT' && mayBeLate(socket)) return;
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const id = newSessionId();
  const known = BAD_BYTES[error.code ?? ''] ?? new HttpProblem('BAD_REQUEST');
  const code = error.code ?? known.code;
  warnings.warn(
    'malformed request',
    { address: normalizeAddress(socket.remoteAddress), code, request: id },
    code,
  );
  socket.end(rawProblem(known, id, STATUS_TEXTS[known.status]!));
  // Whoever sends garbage need not wait for the peer to close.
  socket.destroySoon();
}

function closable(server: Server): { close(): Promise<void> } {
  return { close: () => new Promise((resolve) => server.close(() => resolve())) };
}

async function closeWithin(
  listeners: readonly ({ close(): PromiseLike<unknown> } | undefined)[],
  connections: HttpConnections,
  deadlineMs: number,
): Promise<void> {
  const cut = setTimeout(() => connections.destroyAll(), deadlineMs);
  try {
    await Promise.all(listeners.map((listener) => listener?.close()));
  } finally {
    clearTimeout(cut);
    connections.destroyAll();
  }
}
