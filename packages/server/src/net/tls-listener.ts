import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  constants,
  createSecureServer,
  type Http2SecureServer,
  type Http2ServerRequest,
  type Http2ServerResponse,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import type { Config } from '../config/index.ts';
import { channels, normalizeAddress } from '../observe/index.ts';
import { answerProblem } from './http-answer.ts';
import { connectionOptions, type RequestHandler } from './http-listener.ts';
import { HttpProblem } from './http-problem.ts';

/** What a TLS listener shows its clients: PEM texts. */
export interface TlsIdentity {
  /** Certificate, and those it hangs on behind it. */
  readonly certificate: string;
  readonly key: string;
}

/** Requests under way in one connection; a player needs a handful, a proxy some more. */
const MAX_STREAMS = 128;
/** Memory of one session, in MB. */
const MAX_SESSION_MEMORY = 8;
/** Streams that a client may take back before they were answered: so many at once … */
const RESET_BURST = 200;
/** … and so many per second, on and on. More is the rapid-reset attack (CVE-2023-44487). */
const RESETS_PER_SECOND = 20;

/** A listener for HTTP/2 (RFC 9113) and HTTP/1.1 over TLS 1.2 and 1.3; ALPN chooses. */
export interface TlsListener {
  readonly server: Http2SecureServer;
  /** HTTP/2 sessions open now. */
  readonly sessions: number;
  /** Takes another certificate for connections to come. */
  renew(identity: TlsIdentity): void;
  /** Lets running answers finish, then closes each session; resolves when all connections are gone. */
  close(): Promise<void>;
}

/** Makes a TLS listener that gives requests of both versions to one handler. */
export function createTlsListener(
  settings: Config['http'],
  identity: TlsIdentity,
  handler: RequestHandler,
): TlsListener {
  const http1Options = connectionOptions(settings);
  const server = createSecureServer(
    {
      allowHTTP1: true,
      cert: identity.certificate,
      key: identity.key,
      minVersion: 'TLSv1.2',
      handshakeTimeout: settings.headersTimeoutMs,
      maxSessionMemory: MAX_SESSION_MEMORY,
      maxSessionInvalidFrames: 100,
      maxSessionRejectedStreams: 100,
      maxHeaderListPairs: 64,
      settings: {
        maxConcurrentStreams: MAX_STREAMS,
        maxHeaderListSize: settings.maxHeaderBytes,
        enablePush: false,
      },
      // Node reads these for its HTTP/1.1 connections, though its types name fewer.
      http1Options: { ...http1Options, keepAliveTimeout: settings.keepAliveTimeoutMs },
      ...http1Options,
    } as Parameters<typeof createSecureServer>[0],
    (request, response) => {
      if (request.httpVersionMajor === 2) {
        asHttp1(request, response);
        // The limit in the settings is a hint to clients, no more (RFC 9113 §6.5.2).
        if (isTooLong(request.rawHeaders, settings.maxHeaderBytes)) {
          answerProblem(
            request as unknown as IncomingMessage,
            response as unknown as ServerResponse,
            new HttpProblem('HEADERS_TOO_LARGE'),
          );
          return;
        }
      }
      handler(request as unknown as IncomingMessage, response as unknown as ServerResponse);
    },
  );
  // Node sets its own defaults while constructing.
  Object.assign(server, http1Options, { keepAliveTimeout: settings.keepAliveTimeoutMs });
  server.setTimeout(settings.idleTimeoutMs);
  const sessions = new Set<ServerHttp2Session>();
  server.on('session', (session) => {
    sessions.add(session);
    session.once('close', () => sessions.delete(session));
    session.on('error', (error: NodeJS.ErrnoException) => {
      // Newer versions of Node count resets themselves and end such a session with a protocol error.
      if (error.code === 'ERR_HTTP2_ERROR') refused(session, 'http2');
      session.destroy();
    });
    session.setTimeout(settings.idleTimeoutMs, () => session.close());
    watchResets(session);
  });
  server.on('sessionError', () => {
    // The session has a listener of its own; without this one the error would be thrown.
  });
  return {
    server,
    get sessions() {
      return sessions.size;
    },
    renew: ({ certificate, key }) => server.setSecureContext({ cert: certificate, key }),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const session of sessions) session.close();
      }),
  };
}

/** Handlers look for `Host`, which HTTP/2 calls `:authority` (RFC 9113 §8.3.1). */
function asHttp1(request: Http2ServerRequest, response: Http2ServerResponse): void {
  const { headers } = request;
  const authority = headers[':authority'];
  if (authority !== undefined) headers.host ??= authority;
  response.stream.on('error', () => {
    // A client that resets its stream is no fault.
  });
}

function isTooLong(headers: readonly string[], max: number): boolean {
  let length = 0;
  for (const text of headers) length += text.length + 2;
  return length > max;
}

function refused(session: ServerHttp2Session, reason: 'resets' | 'http2'): void {
  const address = normalizeAddress(session.socket?.remoteAddress);
  channels.connectionRefused.publish({ listener: 'http', reason, address });
}

/** Ends sessions that open streams only to take them back. */
function watchResets(session: ServerHttp2Session): void {
  let allowance = RESET_BURST;
  let last = performance.now();
  session.on('stream', (stream: ServerHttp2Stream) => {
    stream.once('close', () => {
      if (stream.rstCode === constants.NGHTTP2_NO_ERROR) return;
      const now = performance.now();
      allowance = Math.min(RESET_BURST, allowance + ((now - last) / 1000) * RESETS_PER_SECOND);
      last = now;
      allowance--;
      if (allowance > 0 || session.destroyed) return;
      refused(session, 'resets');
      session.destroy(undefined, constants.NGHTTP2_ENHANCE_YOUR_CALM);
    });
  });
}
