import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Config } from '../config/index.ts';
import type { Exchange } from './http-exchange.ts';
import { connectionOptions } from './http-listener.ts';
import { QuickConnection, type QuickOwner } from './quick-connection.ts';

/** What {@link QuickReader} asks of the listener. */
export interface QuickDeps {
  /** Answers a request, or returns false without having done anything. */
  take(exchange: Exchange): boolean;
  /** Answers and closes a connection that has not asked in time. */
  late(socket: Socket): void;
}

/**
 * Stands in front of Node's parser on a listener without encryption: see {@link QuickConnection}. Deadlines are those
 * of the settings, looked at all together at intervals, so that no request costs a timer.
 */
export class QuickReader implements QuickOwner {
  readonly keepAliveMs: number;
  readonly silenceMs: number;
  readonly #connections = new Set<QuickConnection>();
  readonly #deps: QuickDeps;
  readonly #toNode: (socket: Socket) => void;
  readonly #firstMs: number;
  readonly #timer: NodeJS.Timeout;
  #closing = false;

  constructor(server: Server, settings: Config['http'], deps: QuickDeps) {
    const { connectionsCheckingInterval, headersTimeout } = connectionOptions(settings);
    this.keepAliveMs = settings.keepAliveTimeoutMs;
    this.silenceMs = settings.idleTimeoutMs;
    this.#deps = deps;
    this.#firstMs = headersTimeout;
    const own = server.listeners('connection') as ((socket: Socket) => void)[];
    this.#toNode = (socket) => {
      for (const listener of own) listener.call(server, socket);
    };
    server.removeAllListeners('connection');
    server.on('connection', (socket: Socket) => this.#opened(socket));
    this.#timer = setInterval(() => this.#look(), connectionsCheckingInterval);
    this.#timer.unref();
    server.once('close', () => clearInterval(this.#timer));
  }

  get closing(): boolean {
    return this.#closing;
  }

  /** Connections that Node's parser has not seen. */
  get size(): number {
    return this.#connections.size;
  }

  take(exchange: Exchange): boolean {
    return this.#deps.take(exchange);
  }

  giveAway(connection: QuickConnection, bytes: Buffer): void {
    const { socket } = connection;
    connection.detach();
    this.#connections.delete(connection);
    this.#toNode(socket);
    socket.emit('data', bytes);
  }

  left(connection: QuickConnection): void {
    this.#connections.delete(connection);
  }

  /** Closes what is idle; the others close after their answer. */
  close(): void {
    this.#closing = true;
    for (const connection of this.#connections)
      if (connection.state !== 'answering') connection.socket.destroy();
  }

  #opened(socket: Socket): void {
    this.#connections.add(new QuickConnection(socket, this, performance.now() + this.#firstMs));
  }

  #look(): void {
    const now = performance.now();
    for (const connection of this.#connections) {
      if (connection.deadline > now) continue;
      if (connection.state === 'new') this.#deps.late(connection.socket);
      else connection.socket.destroy();
      connection.deadline = Number.POSITIVE_INFINITY;
    }
  }
}
