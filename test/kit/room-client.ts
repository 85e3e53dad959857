import { decodeRoomAnswer, type RoomAnswer } from '@onair/contracts/rooms';
import { io, type Socket } from 'socket.io-client';
import type { Scope } from './scope.ts';
import { until } from './until.ts';

/** A plain Socket.IO client that keeps what it hears. */
export class RoomClient {
  readonly socket: Socket;
  /** Events in order: name and payload. */
  readonly heard: [string, Record<string, unknown>][] = [];

  constructor(socket: Socket) {
    this.socket = socket;
    for (const event of ['message', 'user disconnected', 'stage', 'refused']) {
      socket.on(event, (payload: Record<string, unknown>) => void this.heard.push([event, payload]));
    }
  }

  get id(): string {
    return this.socket.id ?? '';
  }

  /** Enters as the original pages do, without asking for an answer. */
  enter(room: unknown): void {
    this.socket.emit('enter', room);
  }

  /** Enters and returns what the server says to it. */
  async ask(room: unknown, options?: unknown): Promise<RoomAnswer> {
    return decodeRoomAnswer(await this.socket.timeout(10_000).emitWithAck('enter', room, options));
  }

  send(message: object): void {
    this.socket.emit('message', message);
  }

  /** The first message of a type, once it is there; it is taken out. */
  async message(type: string): Promise<Record<string, unknown>> {
    return this.next('message', (payload) => payload.type === type);
  }

  /** The first event of a name that fits, once it is there; it is taken out. */
  async next(
    event: string,
    fits: (payload: Record<string, unknown>) => boolean = () => true,
  ): Promise<Record<string, unknown>> {
    const find = (): number => this.heard.findIndex(([name, payload]) => name === event && fits(payload));
    await until(() => find() >= 0, { message: () => `${event} in ${JSON.stringify(this.heard)}` });
    return this.heard.splice(find(), 1)[0]![1];
  }
}

/** Connects; the scope closes. @param options of socket.io-client, e.g. `{ transports: ['polling'] }`. */
export async function connectRoomClient(
  scope: Scope,
  url: string,
  options: Readonly<Record<string, unknown>> = {},
): Promise<RoomClient> {
  const socket = io(url, { forceNew: true, reconnection: false, ...options });
  scope.defer(() => void socket.disconnect());
  let failure: Error | undefined;
  socket.on('connect_error', (error) => {
    failure = error;
  });
  await until(() => socket.connected || failure !== undefined, { message: 'a connection' });
  if (failure !== undefined) throw failure;
  return new RoomClient(socket);
}
