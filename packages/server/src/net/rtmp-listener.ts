import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { RTMPE_VERSION } from '@onair/media/rtmp';
import {
  addressGroup,
  channels,
  isLoopback,
  type Logger,
  normalizeAddress,
  RepeatedWarnings,
} from '../observe/index.ts';
import { RtmpConnection, type RtmpConnectionEnd, type RtmpConnectionPolicy } from './rtmp-connection.ts';
import { TLS_FIRST_BYTE, type TlsRange } from './rtmp-doors.ts';
import type { RtmpHandlers } from './rtmp-handlers.ts';
import type { RtmpSocket, RtmpTransportName } from './rtmp-socket.ts';
import { RtmpeSocket } from './rtmpe-socket.ts';

/** Settings in force at the moment. */
export interface RtmpListenerPolicy extends RtmpConnectionPolicy {
  /** Connections open at one time. */
  readonly maxConnections: number;
  /** The same from one address (IPv6: /64); loopback is not counted. */
  readonly maxConnectionsPerAddress: number;
  /** Where clients that can reconnect are sent when the listener closes, an rtmp URL; to the same address if left out. */
  readonly reconnectTo?: string | undefined;
  /** Whether RTMPE is spoken. */
  readonly encrypted?: boolean;
}

/** What a listener is made with. */
export interface RtmpListenerOptions {
  readonly handlers: RtmpHandlers;
  readonly logger: Logger;
  policy(): RtmpListenerPolicy;
  /**
   * Asked about connections whose first byte is not RTMP's, e.g. 0x16 for TLS or a letter for HTTP. True if it
   * takes the socket over, which is paused, with what was received of it; otherwise it is closed.
   * @param range versions of TLS to speak on the port; undefined if it is spoken already.
   */
  other?(socket: Socket, head: Buffer, range: TlsRange | undefined): boolean;
}

/** How a port is listened on. */
export interface RtmpPort {
  /** Versions of TLS spoken where a connection begins with it. */
  readonly range?: TlsRange | undefined;
  /** True if connections must begin with TLS. */
  readonly secure?: boolean;
}

/** How a connection came as far as to its first byte of RTMP. */
interface Way {
  readonly acceptedMs: number;
  readonly range?: TlsRange | undefined;
  /** Only TLS will do. */
  readonly secureOnly?: boolean | undefined;
  readonly inTls?: boolean;
  readonly inHttp?: boolean;
  readonly inWebSocket?: boolean;
}

/** First byte of every plain RTMP connection (RTMP 1.0 §5.2.2). */
const RTMP_FIRST_BYTE = 3;
/** Versions of TLS spoken if a port names none. */
const DEFAULT_RANGE: TlsRange = { min: 'TLSv1.2', max: 'TLSv1.3' };
/** How often silent peers are looked for, in milliseconds. */
const CHECK_MS = 1_000;

/** The TCP listener for RTMP: accepts, counts, tells protocols apart by their first byte, closes all at the end. */
export class RtmpListener {
  readonly #options: RtmpListenerOptions;
  readonly #servers: Server[] = [];
  readonly #connections = new Set<RtmpConnection>();
  /** Sockets that have sent nothing yet, and those of connections. */
  readonly #sockets = new Set<RtmpSocket>();
  readonly #perAddress = new Map<string, number>();
  readonly #warnings: RepeatedWarnings;
  /** Of connections that came and went without a fault. */
  readonly #notices: RepeatedWarnings;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: RtmpListenerOptions) {
    this.#options = options;
    this.#warnings = new RepeatedWarnings(options.logger);
    this.#notices = new RepeatedWarnings(options.logger, 1000, 'info');
  }

  /** Connections open now. */
  get size(): number {
    return this.#sockets.size;
  }

  /** RTMP connections past their first byte. */
  get connections(): ReadonlySet<RtmpConnection> {
    return this.#connections;
  }

  /** Starts to listen, once for each port; gives it, as the system picks one for 0. Rejects if it cannot. */
  async listen(port: number, host?: string, how: RtmpPort = {}): Promise<number> {
    const { range = DEFAULT_RANGE, secure } = how;
    const server = createServer({ noDelay: true, allowHalfOpen: true }, (socket) => {
      if (this.#count(socket))
        this.#await(socket, { acceptedMs: performance.now(), range, secureOnly: secure });
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ port, host, backlog: 1024 }, () => {
        server.off('error', reject);
        server.on('error', (error) => this.#options.logger.error({ err: error }, 'rtmp listener'));
        resolve();
      });
    });
    this.#servers.push(server);
    this.#timer ??= setInterval(() => this.#check(), CHECK_MS).unref();
    return (server.address() as AddressInfo).port;
  }

  /** Takes what came out of TLS; the connection below is counted already. */
  adoptSecure(socket: RtmpSocket): void {
    this.#await(socket, { acceptedMs: performance.now(), inTls: true });
  }

  /** Takes a tunnel through HTTP. False if there are too many connections. */
  adoptTunnel(socket: RtmpSocket, secure: boolean): boolean {
    if (!this.#count(socket)) return false;
    this.#await(socket, { acceptedMs: performance.now(), inTls: secure, inHttp: true });
    return true;
  }

  /** Takes a WebSocket. False if there are too many connections. */
  adoptWebSocket(socket: RtmpSocket, secure: boolean): boolean {
    if (!this.#count(socket)) return false;
    this.#await(socket, { acceptedMs: performance.now(), inTls: secure, inWebSocket: true });
    return true;
  }

  /** Stops listening and ends every connection. Safe to call twice. */
  async close(reason: string): Promise<void> {
    clearInterval(this.#timer);
    const closed = this.#servers.map(
      (server) => new Promise<void>((resolve) => server.close(() => resolve())),
    );
    const { reconnectTo } = this.#options.policy();
    for (const connection of [...this.#connections]) connection.dismiss(reason, reconnectTo);
    for (const socket of this.#sockets) socket.destroySoon();
    await Promise.all(closed);
    this.#warnings.close();
    this.#notices.close();
  }

  /** Waits for the first byte, which tells what is spoken. */
  #await(socket: RtmpSocket, way: Way): void {
    const { phaseTimeoutMs } = this.#options.policy();
    const giveUp = (): void => {
      socket.destroy();
    };
    const timer = setTimeout(
      () => this.#refused(socket, normalizeAddress(socket.remoteAddress), 'silent'),
      phaseTimeoutMs,
    );
    socket.on('error', giveUp);
    socket.once('end', giveUp);
    socket.once('close', () => clearTimeout(timer));
    socket.once('data', (head: Buffer) => {
      clearTimeout(timer);
      socket.off('end', giveUp);
      this.#begin(socket, head, way);
    });
  }

  #begin(socket: RtmpSocket, head: Buffer, way: Way): void {
    const address = normalizeAddress(socket.remoteAddress);
    const barred = way.secureOnly === true;
    if (head[0] === RTMP_FIRST_BYTE && !barred) this.#serve(socket, head, address, way);
    else if (head[0] === RTMPE_VERSION && !barred && way.inWebSocket !== true) {
      if (this.#options.policy().encrypted === true) {
        this.#serve(RtmpeSocket.accept(socket, head), undefined, address, way);
      } else this.#refused(socket, address, 'RTMPE is off');
    } else {
      socket.pause();
      const known =
        way.inHttp !== true && way.inWebSocket !== true && (!barred || head[0] === TLS_FIRST_BYTE);
      if (known && this.#options.other?.(socket as Socket, head, way.range) === true) return;
      this.#refused(socket, address, 'not RTMP');
    }
  }

  /** @param head bytes received already; undefined for RTMPE, whose handshake is done below. */
  #serve(socket: RtmpSocket, head: Buffer | undefined, address: string, way: Way): void {
    const { acceptedMs } = way;
    const transport = transportName(way, head === undefined);
    const connection = new RtmpConnection(socket, head, {
      address,
      acceptedMs,
      transport,
      handlers: this.#options.handlers,
      policy: this.#options.policy,
      fault: (session, error) => this.#options.logger.error({ session, err: error }, 'rtmp handler failed'),
      ended: (self, end) => {
        this.#connections.delete(self);
        this.#report(end);
      },
    });
    if (connection.phase === 'closed' || socket.destroyed) return;
    this.#connections.add(connection);
    channels.sessionOpened.publish({ session: connection.id, protocol: transport, address });
  }

  /** Counts a socket in, unless there are too many already. */
  #count(socket: RtmpSocket): boolean {
    const { maxConnections, maxConnectionsPerAddress } = this.#options.policy();
    const address = normalizeAddress(socket.remoteAddress);
    if (this.#sockets.size >= maxConnections) return this.#refused(socket, address, 'total');
    const group = addressGroup(address);
    const counted = !isLoopback(address);
    const open = this.#perAddress.get(group) ?? 0;
    if (counted && open >= maxConnectionsPerAddress) return this.#refused(socket, address, 'address');
    if (counted) this.#perAddress.set(group, open + 1);
    this.#sockets.add(socket);
    socket.once('close', () => {
      this.#sockets.delete(socket);
      if (!counted) return;
      const left = this.#perAddress.get(group)! - 1;
      if (left > 0) this.#perAddress.set(group, left);
      else this.#perAddress.delete(group);
    });
    return true;
  }

  #refused(socket: RtmpSocket, address: string, reason: string): false {
    socket.destroy();
    channels.connectionRefused.publish({ listener: 'rtmp', reason, address });
    this.#warnings.warn('rtmp connection refused', { address, reason }, reason);
    return false;
  }

  #report(end: RtmpConnectionEnd): void {
    const { session, address, code, transport } = end;
    channels.sessionClosed.publish({ session, protocol: transport, address, code });
    // Publishers and viewers have a line of their own.
    if (end.served && code === 'closed') this.#options.logger.debug(end, 'rtmp connection closed');
    else if (code === 'closed') this.#notices.warn('rtmp connection closed', { ...end });
    else if (code === 'INTERNAL') this.#options.logger.error(end, 'rtmp connection failed');
    else this.#warnings.warn('rtmp connection closed for a fault', { ...end }, code);
  }

  #check(): void {
    const nowMs = performance.now();
    for (const connection of this.#connections) connection.check(nowMs);
  }
}

function transportName({ inTls, inHttp, inWebSocket }: Way, encrypted: boolean): RtmpTransportName {
  if (inWebSocket === true) return inTls === true ? 'rtmp+wss' : 'rtmp+ws';
  if (inHttp === true) return encrypted ? 'rtmpte' : inTls === true ? 'rtmpts' : 'rtmpt';
  return encrypted ? 'rtmpe' : inTls === true ? 'rtmps' : 'rtmp';
}
