import type { AmfValue } from '../amf/index.ts';
import type { ConnectRequest } from './connect-request.ts';
import type { MediaMessage, SharedObjectMessage } from './messages/index.ts';

/** What a client does, as its server session tells it. */
export type RtmpServerEvent =
  | ServerDecision
  | MediaMessage
  | RtmpDataEvent
  /** Events of a remote shared object. */
  | SharedObjectMessage
  /** `@clearDataFrame`: the metadata of that name no longer holds. */
  | { readonly kind: 'clearData'; readonly streamId: number; readonly name: string }
  /** The client stopped publishing; the connection may live on. */
  | { readonly kind: 'unpublish'; readonly streamId: number; readonly name: string }
  /** The client stopped playing; the connection may live on. */
  | { readonly kind: 'stop'; readonly streamId: number; readonly name: string }
  /** Answered already. `timeMs` is where the client stands, in its stream's milliseconds. */
  | { readonly kind: 'pause'; readonly streamId: number; readonly paused: boolean; readonly timeMs: number }
  /** Not answered: `sendStatus` with NetStream.Seek.Notify or .Failed is the owner's part. */
  | { readonly kind: 'seek'; readonly streamId: number; readonly timeMs: number }
  /** receiveAudio, receiveVideo. */
  | {
      readonly kind: 'receive';
      readonly streamId: number;
      readonly media: 'audio' | 'video';
      readonly on: boolean;
    }
  /** The client keeps a buffer of `ms` milliseconds. */
  | { readonly kind: 'bufferLength'; readonly streamId: number; readonly ms: number }
  /** Answer to a `ping`; `timestamp` is what the ping carried. */
  | { readonly kind: 'pong'; readonly timestamp: number }
  /** A method that RTMP itself does not know: answered by `answerCall`, in any order. */
  | CallRequest
  | CallResult;

/** A client calls a method (RTMP 1.0 §7.2.1.2). */
export interface CallRequest {
  readonly kind: 'call';
  /** 0 where no answer is wanted. */
  readonly transactionId: number;
  readonly name: string;
  readonly args: readonly AmfValue[];
}

/** A data message of a publisher, e.g. `onMetaData` (taken out of `@setDataFrame`). */
export interface RtmpDataEvent {
  readonly kind: 'data';
  readonly streamId: number;
  /** Milliseconds modulo 2^32. */
  readonly timestampMs: number;
  readonly name: string;
  readonly values: readonly AmfValue[];
}

/** Answer to a `call`. */
export interface CallResult {
  readonly kind: 'result';
  readonly transactionId: number;
  /** False for `_error`. */
  readonly ok: boolean;
  readonly values: readonly AmfValue[];
}

/** Events that the owner must answer with accept… or reject… before anything further is read. */
export type ServerDecision =
  | { readonly kind: 'connect'; readonly request: ConnectRequest }
  | PublishRequest
  | PlayRequest;

/** `publish(name, type)`. Name and query are raw; name is '' if it was not a string. */
export interface PublishRequest {
  readonly kind: 'publish';
  readonly streamId: number;
  readonly app: string;
  readonly name: string;
  /** What followed a `?` in the name, without it. */
  readonly query: string;
  readonly mode: 'live' | 'record' | 'append';
}

/** `play(name, start, duration, reset)`. A second one on the same stream replaces the first. */
export interface PlayRequest {
  readonly kind: 'play';
  readonly streamId: number;
  readonly app: string;
  readonly name: string;
  readonly query: string;
  /** Milliseconds into a recording, or what to look for. */
  readonly start: number | 'live' | 'any';
  /** Milliseconds, or undefined for all. */
  readonly durationMs: number | undefined;
  readonly reset: boolean;
}
