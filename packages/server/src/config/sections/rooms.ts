import { isRoomName } from '@onair/contracts/rooms';
import { z } from 'zod';
import { bytes, count, key, port } from '../field.ts';

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
      'Watchers whom one talker sends to directly; further ones get the picture from the server (`rooms.spill`).',
    reload: true,
  }),
  maxHandOn: key(z.int().min(0).max(8).default(0), {
    description:
      'Watchers to whom one watcher hands the picture on before the server is asked; 0: none does. Each step decodes and encodes anew.',
    reload: true,
  }),
  spill: key(z.boolean().default(true), {
    description:
      'Whether further watchers get the picture from the server, to which the talker then sends too. Needs `webrtc`. False: they are told that the room has no more places.',
    reload: true,
  }),
  messagesPerSecond: key(count(10_000).default(100), {
    description: 'Messages that a member may send per second, three times as many at once.',
    reload: true,
  }),
  chatPerSecond: key(count(1000).default(3), {
    description:
      'Texts and signs that a member may send over the server per second, three times as many at once.',
    reload: true,
  }),
  relayBytesPerSecond: key(bytes(100_000_000).default(262_144), {
    description:
      'Bytes of files that a member may send over the server per second, where there is no channel from browser to browser.',
    reload: true,
  }),
  relayFileBytes: key(bytes(268_435_456).default(16_777_216), {
    description: 'Largest file that goes over the server, bytes.',
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
