import { Field } from '../api/index.ts';
import { type ErrorCode, isErrorCode } from '../errors/index.ts';
import { decodeIceSettings, type IceSettings, ROOM_MAX_CANDIDATE, ROOM_MAX_SDP } from '../rooms/index.ts';

/** Subprotocol of the WebSocket by which peers call each other, see `docs/protocols/peers.md`. */
export const PEER_SUBPROTOCOL = 'onair.peer.v1';
/** Form of a peer's id and of a call's. */
export const PEER_ID = /^[A-Za-z0-9_-]{1,64}$/;
/** Form of the secret with which a peer keeps its id: chosen by it, hard to guess. */
export const PEER_SECRET = /^[A-Za-z0-9_-]{16,64}$/;

/** What one peer says to another. */
export type PeerBody =
  /** I am there: call me if you want to. */
  | { readonly type: 'hello' }
  /** Begins a call, or changes one that is there. */
  | { readonly type: 'offer' | 'answer'; readonly call: string; readonly sdp: string }
  | {
      readonly type: 'candidate';
      readonly call: string;
      readonly candidate: string;
      readonly sdpMid: string | null;
      readonly sdpMLineIndex: number | null;
    }
  /** The call is over. */
  | { readonly type: 'bye'; readonly call: string };

/** What a peer sends to the server: first of all the id that it wants. */
export type PeerClientMessage =
  | { readonly type: 'claim'; readonly id: string; readonly secret: string }
  | (PeerBody & { readonly to: string });

/** What the server sends. */
export type PeerServerMessage =
  /** The id is the peer's. */
  | ({ readonly type: 'ready'; readonly id: string } & IceSettings)
  /** What was sent to `id` went to nobody. */
  | { readonly type: 'absent'; readonly id: string }
  | { readonly type: 'error'; readonly code: ErrorCode; readonly detail: string }
  /** `from` is put there by the server. */
  | (PeerBody & { readonly from: string });

const BODIES = ['hello', 'offer', 'answer', 'candidate', 'bye'] as const;

/** Reads a message of a peer; fields that do not belong to its type are left out. @throws DecodeError */
export function decodePeerClientMessage(value: unknown): PeerClientMessage {
  const field = new Field(value);
  const type = field.at('type').oneOf(['claim', ...BODIES]);
  if (type !== 'claim') return { ...bodyOf(field, type), to: matching(field.at('to'), PEER_ID) };
  return {
    type,
    id: matching(field.at('id'), PEER_ID),
    secret: matching(field.at('secret'), PEER_SECRET),
  };
}

/** Reads a message of the server. @throws DecodeError */
export function decodePeerServerMessage(value: unknown): PeerServerMessage {
  const field = new Field(value);
  const type = field.at('type').oneOf(['ready', 'absent', 'error', ...BODIES]);
  switch (type) {
    case 'ready':
      return {
        type,
        id: matching(field.at('id'), PEER_ID),
        ...decodeIceSettings(field),
      };
    case 'absent':
      return { type, id: matching(field.at('id'), PEER_ID) };
    case 'error': {
      const code = field.at('code');
      return {
        type,
        code: isErrorCode(code.value) ? code.value : code.fail('a registered code'),
        detail: field.at('detail').string(),
      };
    }
    default:
      return {
        ...bodyOf(field, type),
        from: matching(new Field(field.object().from, 'the sender'), PEER_ID),
      };
  }
}

function bodyOf(field: Field, type: PeerBody['type']): PeerBody {
  if (type === 'hello') return { type };
  const call = matching(field.at('call'), PEER_ID);
  switch (type) {
    case 'offer':
    case 'answer':
      return { type, call, sdp: field.at('sdp').string(ROOM_MAX_SDP) };
    case 'candidate': {
      const [mid, line] = [field.at('sdpMid'), field.at('sdpMLineIndex')];
      return {
        type,
        call,
        candidate: field.at('candidate').string(ROOM_MAX_CANDIDATE),
        sdpMid: mid.present ? mid.string(64) : null,
        sdpMLineIndex: line.present ? line.count() : null,
      };
    }
    case 'bye':
      return { type, call };
  }
}

function matching(field: Field, form: RegExp): string {
  const text = field.string(64);
  return form.test(text) ? text : field.fail(`letters, digits, _ and -: ${form.source}`);
}
