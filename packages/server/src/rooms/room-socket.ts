import { DecodeError } from '@onair/contracts/api';
import {
  decodeRoomEntry,
  decodeRoomMessage,
  decodeRoomStage,
  type IceSettings,
  type MemberId,
  type RoomAnswer,
  type RoomRefusal,
  type RoomWelcome,
} from '@onair/contracts/rooms';
import type { Socket } from 'socket.io';
import { Allowance } from '../net/index.ts';
import { AsideLimits, type AsideSettings } from './aside-limits.ts';
import { type RoomDirectory, RoomError, type RoomMember } from './room-directory.ts';

/** What a socket needs of the server. */
export interface RoomSocketPort {
  readonly directory: RoomDirectory;
  /** Settings in force. */
  settings(): AsideSettings & {
    readonly maxDirect: number;
    readonly maxHandOn: number;
    readonly messagesPerSecond: number;
  };
  /** How a member is to connect. */
  ice(member: MemberId): IceSettings;
  /** False if the server takes no talk. */
  spills(): boolean;
  /** Seconds until the address may try a password again; 0 if it may now. */
  retryAfter(): number;
  /** Counts a wrong password. */
  failedPassword(): void;
  log(message: string, fields: Readonly<Record<string, unknown>>): void;
}

/** Messages at once, in seconds' worth. */
const BURST_SECONDS = 3;
/** A member that was told so often to send less is closed. */
const MAX_REFUSALS = 200;
const EVENTS: ReadonlySet<string> = new Set(['enter', 'message', 'stage']);
/** Until when a socket must have entered a room, ms. */
const ENTER_MS = 30_000;

/** Serves one Socket.IO connection until it closes. */
export function serveRoomSocket(socket: Socket, port: RoomSocketPort): void {
  const { directory } = port;
  const allowance = new Allowance(() => port.settings().messagesPerSecond, BURST_SECONDS, performance.now());
  const member: RoomMember = { id: socket.id, send: (event, payload) => void socket.emit(event, payload) };
  const idle = setTimeout(() => socket.disconnect(true), ENTER_MS).unref();
  const limits = new AsideLimits(port.settings, performance.now());
  let refusals = 0;
  let room: string | undefined;
  const refuse = (refusal: RoomRefusal, acknowledge?: (answer: RoomAnswer) => void): void => {
    if (++refusals > MAX_REFUSALS) {
      socket.disconnect(true);
      return;
    }
    socket.emit('refused', refusal);
    acknowledge?.({ ok: false, ...refusal });
  };

  // Every event passes here, known or not, so that nobody floods us with unknown ones.
  socket.use(([event], next) => {
    if (!allowance.take(performance.now())) {
      refuse({ code: 'TOO_MANY_REQUESTS', detail: 'fewer messages, please' });
    } else if (EVENTS.has(String(event))) next();
    else refuse({ code: 'ROOM_MESSAGE_INVALID', detail: 'there are the events enter, message and stage' });
  });
  socket.on('enter', (...args: unknown[]) => {
    const last = args.at(-1);
    const acknowledge = typeof last === 'function' ? (last as (answer: RoomAnswer) => void) : undefined;
    try {
      if (port.retryAfter() > 0) throw new RoomError('TOO_MANY_ATTEMPTS', 'too many wrong passwords');
      const entry = decodeRoomEntry(args[0], args[1]);
      const members = directory.enter(member, entry);
      clearTimeout(idle);
      // Once per connection: who goes from room to room shall not fill the log.
      if (room === undefined) port.log('entered a room', { room: entry.room, member: socket.id });
      room = entry.room;
      acknowledge?.({ ok: true, ...welcomeOf(socket.id, members, port) });
    } catch (error) {
      const refusal = refusalOf(error, 'ROOM_NAME_INVALID');
      if (refusal.code === 'ROOM_PASSWORD_WRONG') port.failedPassword();
      refuse(refusal, acknowledge);
    }
  });
  socket.on('message', (value: unknown) => {
    try {
      const message = decodeRoomMessage(value);
      limits.take(message, performance.now(), directory.talks(socket.id));
      directory.message(socket.id, message);
    } catch (error) {
      refuse(refusalOf(error, 'ROOM_MESSAGE_INVALID'));
    }
  });
  socket.on('stage', (value: unknown) => {
    try {
      const stage = decodeRoomStage(value);
      if (!port.spills()) throw new RoomError('ROOM_MESSAGE_INVALID', 'this server takes no talk');
      directory.stage(socket.id, stage);
    } catch (error) {
      refuse(refusalOf(error, 'ROOM_MESSAGE_INVALID'));
    }
  });
  socket.on('disconnect', () => {
    clearTimeout(idle);
    directory.leave(socket.id);
    if (room !== undefined) port.log('left a room', { room, member: socket.id });
  });
}

function welcomeOf(id: MemberId, members: number, port: RoomSocketPort): RoomWelcome {
  const { maxDirect, maxHandOn, relayBytesPerSecond: perSecond, relayFileBytes: fileBytes } = port.settings();
  const { stream, key, stage } = port.directory.welcome(id)!;
  return {
    id,
    members,
    maxDirect,
    maxHandOn,
    ...port.ice(id),
    ...(port.spills() ? { stream: `/${stream}`, key } : {}),
    stage,
    relayed: { fileBytes, perSecond },
  };
}

/** @throws whatever is not the sender's fault. */
function refusalOf(error: unknown, malformed: RoomRefusal['code']): RoomRefusal {
  if (error instanceof RoomError) return { code: error.code, detail: error.message };
  if (error instanceof DecodeError) return { code: malformed, detail: error.message };
  throw error;
}
