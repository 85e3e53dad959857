import { connect, type Socket } from 'node:net';
import { type AmfObject, type AmfValue, amfProperties } from '@onair/media/amf';
import { ChunkQueue } from '@onair/media/bytes';
import {
  ChunkReader,
  ClientHandshake,
  type CommandMessage,
  decodeCommand,
  encodeCommand,
  encodeData,
  encodeMessage,
  MessageType,
} from '@onair/media/rtmp';
import type { Owned, Scope } from './scope.ts';
import { until } from './until.ts';

/** Until when the server must have answered, in milliseconds; long, since a thousand may ask at once. */
const PATIENCE = { timeoutMs: 30_000, everyMs: 25 };

/** What a {@link RawRtmp} may say in `connect`; the rest has usual values. */
export type ConnectProperties = AmfObject;

/** An RTMP client without a will of its own: says what it is told, in any order, and keeps what it hears. */
export class RawRtmp implements Owned {
  readonly socket: Socket;
  /** Commands heard. */
  readonly commands: CommandMessage[] = [];
  /** Types of all messages heard. */
  readonly types: number[] = [];
  /** Bytes heard. */
  received = 0;
  /** Milliseconds from opening until the connection was gone; undefined while it is there. */
  closedMs: number | undefined;
  /** Size of the chunks that it sends. */
  chunkSize = 128;
  readonly #handshake = new ClientHandshake({ nowMs: 0 });
  readonly #queue = new ChunkQueue();
  readonly #reader = new ChunkReader(this.#queue);
  readonly #begin = performance.now();

  constructor(port: number) {
    this.socket = connect({ port, host: '127.0.0.1', noDelay: true });
    this.socket.on('data', (bytes) => this.#hear(bytes));
    this.socket.on('error', () => undefined);
    this.socket.on('close', () => {
      this.closedMs = performance.now() - this.#begin;
    });
  }

  /** Sends bytes as they are. */
  send(bytes: Uint8Array): void {
    if (!this.socket.destroyed) this.socket.write(bytes);
  }

  /** Performs the simple handshake. */
  async shakeHands(): Promise<this> {
    this.send(this.#handshake.start());
    await until(() => this.#handshake.done || this.closedMs !== undefined, {
      ...PATIENCE,
      message: 'handshake',
    });
    return this;
  }

  /** Sends one message. */
  message(csid: number, type: number, streamId: number, timestampMs: number, body: Uint8Array): void {
    this.send(encodeMessage({ csid, type, timestampMs, body }, streamId, this.chunkSize));
  }

  /** Sends a command in AMF0. */
  command(name: string, transactionId: number, values: readonly AmfValue[], streamId = 0): void {
    this.message(3, MessageType.commandAmf0, streamId, 0, encodeCommand(name, transactionId, values));
  }

  /** Sends a data message. */
  data(streamId: number, name: string, values: readonly AmfValue[]): void {
    this.message(4, MessageType.dataAmf0, streamId, 0, encodeData(name, values));
  }

  /** Sends audio or video. */
  media(type: 'audio' | 'video', streamId: number, timestampMs: number, body: Uint8Array): void {
    const audio = type === 'audio';
    const wire = audio ? MessageType.audio : MessageType.video;
    this.message(audio ? 4 : 6, wire, streamId, timestampMs, body);
  }

  /** Announces larger chunks. */
  setChunkSize(size: number): void {
    const body = new Uint8Array(4);
    new DataView(body.buffer).setUint32(0, size);
    this.message(2, MessageType.setChunkSize, 0, 0, body);
    this.chunkSize = size;
  }

  /** Sends `connect` and waits for its answer. */
  async connectApp(app: AmfValue = 'live', more: ConnectProperties = {}): Promise<CommandMessage> {
    const properties = { app, tcUrl: 'rtmp://127.0.0.1/live', flashVer: 'FMLE/3.0', ...more };
    this.command('connect', 1, [properties]);
    return this.answer(1);
  }

  /** Handshake, connect and createStream; the id of the stream. */
  async openStream(app = 'live'): Promise<number> {
    await this.shakeHands();
    await this.connectApp(app);
    this.command('createStream', 2, [null]);
    return Number((await this.answer(2)).values[1]);
  }

  /** The same, and publishing. */
  async publish(name: string, app = 'live'): Promise<number> {
    const streamId = await this.openStream(app);
    this.command('publish', 3, [null, name, 'live'], streamId);
    await this.status('NetStream.Publish.Start');
    return streamId;
  }

  /** Waits for the answer to a call. */
  async answer(transactionId: number): Promise<CommandMessage> {
    return await until(
      () => {
        const found = this.commands.find(
          (command) => /^_(result|error)$/.test(command.name) && command.transactionId === transactionId,
        );
        if (found === undefined && this.closedMs !== undefined) return { name: 'closed' } as CommandMessage;
        return found;
      },
      { ...PATIENCE, message: `an answer to call ${transactionId}` },
    );
  }

  /** Codes of the statuses heard. */
  get codes(): string[] {
    return this.commands
      .filter(({ name }) => name === 'onStatus' || name === '_error')
      .map(({ values }) => String(amfProperties(values[1])?.code));
  }

  /** Waits for a status. */
  async status(code: string): Promise<void> {
    await until(() => this.codes.includes(code), {
      message: () => `${code}, heard ${this.codes.join(', ')}`,
    });
  }

  /** Waits until the server has closed the connection; how long it took, in milliseconds from opening. */
  async gone(timeoutMs = 10_000): Promise<number> {
    await until(() => this.closedMs !== undefined, { timeoutMs, message: 'the server closes' });
    return this.closedMs!;
  }

  /** Cuts the connection with a reset. */
  reset(): void {
    this.socket.resetAndDestroy();
  }

  async stop(): Promise<void> {
    this.socket.destroy();
  }

  #hear(bytes: Uint8Array): void {
    this.received += bytes.length;
    this.#queue.push(bytes);
    if (!this.#handshake.done) {
      const answer = this.#handshake.read(this.#queue);
      if (answer !== undefined) this.send(answer);
      if (!this.#handshake.done) return;
    }
    for (let message = this.#reader.next(); message !== undefined; message = this.#reader.next()) {
      this.types.push(message.type);
      if (message.type === MessageType.commandAmf0 || message.type === MessageType.commandAmf3) {
        this.commands.push(decodeCommand(message.type, message.body));
      }
    }
  }
}

/** Opens a raw connection that the scope closes. */
export function openRaw(scope: Scope, port: number): RawRtmp {
  return scope.own(new RawRtmp(port));
}
