import { ByteReader } from '../../bytes/index.ts';
import { ParseError } from '../../model/errors.ts';
import { MessageType } from '../chunk-message.ts';

/** Protocol control messages (RTMP 1.0 §5.4). Sizes in bytes. */
export type ControlMessage =
  | { readonly kind: 'setChunkSize'; readonly size: number }
  | { readonly kind: 'abort'; readonly csid: number }
  /** `sequence`: bytes received so far, modulo 2^32. */
  | { readonly kind: 'acknowledgement'; readonly sequence: number }
  | { readonly kind: 'windowAckSize'; readonly size: number }
  | {
      readonly kind: 'setPeerBandwidth';
      readonly size: number;
      readonly limit: 'hard' | 'soft' | 'dynamic';
    };

const LIMITS = ['hard', 'soft', 'dynamic'] as const;

/** @throws ParseError `RTMP_CONTROL_INVALID` if it is too short. `type` is 1, 2, 3, 5 or 6. */
export function decodeControl(type: number, body: Uint8Array): ControlMessage {
  const wanted = type === MessageType.setPeerBandwidth ? 5 : 4;
  if (body.length < wanted) {
    throw new ParseError(
      'RTMP_CONTROL_INVALID',
      'RTMP 1.0 §5.4',
      `type ${type} message of ${body.length} bytes, ${wanted} wanted`,
    );
  }
  const reader = new ByteReader(body, 'RTMP 1.0 §5.4');
  const value = reader.u32();
  switch (type) {
    case MessageType.setChunkSize:
      return { kind: 'setChunkSize', size: value };
    case MessageType.abort:
      return { kind: 'abort', csid: value };
    case MessageType.acknowledgement:
      return { kind: 'acknowledgement', sequence: value };
    case MessageType.windowAckSize:
      return { kind: 'windowAckSize', size: value };
    default:
      return { kind: 'setPeerBandwidth', size: value, limit: LIMITS[reader.u8()] ?? 'dynamic' };
  }
}

/** Type id and body of a control message. */
export function encodeControl(message: ControlMessage): { readonly type: number; readonly body: Uint8Array } {
  switch (message.kind) {
    case 'setChunkSize':
      return { type: MessageType.setChunkSize, body: u32(message.size) };
    case 'abort':
      return { type: MessageType.abort, body: u32(message.csid) };
    case 'acknowledgement':
      return { type: MessageType.acknowledgement, body: u32(message.sequence) };
    case 'windowAckSize':
      return { type: MessageType.windowAckSize, body: u32(message.size) };
    case 'setPeerBandwidth':
      return {
        type: MessageType.setPeerBandwidth,
        body: Uint8Array.of(...u32(message.size), LIMITS.indexOf(message.limit)),
      };
  }
}

function u32(value: number): Uint8Array {
  return Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value);
}
