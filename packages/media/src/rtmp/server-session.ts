import type { AmfObject, AmfValue } from '../amf/index.ts';
import { ParseError } from '../model/errors.ts';
import { type ChunkMessage, MessageType } from './chunk-message.ts';
import { type ConnectRequest, connectRequest } from './connect-request.ts';
import { CommandBudget } from './flow.ts';
import { HANDSHAKE_BELOW, ServerHandshake } from './handshake.ts';
import type { HandshakeCrypto } from './handshake-digest.ts';
import { type LinkLimits, RtmpLink } from './link.ts';
import {
  type CommandMessage,
  decodeCommand,
  decodeSharedObject,
  decodeUserControl,
  type SharedObjectMessage,
} from './messages/index.ts';
import { PendingCalls } from './pending-calls.ts';
import type { PlayRequest, PublishRequest, RtmpServerEvent, ServerDecision } from './server-events.ts';
import {
  type ConnectAnswer,
  type ConnectRefusalCode,
  replyCallFailed,
  replyConnected,
  replyNotify,
  replyPlaying,
  replyPublishing,
  replyRejected,
  replyUnpublished,
} from './server-replies.ts';
import { occupy, type ServerStream, ServerStreams } from './server-streams.ts';
import { SessionOutput, type StatusLevel } from './session-output.ts';
import { dataEvent, finite, playRequest, publishRequest, text } from './stream-requests.ts';

/** What a server session needs from outside. */
export interface RtmpServerOptions extends LinkLimits {
  /** A monotonic clock in milliseconds. */
  readonly nowMs: () => number;
  /** Without it only the simple handshake is spoken. */
  readonly crypto?: HandshakeCrypto | undefined;
  readonly shaken?: boolean | undefined; // the handshake was done one stratum below: RTMPE
}

/** Where a connection stands; the socket's owner sets an absolute deadline per phase. */
export type RtmpPhase = 'handshake' | 'connect' | 'idle' | 'publishing' | 'playing' | 'closed';

/**
 * The server's side of one RTMP connection, sans I/O.
 *
 * The owner of the socket calls `push` with what it received, then `next` until that gives undefined,
 * then writes what `takeOutput` gives. `connect`, `publish` and `play` come as events that the owner
 * answers with an accept… or reject… method, at once or later: until then `next` gives undefined and
 * nothing behind is read (stop reading the socket while `decision` is set), so no success is ever told
 * before it is granted and no order is ever turned round. Then call `next` again.
 *
 * `push` and `next` throw ParseError for malformed or excessive input; the connection is lost then.
 */
export class RtmpServerSession {
  readonly #link: RtmpLink;
  readonly #budget: CommandBudget;
  readonly #streams = new ServerStreams();
  readonly #calls = new PendingCalls();
  #connected: ConnectRequest | undefined;
  #decision: ServerDecision | undefined;
  #connectId = 1; // transaction id of the connect command
  #fcPublish = false;
  #fcSubscribe = false;
  #closed = false;
  #dropped = 0;

  constructor(options: RtmpServerOptions) {
    const { crypto, shaken, nowMs } = options;
    const handshake = shaken === true ? HANDSHAKE_BELOW : new ServerHandshake({ crypto, nowMs: nowMs() });
    this.#link = new RtmpLink(handshake, new SessionOutput(), options);
    this.#budget = new CommandBudget(nowMs);
  }

  get phase(): RtmpPhase {
    if (this.#closed) return 'closed';
    if (!this.#link.handshakeDone) return 'handshake';
    return this.#connected === undefined ? 'connect' : this.#streams.activity;
  }

  /** The event that waits for the owner's answer. */
  get decision(): ServerDecision | undefined {
    return this.#decision;
  }

  /** The accepted `connect`. */
  get connection(): ConnectRequest | undefined {
    return this.#connected;
  }

  /** Bytes received, and bytes the client acknowledged (modulo 2^32). */
  get traffic(): { readonly receivedBytes: number; readonly acknowledged: number } {
    return this.#link.acks;
  }

  /** Media and data messages that came for a stream that publishes nothing. */
  get droppedMessages(): number {
    return this.#dropped;
  }

  /** Adds received bytes; nobody may write into them again. */
  push(bytes: Uint8Array): void {
    if (this.#closed) return;
    this.#link.push(bytes);
  }

  /** The next event, or undefined until there are more bytes or an answer to `decision`. */
  next(): RtmpServerEvent | undefined {
    if (this.#closed || this.#decision !== undefined) return undefined;
    try {
      for (;;) {
        const message = this.#link.next();
        if (message === undefined) return undefined;
        const event = this.#dispatch(message);
        if (event !== undefined) return event;
        if (this.#closed) return undefined;
      }
    } catch (error) {
      this.#closed = true;
      throw error;
    }
  }

  /** All bytes to send, in one buffer that belongs to the caller. */
  takeOutput(): Uint8Array | undefined {
    return this.#link.output.take();
  }

  /** Ends the session: nothing is read any more. Output may still be taken. */
  close(): void {
    this.#closed = true;
    this.#decision = undefined;
  }

  /** Grants `connect`. Windows, chunk size and `_result` go out together. */
  acceptConnect(answer: ConnectAnswer = {}): void {
    const { request } = this.#decided('connect');
    this.#connected = request;
    this.#link.trust();
    replyConnected(this.#link, this.#connectId, request, answer);
  }

  /**
   * Refuses `connect` and closes the session.
   * @param redirect rtmp URL of where to go instead.
   */
  rejectConnect(code: ConnectRefusalCode, description: string, redirect?: string): void {
    this.#decided('connect');
    replyRejected(this.#link.output, this.#connectId, code, description, redirect);
    this.close();
  }

  /** Grants `publish`: NetStream.Publish.Start. */
  acceptPublish(): void {
    const request = this.#decided('publish');
    this.#occupy(request);
    replyPublishing(this.#link.output, request.streamId, request.name, this.#fcPublish);
    this.#fcPublish = false;
  }

  /** Refuses `publish`; the connection lives on unless the owner closes it. */
  rejectPublish(code: 'NetStream.Publish.BadName' | 'NetStream.Publish.Denied', description: string): void {
    const request = this.#decided('publish');
    this.#link.output.status(request.streamId, 'error', code, description);
  }

  /** Grants `play`: everything up to NetStream.Play.Start goes out together; media may follow. */
  acceptPlay(): void {
    const request = this.#decided('play');
    this.#occupy(request);
    replyPlaying(this.#link.output, request, this.#fcSubscribe);
    this.#fcSubscribe = false;
  }

  /** Refuses `play`; the connection lives on unless the owner closes it. */
  rejectPlay(code: 'NetStream.Play.StreamNotFound' | 'NetStream.Play.Failed', description: string): void {
    const request = this.#decided('play');
    this.#link.output.status(request.streamId, 'error', code, description);
  }

  /** Tells a player that the publisher has come (back), or gone: more may come. */
  notify(streamId: number, name: string, published: boolean): void {
    replyNotify(this.#link.output, streamId, name, published);
  }

  /** Tells a player that the stream is over for good: NetStream.Play.Stop and end of stream. */
  endPlay(streamId: number, name: string): void {
    this.#link.output.userControl({ kind: 'streamEof', streamId });
    const code = 'NetStream.Play.Stop';
    this.#link.output.status(streamId, 'status', code, `Stopped playing ${name}.`, { details: name });
  }

  /** `onStatus` on a message stream, or on the connection if `streamId` is 0. */
  sendStatus(
    streamId: number,
    level: StatusLevel,
    code: string,
    description: string,
    more?: AmfObject,
  ): void {
    this.#link.output.status(streamId, level, code, description, more);
  }

  /** A data message to a player. */
  sendData(streamId: number, timestampMs: number, name: string, values: readonly AmfValue[]): void {
    this.#link.output.data(streamId, timestampMs, name, values);
  }

  /** Sends events of a remote shared object. */
  sendSharedObject(message: Omit<SharedObjectMessage, 'kind'>): void {
    this.#link.output.sharedObject(message);
  }

  /** Calls a method of the client; its answer comes as a `result` event with the returned number. */
  call(method: string, ...args: AmfValue[]): number {
    const transactionId = this.#calls.issue();
    this.#link.output.command(0, method, transactionId, [null, ...args]);
    return transactionId;
  }

  /** Answers a `call` event; nothing is sent where no answer is wanted. @param value the text of the fault if not `ok`. */
  answerCall(transactionId: number, ok: boolean, value: AmfValue): void {
    ok ? this.#answer(transactionId, value) : this.#refuse(transactionId, text(value));
  }

  /** Asks for a `pong` event. @param timestamp milliseconds on our clock, modulo 2^32. */
  ping(timestamp: number): void {
    this.#link.output.userControl({ kind: 'pingRequest', timestamp });
  }

  #decided<K extends ServerDecision['kind']>(kind: K): Extract<ServerDecision, { readonly kind: K }> {
    const decision = this.#decision;
    if (decision?.kind !== kind) throw new Error(`no ${kind} request waits for an answer`);
    this.#decision = undefined;
    return decision as Extract<ServerDecision, { readonly kind: K }>;
  }

  #occupy(request: PublishRequest | PlayRequest): void {
    occupy(this.#streams.get(request.streamId)!, request);
  }

  #dispatch(message: ChunkMessage): RtmpServerEvent | undefined {
    switch (message.type) {
      case MessageType.audio:
      case MessageType.video:
        if (!this.#publishes(message)) return undefined;
        return {
          kind: 'media',
          type: message.type === MessageType.audio ? 'audio' : 'video',
          streamId: message.streamId,
          timestampMs: message.timestampMs,
          body: message.body,
        };
      case MessageType.dataAmf0:
      case MessageType.dataAmf3:
        return this.#publishes(message) ? dataEvent(message) : undefined;
      case MessageType.commandAmf0:
      case MessageType.commandAmf3:
        this.#budget.spend();
        return this.#command(decodeCommand(message.type, message.body), message.streamId);
      case MessageType.userControl: {
        const event = decodeUserControl(message.body);
        if (event.kind === 'pingResponse') return { kind: 'pong', timestamp: event.timestamp };
        if (event.kind !== 'setBufferLength') return undefined;
        return { kind: 'bufferLength', streamId: event.streamId, ms: event.ms };
      }
      default:
        this.#budget.spend();
        if (this.#connected === undefined) state('a shared object before connect');
        return decodeSharedObject(message.type, message.body);
    }
  }

  #command(command: CommandMessage, streamId: number): RtmpServerEvent | undefined {
    const { name, transactionId, values } = command;
    if (name === 'connect') return this.#connect(transactionId, values);
    if (this.#connected === undefined) state(`${JSON.stringify(name.slice(0, 40))} before connect`);
    switch (name) {
      case 'releaseStream':
      case 'FCPublish':
      case 'FCSubscribe':
      case 'FCUnsubscribe':
      case '_checkbw':
        this.#fcPublish ||= name === 'FCPublish';
        this.#fcSubscribe ||= name === 'FCSubscribe';
        return this.#answer(transactionId, undefined);
      case 'getStreamLength':
        return this.#answer(transactionId, 0); // live streams have none
      case 'createStream':
        return this.#createStream(transactionId);
      case 'publish':
        return this.#publish(streamId, values);
      case 'play':
        return this.#play(streamId, values);
      case 'FCUnpublish':
        this.#answer(transactionId, undefined);
        return this.#end(this.#streams.publishing(text(values[1])) ?? this.#streams.publishing(), true);
      case 'closeStream':
        return this.#end(this.#streams.get(streamId), false);
      case 'deleteStream':
        return this.#end(this.#streams.delete(Number(values[1] ?? streamId)), false);
      case 'pause':
      case 'pauseRaw':
        return this.#pause(streamId, values[1] === true, finite(values[2]) ?? 0);
      case 'seek':
        return { kind: 'seek', streamId, timeMs: finite(values[1]) ?? 0 };
      case 'receiveAudio':
        return { kind: 'receive', streamId, media: 'audio', on: values[1] !== false };
      case 'receiveVideo':
        return { kind: 'receive', streamId, media: 'video', on: values[1] !== false };
      case '_result':
      case '_error':
        return this.#calls.settle(command);
      case 'onStatus':
        return undefined;
      default:
        return { kind: 'call', transactionId, name, args: values.slice(1) };
    }
  }

  #publishes(message: ChunkMessage): boolean {
    if (this.#streams.get(message.streamId)?.role === 'publishing') return true;
    this.#dropped++;
    return false;
  }

  #connect(transactionId: number, values: readonly AmfValue[]): RtmpServerEvent {
    if (this.#connected !== undefined) state('connect on a connected session');
    this.#connectId = transactionId;
    this.#decision = { kind: 'connect', request: connectRequest(values) };
    return this.#decision;
  }

  #answer(transactionId: number, value: AmfValue): undefined {
    if (transactionId !== 0) this.#link.output.command(0, '_result', transactionId, [null, value]);
    return undefined;
  }

  #refuse(transactionId: number, description: string): undefined {
    if (transactionId !== 0) replyCallFailed(this.#link.output, transactionId, description);
    return undefined;
  }

  #createStream(transactionId: number): undefined {
    const stream = this.#streams.create();
    if (stream !== undefined) return this.#answer(transactionId, stream.id);
    return this.#refuse(transactionId, 'Too many streams on one connection.');
  }

  #publish(streamId: number, values: readonly AmfValue[]): RtmpServerEvent | undefined {
    const stream = this.#streams.get(streamId);
    if (stream === undefined) state(`publish on message stream ${streamId}, which was not created`);
    if (values[1] === false) return this.#end(stream, false);
    if (stream.role !== 'idle') {
      const what = `This stream is ${stream.role} already.`;
      this.#link.output.status(streamId, 'error', 'NetStream.Publish.BadName', what);
      return undefined;
    }
    this.#decision = publishRequest(streamId, this.#connected!.app, values);
    return this.#decision;
  }

  #play(streamId: number, values: readonly AmfValue[]): RtmpServerEvent | undefined {
    const stream = this.#streams.get(streamId);
    if (stream === undefined) state(`play on message stream ${streamId}, which was not created`);
    if (values[1] === false) return this.#end(stream, false);
    if (stream.role === 'publishing') {
      this.#link.output.status(streamId, 'error', 'NetStream.Play.Failed', 'This stream is publishing.');
      return undefined;
    }
    this.#decision = playRequest(streamId, this.#connected!.app, values);
    return this.#decision;
  }

  #end(stream: ServerStream | undefined, fcUnpublish: boolean): RtmpServerEvent | undefined {
    if (stream === undefined || stream.role === 'idle') return undefined;
    const { id: streamId, name, role } = stream;
    stream.role = 'idle';
    stream.name = '';
    if (role === 'playing') return { kind: 'stop', streamId, name };
    replyUnpublished(this.#link.output, streamId, name, fcUnpublish);
    return { kind: 'unpublish', streamId, name };
  }

  #pause(streamId: number, paused: boolean, timeMs: number): RtmpServerEvent | undefined {
    const stream = this.#streams.get(streamId);
    if (stream?.role !== 'playing') return undefined;
    const code = paused ? 'NetStream.Pause.Notify' : 'NetStream.Unpause.Notify';
    this.#link.output.status(streamId, 'status', code, `${paused ? 'Paused' : 'Unpaused'} ${stream.name}.`);
    return { kind: 'pause', streamId, paused, timeMs };
  }
}

function state(what: string): never {
  throw new ParseError('RTMP_STATE', 'RTMP 1.0 §7.2', what);
}
