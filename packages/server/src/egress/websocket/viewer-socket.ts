import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocket, WebSocketServer } from 'ws';

/** Longest message a viewer may send, in bytes. */
const MAX_VIEWER_MESSAGE = 1024;
/** A viewer that answers no ping for so long is gone, in milliseconds. */
const PONG_MS = 30_000;

/** What a viewer's socket is opened with. */
export interface ViewerSocketOptions {
  /** Subprotocol that is agreed on if the client offers it. */
  readonly subprotocol?: string;
  /** A text message came. Throwing closes the socket with 1002. */
  onText?(text: string, from: ViewerSocket): void;
  /** The socket is closed, for whatever reason. Called once. */
  onClose(reason: string): void;
}

/** A WebSocket towards a viewer: control by the library, media as ready-made frames straight to the socket. */
export class ViewerSocket {
  readonly raw: Socket;
  readonly #ws: WebSocket;
  readonly #timer: NodeJS.Timeout;
  #alive = true;

  private constructor(ws: WebSocket, raw: Socket, options: ViewerSocketOptions) {
    this.#ws = ws;
    this.raw = raw;
    raw.setNoDelay(true);
    raw.setTimeout(0);
    ws.on('message', (data, binary) => {
      this.#alive = true;
      try {
        if (binary) throw new TypeError('viewers send text only');
        options.onText?.(String(data), this);
      } catch {
        ws.close(1002, 'malformed message');
      }
    });
    ws.on('pong', () => {
      this.#alive = true;
    });
    ws.on('error', () => ws.terminate());
    ws.on('close', (code) => {
      clearInterval(this.#timer);
      options.onClose(`closed with ${code}`);
    });
    this.#timer = setInterval(() => this.#check(), PONG_MS);
    this.#timer.unref();
  }

  /**
   * Finishes the handshake of an upgrade request. Answers 400 by itself if the request is not a valid one.
   * `opened` is called in the same turn as the handshake's answer.
   */
  static accept(
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    options: ViewerSocketOptions,
    opened: (socket: ViewerSocket) => void,
  ): void {
    const server = new WebSocketServer({
      noServer: true,
      perMessageDeflate: false,
      clientTracking: false,
      maxPayload: MAX_VIEWER_MESSAGE,
      handleProtocols: (offered) =>
        options.subprotocol !== undefined && offered.has(options.subprotocol) ? options.subprotocol : false,
    });
    server.handleUpgrade(request, socket, head, (ws) =>
      opened(new ViewerSocket(ws, socket as Socket, options)),
    );
  }

  sendText(value: object): void {
    if (this.#ws.readyState === WebSocket.OPEN) this.#ws.send(JSON.stringify(value));
  }

  /** Starts the closing handshake and makes sure that it ends. */
  close(code: number, reason: string): void {
    // What the viewer did not take would keep the close frame waiting.
    if (this.raw.writableLength > 0) this.#ws.terminate();
    else this.#ws.close(code, reason.slice(0, 100));
  }

  #check(): void {
    if (!this.#alive) {
      this.#ws.terminate();
      return;
    }
    this.#alive = false;
    if (!this.raw.writableNeedDrain) this.#ws.ping();
  }
}
