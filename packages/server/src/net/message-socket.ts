import type { Socket } from 'node:net';
import { type RawData, WebSocket, WebSocketServer } from 'ws';
import type { HttpServer } from './http-server.ts';
import type { UpgradeRequest, UpgradeRoute } from './http-upgrades.ts';

/** Longest message that is received, in bytes. */
export const MAX_MESSAGE_BYTES = 1024 * 1024;
/** Bytes of messages that wait to be received before the peer is no longer read from. */
const MAX_WAITING_BYTES = 4 * 1024 * 1024;
/** Longest time the closing handshake may take, in milliseconds. */
const CLOSE_MS = 2_000;

/** A message: text as a string, binary as bytes. */
export type Message = string | Uint8Array;

/** The connection is over: nothing more is received or sent. */
export class ConnectionClosed extends Error {
  override readonly name = 'ConnectionClosed';
}

/** A WebSocket from inside a handler. */
export interface MessageConnection {
  /** The request that it began with. */
  readonly upgrade: UpgradeRequest;
  /** The next message, in the order they came. @throws ConnectionClosed when there will be none. */
  receive(): Promise<Message>;
  /** Resolves when the connection takes more. @throws ConnectionClosed */
  send(message: Message): Promise<void>;
  /** Begins the closing handshake; the handler's return does so, too. */
  close(code?: number, reason?: string): void;
}

/**
 * What answers a connection, from its beginning to its end: it receives and sends one message after another, and the
 * connection is closed when it returns. It ends by `ConnectionClosed` when the peer goes.
 */
export type MessageHandler = (connection: MessageConnection) => Promise<void>;

/** Where a handler is mounted. */
export interface MessageRoute extends Pick<UpgradeRoute, 'pattern' | 'origins'> {
  /** Answers only at these ports; at every one if left out. */
  readonly ports?: ReadonlySet<number>;
  /** Told what a handler threw; its connection is closed with 1011. */
  onFault?(error: unknown): void;
}

/**
 * Mounts a handler beside the routes of an HTTP server:
 * `serveMessages(http, { pattern: /^\/echo$/, origins: 'own' }, async (c) => { for (;;) await c.send(await c.receive()); })`.
 */
export function serveMessages(
  http: Pick<HttpServer, 'upgrades'>,
  { ports, onFault, ...route }: MessageRoute,
  handler: MessageHandler,
): void {
  const server = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    clientTracking: false,
    maxPayload: MAX_MESSAGE_BYTES,
  });
  http.upgrades.add({
    ...route,
    ...(ports === undefined ? {} : { takes: (socket: Socket) => ports.has(socket.localPort ?? 0) }),
    handle: (upgrade) => {
      const { request, socket, head } = upgrade;
      server.handleUpgrade(request, socket, head, (ws) => void attend(ws, upgrade, handler, onFault));
    },
  });
}

/** Runs a handler on a connection and closes it afterwards. */
async function attend(
  ws: WebSocket,
  upgrade: UpgradeRequest,
  handler: MessageHandler,
  onFault?: (error: unknown) => void,
): Promise<void> {
  const connection = new Connection(ws, upgrade);
  try {
    await handler(connection);
    connection.close();
  } catch (error) {
    if (error instanceof ConnectionClosed) return;
    connection.close(1011, 'the handler failed');
    onFault?.(error);
  }
}

class Connection implements MessageConnection {
  readonly upgrade: UpgradeRequest;
  readonly #ws: WebSocket;
  readonly #messages: Message[] = [];
  #waitingBytes = 0;
  /** Who waits for a message. */
  #receivers: { readonly resolve: (message: Message) => void; readonly reject: (error: Error) => void }[] =
    [];
  #over = false;

  constructor(ws: WebSocket, upgrade: UpgradeRequest) {
    this.upgrade = upgrade;
    this.#ws = ws;
    ws.on('message', (data, binary) => this.#came(binary ? bytesOf(data) : String(data)));
    ws.on('error', () => ws.terminate());
    ws.on('close', () => {
      this.#over = true;
      for (const { reject } of this.#receivers.splice(0)) reject(new ConnectionClosed());
    });
  }

  receive(): Promise<Message> {
    const message = this.#messages.shift();
    if (message !== undefined) {
      this.#waitingBytes -= message.length;
      if (this.#waitingBytes < MAX_WAITING_BYTES) this.#ws.resume();
      return Promise.resolve(message);
    }
    if (this.#over) return Promise.reject(new ConnectionClosed());
    return new Promise((resolve, reject) => this.#receivers.push({ resolve, reject }));
  }

  send(message: Message): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#ws.readyState !== WebSocket.OPEN) reject(new ConnectionClosed());
      else this.#ws.send(message, (error) => (error ? reject(new ConnectionClosed()) : resolve()));
    });
  }

  close(code = 1000, reason = ''): void {
    if (this.#ws.readyState >= WebSocket.CLOSING) return;
    this.#ws.close(code, reason);
    const timer = setTimeout(() => this.#ws.terminate(), CLOSE_MS);
    this.#ws.once('close', () => clearTimeout(timer));
  }

  #came(message: Message): void {
    const receiver = this.#receivers.shift();
    if (receiver !== undefined) {
      receiver.resolve(message);
      return;
    }
    this.#messages.push(message);
    this.#waitingBytes += message.length;
    if (this.#waitingBytes >= MAX_WAITING_BYTES) this.#ws.pause();
  }
}

function bytesOf(data: RawData): Uint8Array {
  if (Array.isArray(data)) return new Uint8Array(Buffer.concat(data));
  return new Uint8Array(data as Buffer);
}
