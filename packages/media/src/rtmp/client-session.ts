import { type AmfObject, type AmfValue, amfObject, amfProperties } from '../amf/index.ts';
import { type ChunkMessage, MessageType } from './chunk-message.ts';
import { ChunkStreamId, RTMP_SHARED_CHUNK_SIZE } from './chunk-writer.ts';
import type { ClientRefusal, RtmpClientEvent } from './client-events.ts';
import { ClientHandshake, HANDSHAKE_BELOW } from './handshake.ts';
import type { HandshakeCrypto } from './handshake-digest.ts';
import { RtmpLink } from './link.ts';
import {
  type CommandMessage,
  decodeCommand,
  decodeData,
  decodeSharedObject,
  decodeUserControl,
  type SharedObjectMessage,
} from './messages/index.ts';
import { PendingCalls } from './pending-calls.ts';
import { CLIENT_CAPS_EX } from './server-replies.ts';
import type { RtmpPhase } from './server-session.ts';
import { SessionOutput } from './session-output.ts';
import { text } from './stream-requests.ts';

/** Bytes a client may leave waiting for its socket; more than one message of the largest size. */
export const MAX_WAITING_CLIENT_BYTES = 32 * 1024 * 1024;
const CONNECT_ID = 1;

/** Where to and what for. The strings are those of {@link import('./url.ts').RtmpUrl}. */
export interface RtmpClientOptions {
  /** A clock in milliseconds. */
  readonly nowMs: () => number;
  /** With it the digest handshake is offered. */
  readonly crypto?: HandshakeCrypto | undefined;
  /** True if the handshake was done one stratum below: RTMPE. */
  readonly shaken?: boolean | undefined;
  /** `connect`: the owner makes streams by itself, with `call('createStream')` and `commandOn`. */
  readonly intent: 'publish' | 'play' | 'connect';
  readonly app: string;
  readonly tcUrl: string;
  /** Stream name, with its query if it has one. */
  readonly name: string;
  /** Further properties of the `connect` command object, e.g. swfUrl, pageUrl, fourCcList. */
  readonly properties?: AmfObject;
  /** Arguments behind the command object of `connect`. */
  readonly args?: readonly AmfValue[];
  /** Milliseconds of buffer a player announces; 3000 unless given. */
  readonly bufferMs?: number;
}

/**
 * The client's side of one RTMP connection, sans I/O: publishes or plays one stream.
 *
 * Call `start`; then, as with the server session, `push`, `next` until undefined, `takeOutput`. All
 * steps up to `ready` are taken without further ado. `push` and `next` throw ParseError for malformed
 * input; the connection is lost then.
 */
export class RtmpClientSession {
  readonly #options: RtmpClientOptions;
  /** Undefined if it was done below. */
  readonly #handshake: ClientHandshake | undefined;
  readonly #link: RtmpLink;
  readonly #calls = new PendingCalls(CONNECT_ID);
  #phase: RtmpPhase = 'handshake';
  #createId = 0; // transaction id of createStream
  #streamId = 0;

  constructor(options: RtmpClientOptions) {
    this.#options = options;
    const { crypto, shaken, nowMs } = options;
    this.#handshake = shaken === true ? undefined : new ClientHandshake({ crypto, nowMs: nowMs() });
    this.#link = new RtmpLink(
      this.#handshake ?? HANDSHAKE_BELOW,
      new SessionOutput(MAX_WAITING_CLIENT_BYTES),
    );
  }

  get phase(): RtmpPhase {
    return this.#phase;
  }

  /** Message stream id given by the server; 0 before. */
  get streamId(): number {
    return this.#streamId;
  }

  /** True if the server spoke the digest handshake. */
  get digest(): boolean {
    return this.#link.digest;
  }

  /** Bytes received, and bytes the server acknowledged (modulo 2^32). */
  get traffic(): { readonly receivedBytes: number; readonly acknowledged: number } {
    return this.#link.acks;
  }

  /** Puts the first words into the output: C0 and C1, or `connect` if the handshake was done below. */
  start(): void {
    if (this.#handshake === undefined) this.#connect();
    else this.#link.output.raw(this.#handshake.start());
  }

  /** Adds received bytes; nobody may write into them again. */
  push(bytes: Uint8Array): void {
    if (this.#phase === 'closed') return;
    this.#link.push(bytes);
  }

  /** The next event, or undefined until there are more bytes. */
  next(): RtmpClientEvent | undefined {
    try {
      while (this.#phase !== 'closed') {
        const message = this.#link.next();
        if (this.#phase === 'handshake' && this.#link.handshakeDone) this.#connect();
        if (message === undefined) return undefined;
        const event = this.#dispatch(message);
        if (event !== undefined) return event;
      }
      return undefined;
    } catch (error) {
      this.#phase = 'closed';
      throw error;
    }
  }

  /** All bytes to send, in one buffer that belongs to the caller. */
  takeOutput(): Uint8Array | undefined {
    return this.#link.output.take();
  }

  /** Sends an audio or video message. @param timestampMs milliseconds, taken modulo 2^32. */
  sendMedia(type: 'audio' | 'video', timestampMs: number, body: Uint8Array, streamId = this.#streamId): void {
    const audio = type === 'audio';
    this.#link.output.message(
      audio ? ChunkStreamId.audio : ChunkStreamId.video,
      audio ? MessageType.audio : MessageType.video,
      streamId,
      timestampMs,
      body,
    );
  }

  /** Sends a data message; for metadata that late viewers must get too, see `setDataFrame`. */
  sendData(
    timestampMs: number,
    name: string,
    values: readonly AmfValue[],
    streamId: number = this.#streamId,
  ): void {
    this.#link.output.data(streamId, timestampMs, name, values);
  }

  /** Sends metadata that holds until it is replaced, e.g. `onMetaData`. */
  setDataFrame(timestampMs: number, name: string, value: AmfValue): void {
    this.sendData(timestampMs, '@setDataFrame', [name, value]);
  }

  /** Calls a method of the server; its answer comes as a `result` event with the returned number. */
  call(method: string, ...args: AmfValue[]): number {
    const transactionId = this.#calls.issue();
    this.#link.output.command(0, method, transactionId, [null, ...args]);
    return transactionId;
  }

  /** Answers a `call` event. */
  respond(transactionId: number, ok: boolean, value: AmfValue): void {
    this.#link.output.command(0, ok ? '_result' : '_error', transactionId, [null, value]);
  }

  /** Plays on a further message stream, or another name on the first. */
  play(streamId: number, name: string): void {
    const out = this.#link.output;
    out.command(streamId, 'play', this.#calls.number(), [null, name, -2000]);
    out.userControl({ kind: 'setBufferLength', streamId, ms: this.#options.bufferMs ?? 3000 });
  }

  /** Any command on the stream: `pause`, `receiveVideo`, `seek` and the like. */
  command(name: string, ...args: AmfValue[]): void {
    this.commandOn(this.#streamId, name, ...args);
  }

  /** Any command on a message stream, 0 for the connection; no answer is wanted. */
  commandOn(streamId: number, name: string, ...args: AmfValue[]): void {
    this.#link.output.command(streamId, name, 0, [null, ...args]);
  }

  /** Tells the server how much a player keeps, in milliseconds. */
  setBufferLength(streamId: number, ms: number): void {
    this.#link.output.userControl({ kind: 'setBufferLength', streamId, ms });
  }

  /** Sends events of a remote shared object. */
  sendSharedObject(message: Omit<SharedObjectMessage, 'kind'>): void {
    this.#link.output.sharedObject(message);
  }

  /** Says goodbye in the output and reads nothing any more. */
  close(): void {
    if (this.#phase === 'closed') return;
    const out = this.#link.output;
    if (this.#streamId !== 0) {
      if (this.#options.intent === 'publish') {
        out.command(0, 'FCUnpublish', this.#calls.number(), [null, this.#options.name]);
      }
      out.command(0, 'deleteStream', 0, [null, this.#streamId]);
    }
    this.#phase = 'closed';
  }

  #connect(): void {
    const { app, tcUrl, intent, properties, args } = this.#options;
    const object: AmfObject = { app, tcUrl };
    if (intent === 'publish') {
      object.type = 'nonprivate';
      object.flashVer = 'FMLE/3.0 (compatible; onair)';
    } else {
      object.flashVer = 'LNX 9,0,124,2';
      object.fpad = false;
      object.capabilities = 239;
      object.audioCodecs = 4071;
      object.videoCodecs = 252;
      object.videoFunction = 1;
    }
    // Enhanced RTMP v2: every codec is passed on as it is.
    object.fourCcList = ['*'];
    object.capsEx = CLIENT_CAPS_EX;
    Object.assign(object, properties);
    this.#link.output.command(0, 'connect', CONNECT_ID, [object, ...(args ?? [])]);
    this.#phase = 'connect';
  }

  #dispatch(message: ChunkMessage): RtmpClientEvent | undefined {
    const { streamId, timestampMs } = message;
    switch (message.type) {
      case MessageType.audio:
      case MessageType.video: {
        const type = message.type === MessageType.audio ? 'audio' : 'video';
        return { kind: 'media', type, streamId, timestampMs, body: message.body };
      }
      case MessageType.dataAmf0:
      case MessageType.dataAmf3: {
        const { name, values } = decodeData(message.type, message.body);
        return { kind: 'data', streamId, timestampMs, name, values };
      }
      case MessageType.commandAmf0:
      case MessageType.commandAmf3:
        return this.#command(decodeCommand(message.type, message.body), streamId);
      case MessageType.userControl: {
        const event = decodeUserControl(message.body);
        return event.kind === 'streamEof' ? { kind: 'eof', streamId: event.streamId } : undefined;
      }
      case MessageType.sharedObjectAmf0:
      case MessageType.sharedObjectAmf3:
        return decodeSharedObject(message.type, message.body);
      default:
        return undefined;
    }
  }

  #command(command: CommandMessage, streamId: number): RtmpClientEvent | undefined {
    const { name, transactionId, values } = command;
    switch (name) {
      case '_result':
        if (transactionId === CONNECT_ID && this.#phase === 'connect') return this.#connected(values);
        if (this.#creates(transactionId)) return this.#created(values[1]);
        return this.#calls.settle(command);
      case '_error':
        if (transactionId === CONNECT_ID && this.#phase === 'connect') return this.#refused(values);
        if (this.#creates(transactionId)) return this.#refused(values);
        return this.#calls.settle(command);
      case 'onStatus':
        return this.#status(streamId, values);
      case 'onFCPublish':
      case 'onFCUnpublish':
      case 'onFCSubscribe':
        return undefined; // onStatus tells the same
      case 'onBWDone':
        this.#link.output.command(0, '_checkbw', this.#calls.number(), [null]);
        return undefined;
      case 'close':
        return this.#refused([
          null,
          { code: 'NetConnection.Connect.Closed', description: 'closed by the server' },
        ]);
      default:
        return { kind: 'call', name, transactionId, args: values.slice(1) };
    }
  }

  #creates(transactionId: number): boolean {
    return transactionId === this.#createId && this.#streamId === 0 && this.#options.intent !== 'connect';
  }

  #connected(values: readonly AmfValue[]): RtmpClientEvent {
    const { intent, name } = this.#options;
    const out = this.#link.output;
    this.#phase = 'idle';
    this.#link.trust();
    this.#link.announceWindow();
    if (intent !== 'play') out.control({ kind: 'setChunkSize', size: RTMP_SHARED_CHUNK_SIZE });
    if (intent === 'publish') {
      out.command(0, 'releaseStream', this.#calls.number(), [null, name]);
      out.command(0, 'FCPublish', this.#calls.number(), [null, name]);
    }
    if (intent !== 'connect') {
      this.#createId = this.#calls.number();
      out.command(0, 'createStream', this.#createId, [null]);
    }
    return {
      kind: 'connected',
      properties: amfProperties(values[0]) ?? amfObject(),
      info: amfProperties(values[1]) ?? amfObject(),
    };
  }

  #created(streamId: AmfValue): RtmpClientEvent | undefined {
    const { intent, name } = this.#options;
    const out = this.#link.output;
    if (typeof streamId !== 'number' || !(streamId >= 1 && streamId <= 0xffff_ffff)) {
      return this.#refused([
        null,
        { code: 'NetConnection.Call.Failed', description: 'createStream gave no id' },
      ]);
    }
    this.#streamId = streamId;
    if (intent === 'publish') {
      out.command(streamId, 'publish', this.#calls.number(), [null, name, 'live']);
    } else {
      this.play(streamId, name);
    }
    return undefined;
  }

  #status(streamId: number, values: readonly AmfValue[]): RtmpClientEvent {
    const info = amfProperties(values[1]) ?? amfObject();
    const level = text(info.level);
    const code = text(info.code);
    if (this.#phase === 'idle' && this.#options.intent !== 'connect') {
      if (code === 'NetStream.Publish.Start' && this.#options.intent === 'publish') {
        this.#phase = 'publishing';
        return { kind: 'ready', streamId: this.#streamId };
      }
      if (code === 'NetStream.Play.Start' && this.#options.intent === 'play') {
        this.#phase = 'playing';
        return { kind: 'ready', streamId: this.#streamId };
      }
      if (level === 'error') return this.#refused(values);
    }
    return { kind: 'status', streamId, level, code, description: text(info.description), info };
  }

  #refused(values: readonly AmfValue[]): ClientRefusal {
    const info = amfProperties(values[1]) ?? amfObject();
    const redirect = amfProperties(info.ex);
    this.#phase = 'closed';
    return {
      kind: 'refused',
      code: text(info.code),
      description: text(info.description),
      info,
      redirect:
        redirect?.code === 302 && typeof redirect.redirect === 'string' ? redirect.redirect : undefined,
    };
  }
}
