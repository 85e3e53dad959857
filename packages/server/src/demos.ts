import type { FastifyRequest } from 'fastify';
import type { PublishGuard } from './auth/index.ts';
import type { Config } from './config/index.ts';
import { registerFiles } from './files/index.ts';
import { type SessionTable, type StreamRegistry, systemClock } from './hub/index.ts';
import { registerLiveProxies } from './ingest/pull/index.ts';
import { HttpProblem, type HttpServer, refusedForNow, serveMessages } from './net/index.ts';
import type { Logger } from './observe/index.ts';

/** What the demonstrations are joined with. */
export interface DemosDeps {
  readonly config: () => Config;
  readonly logger: Logger;
  readonly registry: StreamRegistry;
  readonly sessions: SessionTable;
  readonly guard: PublishGuard;
  readonly http: HttpServer;
}

/** The demonstrations. */
export interface Demos {
  /** Opens the port of the WebSocket sample, where `compat` asks for it. Resolves with the port. */
  listenCompat(): Promise<number | undefined>;
  close(): void;
}

/** Joins files over WebSocket, live sources that pages ask for, and the sample of a WebSocket server. */
export function registerDemos({ config, logger, registry, sessions, guard, http }: DemosDeps): Demos {
  const log = (message: string, fields: Readonly<Record<string, unknown>>): void =>
    logger.info(fields, message);
  const allow =
    (app: string) =>
    async (request: FastifyRequest): Promise<void> => {
      const { address, forwarded } = http.client(request.raw);
      const mark = request.url.indexOf('?');
      const query = mark < 0 ? '' : request.url.slice(mark + 1);
      const claim = { app, name: 'add', protocol: 'http', query, address, forwarded };
      const answer = await guard.authorize(claim);
      if (answer.ok) return;
      if (answer.code === 'TOO_MANY_ATTEMPTS') throw refusedForNow('TOO_MANY_ATTEMPTS', 60, answer.reason);
      throw new HttpProblem(answer.code, { detail: answer.reason });
    };
  const closeFiles = registerFiles(http, {
    config,
    logger,
    allow: allow('files'),
    open: (request) => !guard.keyNeeded(http.client(request.raw).address),
  });
  const proxies = config().proxy.enabled
    ? registerLiveProxies(http, {
        registry,
        sessions,
        clock: systemClock,
        log,
        limits: () => config().proxy,
        allow: allow('proxy'),
      })
    : undefined;
  return {
    async listenCompat() {
      const { compat, echo } = config();
      if (!compat) return undefined;
      const port = await http.listenAlso(echo.compatPort);
      // The sample asks for the root of its own port, from whatever page it stands in.
      serveMessages(http, { pattern: /^\/$/, origins: 'any', ports: new Set([port]) }, async (connection) => {
        for (;;) await connection.send(await connection.receive());
      });
      return port;
    },
    close() {
      closeFiles();
      proxies?.close('server stopping');
    },
  };
}
