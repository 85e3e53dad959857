import { randomBytes } from 'node:crypto';
import { isRoomName } from '@onair/contracts/rooms';
import { HttpProblem, iceSettings } from '../net/index.ts';
import type { ApiDeps } from './ports.ts';
import { type ApiRoute, readOrRefuse, refuseUnknown } from './route.ts';
import { type JsonSchema, ref } from './schemas.ts';

const flag: JsonSchema = { type: 'boolean' };

/** Rooms, and how browsers are to connect. */
export function roomRoutes(deps: ApiDeps): readonly ApiRoute[] {
  return [
    {
      method: 'GET',
      path: '/rooms',
      id: 'listRooms',
      summary: 'Every room with somebody in it.',
      audience: 'listeners',
      status: 200,
      answer: ref('RoomList'),
      errors: [],
      handle: () => ({ rooms: deps.rooms.list() }),
    },
    {
      method: 'POST',
      path: '/rooms/:room/stage',
      id: 'stageRoom',
      summary: 'Show the talk of a room as a stream, or record it, or no longer.',
      audience: 'operator',
      body: { type: 'object', properties: { stream: flag, record: flag }, additionalProperties: false },
      status: 200,
      answer: ref('RoomStage'),
      errors: ['INVALID_FIELD', 'ROOM_NAME_INVALID', 'STREAM_OFF_AIR'],
      handle: ({ param, body }) => {
        const name = param('room');
        if (!isRoomName(name)) throw new HttpProblem('ROOM_NAME_INVALID');
        const wish = readOrRefuse(() => {
          refuseUnknown(body, ['stream', 'record']);
          const read = { ...body.optional('stream', (field) => field.boolean()) };
          return { ...read, ...body.optional('record', (field) => field.boolean()) };
        });
        const stage = deps.rooms.stageRoom(name, wish);
        if (stage === undefined)
          throw new HttpProblem('STREAM_OFF_AIR', { detail: 'nobody talks in this room' });
        return stage;
      },
    },
    {
      method: 'GET',
      path: '/ice',
      id: 'getIce',
      summary: 'STUN and TURN servers with a password for the caller, as RTCPeerConnection takes them.',
      audience: 'listeners',
      status: 200,
      answer: ref('IceSettings'),
      errors: [],
      handle: ({ reply }) => {
        void reply.header('cache-control', 'no-store');
        return iceSettings(deps.config().ice, randomBytes(6).toString('hex'), Date.now());
      },
    },
  ];
}
