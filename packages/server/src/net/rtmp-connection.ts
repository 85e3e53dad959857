import type { AmfValue } from '@onair/media/amf';
import {
  type ConnectRequest,
  type PlayRequest,
  type PublishRequest,
  type RtmpPhase,
  type RtmpServerEvent,
  RtmpServerSession,
  type SharedObjectMessage,
  type StatusLevel,
} from '@onair/media/rtmp';
import { newSessionId } from '../observe/index.ts';
import { handshakeCrypto } from './handshake-crypto.ts';
import { RtmpCalls } from './rtmp-calls.ts';
import { askToReconnect, codeOf, lastWords, notAdmitted } from './rtmp-end.ts';
import type { RtmpHandlers, RtmpInlet, RtmpOutlet, RtmpPeer } from './rtmp-handlers.ts';
import type { RtmpSocket, RtmpTransportName } from './rtmp-socket.ts';

/** How a connection is treated. */
export interface RtmpConnectionPolicy {
  /** Until when each phase before publishing or playing must be over, milliseconds from its begin. */
  readonly phaseTimeoutMs: number;
  /** A peer silent for so long is pinged, and closed after twice that again, milliseconds. */
  readonly pingMs: number;
  /** Acknowledgement window that is announced, in bytes. */
  readonly windowAckBytes?: number;
  /** Longest media message of a publisher, in bytes. */
  readonly maxMessageBytes?: number;
}

/** How a connection ended; one line of the log. */
export interface RtmpConnectionEnd {
  readonly session: string;
  readonly address: string;
  readonly transport: RtmpTransportName;
  /** What it was doing. */
  readonly phase: RtmpPhase;
  /** Stable code, or `closed`. */
  readonly code: string;
  readonly reason: string;
  /** True if it published or played at some time. */
  readonly served: boolean;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly seconds: number;
  /** The fault itself where it is ours (`INTERNAL`). */
  readonly err?: unknown;
}

/** What a connection needs from its listener. */
export interface RtmpConnectionContext {
  readonly handlers: RtmpHandlers;
  readonly address: string;
  readonly transport: RtmpTransportName;
  /** When the connection was accepted, monotonic milliseconds; the handshake is timed from there. */
  readonly acceptedMs: number;
  policy(): RtmpConnectionPolicy;
  /** A handler failed instead of answering. */
  fault(session: string, error: unknown): void;
  /** Called once. */
  ended(connection: RtmpConnection, end: RtmpConnectionEnd): void;
}

/** One RTMP connection: moves bytes between a socket and a session, watches deadlines, closes once. */
export class RtmpConnection implements RtmpPeer {
  readonly id: string = newSessionId();
  readonly socket: RtmpSocket;
  readonly #context: RtmpConnectionContext;
  readonly #session: RtmpServerSession;
  readonly #inlets = new Map<number, RtmpInlet>();
  readonly #outlets = new Map<number, RtmpOutlet>();
  /** The phase that is being timed, and what was seen of the peer last. */
  readonly #watch = { phase: 'handshake' as RtmpPhase, timer: undefined as NodeJS.Timeout | undefined };
  readonly #heard: { atMs: number; pings: number; connect?: ConnectRequest } = {
    atMs: performance.now(),
    pings: 0,
  };
  readonly #calls: RtmpCalls;
  #served = false;
  #closed = false;

  /** @param head bytes that were received already; undefined if the handshake was done below: RTMPE. */
  constructor(socket: RtmpSocket, head: Uint8Array | undefined, context: RtmpConnectionContext) {
    this.socket = socket;
    this.#context = context;
    const { windowAckBytes, maxMessageBytes } = context.policy();
    this.#session = new RtmpServerSession({
      nowMs: () => performance.now(),
      crypto: handshakeCrypto,
      windowAckSize: windowAckBytes,
      maxMessageBytes,
      shaken: head === undefined,
    });
    this.#calls = new RtmpCalls(this.#session, (speak) => this.#say(speak));
    this.#startDeadline();
    socket.on('data', (bytes: Uint8Array) => this.#receive(bytes));
    socket.on('drain', () => this.#drained());
    socket.on('error', (error) => this.#end('closed', error.message));
    socket.on('end', () => this.close('closed by the peer'));
    socket.on('close', () => this.#end('closed', 'connection closed'));
    if (head !== undefined) this.#receive(head);
  }

  get address(): string {
    return this.#context.address;
  }

  get transport(): RtmpTransportName {
    return this.#context.transport;
  }

  get connect(): ConnectRequest {
    return this.#session.connection ?? this.#heard.connect!;
  }
  get phase(): RtmpPhase {
    return this.#session.phase;
  }

  sendStatus(streamId: number, level: StatusLevel, code: string, description: string): void {
    this.#say(() => this.#session.sendStatus(streamId, level, code, description));
  }

  sendData(streamId: number, timestampMs: number, name: string, values: readonly AmfValue[]): void {
    this.#say(() => this.#session.sendData(streamId, timestampMs, name, values));
  }

  call(method: string, args: readonly AmfValue[]): Promise<AmfValue> {
    return this.#calls.call(method, args);
  }

  sendSharedObject(message: Omit<SharedObjectMessage, 'kind'>): void {
    this.#say(() => this.#session.sendSharedObject(message));
  }

  notify(streamId: number, name: string, published: boolean): void {
    this.#say(() => this.#session.notify(streamId, name, published));
  }

  endPlay(streamId: number, name: string): void {
    this.#say(() => this.#session.endPlay(streamId, name));
  }

  close(reason: string): void {
    this.#end('closed', reason);
  }

  /** Ends the connection since the server stops. @param tcUrl where clients that can go instead. */
  dismiss(reason: string, tcUrl: string | undefined): void {
    this.#guard(() => askToReconnect(this.#session, reason, tcUrl));
    this.close(reason);
  }

  /** Pings a silent peer, and gives up on one that stays silent. To be called every second or so. */
  check(nowMs: number): void {
    if (this.#closed || this.#watch.timer !== undefined) return;
    const { pingMs } = this.#context.policy();
    const silentMs = nowMs - this.#heard.atMs;
    if (silentMs > 3 * pingMs) this.#end('closed', 'the peer answers no ping');
    else if (silentMs > (this.#heard.pings + 1) * pingMs && this.#heard.pings < 2) {
      this.#heard.pings++;
      this.#say(() => this.#session.ping(Math.floor(nowMs)));
    }
  }

  #receive(bytes: Uint8Array): void {
    if (this.#closed) return;
    this.#heard.atMs = performance.now();
    this.#heard.pings = 0;
    this.#guard(() => {
      this.#session.push(bytes);
      this.#advance();
    });
  }

  /** Takes what the session has found, up to a question that somebody has to answer first. */
  #advance(): void {
    for (let event = this.#session.next(); event !== undefined; event = this.#session.next()) {
      this.#handle(event);
    }
    this.#flush(false);
    this.#startDeadline();
    if (this.#session.decision !== undefined) this.socket.pause();
  }

  #handle(event: RtmpServerEvent): void {
    switch (event.kind) {
      case 'media':
        this.#inlets.get(event.streamId)?.media(event);
        return;
      case 'data':
        this.#inlets.get(event.streamId)?.data(event);
        return;
      case 'connect':
        void this.#decideConnect(event.request);
        return;
      case 'publish':
        void this.#decidePublish(event);
        return;
      case 'play':
        void this.#decidePlay(event);
        return;
      case 'unpublish':
        this.#release(this.#inlets, event.streamId, 'unpublished');
        return;
      case 'stop':
        this.#release(this.#outlets, event.streamId, 'stopped');
        return;
      case 'pause':
        this.#outlets.get(event.streamId)?.paused(event.paused);
        return;
      case 'receive':
        this.#outlets.get(event.streamId)?.receive(event.media, event.on);
        return;
      case 'seek':
        if (this.#outlets.get(event.streamId)?.seek?.(event.timeMs) !== true)
          this.#session.sendStatus(event.streamId, 'error', 'NetStream.Seek.Failed', 'A live stream.');
        return;
      case 'bufferLength':
        this.#outlets.get(event.streamId)?.bufferLength?.(event.ms);
        return;
      case 'clearData':
      case 'pong':
        return;
      case 'result':
        this.#calls.answered(event);
        return;
      case 'sharedObject':
        this.#calls.kept = true;
        this.#context.handlers.sharedObject?.(this, event);
        return;
      case 'call': {
        const { call } = this.#context.handlers;
        this.#calls.called(event, call && ((request) => call(this, request)));
      }
    }
  }

  /** Names are judged where they are used; an application may still refuse. */
  async #decideConnect(request: ConnectRequest): Promise<void> {
    const { connect, admit } = this.#context.handlers;
    this.#heard.connect = request;
    let refusal = connect?.(request, this.address);
    const asked = refusal === undefined ? admit?.(this) : undefined;
    if (asked !== undefined) {
      refusal = await asked.catch(() => notAdmitted('the server failed'));
      if (this.#closed) return;
    }
    this.#guard(() => {
      if (refusal !== undefined) {
        this.#session.rejectConnect(refusal.refused, refusal.reason, refusal.redirect);
        this.#end(refusal.refused, refusal.reason);
        return;
      }
      this.#session.acceptConnect();
      if (asked !== undefined) this.#goOn();
    });
  }

  async #decidePublish(request: PublishRequest): Promise<void> {
    const answer = await this.#context.handlers.publish(this, request).catch(this.#failed);
    if (this.#closed) {
      if (!('refused' in answer)) answer.closed('connection closed');
      return;
    }
    this.#guard(() => {
      if ('refused' in answer) {
        const code = answer.refused === 'fault' ? 'NetStream.Publish.Denied' : answer.refused;
        this.#session.rejectPublish(code, answer.reason);
        this.#end(code, answer.reason);
        return;
      }
      this.#inlets.set(request.streamId, answer);
      this.#served = true;
      this.#session.acceptPublish();
      this.#goOn();
    });
  }

  async #decidePlay(request: PlayRequest): Promise<void> {
    const answer = await this.#context.handlers.play(this, request).catch(this.#failed);
    if (this.#closed) {
      if (!('refused' in answer)) answer.closed('connection closed');
      return;
    }
    this.#guard(() => {
      this.#release(this.#outlets, request.streamId, 'replaced');
      if ('refused' in answer) {
        const code = answer.refused === 'fault' ? 'NetStream.Play.Failed' : answer.refused;
        this.#session.rejectPlay(code, answer.reason);
        this.#end(code, answer.reason);
        return;
      }
      this.#outlets.set(request.streamId, answer);
      this.#served = true;
      this.#session.acceptPlay();
      this.#flush(true);
      answer.started();
      this.#goOn();
    });
  }

  #goOn(): void {
    if (this.#closed) return;
    this.socket.resume();
    this.#advance();
  }

  #release(held: Map<number, RtmpInlet | RtmpOutlet>, streamId: number, reason: string): void {
    const one = held.get(streamId);
    held.delete(streamId);
    one?.closed(reason);
  }

  /** Handlers should not fail; if one does, the peer hears that it failed and no more. */
  readonly #failed = (error: unknown): { readonly refused: 'fault'; readonly reason: string } => {
    this.#context.fault(this.id, error);
    return { refused: 'fault', reason: 'the server could not do this' };
  };

  /** Says something of its own accord. */
  #say(speak: () => void): void {
    if (this.#closed) return;
    this.#guard(() => {
      speak();
      this.#flush(false);
    });
  }

  /** @param force even if the socket takes no more; otherwise what waits is bounded by the session. */
  #flush(force: boolean): void {
    if (this.socket.destroyed || (!force && this.socket.writableNeedDrain)) return;
    const bytes = this.#session.takeOutput();
    if (bytes !== undefined) this.socket.write(bytes);
  }

  #drained(): void {
    if (this.#closed) return;
    this.#flush(false);
    for (const outlet of this.#outlets.values()) outlet.drained();
  }

  /** Times the phases in front of publishing and playing, each from its begin, whatever trickles in. */
  #startDeadline(): void {
    const { phase } = this.#session;
    const watch = this.#watch;
    if (this.#closed || (phase === watch.phase && watch.timer !== undefined)) return;
    if (phase === watch.phase && (phase === 'publishing' || phase === 'playing')) return;
    clearTimeout(watch.timer);
    watch.timer = undefined;
    watch.phase = phase;
    if (phase === 'publishing' || phase === 'playing' || phase === 'closed') return;
    const spentMs = phase === 'handshake' ? performance.now() - this.#context.acceptedMs : 0;
    const leftMs = Math.max(0, this.#context.policy().phaseTimeoutMs - spentMs);
    watch.timer = setTimeout(() => {
      // A client that only calls methods or uses shared objects neither publishes nor plays.
      if (phase === 'idle' && this.#calls.kept) watch.timer = undefined;
      else this.#end('REQUEST_TIMEOUT', `${phase} took too long`);
    }, leftMs);
  }

  #guard(action: () => void): void {
    try {
      action();
    } catch (error) {
      const code = codeOf(error);
      const reason = error instanceof Error ? error.message : String(error);
      this.#end(code ?? 'INTERNAL', reason, code === undefined ? error : undefined);
    }
  }

  #end(code: string, reason: string, err?: unknown): void {
    if (this.#closed) return;
    this.#closed = true;
    const phase = this.#watch.phase;
    clearTimeout(this.#watch.timer);
    for (const inlet of this.#inlets.values()) inlet.closed(reason);
    for (const outlet of this.#outlets.values()) outlet.closed(reason);
    this.#inlets.clear();
    this.#outlets.clear();
    this.#calls.close();
    this.#context.handlers.left?.(this);
    const { receivedBytes } = this.#session.traffic;
    const { socket } = this;
    if (!socket.destroyed) lastWords(this.#session, socket, reason === 'too-slow');
    this.#context.ended(this, {
      session: this.id,
      address: this.address,
      transport: this.transport,
      phase,
      code,
      reason,
      served: this.#served,
      bytesIn: receivedBytes,
      bytesOut: socket.bytesWritten,
      seconds: Math.round((performance.now() - this.#context.acceptedMs) / 1000),
      ...(err === undefined ? {} : { err }),
    });
  }
}
