import { ByteReader, ByteWriter } from '../../bytes/index.ts';
import { ParseError } from '../../model/errors.ts';

/** Event types of User Control messages (RTMP 1.0 §7.1.7; 26 to 32 are seen in the wild). */
export const UserControlType = {
  streamBegin: 0,
  streamEof: 1,
  streamDry: 2,
  setBufferLength: 3,
  streamIsRecorded: 4,
  pingRequest: 6,
  pingResponse: 7,
  swfVerifyRequest: 26,
  swfVerifyResponse: 27,
  bufferEmpty: 31,
  bufferReady: 32,
} as const;

/** Events that name a message stream and nothing else. */
export type StreamEventKind =
  | 'streamBegin'
  | 'streamEof'
  | 'streamDry'
  | 'streamIsRecorded'
  | 'bufferEmpty'
  | 'bufferReady';

/** A User Control message (type 4). Event types we do not know are `unknown` and to be ignored. */
export type UserControlMessage =
  | { readonly kind: StreamEventKind; readonly streamId: number }
  /** `ms`: buffer the client keeps, in milliseconds. */
  | { readonly kind: 'setBufferLength'; readonly streamId: number; readonly ms: number }
  /** `timestamp`: milliseconds on the clock of who sent the request. */
  | { readonly kind: 'pingRequest' | 'pingResponse'; readonly timestamp: number }
  | { readonly kind: 'swfVerifyRequest' | 'swfVerifyResponse'; readonly data: Uint8Array }
  | { readonly kind: 'unknown'; readonly event: number };

/** @throws ParseError `RTMP_CONTROL_INVALID` if a field is missing. */
export function decodeUserControl(body: Uint8Array): UserControlMessage {
  if (body.length < 2) tooShort(body, 2);
  const reader = new ByteReader(body, 'RTMP 1.0 §7.1.7');
  const event = reader.u16();
  switch (event) {
    case UserControlType.swfVerifyRequest:
      return { kind: 'swfVerifyRequest', data: reader.rest() };
    case UserControlType.swfVerifyResponse:
      return { kind: 'swfVerifyResponse', data: reader.rest() };
    case UserControlType.setBufferLength:
      if (body.length < 10) tooShort(body, 10);
      return { kind: 'setBufferLength', streamId: reader.u32(), ms: reader.u32() };
    case UserControlType.pingRequest:
      if (body.length < 6) tooShort(body, 6);
      return { kind: 'pingRequest', timestamp: reader.u32() };
    case UserControlType.pingResponse:
      if (body.length < 6) tooShort(body, 6);
      return { kind: 'pingResponse', timestamp: reader.u32() };
    default: {
      const kind = STREAM_EVENTS.get(event);
      if (kind === undefined) return { kind: 'unknown', event };
      if (body.length < 6) tooShort(body, 6);
      return { kind, streamId: reader.u32() };
    }
  }
}

const STREAM_EVENTS: ReadonlyMap<number, StreamEventKind> = new Map<number, StreamEventKind>([
  [UserControlType.streamBegin, 'streamBegin'],
  [UserControlType.streamEof, 'streamEof'],
  [UserControlType.streamDry, 'streamDry'],
  [UserControlType.streamIsRecorded, 'streamIsRecorded'],
  [UserControlType.bufferEmpty, 'bufferEmpty'],
  [UserControlType.bufferReady, 'bufferReady'],
]);

/** Body of a User Control message. */
export function encodeUserControl(message: UserControlMessage): Uint8Array {
  const out = new ByteWriter(10);
  if (message.kind === 'unknown') return out.u16(message.event).finish();
  out.u16(UserControlType[message.kind]);
  switch (message.kind) {
    case 'setBufferLength':
      return out.u32(message.streamId).u32(message.ms).finish();
    case 'pingRequest':
    case 'pingResponse':
      return out.u32(message.timestamp).finish();
    case 'swfVerifyRequest':
    case 'swfVerifyResponse':
      return out.bytes(message.data).finish();
    default:
      return out.u32(message.streamId).finish();
  }
}

function tooShort(body: Uint8Array, wanted: number): never {
  throw new ParseError(
    'RTMP_CONTROL_INVALID',
    'RTMP 1.0 §7.1.7',
    `user control message of ${body.length} bytes, ${wanted} wanted`,
  );
}
