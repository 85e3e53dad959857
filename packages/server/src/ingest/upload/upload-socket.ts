import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { closeCodeOf } from '@onair/contracts';
import {
  decodeUploadClientText,
  UPLOAD_MAX_MESSAGE,
  UPLOAD_SUBPROTOCOL,
  UploadMessageError,
  type UploadServerText,
} from '@onair/contracts/upload';
import { type RawData, WebSocket, WebSocketServer } from 'ws';
import { HttpProblem } from '../../net/index.ts';
import { problemOf, UPLOAD_WINDOW } from './upload-routes.ts';
import type { UploadSession } from './upload-session.ts';
import type { Uploads } from './uploads.ts';

/** How often what the disk has is told, in milliseconds. */
const ACK_EVERY_MS = 250;
/** A publisher that answers no ping for so long is gone, in milliseconds. */
const PONG_MS = 15_000;
/** Octets received but not worked off from which on the socket is not read. */
const PAUSE_BYTES = 4 * 1024 * 1024;
/** Windows that the disk may lack before the socket is not read; a publisher that keeps its window is never so far ahead. */
const MAX_WINDOWS_BEHIND = 2;

/** What a socket serves. */
export interface UploadSocketOptions {
  readonly session: UploadSession;
  readonly uploads: Uploads;
  readonly address: string;
}

/** Sockets by session: a new one of the same publisher takes over from the old one. */
const current = new WeakMap<UploadSession, WebSocket>();

/** Finishes the handshake and takes media until the socket or the upload ends. */
export function serveUploadSocket(
  request: IncomingMessage,
  socket: Socket,
  head: Buffer,
  options: UploadSocketOptions,
): void {
  const server = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    clientTracking: false,
    maxPayload: UPLOAD_MAX_MESSAGE,
    handleProtocols: (offered) => (offered.has(UPLOAD_SUBPROTOCOL) ? UPLOAD_SUBPROTOCOL : false),
  });
  server.handleUpgrade(request, socket, head, (ws) => new UploadSocket(ws, options));
}

class UploadSocket {
  readonly #ws: WebSocket;
  readonly #options: UploadSocketOptions;
  readonly #ping: NodeJS.Timeout;
  #ack: NodeJS.Timeout | undefined;
  #told: number;
  #pending = 0;
  #alive = true;
  #over = false;

  constructor(ws: WebSocket, options: UploadSocketOptions) {
    this.#ws = ws;
    this.#options = options;
    const { session } = options;
    current.get(session)?.close(4000, 'another connection goes on');
    current.set(session, ws);
    this.#told = session.received;
    ws.on('message', (data, binary) => this.#message(data, binary));
    ws.on('pong', () => {
      this.#alive = true;
    });
    ws.on('error', () => ws.terminate());
    ws.on('close', () => this.#closed());
    this.#ping = setInterval(() => this.#check(), PONG_MS).unref();
    this.#send({ type: 'ready', session: session.id, offset: session.received, window: UPLOAD_WINDOW });
    this.#scheduleAck();
  }

  #message(data: RawData, binary: boolean): void {
    this.#alive = true;
    if (this.#over) return;
    if (!binary) {
      this.#text(String(data));
      return;
    }
    // A copy: the samples must not hold on to what else came with the message.
    const bytes = new Uint8Array(data as Buffer);
    this.#pending += bytes.length;
    if (this.#pending > PAUSE_BYTES || this.#behind > MAX_WINDOWS_BEHIND) this.#ws.pause();
    this.#options.uploads.accept(this.#options.session, bytes).then(
      () => {
        this.#pending -= bytes.length;
        this.#resume();
        this.#scheduleAck();
      },
      (error: unknown) => this.#refuse(error),
    );
  }

  /** Windows that the disk does not have. */
  get #behind(): number {
    const { received, durable } = this.#options.session;
    return (received - durable) / UPLOAD_WINDOW;
  }

  #resume(): void {
    if (this.#pending <= PAUSE_BYTES / 2 && this.#behind <= MAX_WINDOWS_BEHIND && !this.#over)
      this.#ws.resume();
  }

  #text(text: string): void {
    try {
      decodeUploadClientText(text);
    } catch (error) {
      if (!(error instanceof UploadMessageError)) throw error;
      this.#over = true;
      this.#ws.close(1002, 'malformed message');
      return;
    }
    this.#over = true;
    const { session, uploads } = this.#options;
    uploads.end(session, 'upload ended').then(
      (result) => {
        this.#send({ type: 'done', ...result });
        this.#ws.close(1000);
      },
      (error: unknown) => this.#refuse(error),
    );
  }

  /** Tells what is on the disk, soon and at most so often. */
  #scheduleAck(): void {
    this.#ack ??= setTimeout(() => {
      const { session } = this.#options;
      void session
        .flush()
        .catch(() => undefined)
        .then(() => {
          this.#ack = undefined;
          const { durable } = session;
          if (durable !== this.#told || this.#told === 0) this.#send({ type: 'ack', offset: durable });
          this.#told = durable;
          this.#resume();
          if (durable < session.received && !this.#over) this.#scheduleAck();
        });
    }, ACK_EVERY_MS);
  }

  #refuse(error: unknown): void {
    if (this.#over && this.#ws.readyState !== WebSocket.OPEN) return;
    this.#over = true;
    const problem = problemOf(error);
    const code = problem instanceof HttpProblem ? problem.code : 'INTERNAL';
    const detail = error instanceof Error ? error.message : 'the upload was ended';
    this.#send({ type: 'error', code, detail: detail.slice(0, 500) });
    this.#ws.close(closeCodeOf(code), code);
  }

  #send(message: UploadServerText): void {
    if (this.#ws.readyState === WebSocket.OPEN) this.#ws.send(JSON.stringify(message));
  }

  #check(): void {
    if (!this.#alive) {
      this.#ws.terminate();
      return;
    }
    this.#alive = false;
    this.#ws.ping();
  }

  #closed(): void {
    this.#over = true;
    clearInterval(this.#ping);
    clearTimeout(this.#ack);
    if (current.get(this.#options.session) === this.#ws) current.delete(this.#options.session);
  }
}
