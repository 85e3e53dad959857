import { type ClientRequest, Agent as HttpAgent, request as httpRequest } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
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

/** The client's end of an RTMPT tunnel, opening. Emits `connect` once it is open. */
export function openTunnel(target: TunnelTarget): TunnelSocket {
  const tunnel = new TunnelClient(target);
  return tunnel.socket;
}

/** One request after the other on one connection: bytes up if there are any, or a question for bytes down. */
class TunnelClient {
  readonly socket: TunnelSocket;
  readonly #target: TunnelTarget;
  readonly #agent: HttpAgent | HttpsAgent;
  #id = '';
  #sequence = 0;
  #request: ClientRequest | undefined;
  #wait: { ms: number; timer: NodeJS.Timeout | undefined } = { ms: IDLE_MS.first, timer: undefined };
  /** True while the reader wants no more. */
  #full = false;

  constructor(target: TunnelTarget) {
    this.#target = target;
    const options = { keepAlive: true, maxSockets: 1 };
    this.#agent = target.secure ? new HttpsAgent(options) : new HttpAgent(options);
    this.socket = new TunnelSocket(target.host, () => this.#drained());
    this.socket.wake = () => this.#woken();
    this.socket.once('close', () => {
      clearTimeout(this.#wait.timer);
      this.#request?.destroy();
      this.#agent.destroy();
    });
    this.#ask({ kind: 'open' }, TUNNEL_EMPTY_BODY, (answer) => {
      const id = tunnelId(answer.toString('latin1', 0, 128));
      if (id === undefined) throw new Error('the server opened no tunnel');
      this.#id = id;
      this.socket.emit('connect');
      this.#next();
    });
  }

  #next(): void {
    const { socket } = this;
    if (socket.destroyed || this.#request !== undefined || this.#id === '') return;
    clearTimeout(this.#wait.timer);
    this.#wait.timer = undefined;
    const body = socket.takeBytes(NOTHING);
    const kind = body.length > 0 ? 'send' : socket.writableFinished ? 'close' : 'idle';
    if (kind === 'idle' && this.#full) return;
    const askedMs = performance.now();
    const step = { kind, id: this.#id, sequence: this.#sequence++ } as const;
    this.#ask(step, body.length > 0 ? body : TUNNEL_EMPTY_BODY, (answer) => {
      if (kind === 'close') socket.push(null);
      else this.#took(answer.subarray(1), kind === 'idle' && performance.now() - askedMs < HELD_MS);
    });
  }

  /** @param eager true if the server answers without waiting for something to say. */
  #took(bytes: Buffer, eager: boolean): void {
    const wait = this.#wait;
    if (bytes.length > 0) {
      wait.ms = IDLE_MS.first;
      this.#full = !this.socket.push(bytes);
    } else if (eager) {
      wait.timer = setTimeout(() => this.#next(), wait.ms);
      wait.ms = Math.min(IDLE_MS.last, wait.ms * 2);
      if (this.socket.waitingBytes === 0) return;
    }
    this.#next();
  }

  #woken(): void {
    // Whatever else is written in this turn goes the same way.
    if (this.#request === undefined) setImmediate(() => this.#next());
  }

  #drained(): void {
    if (!this.#full) return;
    this.#full = false;
    this.#next();
  }

  #ask(request: TunnelRequest, body: Uint8Array, done: (answer: Buffer) => void): void {
    const { host, port, secure, rejectUnauthorized } = this.#target;
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
    });
    this.#request = asked;
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
        this.#request = undefined;
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
