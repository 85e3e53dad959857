import { DecodeError, Field } from '@onair/contracts';
import { decodeEvent, type StreamName } from '@onair/media';
import { WebSocket, WebSocketServer } from 'ws';
import { HubError, type StreamRegistry } from '../hub/index.ts';
import type { UpgradeRequest } from '../net/index.ts';
import type { EventAuthor, EventService } from './event-service.ts';

/** Longest message of a client, in bytes: an event with room for its escapes. */
const MAX_MESSAGE = 262_144;
/** Bytes that may wait for a client that does not read. */
const MAX_BACKLOG = 1_048_576;
/** A client that answers no ping for so long is gone, in milliseconds. */
const PING_MS = 30_000;
/** Sockets open at one time. */
const MAX_SOCKETS = 2000;

/** Serves `/api/v1/streams/APP/NAME/events` as WebSocket: events of the stream come, requests for events go. */
export class EventSockets {
  readonly #events: EventService;
  readonly #registry: StreamRegistry;
  readonly #server = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: MAX_MESSAGE,
  });

  constructor(events: EventService, registry: StreamRegistry) {
    this.#events = events;
    this.#registry = registry;
  }

  /** True if there is no room for another. */
  get full(): boolean {
    return this.#server.clients.size >= MAX_SOCKETS;
  }

  /** @param author who it is, if it may ask for events. */
  serve({ request, socket, head }: UpgradeRequest, name: StreamName, author: EventAuthor | undefined): void {
    this.#server.handleUpgrade(request, socket, head, (ws) => this.#open(ws, name, author));
  }

  /** Ends every socket. */
  close(): void {
    for (const client of this.#server.clients) client.terminate();
    this.#server.close();
  }

  #open(ws: WebSocket, name: StreamName, author: EventAuthor | undefined): void {
    const stream = this.#registry.open(name);
    const detach = stream.attach();
    const send = (value: object): void => {
      if (ws.readyState !== WebSocket.OPEN) return;
      if (ws.bufferedAmount > MAX_BACKLOG) ws.terminate();
      else ws.send(JSON.stringify(value));
    };
    const leave = stream.subscribe({
      cut: () => undefined,
      state: () => undefined,
      sample: ({ track, data }) => {
        if (track.parameters.kind === 'data') send({ type: 'event', event: decodeEvent(data) });
      },
    });
    let alive = true;
    const timer = setInterval(() => {
      if (!alive) ws.terminate();
      alive = false;
      ws.ping();
    }, PING_MS).unref();
    ws.on('pong', () => {
      alive = true;
    });
    ws.on('error', () => ws.terminate());
    ws.on('close', () => {
      clearInterval(timer);
      leave();
      detach();
    });
    ws.on('message', (data, binary) => {
      alive = true;
      if (binary) ws.close(1003, 'text only');
      else send(this.#answer(name, String(data), author));
    });
  }

  /** The answer to a request `{ "ref"?, …event }`. */
  #answer(name: StreamName, text: string, author: EventAuthor | undefined): object {
    let ref: unknown;
    try {
      const { ref: given, ...request } = new Field(JSON.parse(text)).object();
      if (typeof given === 'string' || typeof given === 'number') ref = given;
      if (author === undefined)
        return refused(ref, 'AUTH_REQUIRED', 'the operator or a stream key may do this');
      return { type: 'accepted', ref, event: this.#events.fire(name, new Field(request), author) };
    } catch (error) {
      if (error instanceof SyntaxError) return refused(ref, 'BAD_REQUEST', 'not JSON');
      if (error instanceof DecodeError) return refused(ref, 'INVALID_FIELD', error.message);
      if (error instanceof HubError) return refused(ref, error.code, error.message);
      throw error;
    }
  }
}

function refused(ref: unknown, code: string, detail: string): object {
  return { type: 'refused', ref, code, detail };
}
