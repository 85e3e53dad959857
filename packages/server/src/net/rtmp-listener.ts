import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import {
  addressGroup,
  channels,
  isLoopback,
  type Logger,
  normalizeAddress,
  RepeatedWarnings,
} from '../observe/index.ts';
import { RtmpConnection, type RtmpConnectionEnd, type RtmpConnectionPolicy } from './rtmp-connection.ts';
import type { RtmpHandlers } from './rtmp-handlers.ts';

/** Settings in force at the moment. */
export interface RtmpListenerPolicy extends RtmpConnectionPolicy {
  /** Connections open at one time. */
  readonly maxConnections: number;
  /** The same from one address (IPv6: /64); loopback is not counted. */
  readonly maxConnectionsPerAddress: number;
}

/** What a listener is made with. */
export interface RtmpListenerOptions {
  readonly handlers: RtmpHandlers;
  readonly logger: Logger;
  policy(): RtmpListenerPolicy;
  /**
   * Asked about connections whose first byte is not RTMP's 3, e.g. 0x16 for TLS or a letter for HTTP.
   * True if it takes the socket over, which is paused, with what was received of it; otherwise it is closed.
   */
  other?(socket: Socket, head: Buffer): boolean;
}

/** First byte of every plain RTMP connection (RTMP 1.0 §5.2.2). */
const RTMP_FIRST_BYTE = 3;
/** How often silent peers are looked for, in milliseconds. */
const CHECK_MS = 1_000;

/** The TCP listener for RTMP: accepts, counts, tells protocols apart by their first byte, closes all at the end. */
export class RtmpListener {
  readonly #options: RtmpListenerOptions;
  readonly #server: Server;
  readonly #connections = new Set<RtmpConnection>();
  /** Sockets that have sent nothing yet, and those of connections. */
  readonly #sockets = new Set<Socket>();
  readonly #perAddress = new Map<string, number>();
  readonly #warnings: RepeatedWarnings;
  /** Of connections that came and went without a fault. */
  readonly #notices: RepeatedWarnings;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: RtmpListenerOptions) {
    this.#options = options;
    this.#warnings = new RepeatedWarnings(options.logger);
    this.#notices = new RepeatedWarnings(options.logger, 1000, 'info');
    this.#server = createServer({ noDelay: true, allowHalfOpen: true }, (socket) => this.#accept(socket));
  }

  /** Connections open now. */
  get size(): number {
    return this.#sockets.size;
  }

  /** RTMP connections past their first byte. */
  get connections(): ReadonlySet<RtmpConnection> {
    return this.#connections;
  }

  /** Starts to listen; gives the port, which the system picks for 0. Rejects if it cannot. */
  async listen(port: number, host?: string): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen({ port, host, backlog: 1024 }, () => {
        this.#server.off('error', reject);
        this.#server.on('error', (error) => this.#options.logger.error({ err: error }, 'rtmp listener'));
        resolve();
      });
    });
    this.#timer = setInterval(() => this.#check(), CHECK_MS);
    this.#timer.unref();
    return (this.#server.address() as AddressInfo).port;
  }

  /** Takes a connection that came by another way, e.g. out of TLS. @param head bytes received already. */
  adopt(socket: Socket, head: Buffer): void {
    if (this.#sockets.has(socket) || this.#count(socket)) this.#begin(socket, head, performance.now());
  }

  /** Stops listening and ends every connection. Safe to call twice. */
  async close(reason: string): Promise<void> {
    clearInterval(this.#timer);
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const connection of [...this.#connections]) connection.close(reason);
    for (const socket of this.#sockets) socket.destroySoon();
    await closed;
    this.#warnings.close();
    this.#notices.close();
  }

  #accept(socket: Socket): void {
    if (!this.#count(socket)) return;
    const { phaseTimeoutMs } = this.#options.policy();
    const acceptedMs = performance.now();
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
      this.#begin(socket, head, acceptedMs);
    });
  }

  #begin(socket: Socket, head: Buffer, acceptedMs: number): void {
    const address = normalizeAddress(socket.remoteAddress);
    if (head[0] !== RTMP_FIRST_BYTE) {
      socket.pause();
      if (this.#options.other?.(socket, head) === true) return;
      this.#refused(socket, address, 'not RTMP');
      return;
    }
    const connection = new RtmpConnection(socket, head, {
      address,
      acceptedMs,
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
    channels.sessionOpened.publish({ session: connection.id, protocol: 'rtmp', address });
  }

  /** Counts a socket in, unless there are too many already. */
  #count(socket: Socket): boolean {
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

  #refused(socket: Socket, address: string, reason: string): false {
    socket.destroy();
    channels.connectionRefused.publish({ listener: 'rtmp', reason, address });
    this.#warnings.warn('rtmp connection refused', { address, reason }, reason);
    return false;
  }

  #report(end: RtmpConnectionEnd): void {
    const { session, address, code } = end;
    channels.sessionClosed.publish({ session, protocol: 'rtmp', address, code });
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
