import { createServer as createHttpServer, type Server as HttpServer } from 'node:http';
import type { Socket } from 'node:net';
import {
  createServer as createTlsServer,
  type SecureContextOptions,
  type SecureVersion,
  type Server as TlsServer,
} from 'node:tls';
import type { Config } from '../config/index.ts';
import type { Logger } from '../observe/index.ts';
import type { ClientReader } from './http-client.ts';
import { connectionOptions } from './http-listener.ts';
import { UpgradeRouter } from './http-upgrades.ts';
import type { RtmpListener } from './rtmp-listener.ts';
import { refuse } from './rtmp-tunnel.ts';
import { RtmpTunnels } from './rtmp-tunnels.ts';
import { addressOf, RtmpWebSockets } from './rtmp-web-socket.ts';
import type { TlsIdentity } from './tls-listener.ts';

/** Versions of TLS that a port speaks. */
export interface TlsRange {
  readonly min: SecureVersion;
  readonly max: SecureVersion;
}

/** What the doors are made with. */
export interface RtmpDoorsOptions {
  /** Limits of HTTP requests, and which pages may come; settings in force at the moment. */
  http(): Config['http'];
  /** How long a TLS handshake may take, milliseconds. */
  readonly phaseTimeoutMs: number;
  /** Whether RTMPT is spoken. */
  readonly tunnel: boolean;
  /** Whether RTMP over WebSocket is spoken. */
  readonly webSocket: boolean;
  /** Tells who is at the other end of an HTTP request. */
  readonly client: ClientReader;
  readonly logger: Logger;
  /** What to show over TLS; asked at the first use and once a day. Undefined: TLS is not spoken. */
  readonly identity: (() => TlsIdentity) | undefined;
  /** TLS cannot be spoken though it should. */
  fault(error: unknown): void;
}

/** First byte of a TLS handshake record (RFC 8446 §5.1). */
export const TLS_FIRST_BYTE = 0x16;
/** How requests begin that this port has an answer for: a WebSocket, what browsers ask before they tunnel, the tunnel. */
const HTTP_HEADS = ['GET /rtmp', 'OPTIONS /', 'POST /'].map((text) => Buffer.from(text));
/** How often the certificate is looked at again, in milliseconds. */
const RENEW_EVERY_MS = 86_400_000;

/**
 * The other ways into the RTMP port: TLS, and HTTP for RTMPT. What comes out of TLS is told apart again, so that
 * one port takes all of them.
 */
export class RtmpDoors {
  readonly tunnels: RtmpTunnels;
  readonly webSockets: RtmpWebSockets;
  readonly #options: RtmpDoorsOptions;
  readonly #listener: RtmpListener;
  readonly #http: HttpServer;
  readonly #tls = new Map<TlsRange, { readonly server: TlsServer; sinceMs: number }>();

  /** @param listener where the connections go. */
  constructor(options: RtmpDoorsOptions, listener: RtmpListener) {
    this.#options = options;
    this.#listener = listener;
    this.tunnels = new RtmpTunnels((socket, secure) => listener.adoptTunnel(socket, secure), options.http);
    this.webSockets = new RtmpWebSockets((socket, secure) => listener.adoptWebSocket(socket, secure));
    this.#http = this.#createHttp();
  }

  /**
   * Takes a socket whose first bytes are not RTMP's; false if it is nothing known.
   * @param range versions of TLS for the port it came by; undefined within TLS.
   */
  open(socket: Socket, head: Buffer, range: TlsRange | undefined): boolean {
    const { identity, tunnel, webSocket } = this.#options;
    if (head[0] === TLS_FIRST_BYTE && range !== undefined && identity !== undefined) {
      const server = this.#tlsServer(range, identity);
      if (server === undefined) return false;
      socket.unshift(head);
      server.emit('connection', socket);
      return true;
    }
    if (!(tunnel || webSocket) || !HTTP_HEADS.some((known) => beginsAlike(head, known))) return false;
    socket.removeAllListeners('error');
    socket.unshift(head);
    this.#http.emit('connection', socket);
    socket.resume();
    return true;
  }

  /** Ends tunnels. Sockets are the listener's. */
  close(): void {
    this.tunnels.close();
    this.webSockets.close();
    this.#http.close();
  }

  #createHttp(): HttpServer {
    const { tunnel, webSocket, client, logger } = this.#options;
    const http = this.#options.http();
    const server = createHttpServer(
      { ...connectionOptions(http), keepAliveTimeout: http.keepAliveTimeoutMs },
      (request, response) => {
        const { socket } = request;
        const from = client(request);
        if (tunnel && this.tunnels.take(request, response, addressOf(from), from.secure)) return;
        // The pages and the API are at their own port: this one has other guards.
        refuse(response);
        socket.destroySoon();
      },
    );
    if (webSocket) {
      const upgrades = new UpgradeRouter({ config: this.#options.http, client, logger });
      upgrades.add(this.webSockets.route);
      upgrades.watch(server);
    }
    server.setTimeout(http.idleTimeoutMs);
    server.on('clientError', (_error, socket) => socket.destroy());
    // Node watches the deadlines of a server's connections once it listens, which this one never does.
    server.emit('listening');
    return server;
  }

  #tlsServer(range: TlsRange, identity: () => TlsIdentity): TlsServer | undefined {
    const known = this.#tls.get(range);
    const nowMs = performance.now();
    if (known !== undefined && nowMs - known.sinceMs < RENEW_EVERY_MS) return known.server;
    try {
      const { certificate: cert, key } = identity();
      const versions = { cert, key, minVersion: range.min, maxVersion: range.max };
      if (known === undefined) {
        const server = this.#createTls(versions);
        this.#tls.set(range, { server, sinceMs: nowMs });
        return server;
      }
      known.server.setSecureContext(versions);
      known.sinceMs = nowMs;
    } catch (error) {
      this.#options.fault(error);
    }
    return known?.server;
  }

  #createTls(versions: SecureContextOptions): TlsServer {
    const server = createTlsServer({ ...versions, handshakeTimeout: this.#options.phaseTimeoutMs });
    server.on('secureConnection', (socket) => this.#listener.adoptSecure(socket));
    server.on('tlsClientError', (_error, socket) => socket.destroy());
    return server;
  }
}

/** Whether what came begins like `known`, as far as it came. */
function beginsAlike(head: Buffer, known: Buffer): boolean {
  const length = Math.min(head.length, known.length);
  return length > 0 && head.compare(known, 0, length, 0, length) === 0;
}
