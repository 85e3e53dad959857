import {
  decodeFmp4Message,
  decodeFmp4ServerText,
  type Fmp4ClientText,
  type Fmp4Hello,
  type Fmp4Message,
} from '@onair/contracts/fmp4-socket';
import type { ServerClock } from './server-clock.ts';
import { leave, listenTo, type SocketPort, sendJson } from './socket-port.ts';

/** What a connection tells its owner. */
export interface ConnectionOwner {
  hello(hello: Fmp4Hello): void;
  message(message: Fmp4Message, bytes: number): void;
  /** The server left out `blocks` blocks. */
  skipped(blocks: number): void;
  /** Over, for whatever reason; nothing comes after this. */
  closed(code: number, reason: string): void;
}

/** Pings follow each other quickly at first, to know the clock, then keep the connection under watch. */
const PING_FIRST_MS = 150;
const PING_MS = 3000;
const QUICK_PINGS = 6;
/** Without any message for this long the connection is dead, ms. */
const SILENCE_MS = 8000;
/** A connection must say hello within this time, ms. */
const HELLO_MS = 5000;

/** One WebSocket that speaks `docs/protocols/ws-fmp4.md`, from opening to its end. */
export class Fmp4Connection {
  readonly #socket: SocketPort;
  readonly #owner: ConnectionOwner;
  readonly #clock: ServerClock;
  #asked = new Map<number, number>();
  #pings = 0;
  #heardAt = performance.now();
  #timer: ReturnType<typeof setTimeout>;
  #complaint: string | undefined;
  #over = false;

  constructor(socket: SocketPort, clock: ServerClock, owner: ConnectionOwner) {
    this.#socket = socket;
    this.#owner = owner;
    this.#clock = clock;
    listenTo(socket, {
      text: (text) => this.#text(text),
      binary: (bytes) => {
        this.#heardAt = performance.now();
        owner.message(decodeFmp4Message(bytes), bytes.length);
      },
      closed: (code, reason) => this.#end(code, reason),
      malformed: ({ message }) => this.close(4002, message.slice(0, 100)),
    });
    this.#timer = setTimeout(() => this.close(4000, 'the server did not answer'), HELLO_MS);
  }

  /** Sends a command if the connection is open. */
  send(message: Fmp4ClientText): void {
    sendJson(this.#socket, message);
  }

  /** Ends the connection and tells the owner at once. @param code a code of the range 3000 to 4999, or 1000 */
  close(code = 1000, reason = ''): void {
    if (this.#over) return;
    this.#end(code, reason);
    this.#socket.close(code);
  }

  #end(code: number, reason: string): void {
    if (this.#over) return;
    this.#over = true;
    clearTimeout(this.#timer);
    leave(this.#socket);
    this.#owner.closed(code, this.#complaint ?? reason);
  }

  #text(text: string): void {
    this.#heardAt = performance.now();
    const message = decodeFmp4ServerText(text);
    switch (message.type) {
      case 'hello':
        this.#clock.guess(message.now, Date.now());
        this.#schedulePing(0);
        this.#owner.hello(message);
        break;
      case 'pong': {
        const asked = this.#asked.get(message.id);
        this.#asked.delete(message.id);
        if (asked !== undefined) this.#clock.trip(asked, Date.now(), message.now);
        break;
      }
      case 'skip':
        this.#owner.skipped(message.blocks);
        break;
      case 'error':
        // The close that follows carries the status; the words are here.
        this.#complaint = message.detail === '' ? message.code : message.detail;
        break;
    }
  }

  #schedulePing(after: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      if (performance.now() - this.#heardAt > SILENCE_MS) {
        this.close(4000, 'the server fell silent');
        return;
      }
      this.#pings++;
      this.#asked.clear();
      this.#asked.set(this.#pings, Date.now());
      this.send({ type: 'ping', id: this.#pings });
      this.#schedulePing(this.#pings < QUICK_PINGS ? PING_FIRST_MS : PING_MS);
    }, after);
  }
}
