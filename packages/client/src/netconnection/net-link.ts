import type { AmfObject, AmfValue } from '@onair/media/amf';
import { type RtmpClientEvent, RtmpClientSession, type SharedObjectMessage } from '@onair/media/rtmp';
import type { Door } from './address.ts';
import { type Carrier, type CarrierListener, openSocket } from './carrier.ts';
import { openTunnel } from './tunnel.ts';

/** Most calls that may wait for their answers, as in the session below. */
const MAX_CALLS = 64;

/** What concerns one message stream. */
export type StreamEvent = Extract<RtmpClientEvent, { readonly kind: 'media' | 'data' | 'status' | 'eof' }>;
/** What concerns the connection. */
export type ConnectionEvent = Extract<
  RtmpClientEvent,
  { readonly kind: 'connected' | 'refused' | 'status' | 'call' }
>;

/** Whoever a link belongs to. */
export interface LinkOwner {
  event(event: ConnectionEvent): void;
  /** The link is over, not by `close`. Called once. */
  lost(reason: string): void;
}

/** Opens what carries a connection. */
export type OpenCarrier = (door: Door, listener: CarrierListener) => Carrier;

/** Opens a WebSocket or a tunnel. */
export const openCarrier: OpenCarrier = ({ kind, url }, listener) =>
  kind === 'socket' ? openSocket(url, listener) : openTunnel(url, listener);

/** One RTMP connection of a page: a session and what carries it. */
export class NetLink {
  readonly #owner: LinkOwner;
  readonly #session: RtmpClientSession;
  readonly #carrier: Carrier;
  readonly #calls = new Map<number, (ok: boolean, value: AmfValue) => void>();
  readonly #streams = new Map<number, (event: StreamEvent) => void>();
  readonly #objects = new Map<string, (message: SharedObjectMessage) => void>();
  #over = false;

  constructor(
    door: Door,
    properties: AmfObject,
    args: readonly AmfValue[],
    owner: LinkOwner,
    open: OpenCarrier,
  ) {
    this.#owner = owner;
    const { app, tcUrl } = door;
    const nowMs = (): number => performance.now();
    this.#session = new RtmpClientSession({
      nowMs,
      intent: 'connect',
      app,
      tcUrl,
      name: '',
      properties,
      args,
    });
    this.#carrier = open(door, {
      opened: () => this.run((session) => session.start()),
      received: (bytes) => this.#receive(bytes),
      closed: (reason) => this.#lost(reason),
    });
  }

  /** Bytes that wait to leave. */
  get waiting(): number {
    return this.#carrier.waiting;
  }

  /** Lets the session say something, and sends it. */
  run(speak: (session: RtmpClientSession) => void): void {
    if (this.#over) return;
    speak(this.#session);
    const bytes = this.#session.takeOutput();
    if (bytes !== undefined) this.#carrier.send(bytes);
  }

  /** Calls a method of the server. @param answer takes what it answers. */
  call(method: string, args: readonly AmfValue[], answer: (ok: boolean, value: AmfValue) => void): void {
    this.run((session) => {
      const id = session.call(method, ...args);
      this.#calls.set(id, answer);
      for (const oldest of this.#calls.keys()) {
        if (this.#calls.size <= MAX_CALLS) break;
        this.#calls.delete(oldest);
      }
    });
  }

  /** Makes a message stream. @param made takes its id. @param events takes what concerns it. */
  createStream(made: (id: number) => void, events: (event: StreamEvent) => void): void {
    this.call('createStream', [], (ok, id) => {
      if (!ok || typeof id !== 'number') return;
      this.#streams.set(id, events);
      made(id);
    });
  }

  /** Gives a message stream back. */
  deleteStream(id: number): void {
    this.#streams.delete(id);
    this.run((session) => session.commandOn(0, 'deleteStream', id));
  }

  /** Hands the messages of a shared object to `take`; undefined takes that back. */
  watchObject(name: string, take: ((message: SharedObjectMessage) => void) | undefined): void {
    if (take === undefined) this.#objects.delete(name);
    else this.#objects.set(name, take);
  }

  /** Ends it; the owner is told nothing. */
  close(): void {
    if (this.#over) return;
    this.run((session) => session.close());
    this.#over = true;
    this.#carrier.close();
  }

  #receive(bytes: Uint8Array): void {
    if (this.#over) return;
    try {
      this.#session.push(bytes);
      for (let event = this.#session.next(); event !== undefined; event = this.#session.next())
        this.#handle(event);
      this.run(() => undefined);
    } catch (error) {
      this.#carrier.close();
      this.#lost(error instanceof Error ? error.message : String(error));
    }
  }

  #handle(event: RtmpClientEvent): void {
    switch (event.kind) {
      case 'media':
      case 'data':
      case 'eof':
        this.#streams.get(event.streamId)?.(event);
        return;
      case 'status': {
        const stream = this.#streams.get(event.streamId);
        if (stream === undefined) this.#owner.event(event);
        else stream(event);
        return;
      }
      case 'result': {
        const answer = this.#calls.get(event.transactionId);
        this.#calls.delete(event.transactionId);
        answer?.(event.ok, event.values[0]);
        return;
      }
      case 'sharedObject':
        this.#objects.get(event.name)?.(event);
        return;
      case 'connected':
      case 'refused':
      case 'call':
        this.#owner.event(event);
        return;
      case 'ready':
        return; // this session plays and publishes nothing by itself
    }
  }

  #lost(reason: string): void {
    if (this.#over) return;
    this.#over = true;
    this.#owner.lost(reason);
  }
}
