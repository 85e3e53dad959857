import { type ClientRequest, Agent as HttpAgent, request as httpRequest } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { LookupFunction } from 'node:net';
import {
  TUNNEL_CONTENT_TYPE,
  TUNNEL_EMPTY_BODY,
  type TunnelRequest,
  tunnelId,
  tunnelPath,
} from '@onair/media/rtmp';
import { TunnelSocket } from './rtmp-tunnel-socket.ts';

/** Where a tunnel leads. */
export interface TunnelTarget {
  readonly host: string;
  readonly port: number;
  /** True for HTTPS. */
  readonly secure: boolean;
  /** False takes any certificate. */
  readonly rejectUnauthorized: boolean;
  /** How to find the host; the system's way unless given. */
  readonly lookup?: LookupFunction;
}

/** Waits between requests that brought nothing and were answered at once, in milliseconds. */
const IDLE_MS = { first: 10, last: 100 } as const;
/** An answer that took so long was held by the server, in milliseconds: ask again at once. */
const HELD_MS = 200;
/** Longest answer that is read, in bytes. */
const MAX_ANSWER = 16_777_216;
/** Longest time for an answer, in milliseconds. */
const ANSWER_MS = 15_000;
const NOTHING = new Uint8Array(0);

/** The client's end of an RTMPT tunnel, opening. What is written before it is open goes out then. */
export function openTunnel(target: TunnelTarget): TunnelSocket {
  return new TunnelClient(target).socket;
}

/**
 * Asks for bytes all the time, and sends what there is: if a question is held by the server, over a second
 * connection, whereupon the server answers both. Answers are taken in the order of their numbers.
 */
class TunnelClient {
  readonly socket: TunnelSocket;
  readonly #target: TunnelTarget;
  readonly #agent: HttpAgent | HttpsAgent;
  #id = '';
  #sequence = 0;
  /** Under way: at most one that asks and one that sends. */
  readonly #requests = new Map<'idle' | 'send', ClientRequest>();
  /** Answers that came before those of earlier numbers. */
  readonly #answers = new Map<number, Buffer>();
  #taken = 0;
  readonly #wait: { ms: number; timer: NodeJS.Timeout | undefined } = { ms: IDLE_MS.first, timer: undefined };
  /** True while the reader wants no more. */
  #full = false;

  constructor(target: TunnelTarget) {
    this.#target = target;
    const options = { keepAlive: true, maxSockets: 2 };
    this.#agent = target.secure ? new HttpsAgent(options) : new HttpAgent(options);
    this.socket = new TunnelSocket(target.host, () => this.#drained());
    this.socket.wake = () => this.#woken();
    this.socket.once('close', () => {
      clearTimeout(this.#wait.timer);
      for (const request of this.#requests.values()) request.destroy();
      this.#agent.destroy();
    });
    this.#ask('send', { kind: 'open' }, TUNNEL_EMPTY_BODY, (answer) => {
      const id = tunnelId(answer.toString('latin1', 0, 128));
      if (id === undefined) throw new Error('the server opened no tunnel');
      this.#id = id;
      this.#send();
    });
  }

  /** Sends what waits, or says that it is over. */
  #send(): void {
    const { socket } = this;
    if (socket.destroyed || this.#requests.has('send') || this.#id === '') return;
    const body = socket.takeBytes(NOTHING);
    if (body.length > 0) this.#step('send', 'send', body);
    else if (socket.writableFinished) this.#step('send', 'close', TUNNEL_EMPTY_BODY);
    else this.#listen();
  }

  /** Asks for bytes. */
  #listen(): void {
    const busy = this.#requests.size > 0 || this.#wait.timer !== undefined || this.#full;
    if (!busy && !this.socket.destroyed) this.#step('idle', 'idle', TUNNEL_EMPTY_BODY);
  }

  #step(lane: 'idle' | 'send', kind: 'send' | 'idle' | 'close', body: Uint8Array): void {
    const askedMs = performance.now();
    const sequence = this.#sequence++;
    this.#ask(lane, { kind, id: this.#id, sequence }, body, (answer) => {
      this.#answers.set(sequence, answer);
      const got = this.#deliver();
      if (kind === 'close') this.socket.push(null);
      else if (got) this.#wait.ms = IDLE_MS.first;
      else if (kind === 'idle' && performance.now() - askedMs < HELD_MS) this.#pause();
      this.#send();
    });
  }

  /** Hands on what came, in order; true if there was something. */
  #deliver(): boolean {
    let got = false;
    for (let answer = this.#answers.get(this.#taken); answer !== undefined; ) {
      this.#answers.delete(this.#taken++);
      if (answer.length > 1) {
        got = true;
        this.#full = !this.socket.push(answer.subarray(1));
      }
      answer = this.#answers.get(this.#taken);
    }
    return got;
  }

  /** The server had nothing to say and did not wait: asks less often. */
  #pause(): void {
    const wait = this.#wait;
    wait.timer = setTimeout(() => {
      wait.timer = undefined;
      this.#listen();
    }, wait.ms);
    wait.ms = Math.min(IDLE_MS.last, wait.ms * 2);
  }

  #woken(): void {
    // Whatever else is written in this turn goes the same way.
    setImmediate(() => this.#send());
  }

  #drained(): void {
    if (!this.#full) return;
    this.#full = false;
    setImmediate(() => this.#listen());
  }

  #ask(
    lane: 'idle' | 'send',
    request: TunnelRequest,
    body: Uint8Array,
    done: (answer: Buffer) => void,
  ): void {
    const { host, port, secure, rejectUnauthorized, lookup } = this.#target;
    const asked = (secure ? httpsRequest : httpRequest)({
      host,
      port,
      agent: this.#agent,
      method: 'POST',
      path: tunnelPath(request),
      headers: {
        'Content-Type': TUNNEL_CONTENT_TYPE,
        'Content-Length': body.length,
        'User-Agent': 'Shockwave Flash',
      },
      timeout: ANSWER_MS,
      ...(secure ? { rejectUnauthorized } : {}),
      ...(lookup === undefined ? {} : { lookup }),
    });
    this.#requests.set(lane, asked);
    asked.on('timeout', () => asked.destroy(new Error('the server leaves a request unanswered')));
    asked.on('error', (error) => this.socket.destroy(error));
    asked.on('response', (response) => {
      const parts: Buffer[] = [];
      let length = 0;
      if (response.statusCode !== 200)
        asked.destroy(new Error(`the tunnel is over: HTTP ${response.statusCode}`));
      response.on('data', (part: Buffer) => {
        length += part.length;
        if (length > MAX_ANSWER) asked.destroy(new Error('the answer is too long'));
        else parts.push(part);
      });
      response.on('end', () => {
        this.#requests.delete(lane);
        try {
          done(Buffer.concat(parts, length));
        } catch (error) {
          this.socket.destroy(error as Error);
        }
      });
    });
    asked.end(body);
  }
}
