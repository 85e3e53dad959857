import { ICE_POLICIES } from '@onair/contracts/rooms';
import type { JsonSchema } from './schemas.ts';

const flag: JsonSchema = { type: 'boolean' };
const text: JsonSchema = { type: 'string' };

/** Resources of rooms. */
export const ROOM_SCHEMAS: Readonly<Record<string, JsonSchema>> = {
  RoomStage: {
    type: 'object',
    properties: { stream: flag, record: flag },
    required: ['stream', 'record'],
    additionalProperties: false,
  },
  Room: {
    type: 'object',
    properties: {
      room: text,
      members: { type: 'integer', minimum: 0 },
      talking: flag,
      locked: flag,
      stage: { $ref: '#/components/schemas/RoomStage' },
      stream: { ...text, description: 'Stream that its talk is shown as.' },
    },
    required: ['room', 'members', 'talking', 'locked', 'stage'],
    additionalProperties: false,
  },
  RoomList: {
    type: 'object',
    properties: { rooms: { type: 'array', items: { $ref: '#/components/schemas/Room' } } },
    required: ['rooms'],
    additionalProperties: false,
  },
  IceSettings: {
    type: 'object',
    description: 'A configuration for RTCPeerConnection.',
    properties: {
      iceServers: {
        type: 'array',
        items: {
          type: 'object',
          properties: { urls: { type: 'array', items: text }, username: text, credential: text },
          required: ['urls'],
          additionalProperties: false,
        },
      },
      iceTransportPolicy: { type: 'string', enum: [...ICE_POLICIES] },
    },
    required: ['iceServers', 'iceTransportPolicy'],
    additionalProperties: false,
  },
};
