import {
  decodePeerServerMessage,
  PEER_SUBPROTOCOL,
  type PeerClientMessage,
  type PeerServerMessage,
} from '@onair/contracts/peers';
import type { IceSettings } from '@onair/contracts/rooms';
import { browserPeers, type PeerFactory } from '../room/peer-link.ts';
import { BackOff } from '../sources/back-off.ts';
import { Listeners } from './listeners.ts';
import { PeerCall } from './peer-call.ts';

/** What happens to a peer, and what its listeners are given. */
export type PeerEvents = {
  /** It can be called under its id; also again after the connection to the server was lost. */
  readonly open: readonly [id: string];
  /** Somebody calls. Without a listener the call is declined. */
  readonly call: readonly [call: PeerCall];
  /** Another peer says that it is there. */
  readonly hello: readonly [id: string];
  /** The connection to the server is lost; it is tried again by itself, and calls go on. */
  readonly lost: readonly [];
  /** It is over: a code of the server's errors, or `REPLACED` by another page that has its secret. */
  readonly error: readonly [failure: { readonly code: string; readonly detail: string }];
};

/** The parts of a WebSocket that are used. */
export interface PeerSocketPort {
  onopen: (() => void) | null;
  onmessage: ((event: { readonly data: unknown }) => void) | null;
  onclose: ((event: { readonly code: number }) => void) | null;
  send(data: string): void;
  close(): void;
}

/** What a {@link Peer} works with; the browser's own unless given. */
export interface PeerOptions {
  /** Address of the server; the page's own unless given. */
  readonly server?: string;
  /** With it the id can be claimed again, e.g. after a reload: 16 to 64 of `A-Z a-z 0-9 _ -`. */
  readonly secret?: string;
  readonly peers?: PeerFactory;
  readonly connect?: (url: string, protocol: string) => PeerSocketPort;
}

/** Calls at one time; more are declined. */
const MAX_CALLS = 32;
/** Messages that wait for the connection to the server, at most. */
const MAX_WAITING = 256;

/**
 * One end of calls from page to page: picture and sound go directly, the server only introduces. It comes back by
 * itself after a loss of the connection.
 */
export class Peer {
  /** Under which it can be called. */
  readonly id: string;
  readonly #secret: string;
  readonly #options: PeerOptions;
  readonly #listeners = new Listeners<PeerEvents>();
  readonly #calls = new Map<string, PeerCall>();
  readonly #backOff = new BackOff();
  #socket: { readonly port: PeerSocketPort; ready: boolean } | undefined;
  #waiting: string[] = [];
  #ice: IceSettings = { iceServers: [], iceTransportPolicy: 'all' };
  #timer: ReturnType<typeof setTimeout> | undefined;
  #over = false;

  /** @param id 1 to 64 of `A-Z a-z 0-9 _ -`; one that nobody guesses unless given. */
  constructor(id: string = randomName(), options: PeerOptions = {}) {
    this.id = id;
    this.#secret = options.secret ?? randomName();
    this.#options = options;
    this.#connect();
  }

  /** Calls that are not over. */
  get calls(): readonly PeerCall[] {
    return [...this.#calls.values()];
  }

  /** Listens. Returns what ends that. */
  on<N extends keyof PeerEvents>(name: N, listener: (...what: PeerEvents[N]) => void): () => void {
    return this.#listeners.add(name, listener);
  }

  /** Calls another peer; without a stream it is only listened to. */
  call(id: string, stream?: MediaStream): PeerCall {
    const call = this.#newCall(randomName(), id);
    call.ring(stream);
    return call;
  }

  /** Tells another peer that this one is there, so that it may call. */
  hello(id: string): void {
    if (this.#socket?.ready === true) this.#send({ type: 'hello', to: id });
  }

  /** Ends all calls and gives the id back. Safe to call twice. */
  close(): void {
    for (const call of this.calls) call.close();
    this.#over = true;
    clearTimeout(this.#timer);
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.port.close();
  }

  #newCall(id: string, remote: string): PeerCall {
    const { peers = browserPeers } = this.#options;
    const call = new PeerCall({
      id,
      remote,
      connection: peers(this.#ice),
      send: (body) => this.#send({ ...body, to: remote }),
      ended: () => this.#calls.delete(id),
    });
    this.#calls.set(id, call);
    return call;
  }

  #connect(): void {
    const { server = location.origin, connect } = this.#options;
    const url = `${server.replace(/\/$/, '').replace(/^http/, 'ws')}/peers`;
    const port = connect?.(url, PEER_SUBPROTOCOL) ?? (new WebSocket(url, PEER_SUBPROTOCOL) as PeerSocketPort);
    const socket = { port, ready: false };
    this.#socket = socket;
    port.onopen = () => {
      const claim: PeerClientMessage = { type: 'claim', id: this.id, secret: this.#secret };
      port.send(JSON.stringify(claim));
    };
    port.onmessage = ({ data }) => {
      if (this.#socket === socket) this.#take(data);
    };
    port.onclose = ({ code }) => {
      if (this.#socket === socket) this.#closed(code, socket.ready);
    };
  }

  #closed(code: number, ready: boolean): void {
    this.#socket = undefined;
    if (code === 4000) {
      this.#fail({ code: 'REPLACED', detail: 'another page goes on under this id' });
      return;
    }
    if (ready) this.#listeners.tell('lost');
    this.#timer = setTimeout(() => this.#connect(), this.#backOff.next());
  }

  #take(data: unknown): void {
    let message: PeerServerMessage;
    try {
      message = decodePeerServerMessage(JSON.parse(String(data)));
    } catch {
      return; // of a server of another version
    }
    switch (message.type) {
      case 'ready':
        this.#ready(message);
        return;
      case 'absent':
        for (const call of this.calls) if (call.remote === message.id) call.absent();
        return;
      case 'error':
        // The connection is closed next; only this one does not pass by itself.
        if (message.code === 'PEER_ID_TAKEN') this.#fail(message);
        return;
      case 'hello':
        this.#listeners.tell('hello', message.from);
        return;
      default:
        this.#hear(message);
    }
  }

  #hear(message: Exclude<PeerServerMessage, { type: 'ready' | 'absent' | 'error' | 'hello' }>): void {
    const known = this.#calls.get(message.call);
    // Ids of calls are the peers' to know: nobody takes part in the call of another.
    if (known !== undefined && known.remote === message.from) known.hear(message);
    else if (known === undefined && message.type === 'offer') {
      if (this.#calls.size >= MAX_CALLS) {
        this.#send({ type: 'bye', call: message.call, to: message.from });
        return;
      }
      const call = this.#newCall(message.call, message.from);
      call.rung(message.sdp);
      if (!this.#listeners.tell('call', call)) call.close();
    }
  }

  #ready(ice: IceSettings): void {
    this.#ice = ice;
    this.#backOff.reset();
    this.#socket!.ready = true;
    for (const text of this.#waiting.splice(0)) this.#socket!.port.send(text);
    this.#listeners.tell('open', this.id);
  }

  #send(message: PeerClientMessage): void {
    if (this.#over) return;
    const text = JSON.stringify(message);
    if (this.#socket?.ready === true) this.#socket.port.send(text);
    else if (this.#waiting.length < MAX_WAITING) this.#waiting.push(text);
  }

  #fail(failure: { readonly code: string; readonly detail: string }): void {
    this.close();
    this.#listeners.tell('error', { code: failure.code, detail: failure.detail });
  }
}

/** A name that nobody guesses: 128 bits. */
function randomName(): string {
  const random = crypto.getRandomValues(new Uint8Array(16));
  return btoa(String.fromCharCode(...random))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');
}
