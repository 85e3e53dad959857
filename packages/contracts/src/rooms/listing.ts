import { Field } from '../api/index.ts';
import { decodeRoomStage, type RoomStage } from './message.ts';

/** A room as everybody may see it. */
export interface RoomInfo {
  readonly room: string;
  readonly members: number;
  /** Somebody is on air there. */
  readonly talking: boolean;
  /** It has a password. */
  readonly locked: boolean;
  readonly stage: RoomStage;
  /** `APP/NAME` of the stream that its talk is shown as, if it is. */
  readonly stream?: string;
}

/** Reads the list of rooms. @throws DecodeError */
export function decodeRoomList(value: unknown): { readonly rooms: readonly RoomInfo[] } {
  return {
    rooms: new Field(value).at('rooms').list((room) => ({
      room: room.at('room').string(64),
      members: room.at('members').count(),
      talking: room.at('talking').boolean(),
      locked: room.at('locked').boolean(),
      stage: decodeRoomStage(room.at('stage').value),
      ...room.optional('stream', (stream) => stream.string(129)),
    })),
  };
}
