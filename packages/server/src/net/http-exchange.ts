import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { HeaderList, PreparedAnswer } from './prepared-answer.ts';

/** What tells who asks. */
export interface RequestOrigin {
  /** By lower-case name. */
  readonly headers: IncomingHttpHeaders;
  readonly socket: Socket;
}

/** One request and its one answer, whichever version of HTTP carries it and whoever reads it off the connection. */
export interface Exchange extends RequestOrigin {
  readonly method: string;
  /** Path and query, as sent. */
  readonly url: string;
  /**
   * Sends the answer. Nothing happens if there was one already, or if the client has gone.
   * @param body not written to afterwards. A HEAD request gets none.
   */
  send(status: number, head: HeaderList, body?: Uint8Array): void;
  /** Sends the whole of a prepared answer with status 200. */
  sendPrepared(answer: PreparedAnswer): void;
  /** Calls `listener` if the client goes away before it has its answer; perhaps after it, too. */
  onClose(listener: () => void): void;
}

/** A response whose head is a text; Node makes that of a list of headers, checking each, for every single answer. */
interface TextHead extends ServerResponse {
  _header: string | null;
}

/** An exchange that Node's own parser has read, of HTTP/1 or HTTP/2. */
export class NodeExchange implements Exchange {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly socket: Socket;
  /** Where the body is read. */
  readonly request: IncomingMessage;
  readonly response: ServerResponse;

  constructor(request: IncomingMessage, response: ServerResponse) {
    this.method = request.method ?? '';
    this.url = request.url ?? '';
    this.headers = request.headers;
    this.socket = request.socket;
    this.request = request;
    this.response = response;
  }

  /** From now on connections close after their answer. HTTP/2 has no such thing, and closes its sessions by itself. */
  lastOfConnection(): void {
    if (this.request.httpVersionMajor < 2) this.response.shouldKeepAlive = false;
  }

  send(status: number, head: HeaderList, body?: Uint8Array): void {
    const { response } = this;
    if (response.headersSent || response.destroyed) return;
    response.writeHead(status, head as string[]);
    // A head and a body given at once leave in one write.
    if (body === undefined || this.method === 'HEAD') response.end();
    else response.end(body);
  }

  sendPrepared(answer: PreparedAnswer): void {
    const { response } = this;
    if (response.headersSent || response.destroyed) return;
    if (!this.#takesText(response)) {
      this.send(200, answer.head, answer.bytes);
      return;
    }
    response._header = answer.text;
    response.end(answer.bytes);
  }

  onClose(listener: () => void): void {
    this.response.once('close', listener);
  }

  /** True for HTTP/1.1 connections that stay open, as long as Node keeps the head where it does. */
  #takesText(response: ServerResponse): response is TextHead {
    return (
      this.method !== 'HEAD' &&
      (response as Partial<TextHead>)._header === null &&
      response.shouldKeepAlive &&
      this.request.httpVersionMinor === 1
    );
  }
}
