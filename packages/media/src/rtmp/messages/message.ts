import { type ChunkMessage, MessageType } from '../chunk-message.ts';
import { splitAggregate } from './aggregate.ts';
import { type CommandMessage, decodeCommand } from './command.ts';
import { type ControlMessage, decodeControl } from './control.ts';
import { type DataMessage, decodeData } from './data.ts';
import { decodeUserControl, type UserControlMessage } from './user-control.ts';

/**
 * A coded audio or video message (§7.1.4, §7.1.5). `body` is an FLV tag body and is not looked into
 * here; `timestampMs` is modulo 2^32 as on the wire, unwrapping it is the receiver's part.
 */
export interface MediaMessage {
  readonly kind: 'media';
  readonly type: 'audio' | 'video';
  readonly streamId: number;
  readonly timestampMs: number;
  readonly body: Uint8Array;
}

/** Any message, decoded. */
export type RtmpMessage =
  | ControlMessage
  | { readonly kind: 'userControl'; readonly event: UserControlMessage }
  | MediaMessage
  | CommandMessage
  | DataMessage
  /** Recognised and not looked into (§7.1.3). */
  | { readonly kind: 'sharedObject'; readonly body: Uint8Array }
  | { readonly kind: 'aggregate'; readonly messages: readonly ChunkMessage[] }
  /** A type id that the standard does not know; to be ignored. */
  | { readonly kind: 'unknown'; readonly type: number };

/** Decodes the body of a message by its type id. @throws ParseError if it is malformed. */
export function decodeMessage(message: ChunkMessage): RtmpMessage {
  const { type, body } = message;
  switch (type) {
    case MessageType.audio:
    case MessageType.video:
      return {
        kind: 'media',
        type: type === MessageType.audio ? 'audio' : 'video',
        streamId: message.streamId,
        timestampMs: message.timestampMs,
        body,
      };
    case MessageType.setChunkSize:
    case MessageType.abort:
    case MessageType.acknowledgement:
    case MessageType.windowAckSize:
    case MessageType.setPeerBandwidth:
      return decodeControl(type, body);
    case MessageType.userControl:
      return { kind: 'userControl', event: decodeUserControl(body) };
    case MessageType.commandAmf0:
    case MessageType.commandAmf3:
      return decodeCommand(type, body);
    case MessageType.dataAmf0:
    case MessageType.dataAmf3:
      return decodeData(type, body);
    case MessageType.sharedObjectAmf0:
    case MessageType.sharedObjectAmf3:
      return { kind: 'sharedObject', body };
    case MessageType.aggregate:
      return { kind: 'aggregate', messages: splitAggregate(message) };
    default:
      return { kind: 'unknown', type };
  }
}
