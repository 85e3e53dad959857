import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocket, WebSocketServer } from 'ws';
import { cutSocket } from '../../net/index.ts';

/** Longest message a viewer may send, in bytes. */
const MAX_VIEWER_MESSAGE = 1024;
/** A viewer that answers no ping for so long is gone, in milliseconds. */
const PONG_MS = 30_000;
/** Longest time the closing handshake may take, in milliseconds. */
const CLOSE_MS = 2_000;
/** Try again later: what a viewer that was too slow is closed with (RFC 6455 §7.4.1, IANA registry). */
export const TRY_LATER = 1013;

/** What a viewer's socket is opened with. */
export interface ViewerSocketOptions {
  /** Subprotocol that is agreed on if the client offers it. */
  readonly subprotocol?: string;
  /** A text message came. Throwing ends the session and closes the socket with 1002. */
  onText?(text: string, from: ViewerSocket): void;
  /** A binary message came; without this it is an error. Throwing ends the session as with `onText`. */
  onBinary?(bytes: Uint8Array, from: ViewerSocket): void;
  /** Longest message it may send, in bytes; 1 KiB if left out. */
  readonly maxMessage?: number;
  /** The session is over, for whatever reason: nothing more may be written. Called once. */
  onClose(reason: string): void;
}

/** A WebSocket towards a viewer: control by the library, media as ready-made frames straight to the socket. */
export class ViewerSocket {
  readonly raw: Socket;
  readonly #ws: WebSocket;
  readonly #timer: NodeJS.Timeout;
  readonly #onClose: (reason: string) => void;
  #alive = true;
  #over = false;

  private constructor(ws: WebSocket, raw: Socket, options: ViewerSocketOptions) {
    this.#ws = ws;
    this.raw = raw;
    this.#onClose = options.onClose;
    raw.setNoDelay(true);
    raw.setTimeout(0);
    ws.on('message', (data, binary) => {
      this.#alive = true;
      try {
        if (!binary) options.onText?.(String(data), this);
        else if (options.onBinary === undefined) throw new TypeError('viewers send text only');
        else options.onBinary(data as Buffer, this);
      } catch {
        this.#end('malformed message');
        this.close(1002, 'malformed message');
      }
    });
    ws.on('pong', () => {
      this.#alive = true;
    });
    // RFC 6455 §5.5.3 asks for the newest ping to be answered; who does not read gets no answers piled up.
    ws.on('ping', (data) => {
      if (!raw.writableNeedDrain) ws.pong(data);
    });
    ws.on('error', () => ws.terminate());
    ws.on('close', (code) => {
      clearInterval(this.#timer);
      this.#end(`closed with ${code}`);
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
      autoPong: false,
      maxPayload: options.maxMessage ?? MAX_VIEWER_MESSAGE,
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

  /** Answers a message of the viewer, unless the viewer does not take what it is sent. */
  answer(value: object): void {
    if (!this.raw.writableNeedDrain) this.sendText(value);
  }

  /** Starts the closing handshake and makes sure that it ends. */
  close(code: number, reason: string): void {
    if (this.#ws.readyState !== WebSocket.OPEN) return;
    // What the viewer did not take would keep the close frame waiting.
    if (this.raw.writableNeedDrain) {
      if (code === TRY_LATER) cutSocket(this.raw);
      else this.#ws.terminate();
      return;
    }
    this.#ws.close(code, reason.slice(0, 100));
    const timer = setTimeout(() => this.#ws.terminate(), CLOSE_MS);
    this.#ws.once('close', () => clearTimeout(timer));
  }

  #end(reason: string): void {
    if (this.#over) return;
    this.#over = true;
    this.#onClose(reason);
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
