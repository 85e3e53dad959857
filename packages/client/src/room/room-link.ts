import {
  decodeRoomAnswer,
  decodeRoomDeparture,
  decodeRoomRefusal,
  decodeRoomStage,
  decodeStampedMessage,
  type MemberId,
  type RoomMessage,
  type RoomRefusal,
  type RoomStage,
  type RoomWelcome,
} from '@onair/contracts/rooms';
import { io } from 'socket.io-client';

/** A message with the sender that the server put on it. */
export type HeardMessage = RoomMessage & { readonly from: MemberId };

/** What a member hears. */
export interface RoomEvents {
  /** In the room, also again after the connection was lost: ids of this side are new then. */
  entered(welcome: RoomWelcome): void;
  message(message: HeardMessage): void;
  left(id: MemberId): void;
  refused(refusal: RoomRefusal): void;
  /** The server does something else with the talk than before. */
  staged(stage: RoomStage): void;
  /** The connection to the server is lost; it is tried again by itself. */
  lost(): void;
}

/** A member's line to the others in its room. */
export interface RoomLink {
  readonly connected: boolean;
  send(message: RoomMessage): void;
  /** Says what the server is to do with the talk; the talker's to say. */
  stage(stage: RoomStage): void;
  /** Leaves the room for good. */
  close(): void;
}

/** Longest wait for the answer to `enter`, ms. */
const ANSWER_MS = 10_000;

/** Enters a room, and again whenever the connection comes back. @param origin of the server, e.g. `location.origin` */
export function connectRoom(
  origin: string,
  { room, password }: { readonly room: string; readonly password?: string | undefined },
  events: RoomEvents,
): RoomLink {
  const socket = io(origin, { transports: ['websocket', 'polling'] });
  /** What is not as documented comes from a server of another version; it is passed over. */
  const decoded = <T>(decode: () => T, use: (value: T) => void): void => {
    let value: T;
    try {
      value = decode();
    } catch {
      return;
    }
    use(value);
  };
  socket.on('connect', () => {
    const options = password === undefined ? {} : { password };
    socket.timeout(ANSWER_MS).emit('enter', room, options, (error: Error | null, answer: unknown) => {
      if (error !== null) socket.disconnect().connect();
      else
        decoded(
          () => decodeRoomAnswer(answer),
          (said) => {
            if (said.ok) events.entered(said);
          },
        );
    });
  });
  socket.on('message', (value) => decoded(() => decodeStampedMessage(value), events.message));
  socket.on('user disconnected', (value) =>
    decoded(
      () => decodeRoomDeparture(value),
      ({ id }) => events.left(id),
    ),
  );
  socket.on('refused', (value) => decoded(() => decodeRoomRefusal(value), events.refused));
  socket.on('stage', (value) => decoded(() => decodeRoomStage(value), events.staged));
  socket.on('disconnect', () => events.lost());
  return {
    get connected() {
      return socket.connected;
    },
    send: (message) => void socket.emit('message', message),
    stage: (stage) => void socket.emit('stage', stage),
    close: () => void socket.disconnect(),
  };
}
