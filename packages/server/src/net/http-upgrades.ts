import { type IncomingMessage, ServerResponse, STATUS_CODES } from 'node:http';
import type { Server, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Config } from '../config/index.ts';
import { type Logger, newSessionId, redactUrl } from '../observe/index.ts';
import type { ClientReader, HttpClient } from './http-client.ts';
import { checkHost, checkOrigin } from './http-origin.ts';
import { HttpProblem, rawProblem, refusedForNow } from './http-problem.ts';

/** A request to turn a connection into a WebSocket (RFC 6455 §4.2.1), checked and ready to be answered. */
export interface UpgradeRequest {
  readonly request: IncomingMessage;
  readonly socket: Socket;
  /** Bytes behind the request head that came with it. */
  readonly head: Buffer;
  /** Path without query, as sent. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** Named groups of the route's pattern. */
  readonly params: Readonly<Record<string, string>>;
  readonly client: HttpClient;
}

/** Who answers WebSocket requests for which paths. */
export interface UpgradeRoute {
  /** Matched against the whole path; keep it linear. */
  readonly pattern: RegExp;
  /** `own`: pages of this server and of `http.allowedOrigins` only; `any`: for what everybody may watch. */
  readonly origins: 'own' | 'any';
  /** Says whether it answers a connection at all; every one if left out. */
  takes?(socket: Socket): boolean;
  /** Answers the handshake. Throwing an {@link HttpProblem} refuses; the promise settles when the socket is up. */
  handle(upgrade: UpgradeRequest): void | Promise<void>;
}

/** What the router is made with. */
export interface UpgradeSettings {
  config(): Config['http'];
  readonly client: ClientReader;
  readonly logger: Logger;
}

/** Handshakes that may be under way at one time. */
const MAX_PENDING = 500;

/** Gives WebSocket requests to whoever answers for their path. */
export class UpgradeRouter {
  readonly #settings: UpgradeSettings;
  readonly #routes: UpgradeRoute[] = [];
  #guard: ((asked: Pick<UpgradeRequest, 'request' | 'client'>) => Promise<void>) | undefined;
  #pending = 0;

  constructor(settings: UpgradeSettings) {
    this.#settings = settings;
  }

  /** Adds a route. The first one that matches answers. */
  add(route: UpgradeRoute): void {
    this.#routes.push(route);
  }

  /** Asks `guard` before every route; throwing an {@link HttpProblem} refuses. */
  guard(guard: (asked: Pick<UpgradeRequest, 'request' | 'client'>) => Promise<void>): void {
    this.#guard = guard;
  }

  /** Takes the upgrade requests of a listener. */
  watch(server: Server): void {
    server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      if (isWebSocket(request)) void this.#dispatch(request, socket as Socket, head);
      else answerWithoutUpgrade(server, request, socket as Socket);
    });
  }

  async #dispatch(request: IncomingMessage, socket: Socket, head: Buffer): Promise<void> {
    const id = newSessionId();
    const config = this.#settings.config();
    const onError = (): void => void socket.destroy();
    socket.on('error', onError);
    const deadline = setTimeout(() => socket.destroy(), config.upgradeTimeoutMs).unref();
    this.#pending++;
    try {
      if (this.#pending > MAX_PENDING) throw refusedForNow('OVERLOADED', 1);
      const { route, params, path, query } = this.#find(request, socket);
      checkHandshake(request);
      if (route.origins === 'own') {
        checkHost(request, config);
        checkOrigin(request, config);
      }
      socket.setTimeout(0);
      socket.setNoDelay(true);
      const client = this.#settings.client(request);
      await this.#guard?.({ request, client });
      await route.handle({ request, socket, head, path, query, params, client });
    } catch (error) {
      if (!(error instanceof HttpProblem)) {
        this.#settings.logger.error(
          { err: error, request: id, url: redactUrl(request.url ?? '') },
          'upgrade failed',
        );
      }
      const known = error instanceof HttpProblem ? error : new HttpProblem('INTERNAL');
      if (socket.writable) socket.end(rawProblem(known, id, STATUS_CODES[known.status] ?? 'Error'));
      // Half-open peers would keep the socket after the answer.
      setTimeout(() => socket.destroy(), 1000).unref();
    } finally {
      this.#pending--;
      clearTimeout(deadline);
      socket.off('error', onError);
      socket.on('error', ignore);
    }
  }

  #find(request: IncomingMessage, socket: Socket) {
    const url = request.url ?? '/';
    const at = url.indexOf('?');
    const path = at < 0 ? url : url.slice(0, at);
    if (path.length <= 1024) {
      for (const route of this.#routes) {
        const match = route.pattern.exec(path);
        if (match === null || match[0] !== path || route.takes?.(socket) === false) continue;
        const params: Record<string, string> = Object.assign(Object.create(null), match.groups);
        return { route, params, path, query: new URLSearchParams(at < 0 ? '' : url.slice(at + 1)) };
      }
    }
    throw new HttpProblem('NOT_FOUND');
  }
}

function ignore(): void {
  // The owner of the socket learns of its end by 'close'; without a listener an error would end the process.
}

function isWebSocket(request: IncomingMessage): boolean {
  return /(?:^|[\s,])websocket(?:$|[\s,/])/i.test(request.headers.upgrade ?? '');
}

/** RFC 6455 §4.2.1. */
function checkHandshake(request: IncomingMessage): void {
  if (request.method !== 'GET') {
    throw new HttpProblem('METHOD_NOT_ALLOWED', { headers: { allow: 'GET' } });
  }
  if (request.headers['sec-websocket-version'] !== '13') {
    throw new HttpProblem('UPGRADE_REQUIRED', {
      headers: { upgrade: 'websocket', 'sec-websocket-version': '13' },
    });
  }
  if (!/^[A-Za-z0-9+/]{22}==$/.test(String(request.headers['sec-websocket-key'] ?? ''))) {
    throw new HttpProblem('BAD_REQUEST', { detail: 'Sec-WebSocket-Key is not 16 bytes in base64' });
  }
}

/** A server may ignore an upgrade to a protocol it does not speak (RFC 9110 §7.8): answers in HTTP/1.1. */
function answerWithoutUpgrade(server: Server, request: IncomingMessage, socket: Socket): void {
  socket.on('error', ignore);
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    socket.end(rawProblem(new HttpProblem('BAD_REQUEST'), newSessionId(), 'Bad Request'));
    return;
  }
  const response = new ServerResponse(request);
  response.shouldKeepAlive = false;
  response.assignSocket(socket);
  response.once('finish', () => socket.end());
  server.emit('request', request, response);
}
