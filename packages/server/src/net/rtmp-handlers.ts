import type { AmfValue } from '@onair/media/amf';
import type {
  CallRequest,
  ConnectRequest,
  MediaMessage,
  PlayRequest,
  PublishRequest,
  RtmpDataEvent,
  SharedObjectMessage,
  StatusLevel,
} from '@onair/media/rtmp';
import type { RtmpSocket, RtmpTransportName } from './rtmp-socket.ts';

/** A connection as those see it who publish from it or play to it. */
export interface RtmpPeer {
  /** Id of the connection in the log. */
  readonly id: string;
  /** Remote address without port. */
  readonly address: string;
  /** How it came. */
  readonly transport: RtmpTransportName;
  /** The accepted `connect`. */
  readonly connect: ConnectRequest;
  /** For shared media only: whole messages, and only between `started` and `closed` of an outlet. */
  readonly socket: RtmpSocket;
  /** `onStatus` on a message stream. */
  sendStatus(streamId: number, level: StatusLevel, code: string, description: string): void;
  /** A data message to a player. */
  sendData(streamId: number, timestampMs: number, name: string, values: readonly AmfValue[]): void;
  /** Calls a method of the client. Rejects with its words, or if it does not answer. */
  call(method: string, args: readonly AmfValue[]): Promise<AmfValue>;
  /** Events of a remote shared object. */
  sendSharedObject(message: Omit<SharedObjectMessage, 'kind'>): void;
  /** Publisher came back (`true`) or went away, in a player's words. */
  notify(streamId: number, name: string, published: boolean): void;
  /** Nothing more will come: NetStream.Play.Stop and end of stream. */
  endPlay(streamId: number, name: string): void;
  /** Ends the connection after what is still to be told. Safe to call twice. */
  close(reason: string): void;
}

/** Takes what a publisher sends. An exception closes the connection with its message as reason. */
export interface RtmpInlet {
  media(message: MediaMessage): void;
  data(event: RtmpDataEvent): void;
  /** The publisher stopped or is gone. Called once. */
  closed(reason: string): void;
}

/** Serves a player. */
export interface RtmpOutlet {
  /** NetStream.Play.Start was written: media may follow. */
  started(): void;
  paused(paused: boolean): void;
  receive(media: 'audio' | 'video', on: boolean): void;
  /** The player keeps so much, in milliseconds. */
  bufferLength?(ms: number): void;
  /** Goes to another place and says so; false, or without it, there is none to go to. */
  seek?(timeMs: number): boolean;
  /** The socket can take bytes again. */
  drained(): void;
  /** The player stopped or is gone. Called once. */
  closed(reason: string): void;
}

/** A refusal in the protocol's words. */
export interface RtmpRefusal<Code extends string> {
  readonly refused: Code;
  /** For the peer and the log. */
  readonly reason: string;
}

/** Refusals of a publisher; the connection is closed. */
export type RtmpPublishRefusal = RtmpRefusal<'NetStream.Publish.BadName' | 'NetStream.Publish.Denied'>;
/** Refusals of a player; the connection is closed. */
export type RtmpPlayRefusal = RtmpRefusal<'NetStream.Play.StreamNotFound' | 'NetStream.Play.Failed'>;

/** Refusal of a connection, or where it should go instead. */
export interface RtmpConnectRefusal
  extends RtmpRefusal<'NetConnection.Connect.Rejected' | 'NetConnection.Connect.InvalidApp'> {
  /** An rtmp URL; the client is told by `ex.code` 302. */
  readonly redirect?: string;
}

/** Who decides about connections, publishers and players. A rejected promise counts as a refusal. */
export interface RtmpHandlers {
  /** Undefined lets a connection in; without this all are. Must not throw. */
  connect?(request: ConnectRequest, address: string): RtmpConnectRefusal | undefined;
  publish(peer: RtmpPeer, request: PublishRequest): Promise<RtmpInlet | RtmpPublishRefusal>;
  play(peer: RtmpPeer, request: PlayRequest): Promise<RtmpOutlet | RtmpPlayRefusal>;
  /** Decides about a connection: why it is refused. Without it, or a promise, it is let in at once. */
  admit?(peer: RtmpPeer): Promise<RtmpConnectRefusal | undefined> | undefined;
  /** Answers a method; a rejection's message goes to the client. */
  call?(peer: RtmpPeer, request: CallRequest): Promise<AmfValue>;
  /** Takes what a client says about a remote shared object; without it nothing is heard. */
  sharedObject?(peer: RtmpPeer, message: SharedObjectMessage): void;
  /** The connection is over. */
  left?(peer: RtmpPeer): void;
}
