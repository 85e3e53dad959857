import { closeCodeOf } from '@onair/contracts';
import { DecodeError } from '@onair/contracts/api';
import type { ErrorCode } from '@onair/contracts/errors';
import {
  decodePeerClientMessage,
  PEER_SUBPROTOCOL,
  type PeerClientMessage,
  type PeerServerMessage,
} from '@onair/contracts/peers';
import type { IceSettings } from '@onair/contracts/rooms';
import { type RawData, WebSocket, WebSocketServer } from 'ws';
import { Allowance, type HttpServer, refusedForNow } from '../net/index.ts';
import { PeerDirectory, type PeerLine } from './peer-directory.ts';
import { RoomError } from './room-directory.ts';

/** What the calls of peers are made with. */
export interface RegisterPeersOptions {
  /** Settings in force. */
  settings(): { readonly messagesPerSecond: number };
  /** How a peer is to connect. */
  ice(id: string): IceSettings;
  /** Compares secrets in a time that does not depend on them. */
  same(given: string, wanted: string): boolean;
}

/** Peers at one time, with those that are away. */
const MAX_PEERS = 10_000;
/** Longest message, octets: an SDP in JSON. */
const MAX_BYTES = 64 * 1024;
/** Until when a peer must have claimed an id, ms. */
const CLAIM_MS = 10_000;
/** A peer that answers no ping for so long is gone, ms. */
const PONG_MS = 15_000;
/** Octets that wait for a peer that does not read, at most. */
const MAX_WAITING = 1024 * 1024;
/** Messages at once, in seconds' worth. */
const BURST_SECONDS = 3;

/** Adds the WebSocket by which pages call each other. Returns what ends every connection. */
export function registerPeers(http: HttpServer, options: RegisterPeersOptions): () => void {
  const directory = new PeerDirectory(MAX_PEERS, options.same);
  const open = new Set<PeerSocket>();
  const server = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    clientTracking: false,
    maxPayload: MAX_BYTES,
    handleProtocols: (offered) => (offered.has(PEER_SUBPROTOCOL) ? PEER_SUBPROTOCOL : false),
  });
  http.upgrades.add({
    pattern: /\/peers/,
    origins: 'own',
    handle: ({ request, socket, head }) => {
      if (open.size >= MAX_PEERS) throw refusedForNow('OVERLOADED', 5, 'too many peers');
      server.handleUpgrade(request, socket, head, (ws) => {
        const peer = new PeerSocket(ws, directory, options);
        open.add(peer);
        ws.on('close', () => open.delete(peer));
      });
    },
  });
  return () => {
    for (const peer of open) peer.end();
  };
}

class PeerSocket implements PeerLine {
  readonly #ws: WebSocket;
  readonly #directory: PeerDirectory;
  readonly #ice: RegisterPeersOptions['ice'];
  readonly #allowance: Allowance;
  readonly #ping: NodeJS.Timeout;
  readonly #idle: NodeJS.Timeout;
  #id: string | undefined;
  #alive = true;

  constructor(ws: WebSocket, directory: PeerDirectory, { settings, ice }: RegisterPeersOptions) {
    this.#ws = ws;
    this.#directory = directory;
    this.#ice = ice;
    this.#allowance = new Allowance(() => settings().messagesPerSecond, BURST_SECONDS, performance.now());
    this.#ping = setInterval(() => this.#check(), PONG_MS).unref();
    this.#idle = setTimeout(() => this.#refuse('REQUEST_TIMEOUT', 'no id was claimed'), CLAIM_MS).unref();
    ws.on('message', (data, binary) => this.#take(data, binary));
    ws.on('pong', () => {
      this.#alive = true;
    });
    ws.on('error', () => ws.terminate());
    ws.on('close', () => this.#closed());
  }

  send(message: PeerServerMessage): void {
    if (this.#ws.readyState !== WebSocket.OPEN) return;
    if (this.#ws.bufferedAmount > MAX_WAITING) this.#ws.terminate();
    else this.#ws.send(JSON.stringify(message));
  }

  replaced(): void {
    this.#ws.close(4000, 'another connection goes on');
  }

  end(): void {
    this.#ws.close(1001, 'the server ends');
  }

  #take(data: RawData, binary: boolean): void {
    if (this.#ws.readyState !== WebSocket.OPEN) return;
    this.#alive = true;
    try {
      if (!this.#allowance.take(performance.now())) {
        throw new RoomError('TOO_MANY_REQUESTS', 'fewer messages, please');
      }
      this.#message(decodePeerClientMessage(binary ? undefined : parsed(String(data))));
    } catch (error) {
      if (error instanceof RoomError) this.#refuse(error.code, error.message);
      else if (error instanceof DecodeError) this.#refuse('PEER_MESSAGE_INVALID', error.message);
      else throw error;
    }
  }

  #message(message: PeerClientMessage): void {
    if (message.type === 'claim') {
      if (this.#id !== undefined) throw new RoomError('PEER_MESSAGE_INVALID', 'there is an id already');
      this.#directory.claim(message.id, message.secret, this, performance.now());
      this.#id = message.id;
      clearTimeout(this.#idle);
      this.send({ type: 'ready', id: message.id, ...this.#ice(message.id) });
      return;
    }
    if (this.#id === undefined) throw new RoomError('PEER_MESSAGE_INVALID', 'claim an id first');
    const { to, ...body } = message;
    if (!this.#directory.pass(this.#id, to, body)) this.send({ type: 'absent', id: to });
  }

  #refuse(code: ErrorCode, detail: string): void {
    this.send({ type: 'error', code, detail: detail.slice(0, 500) });
    this.#ws.close(closeCodeOf(code), code);
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
    clearInterval(this.#ping);
    clearTimeout(this.#idle);
    if (this.#id !== undefined) this.#directory.leave(this.#id, this, performance.now());
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
