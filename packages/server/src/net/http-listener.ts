import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Config } from '../config/index.ts';

/** Answers a request. */
export type RequestHandler = (request: IncomingMessage, response: ServerResponse) => void;

/** What Node's servers have and its types leave out. */
interface HalfOpenServer extends Server {
  /** An answer goes on when the client's side has ended. */
  httpAllowHalfOpen?: boolean;
}

/** Limits of HTTP/1.1 connections, with and without TLS. */
export function connectionOptions({ headersTimeoutMs, requestTimeoutMs, maxHeaderBytes }: Config['http']) {
  // Node looks for late heads at intervals; the promised time includes one of them.
  const lookMs = Math.min(500, Math.max(20, headersTimeoutMs / 20));
  return {
    headersTimeout: Math.max(1, Math.min(headersTimeoutMs, requestTimeoutMs) - 2 * lookMs),
    requestTimeout: requestTimeoutMs,
    connectionsCheckingInterval: lookMs,
    maxHeaderSize: maxHeaderBytes,
  };
}

/** A listener for HTTP/1.1 without encryption. The deadlines for head and body are absolute. */
export function createPlainListener(settings: Config['http'], handler: RequestHandler): Server {
  const server = createServer(
    { ...connectionOptions(settings), keepAliveTimeout: settings.keepAliveTimeoutMs },
    handler,
  );
  // Who shuts down its side behind the request still gets the answer (RFC 9112 §9.6).
  (server as HalfOpenServer).httpAllowHalfOpen = true;
  // The socket is watched for silence.
  server.setTimeout(settings.idleTimeoutMs);
  return server;
}
