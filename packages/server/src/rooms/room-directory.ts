import type { ErrorCode } from '@onair/contracts/errors';
import type { MemberId, RoomEntry, RoomMessage } from '@onair/contracts/rooms';

/** Why a room refused something. The member stays connected. */
export class RoomError extends Error {
  override readonly name = 'RoomError';
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** Somebody who can be in a room. */
export interface RoomMember {
  readonly id: MemberId;
  /** Hands over an event of the wire. Must not throw. */
  send(event: 'message' | 'user disconnected', payload: object): void;
}

/** Limits and locks that hold at the moment. */
export interface RoomPolicy {
  readonly maxRooms: number;
  readonly maxMembers: number;
  readonly locks: readonly { readonly room: string; readonly password: string }[];
}

interface Room {
  readonly name: string;
  readonly members: Map<MemberId, RoomMember>;
  /** Who is on air. */
  talker: MemberId | undefined;
}

/** Types that say: I am the one who talks here. */
const TALKER_TYPES: ReadonlySet<RoomMessage['type']> = new Set(['talk_ready', 'offer']);
/** Types that mean something to one receiver only. */
const ADDRESSED_TYPES: ReadonlySet<RoomMessage['type']> = new Set(['offer', 'answer', 'candidate']);

/** Who is in which room, and who may say what to whom. Knows no sockets. */
export class RoomDirectory {
  readonly #policy: () => RoomPolicy;
  readonly #same: (given: string, wanted: string) => boolean;
  readonly #rooms = new Map<string, Room>();
  readonly #places = new Map<MemberId, Room>();

  /** @param same compares a password in a time that does not depend on it. */
  constructor(policy: () => RoomPolicy, same: (given: string, wanted: string) => boolean) {
    this.#policy = policy;
    this.#same = same;
  }

  /** How many rooms have members. */
  get size(): number {
    return this.#rooms.size;
  }

  /**
   * Takes a member into a room, out of the one it was in. Returns how many are there now.
   * @throws RoomError `ROOM_PASSWORD_WRONG` or `ROOM_FULL`; then it stays where it was.
   */
  enter(member: RoomMember, { room: name, password }: RoomEntry): number {
    const { locks, maxRooms, maxMembers } = this.#policy();
    const lock = locks.find(({ room }) => room === name);
    if (lock !== undefined && !this.#same(password ?? '', lock.password)) {
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
    const room = this.#rooms.get(name) ?? { name, members: new Map(), talker: undefined };
    this.#rooms.set(name, room);
    room.members.set(member.id, member);
    this.#places.set(member.id, room);
    return room.members.size;
  }

  /**
   * Passes a message on, within the sender's room, with the sender's id on it.
   * @throws RoomError if the sender or the receiver is in no room together, or another is on air.
   */
  message(from: MemberId, message: RoomMessage): void {
    const room = this.#places.get(from);
    if (room === undefined) throw new RoomError('ROOM_NOT_ENTERED', 'enter a room first');
    const { type, sendto } = message;
    if (sendto === undefined && ADDRESSED_TYPES.has(type)) {
      throw new RoomError('ROOM_MESSAGE_INVALID', `sendto: expected a member, received nothing`);
    }
    const receiver = sendto === undefined ? undefined : room.members.get(sendto);
    // The same answer whether the id is unknown or in another room.
    if (sendto !== undefined && receiver === undefined) {
      throw new RoomError('ROOM_NOT_ENTERED', 'there is no such member in the room');
    }
    if (TALKER_TYPES.has(type)) {
      room.talker ??= from;
      if (room.talker !== from) throw new RoomError('ROOM_HAS_TALKER', 'somebody else is on air');
    }
    if (type === 'end_talk') {
      // Only who is on air can end it; a page that says so when it closes does no harm.
      if (room.talker !== from) return;
      room.talker = undefined;
    }
    const stamped = { ...message, from };
    if (receiver !== undefined) receiver.send('message', stamped);
    else this.#tell(room, from, 'message', stamped);
  }

  /** Takes a member out of its room and tells the others. Does nothing for one that is in none. */
  leave(id: MemberId): void {
    const room = this.#places.get(id);
    if (room === undefined) return;
    this.#places.delete(id);
    room.members.delete(id);
    if (room.talker === id) room.talker = undefined;
    if (room.members.size === 0) this.#rooms.delete(room.name);
    else this.#tell(room, id, 'user disconnected', { id });
  }

  #tell(room: Room, from: MemberId, event: 'message' | 'user disconnected', payload: object): void {
    for (const [id, member] of room.members) if (id !== from) member.send(event, payload);
  }
}
