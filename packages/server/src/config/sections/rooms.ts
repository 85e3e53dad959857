import { isRoomName } from '@onair/contracts/rooms';
import { z } from 'zod';
import { count, key, port } from '../field.ts';

const roomName = () => z.string().refine(isRoomName, '1 to 64 letters, digits or _ - .');

/** Rooms: one casts to others from browser to browser. */
export const rooms = z.strictObject({
  enabled: key(z.boolean().default(true), { description: 'Whether there are rooms.' }),
  compatPort: key(port().default(9001), {
    description:
      'Further port for the signalling of rooms, opened if `compat` is true; 0 lets the system pick one.',
  }),
  maxMembers: key(count(10_000).default(100), { description: 'Members of one room.', reload: true }),
  maxRooms: key(count(100_000).default(1_000), { description: 'Rooms at one time.', reload: true }),
  maxDirect: key(count(100).default(10), {
    description:
      'Watchers whom one talker sends to directly; further ones are told that the room has no more places.',
    reload: true,
  }),
  iceServers: key(
    z
      .array(
        z
          .string()
          .max(255)
          .regex(/^(stun|stuns|turn|turns):[^\s<>"]+$/),
      )
      .max(8)
      .default([]),
    {
      description: 'STUN and TURN servers that members are told of, such as `stun:stun.example.org`.',
      reload: true,
    },
  ),
  messagesPerSecond: key(count(10_000).default(100), {
    description: 'Messages that a member may send per second, three times as many at once.',
    reload: true,
  }),
  locks: key(
    z
      .array(
        z.strictObject({
          room: key(roomName(), { description: 'Room that is locked.' }),
          password: key(z.string().min(1).max(256), {
            description: 'What its members must give to enter.',
            secret: true,
          }),
        }),
      )
      .max(10_000)
      .default([]),
    { description: 'Rooms with a password.', reload: true, secret: true },
  ),
});
