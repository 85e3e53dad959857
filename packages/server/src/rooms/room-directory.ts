import type { ErrorCode } from '@onair/contracts/errors';
import {
  isFileStep,
  type MemberId,
  type RoomEntry,
  type RoomInfo,
  type RoomMessage,
  type RoomStage,
} from '@onair/contracts/rooms';
import type { StreamName } from '@onair/media';

/** Why a room refused something. The member stays connected. */
export class RoomError extends Error {
  override readonly name = 'RoomError';
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** What the server says to a member. */
export type RoomEvent = 'message' | 'user disconnected' | 'stage';

/** Somebody who can be in a room. */
export interface RoomMember {
  readonly id: MemberId;
  /** Hands over an event of the wire. Must not throw. */
  send(event: RoomEvent, payload: object): void;
}

/** Limits and locks that hold at the moment. */
export interface RoomPolicy {
  readonly maxRooms: number;
  readonly maxMembers: number;
  readonly locks: readonly { readonly room: string; readonly password: string }[];
}

/** What the directory works with. */
export interface RoomDirectoryDeps {
  policy(): RoomPolicy;
  /** Compares secrets in a time that does not depend on them. */
  same(given: string, wanted: string): boolean;
  /** A secret that nobody can guess. */
  secret(): string;
  /** Name of the stream that the talk of a room is on the server. */
  streamOf(room: string, locked: boolean): StreamName;
  /** What is to be done with a room's stream is another than before; `talking` is false once nobody may send to it. */
  staged?(stream: StreamName, talking: boolean): void;
}

interface Room {
  readonly name: string;
  readonly locked: boolean;
  readonly stream: StreamName;
  readonly members: Map<MemberId, RoomMember & { readonly key: string }>;
  /** Who is on air. */
  talker: MemberId | undefined;
  /** Whom the talker told to take the picture from another watcher, and from which. */
  readonly parents: Map<MemberId, MemberId>;
  stage: RoomStage;
}

/** Types that say: I am the one who talks here. */
const TALKER_TYPES: ReadonlySet<RoomMessage['type']> = new Set(['talk_ready', 'offer', 'spill', 'relay']);
/** Types that mean something to one receiver only. */
const ADDRESSED_TYPES: ReadonlySet<RoomMessage['type']> = new Set([
  'offer',
  'answer',
  'candidate',
  'spill',
  'relay',
]);
const NOTHING: RoomStage = { stream: false, record: false };

/** Who is in which room, and who may say what to whom. Knows no sockets. */
export class RoomDirectory {
  readonly #deps: RoomDirectoryDeps;
  readonly #rooms = new Map<string, Room>();
  readonly #places = new Map<MemberId, Room>();

  constructor(deps: RoomDirectoryDeps) {
    this.#deps = deps;
  }

  /** How many rooms have members. */
  get size(): number {
    return this.#rooms.size;
  }

  /** Every room with members, by name. */
  list(): RoomInfo[] {
    return [...this.#rooms.values()]
      .map(({ name, members, talker, locked, stage, stream }) => ({
        room: name,
        members: members.size,
        talking: talker !== undefined,
        locked,
        stage,
        ...(stage.stream && !locked ? { stream } : {}),
      }))
      .sort((a, b) => (a.room < b.room ? -1 : 1));
  }

  /**
   * Takes a member into a room, out of the one it was in. Returns how many are there now.
   * @throws RoomError `ROOM_PASSWORD_WRONG` or `ROOM_FULL`; then it stays where it was.
   */
  enter(member: RoomMember, { room: name, password }: RoomEntry): number {
    const { locks, maxRooms, maxMembers } = this.#deps.policy();
    const lock = locks.find(({ room }) => room === name);
    if (lock !== undefined && !this.#deps.same(password ?? '', lock.password)) {
      throw new RoomError('ROOM_PASSWORD_WRONG', 'the room has a password');
    }
    const known = this.#rooms.get(name);
    if (known !== undefined && this.#places.get(member.id) === known) return known.members.size;
    if (known === undefined && this.#rooms.size >= maxRooms) {
      throw new RoomError('ROOM_FULL', `there are ${maxRooms} rooms`);
    }
    if (known !== undefined && known.members.size >= maxMembers) {
      throw new RoomError('ROOM_FULL', `there are ${maxMembers} members`);
    }
    this.leave(member.id);
    const room = this.#rooms.get(name) ?? this.#open(name, lock !== undefined);
    room.members.set(member.id, { id: member.id, send: member.send, key: this.#deps.secret() });
    this.#places.set(member.id, room);
    return room.members.size;
  }

  /** What a member is told of its room besides; undefined for one that is in none. */
  welcome(
    id: MemberId,
  ): { readonly stream: string; readonly key: string; readonly stage: RoomStage } | undefined {
    const room = this.#places.get(id);
    const member = room?.members.get(id);
    if (room === undefined || member === undefined) return undefined;
    return { stream: room.stream, key: member.key, stage: room.stage };
  }

  /** True if this member is on air. */
  talks(id: MemberId): boolean {
    return this.#places.get(id)?.talker === id;
  }

  /** True if this is the stream of a room, and the key that of its talker. */
  mayPublish(stream: string, key: string): boolean {
    const room = this.#byStream(stream);
    const talker = room?.members.get(room.talker ?? '');
    return talker !== undefined && this.#deps.same(key, talker.key);
  }

  /** True if this is the stream of a room that is to be recorded. */
  isRecorded(stream: string): boolean {
    return this.#byStream(stream)?.stage.record === true;
  }

  /**
   * Passes a message on, within the sender's room, with the sender's id on it.
   * @throws RoomError if the sender or the receiver is in no room together, or another is on air.
   */
  message(from: MemberId, message: RoomMessage): void {
    const room = this.#places.get(from);
    if (room === undefined) throw new RoomError('ROOM_NOT_ENTERED', 'enter a room first');
    const { type, sendto } = message;
    if (sendto === undefined && (ADDRESSED_TYPES.has(type) || isFileStep(type))) {
      throw new RoomError('ROOM_MESSAGE_INVALID', `sendto: expected a member, received nothing`);
    }
    const receiver = sendto === undefined ? undefined : room.members.get(sendto);
    // The same answer whether the id is unknown or in another room.
    if (sendto !== undefined && receiver === undefined) {
      throw new RoomError('ROOM_NOT_ENTERED', 'there is no such member in the room');
    }
    if (type.startsWith('file_') && room.talker !== from && (sendto ?? '') !== room.talker) {
      throw new RoomError('ROOM_MESSAGE_INVALID', 'files go from the talker and to the talker');
    }
    const handsOn = type === 'offer' && sendto !== undefined && room.parents.get(sendto) === from;
    if (TALKER_TYPES.has(type) && !handsOn) {
      room.talker ??= from;
      if (room.talker !== from) throw new RoomError('ROOM_HAS_TALKER', 'somebody else is on air');
    }
    if (type === 'end_talk') {
      // Only who is on air can end it; a page that says so when it closes does no harm.
      if (room.talker !== from) return;
      this.#ended(room);
    }
    if (type === 'relay' && message.parent !== undefined && sendto !== undefined) {
      room.parents.set(sendto, message.parent);
    }
    const stamped = { ...message, from };
    if (receiver !== undefined) receiver.send('message', stamped);
    else this.#tell(room, from, 'message', stamped);
  }

  /**
   * Says what is to be done with the talk of a room, and tells all its members.
   * @param from the talker. @throws RoomError if it does not talk in a room.
   */
  stage(from: MemberId, stage: RoomStage): void {
    const room = this.#places.get(from);
    if (room === undefined) throw new RoomError('ROOM_NOT_ENTERED', 'enter a room first');
    if (room.talker !== from) throw new RoomError('ROOM_HAS_TALKER', 'the talker alone can do that');
    this.#stage(room, stage);
  }

  /** As {@link stage}, for the operator. Returns what is done now, or undefined if nobody talks in such a room. */
  stageRoom(name: string, wish: Partial<RoomStage>): RoomStage | undefined {
    const room = this.#rooms.get(name);
    if (room?.talker === undefined) return undefined;
    this.#stage(room, { ...room.stage, ...wish });
    return room.stage;
  }

  /** Takes a member out of its room and tells the others. Does nothing for one that is in none. */
  leave(id: MemberId): void {
    const room = this.#places.get(id);
    if (room === undefined) return;
    this.#places.delete(id);
    room.members.delete(id);
    room.parents.delete(id);
    if (room.talker === id) this.#ended(room);
    if (room.members.size === 0) this.#rooms.delete(room.name);
    else this.#tell(room, id, 'user disconnected', { id });
  }

  #open(name: string, locked: boolean): Room {
    const stream = this.#deps.streamOf(name, locked);
    const room: Room = {
      name,
      locked,
      stream,
      members: new Map(),
      talker: undefined,
      parents: new Map(),
      stage: NOTHING,
    };
    this.#rooms.set(name, room);
    return room;
  }

  #byStream(stream: string): Room | undefined {
    for (const room of this.#rooms.values()) if (room.stream === stream) return room;
    return undefined;
  }

  #ended(room: Room): void {
    room.talker = undefined;
    room.parents.clear();
    if (room.stage.stream || room.stage.record) {
      room.stage = NOTHING;
      this.#tell(room, '', 'stage', room.stage);
    }
    this.#deps.staged?.(room.stream, false);
  }

  #stage(room: Room, { stream, record }: RoomStage): void {
    room.stage = { stream: stream || record, record };
    this.#tell(room, '', 'stage', room.stage);
    this.#deps.staged?.(room.stream, true);
  }

  #tell(room: Room, from: MemberId, event: RoomEvent, payload: object): void {
    for (const [id, member] of room.members) if (id !== from) member.send(event, payload);
  }
}

/** Where the settings want no rooms. */
export const NO_ROOMS: Pick<RoomDirectory, 'list' | 'stageRoom'> = {
  list: () => [],
  stageRoom: () => undefined,
};
