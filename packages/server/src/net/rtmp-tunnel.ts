import type { IncomingMessage, ServerResponse } from 'node:http';
import { TUNNEL_CONTENT_TYPE, TUNNEL_INTERVAL } from '@onair/media/rtmp';
import { TunnelSocket } from './rtmp-tunnel-socket.ts';

/** How long a request for bytes is held while there are none, in milliseconds. */
export const TUNNEL_HOLD_MS = 1_000;
/**
 * Shortest time between two answers to requests that only ask, in milliseconds: a player that asks again at once,
 * as librtmp does, comes 16 times a second and no more.
 */
export const TUNNEL_GAP_MS = 60;
/** A tunnel without any request under way for so long is closed, in milliseconds. */
export const TUNNEL_SILENCE_MS = 15_000;
/** How long a request may wait for those before it, in milliseconds. */
export const TUNNEL_ORDER_MS = 10_000;
/** Requests that may wait for those before them. */
const MAX_EARLY = 8;
const INTERVAL = Uint8Array.of(TUNNEL_INTERVAL);

/** A request under way. */
interface Step {
  readonly kind: 'send' | 'idle' | 'close';
  readonly sequence: number;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

/**
 * One RTMPT tunnel. Requests are taken in the order of their numbers, by whatever connection they come, and are
 * answered in that order. Bodies go to the session as they arrive; a request whose turn has not come is not read.
 */
export class RtmpTunnel {
  readonly id: string;
  readonly socket: TunnelSocket;
  readonly #early = new Map<number, Step>();
  /** Number of the next request; undefined before the first, which may be 0 or 1. */
  #next: number | undefined;
  /** Whose body is being read. */
  #reading: Step | undefined;
  /** Read and not yet answered, oldest first. */
  readonly #owed: Step[] = [];
  /** The last answer, for a client whose connection broke before it came. */
  #last: { readonly sequence: number; readonly bytes: Buffer } | undefined;
  readonly #timers: { silence?: NodeJS.Timeout; hold?: NodeJS.Timeout; order?: NodeJS.Timeout } = {};
  #answeredMs = 0;
  /** The request that is held, and since when. */
  #held: { readonly step: Step; readonly sinceMs: number } | undefined;

  /** @param remoteAddress of whoever opened it. @param closed called once. */
  constructor(id: string, remoteAddress: string | undefined, closed: () => void) {
    this.id = id;
    this.socket = new TunnelSocket(remoteAddress, () => this.#reading?.request.resume());
    this.socket.wake = () => this.#answer();
    this.socket.on('error', () => undefined); // the session has a listener of its own
    this.socket.once('close', () => {
      for (const timer of Object.values(this.#timers)) clearTimeout(timer);
      this.#answer();
      for (const step of this.#early.values()) refuse(step.response);
      this.#early.clear();
      closed();
    });
    this.#watchSilence();
  }

  /** Takes a request of this tunnel. */
  step(step: Step): void {
    const { sequence, response } = step;
    clearTimeout(this.#timers.silence);
    if (this.#next === undefined && sequence <= 1) this.#next = sequence;
    response.once('close', () => this.#left(step));
    if (this.#last?.sequence === sequence) {
      send(response, this.#last.bytes);
      return;
    }
    const next = this.#next;
    const bad = next === undefined || sequence < next || sequence > next + MAX_EARLY;
    if (bad || this.#early.has(sequence) || this.socket.destroyed) {
      refuse(response);
      this.#fail(`request ${sequence} of the tunnel, ${next ?? 0} wanted`);
      return;
    }
    this.#early.set(sequence, step);
    this.#timers.order ??= setTimeout(this.#late, TUNNEL_ORDER_MS);
    this.#takeTurn();
  }

  #takeTurn(): void {
    if (this.#reading !== undefined || this.#next === undefined) return;
    const step = this.#early.get(this.#next);
    if (step === undefined) return;
    this.#early.delete(this.#next++);
    this.#reading = step;
    clearTimeout(this.#timers.order);
    delete this.#timers.order;
    if (this.#early.size > 0) {
      this.#timers.order = setTimeout(this.#late, TUNNEL_ORDER_MS);
    }
    const { request } = step;
    request.on('data', (bytes: Buffer) => {
      // What the other kinds carry is one byte that says nothing.
      if (step.kind === 'send' && !this.socket.destroyed && !this.socket.push(bytes)) request.pause();
    });
    request.once('end', () => this.#read(step));
    request.once('error', (error) => this.#fail(error.message));
  }

  #read(step: Step): void {
    this.#reading = undefined;
    this.#owed.push(step);
    if (step.kind === 'close' && !this.socket.destroyed) this.socket.push(null);
    // What the session says to these bytes goes into the same answer.
    setImmediate(() => {
      this.#answer();
      this.#takeTurn();
    });
  }

  /** Answers what can be answered: all but the newest at once, the newest unless it is worth waiting for more. */
  #answer(): void {
    while (this.#owed.length > 0) {
      const step = this.#owed[0]!;
      const newest = this.#owed.length === 1 && this.#reading === undefined;
      if (this.socket.destroyed) {
        this.#owed.shift();
        if (step.kind === 'close') send(step.response, Buffer.from(INTERVAL));
        else refuse(step.response);
        continue;
      }
      if (newest && step.kind === 'idle' && this.#worthWaiting(step)) return;
      this.#owed.shift();
      const bytes = this.socket.takeBytes(INTERVAL);
      this.#answeredMs = performance.now();
      this.#last = { sequence: step.sequence, bytes };
      send(step.response, bytes);
    }
    clearTimeout(this.#timers.hold);
    delete this.#timers.hold;
  }

  /** True while a request that only asks is held; looks again by itself. */
  #worthWaiting(step: Step): boolean {
    const { socket } = this;
    if (socket.finishing) return false;
    const nowMs = performance.now();
    const heldMs = nowMs - this.#heldSince(step, nowMs);
    const gapMs = nowMs - this.#answeredMs;
    const waitMs = socket.waitingBytes > 0 ? TUNNEL_GAP_MS - gapMs : TUNNEL_HOLD_MS - heldMs;
    if (waitMs <= 0) return false;
    clearTimeout(this.#timers.hold);
    this.#timers.hold = setTimeout(() => this.#answer(), waitMs);
    return true;
  }

  #heldSince(step: Step, nowMs: number): number {
    if (this.#held?.step !== step) this.#held = { step, sinceMs: nowMs };
    return this.#held.sinceMs;
  }

  /** A request is answered, or its connection broke. */
  #left(step: Step): void {
    const owed = this.#owed.indexOf(step);
    if (owed >= 0) {
      // It took nothing with it: the same request may come again.
      this.#owed.splice(owed, 1);
      this.#last = { sequence: step.sequence, bytes: Buffer.from(INTERVAL) };
    }
    if (this.#reading === step) this.#fail('half of a request is lost');
    if (this.#early.get(step.sequence) === step) this.#early.delete(step.sequence);
    this.#watchSilence();
  }

  readonly #late = (): void => this.#fail('a request of the tunnel does not come');

  #fail(reason: string): void {
    this.socket.destroy(new Error(reason));
  }

  #watchSilence(): void {
    if (this.socket.destroyed) return;
    clearTimeout(this.#timers.silence);
    this.#timers.silence = setTimeout(() => {
      const busy = this.#owed.length > 0 || this.#reading !== undefined || this.#early.size > 0;
      if (!busy) this.#fail('the tunnel fell silent');
    }, TUNNEL_SILENCE_MS);
  }
}

/** Answers with bytes of the tunnel. */
export function send(response: ServerResponse, bytes: Uint8Array | string): void {
  if (response.destroyed || response.writableEnded) return;
  response.writeHead(200, {
    'Content-Type': TUNNEL_CONTENT_TYPE,
    'Content-Length': bytes.length, // librtmp looks for this very spelling
    'Cache-Control': 'no-store',
  });
  response.end(bytes);
}

/** Says that there is no such tunnel, or that it is over. @param keep leaves the connection open. */
export function refuse(response: ServerResponse, status = 404, keep = false): void {
  if (response.destroyed || response.writableEnded) return;
  if (!keep) response.shouldKeepAlive = false;
  response.writeHead(status, { 'Content-Length': 0, 'Cache-Control': 'no-store' });
  response.end();
}
