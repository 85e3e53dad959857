import { WebSocket, WebSocketServer } from 'ws';
import type { HttpClient } from './http-client.ts';
import type { UpgradeRequest, UpgradeRoute } from './http-upgrades.ts';
import { type RtmpSocket, VirtualSocket } from './rtmp-socket.ts';

/** Where RTMP over WebSocket is spoken, whatever the application. */
export const RTMP_WEB_SOCKET_PATH = '/rtmp';
/** Longest message, in bytes; how the bytes are cut into messages means nothing. */
const MAX_MESSAGE = 1_048_576;
/** How long the closing handshake may take, in milliseconds. */
const CLOSE_MS = 2_000;

/** Takes a WebSocket as a connection. False if there are too many. */
export type AdoptWebSocket = (socket: RtmpSocket, secure: boolean) => boolean;

/** RTMP over WebSocket: binary messages that, one behind the other, are the bytes of an RTMP connection. */
export class RtmpWebSockets {
  readonly #adopt: AdoptWebSocket;
  readonly #server = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: MAX_MESSAGE,
  });

  constructor(adopt: AdoptWebSocket) {
    this.#adopt = adopt;
  }

  /** The route for a listener's upgrades. Publishing may be open to this machine: pages of others are kept out. */
  get route(): UpgradeRoute {
    return {
      pattern: /^\/rtmp$/,
      origins: 'own',
      handle: (upgrade) => this.#serve(upgrade),
    };
  }

  /** Ends every WebSocket. */
  close(): void {
    for (const client of this.#server.clients) client.terminate();
    this.#server.close();
  }

  #serve({ request, socket, head, client }: UpgradeRequest): void {
    this.#server.handleUpgrade(request, socket, head, (ws) => {
      const carried = new WebSocketSocket(ws, addressOf(client));
      if (!this.#adopt(carried, client.secure)) carried.destroy();
    });
  }
}

/**
 * The address that counts for a connection that came by HTTP. One that a proxy passed on without being trusted comes from
 * anywhere, and not from this machine.
 */
export function addressOf({ address, forwarded }: HttpClient): string {
  return forwarded ? '0.0.0.0' : address;
}

/** The bytes within the binary messages of a WebSocket. */
class WebSocketSocket extends VirtualSocket {
  readonly #ws: WebSocket;

  constructor(ws: WebSocket, address: string) {
    super(address);
    this.#ws = ws;
    ws.on('message', (data: Buffer, binary: boolean) => {
      if (this.destroyed) return;
      if (!binary) ws.close(1003, 'binary only');
      else if (!this.push(data)) ws.pause();
    });
    ws.on('error', (error) => this.destroy(error));
    ws.on('close', () => {
      if (this.destroyed) return;
      this.push(null);
      // Whoever reads may have stopped: the end must come nevertheless.
      setImmediate(() => this.destroy());
    });
    this.on('error', () => undefined); // the session has a listener of its own
  }

  override _read(): void {
    this.#ws.resume();
  }

  override _write(chunk: Uint8Array, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.written += chunk.length;
    this.#ws.send(chunk, done);
  }

  override _final(done: () => void): void {
    this.#ws.close(1000);
    done();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    const ws = this.#ws;
    if (this.writableFinished && ws.readyState !== WebSocket.CLOSED) {
      ws.resume();
      const timer = setTimeout(() => ws.terminate(), CLOSE_MS);
      ws.once('close', () => clearTimeout(timer));
    } else ws.terminate();
    done(error);
  }
}
