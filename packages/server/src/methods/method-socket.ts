import { DecodeError, Field } from '@onair/contracts';
import { WebSocket, WebSocketServer } from 'ws';
import type { UpgradeRequest } from '../net/index.ts';
import { newSessionId } from '../observe/index.ts';
import { METHOD_STATUS, readCall } from './method-routes.ts';
import type { MethodService } from './method-service.ts';
import { MethodError } from './script-thread.ts';

/** Longest message, in bytes. */
const MAX_MESSAGE = 262_144;
/** Bytes that may wait for a client that does not read. */
const MAX_BACKLOG = 1_048_576;
/** Calls of one client that may wait. */
const MAX_WAITING = 32;
/** Longest time a client may take to answer, and between two signs of life, in milliseconds. */
const ANSWER_MS = 10_000;
const PING_MS = 30_000;
/** Sockets open at one time. */
const MAX_SOCKETS = 10_000;

interface Asked {
  settle(ok: boolean, value: unknown): void;
}

/**
 * Serves `/rpc/APP` as WebSocket. Both sides send `{ "call": METHOD, "args"?, "id"? }` and answer a call with an id by
 * `{ "result": VALUE, "id" }` or `{ "error": { "code", "detail" }, "id" }`.
 */
export class MethodSockets {
  readonly #methods: MethodService;
  readonly #server = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: MAX_MESSAGE,
  });

  constructor(methods: MethodService) {
    this.#methods = methods;
  }

  /** True if there is no room for another. */
  get full(): boolean {
    return this.#server.clients.size >= MAX_SOCKETS;
  }

  /** Answers an upgrade request. */
  serve({ request, socket, head, client }: UpgradeRequest, app: string): void {
    this.#server.handleUpgrade(request, socket, head, (ws) => void this.#open(ws, app, client.address));
  }

  /** Ends every socket. */
  close(): void {
    for (const client of this.#server.clients) client.terminate();
    this.#server.close();
  }

  async #open(ws: WebSocket, app: string, address: string): Promise<void> {
    const info = { id: newSessionId(), app, address, transport: 'websocket' };
    const asked = new Map<number, Asked>();
    const state = { waiting: 0, last: 0, alive: true };
    const send = (value: object): void => {
      if (ws.readyState !== WebSocket.OPEN) return;
      if (ws.bufferedAmount > MAX_BACKLOG) ws.terminate();
      else ws.send(JSON.stringify(value));
    };
    ws.on('error', () => ws.terminate());
    // What comes while the script is asked waits in the socket.
    ws.pause();
    const refused = await this.#methods.refuses('onConnect', info);
    if (refused !== undefined || ws.readyState !== WebSocket.OPEN) {
      ws.resume();
      ws.close(1008, refused?.slice(0, 100));
      return;
    }
    ws.resume();
    const leave = this.#methods.join({
      ...info,
      ask: (call, args, answer) =>
        new Promise((resolve, reject) => {
          if (!answer) {
            send({ call, args });
            resolve(undefined);
            return;
          }
          const id = ++state.last;
          const timer = setTimeout(() => settle(false, 'the client did not answer'), ANSWER_MS);
          const settle = (ok: boolean, value: unknown): void => {
            clearTimeout(timer);
            if (!asked.delete(id)) return;
            if (ok) resolve(value);
            else reject(new Error(String(value)));
          };
          asked.set(id, { settle });
          send({ call, args, id });
        }),
    });
    const timer = setInterval(() => {
      if (!state.alive) ws.terminate();
      state.alive = false;
      ws.ping();
    }, PING_MS).unref();
    ws.on('pong', () => {
      state.alive = true;
    });
    ws.on('close', () => {
      clearInterval(timer);
      leave();
      for (const { settle } of [...asked.values()]) settle(false, 'the client has gone');
    });
    ws.on('message', (data, binary) => {
      state.alive = true;
      if (binary) ws.close(1003, 'text only');
      else {
        const message = messageOf(String(data));
        if (message === undefined) ws.close(1007, 'not a message of this protocol');
        else if ('call' in message) void this.#answer(message, info, state, send);
        else
          asked
            .get(Number(message.id))
            ?.settle('result' in message, message.result ?? detailOf(message.error));
      }
    });
  }

  async #answer(
    message: Readonly<Record<string, unknown>>,
    info: Parameters<MethodService['call']>[0],
    state: { waiting: number },
    send: (value: object) => void,
  ): Promise<void> {
    const { id } = message;
    const wanted = typeof id === 'number' || typeof id === 'string';
    const fault = (code: string, detail: string): void => {
      if (wanted) send({ id, error: { code, detail } });
    };
    if (state.waiting >= MAX_WAITING) {
      fault('OVERLOADED', 'too many calls wait for their answers');
      return;
    }
    state.waiting++;
    try {
      const { method, args } = readCall(new Field({ method: message.call, args: message.args }));
      const result = await this.#methods.call(info, method, args);
      if (wanted) send({ id, result: result ?? null });
    } catch (error) {
      if (error instanceof MethodError) fault(METHOD_STATUS[error.code], error.message);
      else if (error instanceof DecodeError) fault('INVALID_FIELD', error.message);
      else throw error;
    } finally {
      state.waiting--;
    }
  }
}

function messageOf(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}

function detailOf(error: unknown): string {
  const detail = (error as { readonly detail?: unknown } | null | undefined)?.detail;
  return typeof detail === 'string' ? detail.slice(0, 1000) : 'the client answered with an error';
}
