import { Field } from '../api/index.ts';
import { type ErrorCode, isErrorCode } from '../errors/index.ts';
import { ASIDE_TYPES, type Aside, decodeAside } from './aside.ts';
import { decodeIceSettings, type IceSettings } from './ice.ts';

/** Longest SDP of a message in UTF-16 units. */
export const ROOM_MAX_SDP = 48 * 1024;
/** Longest ICE candidate of a message in UTF-16 units. */
export const ROOM_MAX_CANDIDATE = 2048;
/** The room of a page without a name behind its `?`. */
export const DEFAULT_ROOM = '_defaultroom';

/** Types of the event `message`. */
export const ROOM_MESSAGE_TYPES = [
  'talk_ready',
  'talk_request',
  'offer',
  'answer',
  'candidate',
  'bye',
  'end_talk',
  'spill',
  'relay',
  ...ASIDE_TYPES,
] as const;

/** What a watcher says of the way over the server. */
export const SPILL_WISHES = ['can', 'only'] as const;

/** Id of a member: of its Socket.IO socket. */
export type MemberId = string;

interface Addressed {
  /** Member it is for; everybody else in the room if left out. */
  readonly sendto?: MemberId;
  /** Who sent it: put there by the server, whatever the sender wrote. */
  readonly from?: MemberId;
}

/** What the event `message` carries, see `docs/protocols/rooms.md`. */
export type RoomMessage =
  | (Addressed & { readonly type: 'talk_ready' | 'bye' | 'end_talk' | 'spill' })
  | (Addressed & {
      readonly type: 'talk_request';
      /** The watcher can take the picture from the server too; `only` if nothing else works for it. */
      readonly spill?: (typeof SPILL_WISHES)[number];
      /** The watcher can hand the picture on. */
      readonly relays?: boolean;
    })
  /** To a watcher: take the picture from the watcher `parent`; or hand it on to the watcher `child`. */
  | (Addressed & { readonly type: 'relay'; readonly parent?: MemberId; readonly child?: MemberId })
  | (Addressed & Aside)
  | (Addressed & { readonly type: 'offer' | 'answer'; readonly sdp: string })
  | (Addressed & {
      readonly type: 'candidate';
      readonly candidate: string;
      readonly sdpMid: string | null;
      readonly sdpMLineIndex: number | null;
    });

/** Room as the event `enter` gives it, and a password if the room asks for one. */
export interface RoomEntry {
  readonly room: string;
  readonly password?: string;
}

/** Answer to `enter` for those who ask for an acknowledgement, and payload of the event `refused`. */
export interface RoomRefusal {
  readonly code: ErrorCode;
  readonly detail: string;
}

/** What a member learns of the room it entered. */
export interface RoomWelcome extends IceSettings {
  readonly id: MemberId;
  /** Members, the new one included. */
  readonly members: number;
  /** Watchers that one talker sends to directly, at most. */
  readonly maxDirect: number;
  /** Watchers that one watcher hands the picture on to, at most; 0 if none does. */
  readonly maxHandOn: number;
  /** Where the talk is on the server, `/APP/NAME`, for those whom the talker does not send to. */
  readonly stream?: string;
  /** Lets this member publish there by WHIP while it is the talker. */
  readonly key?: string;
  readonly stage: RoomStage;
  /** Bytes of a file and bytes per second that go over the server. */
  readonly relayed: { readonly fileBytes: number; readonly perSecond: number };
}

/** What the server does with the talk of a room, besides showing it to those who have no place with the talker. */
export interface RoomStage {
  /** It is a stream for everybody. */
  readonly stream: boolean;
  /** It is recorded, and therefore a stream. */
  readonly record: boolean;
}

/** Reads what is to be done with a talk. @throws DecodeError */
export function decodeRoomStage(value: unknown): RoomStage {
  const field = new Field(value);
  return { stream: field.at('stream').boolean(), record: field.at('record').boolean() };
}

/** What those who ask for an acknowledgement of `enter` get. */
export type RoomAnswer = ({ readonly ok: true } & RoomWelcome) | ({ readonly ok: false } & RoomRefusal);

/** Reads the acknowledgement of `enter`. @throws DecodeError */
export function decodeRoomAnswer(value: unknown): RoomAnswer {
  const field = new Field(value);
  if (!field.at('ok').boolean()) return { ok: false, ...decodeRoomRefusal(value) };
  return {
    ok: true,
    id: field.at('id').string(64),
    members: field.at('members').count(),
    maxDirect: field.at('maxDirect').count(),
    ...decodeIceSettings(field),
    maxHandOn: field.at('maxHandOn').count(),
    ...field.optional('stream', (stream) => stream.string(160)),
    ...field.optional('key', (key) => key.string(64)),
    stage: decodeRoomStage(field.at('stage').value),
    relayed: {
      fileBytes: field.at('relayed').at('fileBytes').count(),
      perSecond: field.at('relayed').at('perSecond').count(),
    },
  };
}

/** Reads a refusal. @throws DecodeError */
export function decodeRoomRefusal(value: unknown): RoomRefusal {
  const field = new Field(value);
  const code = field.at('code');
  return {
    code: isErrorCode(code.value) ? code.value : code.fail('a registered code'),
    detail: field.at('detail').string(),
  };
}

/**
 * True for a room's name: 1 to 64 letters, marks, digits, `_`, `-`, `.` of any script, in normal form C. The text behind
 * the `?` of a page, its escapes undone.
 */
export function isRoomName(text: string): boolean {
  return text.length <= 64 && /^[\p{L}\p{M}\p{N}_.-]+$/u.test(text) && text === text.normalize('NFC');
}

/** Reads the arguments of `enter`. @throws DecodeError */
export function decodeRoomEntry(room: unknown, options: unknown): RoomEntry {
  const name = new Field(room, 'room');
  const text = name.string(64);
  if (!isRoomName(text)) name.fail('1 to 64 letters, digits or _ - .');
  if (typeof options !== 'object' || options === null) return { room: text };
  return { room: text, ...new Field(options).optional('password', (field) => field.string(256)) };
}

/** Reads a `message`; fields that do not belong to its type are left out, `from` among them. @throws DecodeError */
export function decodeRoomMessage(value: unknown): RoomMessage {
  const field = new Field(value);
  const type = field.at('type').oneOf(ROOM_MESSAGE_TYPES);
  const to = field.optional('sendto', (sendto) => sendto.string(64));
  switch (type) {
    case 'offer':
    case 'answer':
      return { type, ...to, sdp: field.at('sdp').string(ROOM_MAX_SDP) };
    case 'candidate': {
      const [mid, line] = [field.at('sdpMid'), field.at('sdpMLineIndex')];
      return {
        type,
        ...to,
        candidate: field.at('candidate').string(ROOM_MAX_CANDIDATE),
        sdpMid: mid.present ? mid.string(64) : null,
        sdpMLineIndex: line.present ? line.count() : null,
      };
    }
    case 'talk_request':
      return {
        type,
        ...to,
        ...field.optional('spill', (spill) => spill.oneOf(SPILL_WISHES)),
        ...field.optional('relays', (relays) => relays.boolean()),
      };
    case 'relay': {
      const ends = {
        ...field.optional('parent', (id) => id.string(64)),
        ...field.optional('child', (id) => id.string(64)),
      };
      if (Object.keys(ends).length !== 1) field.at('parent').fail('either a parent or a child');
      return { type, ...to, ...ends };
    }
    case 'talk_ready':
    case 'bye':
    case 'end_talk':
    case 'spill':
      return { type, ...to };
    default:
      return { ...decodeAside(value), ...to };
  }
}

/** Reads a `message` that a server passed on, with its sender. @throws DecodeError */
export function decodeStampedMessage(value: unknown): RoomMessage & { readonly from: MemberId } {
  const { from } = new Field(value).object();
  return { ...decodeRoomMessage(value), from: new Field(from, 'the sender').string(64) };
}

/** Reads the payload of `user disconnected`. @throws DecodeError */
export function decodeRoomDeparture(value: unknown): { readonly id: MemberId } {
  return { id: new Field(value).at('id').string(64) };
}
