import type { IncomingHttpHeaders } from 'node:http';
import type { Socket } from 'node:net';
import type { Exchange } from './http-exchange.ts';
import { type HeaderBlock, MAX_PLAIN_HEAD, readPlainGet } from './plain-get.ts';
import { type HeaderList, type PreparedAnswer, writeHead } from './prepared-answer.ts';
import { ownCopy, shareReads, unshareReads } from './shared-reads.ts';

/** Written to be told when all in front of it has left. */
const NOTHING = new Uint8Array(0);

/** Who looks after the connections. */
export interface QuickOwner {
  /** Answers a request, or returns false without having done anything. */
  take(exchange: Exchange): boolean;
  /** Gives a connection, with the bytes that came, to Node's parser for good. */
  giveAway(connection: QuickConnection, bytes: Buffer): void;
  /** The connection is gone. */
  left(connection: QuickConnection): void;
  /** Connections close after the answer that is under way. */
  readonly closing: boolean;
  readonly keepAliveMs: number;
  /** Without a byte for so long while an answer is under way the connection is closed, in ms; 0 never. */
  readonly silenceMs: number;
}

/** What the connection does; the same word says what happens when its time is up. */
export type QuickState = 'new' | 'idle' | 'answering';

/**
 * A connection of HTTP/1.1 as long as only plain GET requests come, one after the other, each in one piece: those of
 * players that poll. Reading them here and writing finished bytes costs a fraction of what Node's parser and response
 * cost. Whatever else comes goes to Node's parser, with the connection.
 */
export class QuickConnection {
  readonly socket: Socket;
  /** When its time is up, in monotonic ms. */
  deadline: number;
  readonly #owner: QuickOwner;
  #state: QuickState = 'new';
  #exchange: QuickExchange | undefined;
  #block: HeaderBlock | undefined;
  /** What came while an answer was under way. */
  #early: Buffer | undefined;
  /** The connection closes behind the answer: one of both sides has said so, or the client has closed its own. */
  #lastAnswer = false;

  /** @param deadline when a request must have come, in monotonic ms. */
  constructor(socket: Socket, owner: QuickOwner, deadline: number) {
    this.socket = socket;
    this.deadline = deadline;
    this.#owner = owner;
    socket.on('data', this.#onData);
    socket.on('end', this.#onEnd);
    socket.on('close', this.#onClose);
    socket.on('timeout', cut);
    socket.on('error', ignore);
  }

  get state(): QuickState {
    return this.#state;
  }

  /** Stops listening; the socket belongs to somebody else. */
  detach(): void {
    const { socket } = this;
    socket.off('data', this.#onData);
    socket.off('end', this.#onEnd);
    socket.off('close', this.#onClose);
    socket.off('timeout', cut);
    socket.off('error', ignore);
    unshareReads(socket);
  }

  /** Sends an answer. @param stays the connection stays open after it. */
  write(first: Uint8Array | string, second: Uint8Array | undefined, stays: boolean): void {
    const { socket } = this;
    this.#exchange = undefined;
    this.#lastAnswer ||= !stays;
    if (!socket.writable) return;
    if (second === undefined) socket.write(first, 'latin1');
    else {
      socket.cork();
      socket.write(first, 'latin1');
      socket.write(second);
      socket.uncork();
    }
    // Most answers are taken at once; to be told of each later would cost as much as reading its request.
    if (socket.writableLength === 0) {
      this.#written();
      return;
    }
    socket.write(NOTHING, this.#written);
    // What the client does not take at once must at least move.
    this.deadline = Number.POSITIVE_INFINITY;
    socket.setTimeout(this.#owner.silenceMs);
  }

  /** True if the answer under way is not to be the last of the connection. */
  stays(block: HeaderBlock): boolean {
    return !block.closes && !this.#owner.closing && !this.#lastAnswer;
  }

  /** The bytes may be everybody's, and are good until this returns. */
  readonly #onData = (bytes: Buffer, length = bytes.length): void => {
    if (this.#state !== 'answering') {
      this.#read(bytes, length);
      return;
    }
    // Requests are answered in turn; nothing more is read meanwhile.
    const early = ownCopy(bytes, length);
    this.#early = this.#early === undefined ? early : Buffer.concat([this.#early, early]);
    this.socket.pause();
  };

  #read(bytes: Buffer, length: number): void {
    const request =
      length > MAX_PLAIN_HEAD ? undefined : readPlainGet(bytes.toString('latin1', 0, length), this.#block);
    if (request !== undefined) {
      const { url, block } = request;
      const before = this.#state;
      this.#block = block;
      this.#state = 'answering';
      const exchange = new QuickExchange(this, url, block);
      this.#exchange = exchange;
      if (this.#owner.take(exchange)) {
        this.#taken(before === 'new');
        return;
      }
      exchange.forget();
      this.#exchange = undefined;
      this.#state = before;
    }
    this.#owner.giveAway(this, ownCopy(bytes, length));
  }

  /** A request is answered here, or will be. */
  #taken(first: boolean): void {
    if (this.#exchange !== undefined) {
      const { silenceMs } = this.#owner;
      this.deadline = silenceMs === 0 ? Number.POSITIVE_INFINITY : performance.now() + silenceMs;
    }
    // Whoever asked for what is answered here will do so again.
    if (first && !this.socket.destroyed) shareReads(this.socket, this.#onData);
  }

  /** An answer has left. */
  readonly #written = (error?: Error | null): void => {
    const { socket } = this;
    if (error) return;
    if (socket.timeout) socket.setTimeout(0);
    if (this.#lastAnswer || this.#owner.closing) {
      this.#end();
      return;
    }
    this.#state = 'idle';
    this.deadline = performance.now() + this.#owner.keepAliveMs;
    const early = this.#early;
    if (early === undefined) return;
    this.#early = undefined;
    socket.resume();
    this.#read(early, early.length);
  };

  /** Whoever asks no more still gets what it asked for (RFC 9112 §9.6); what came early is read before the end is. */
  readonly #onEnd = (): void => {
    this.#lastAnswer = true;
    if (this.#state !== 'answering') this.#end();
  };

  #end(): void {
    this.socket.end();
    this.socket.destroySoon();
  }

  readonly #onClose = (): void => {
    this.#owner.left(this);
    const exchange = this.#exchange;
    this.#exchange = undefined;
    exchange?.closed();
  };
}

/** One request of such a connection. */
class QuickExchange implements Exchange {
  readonly method = 'GET';
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly socket: Socket;
  readonly #block: HeaderBlock;
  #connection: QuickConnection | undefined;
  #listener: (() => void) | undefined;

  constructor(connection: QuickConnection, url: string, block: HeaderBlock) {
    this.url = url;
    this.headers = block.headers;
    this.socket = connection.socket;
    this.#block = block;
    this.#connection = connection;
  }

  send(status: number, head: HeaderList, body?: Uint8Array): void {
    const connection = this.forget();
    if (connection === undefined) return;
    const stays = connection.stays(this.#block);
    connection.write(writeHead(status, head, stays), body, stays);
  }

  sendPrepared(answer: PreparedAnswer): void {
    if (this.#connection?.stays(this.#block) === false) {
      this.send(200, answer.head, answer.bytes);
      return;
    }
    const { joined } = answer;
    if (joined !== undefined) this.forget()?.write(joined, undefined, true);
    else this.forget()?.write(answer.headBytes, answer.bytes, true);
  }

  onClose(listener: () => void): void {
    this.#listener = listener;
  }

  /** The client has gone. */
  closed(): void {
    this.#connection = undefined;
    this.#listener?.();
  }

  /** Lets go of the connection, which answers its next request next. */
  forget(): QuickConnection | undefined {
    const connection = this.#connection;
    this.#connection = undefined;
    return connection;
  }
}

function cut(this: Socket): void {
  this.destroy();
}

function ignore(): void {
  // A client that breaks off is no fault; the socket closes.
}
