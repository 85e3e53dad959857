import {
  AUDIT_ACTIONS,
  CUE_FORMS,
  ERROR_CODES,
  MAX_BITRATE_HISTORY,
  MAX_CUE_DATA,
  MAX_CUES,
  MAX_STREAM_WARNINGS,
  POLL_KINDS,
  SESSION_KINDS,
  STREAM_STATES,
} from '@onair/contracts';
import { RELAY_MAX_CHILDREN, RELAY_MAX_NODES } from '@onair/contracts/relay';
import { ROOM_SCHEMAS } from './room-schemas.ts';

/** A JSON Schema (2020-12) as OpenAPI 3.1 uses it. */
export type JsonSchema = Readonly<Record<string, unknown>>;

const text: JsonSchema = { type: 'string' };
const flag: JsonSchema = { type: 'boolean' };
const secret: JsonSchema = { type: 'string', maxLength: 256 };
const count: JsonSchema = { type: 'integer', minimum: 0 };
const amount: JsonSchema = { type: 'number', minimum: 0 };
const time: JsonSchema = {
  type: 'number',
  minimum: 0,
  description: 'Milliseconds since 1970-01-01T00:00:00Z.',
};
const namePart: JsonSchema = { type: 'string', pattern: '^[A-Za-z0-9_-]{1,64}$' };
const streamName: JsonSchema = { type: 'string', pattern: '^[A-Za-z0-9_-]{1,64}/[A-Za-z0-9_-]{1,64}$' };

function object(properties: Record<string, JsonSchema>, optional: readonly string[] = []): JsonSchema {
  return {
    type: 'object',
    properties,
    required: Object.keys(properties).filter((name) => !optional.includes(name)),
    additionalProperties: false,
  };
}

function list(items: JsonSchema, maxItems?: number): JsonSchema {
  return { type: 'array', items, ...(maxItems === undefined ? {} : { maxItems }) };
}

/** A reference to one of {@link SCHEMAS}. */
export function ref(name: string): JsonSchema {
  return { $ref: `#/components/schemas/${name}` };
}

const keyFields: Record<string, JsonSchema> = {
  id: text,
  app: namePart,
  name: namePart,
  label: text,
  created: time,
};

const uuid: JsonSchema = { type: 'string', format: 'uuid' };

/** Every resource and message of the API. */
export const SCHEMAS: Readonly<Record<string, JsonSchema>> = {
  ...ROOM_SCHEMAS,
  Track: object(
    {
      kind: { type: 'string', enum: ['video', 'audio', 'data'] },
      codec: text,
      codecString: { ...text, description: 'RFC 6381.' },
      width: { ...count, description: 'Pixels.' },
      height: { ...count, description: 'Pixels.' },
      frameRate: { ...amount, description: 'Frames per second.' },
      sampleRate: { ...count, description: 'Samples per second.' },
      channels: count,
      bitrate: { ...amount, description: 'Bits per second.' },
    },
    ['codecString', 'width', 'height', 'frameRate', 'sampleRate', 'channels', 'bitrate'],
  ),
  Publisher: object({ session: text, protocol: text, address: text, encoder: text, since: time }, [
    'session',
    'address',
    'encoder',
  ]),
  RelayNode: object({
    uuid,
    parent_uuid: { ...uuid, description: 'Who feeds it; `root_uuid` for the server.' },
    children_uuid: list(uuid, RELAY_MAX_CHILDREN),
    relayable: { ...flag, description: 'Whether it may serve others.' },
    capacity: { ...count, description: 'Children it offers to serve.' },
    rtt: { ...amount, description: 'Round trip to the server, milliseconds.' },
    uplink: { ...amount, description: 'Measured uplink, bits per second; 0 unknown.' },
    depth: { ...count, description: 'Hops from the server.' },
    peerBytes: { ...count, description: 'Bytes of blocks it got from other viewers.' },
    serverBytes: { ...count, description: 'Bytes of blocks that the server sent it.' },
  }),
  RelayTree: object({
    stream: streamName,
    enabled: { ...flag, description: 'Whether the settings allow relaying of this stream.' },
    root_uuid: { ...uuid, description: 'The server among the nodes.' },
    sent: object({ blocks: count, index: count }),
    relayed: { ...count, description: 'Bytes of blocks that viewers got from each other.' },
    nodes: list(ref('RelayNode'), RELAY_MAX_NODES),
  }),
  Stream: object(
    {
      name: streamName,
      state: { type: 'string', enum: [...STREAM_STATES] },
      since: time,
      publisher: ref('Publisher'),
      tracks: list(ref('Track')),
      viewers: count,
      viewersByTransport: { type: 'object', additionalProperties: count },
      bytesIn: count,
      bytesOut: count,
      bytesRelayed: { ...count, description: 'What viewers got from each other in place of the server.' },
      bitrateIn: { ...amount, description: 'Bits per second.' },
      bitrateHistory: {
        ...list(amount, MAX_BITRATE_HISTORY),
        description: 'Bits per second, one entry per second, oldest first.',
      },
      epoch: { ...count, description: 'Counts changes of codec parameters.' },
      reconnectDeadline: time,
      warnings: {
        ...list(object({ code: text, text, since: time }), MAX_STREAM_WARNINGS),
        description: 'What the publisher should change.',
      },
    },
    ['publisher', 'bytesRelayed', 'reconnectDeadline', 'warnings'],
  ),
  StreamList: object({ streams: list(ref('Stream')) }),
  Session: object(
    {
      id: text,
      kind: { type: 'string', enum: [...SESSION_KINDS] },
      protocol: text,
      stream: streamName,
      address: text,
      since: time,
      bytes: count,
      bitrate: { ...amount, description: 'Bits per second.' },
      dropped: count,
      skips: count,
      backlogMs: { ...amount, description: 'Milliseconds.' },
      backlogBytes: count,
      agent: text,
    },
    ['bitrate', 'backlogMs', 'backlogBytes', 'agent'],
  ),
  SessionList: object(
    { sessions: list(ref('Session')), next: { ...text, description: 'Pass as `after` to read on.' } },
    ['next'],
  ),
  EventRequest: object(
    {
      id: { type: 'string', pattern: '^[A-Za-z0-9._:-]{1,128}$', description: 'Made up if left out.' },
      name: { type: 'string', minLength: 1, maxLength: 64 },
      data: { description: 'Anything; at most 64 KiB as JSON.' },
      base64: { ...text, description: 'Bytes in place of `data`, which become `{ "hex": … }`.' },
      time: { ...amount, description: 'Seconds of stream time.' },
      after: { ...amount, maximum: 3600, description: 'Seconds from now.' },
      wall: { description: 'Milliseconds since 1970, or a date as in ISO 8601.' },
      duration: { ...amount, maximum: 86_400, description: 'Seconds; 0 for a moment.' },
      raw: { ...flag, description: 'RTMP and FLV: a message of its own name, with `data` as its values.' },
      scte35: object(
        {
          kind: { type: 'string', enum: ['out', 'in', 'command'] },
          section: { ...text, description: 'A splice_info_section in base64 or hexadecimal digits.' },
          of: { ...text, description: 'For `in`: id of the event that began the break.' },
        },
        ['of'],
      ),
    },
    ['id', 'name', 'data', 'base64', 'time', 'after', 'wall', 'duration', 'raw', 'scte35'],
  ),
  TimedEvent: object(
    {
      id: text,
      name: text,
      time: { ...count, description: 'Microseconds of stream time.' },
      duration: { ...count, description: 'Microseconds.' },
      data: {},
      raw: flag,
      splice: object({ kind: text, section: text, of: text }, ['of']),
    },
    ['raw', 'splice'],
  ),
  TimedEventList: object({ events: list(ref('TimedEvent')) }),
  EventLog: object({
    records: list(
      object(
        {
          action: { type: 'string', enum: AUDIT_ACTIONS },
          stream: streamName,
          event: ref('TimedEvent'),
          by: text,
          address: text,
          at: time,
          detail: text,
        },
        ['detail'],
      ),
    ),
  }),
  Schedule: object({
    scheduled: list(
      object(
        {
          stream: streamName,
          event: ref('TimedEvent'),
          by: text,
          due: time,
          of: { type: 'string', enum: ['wall', 'media'] },
        },
        ['due'],
      ),
    ),
  }),
  Cue: object(
    {
      id: { type: 'string', pattern: '^[A-Za-z0-9_-]{1,64}$' },
      label: { type: 'string', maxLength: 64 },
      name: { type: 'string', minLength: 1, maxLength: 64 },
      form: { type: 'string', enum: CUE_FORMS },
      duration: { ...amount, maximum: 86_400, description: 'Seconds.' },
      key: { type: 'string', pattern: '^[a-z0-9]$' },
      data: { description: `At most ${MAX_CUE_DATA} characters as JSON.` },
    },
    ['label', 'key', 'data'],
  ),
  CueList: object({ cues: list(ref('Cue'), MAX_CUES) }),
  Poll: object(
    {
      id: text,
      stream: streamName,
      kind: { type: 'string', enum: POLL_KINDS },
      question: text,
      choices: list(text),
      counts: list(count),
      since: time,
      until: time,
      closed: flag,
      correct: { ...count, description: 'Index of the right choice; for viewers once it is closed.' },
    },
    ['until', 'correct'],
  ),
  PollList: object({ polls: list(ref('Poll')) }),
  Vote: object({
    choice: { ...count, description: 'Index of the choice.' },
    voter: { type: 'string', pattern: '^[A-Za-z0-9_-]{16,64}$' },
  }),
  Health: object({
    status: { type: 'string', enum: ['ok', 'stopping'] },
    uptime: { ...amount, description: 'Seconds.' },
    live: count,
    publishers: count,
    viewers: count,
    eventLoopDelayMs: amount,
    memoryBytes: count,
    cpuSeconds: { ...amount, description: 'Processor time used since the start, seconds.' },
  }),
  ServerInfo: object(
    {
      version: text,
      nodeTime: time,
      ports: object({ http: count, rtmp: count, rtmps: count, tls: count }, ['rtmp', 'rtmps', 'tls']),
      publishUrl: text,
      admin: flag,
      keyNeeded: flag,
      demoAccount: flag,
    },
    ['publishUrl'],
  ),
  PushList: object({
    pushes: list(
      object(
        {
          stream: streamName,
          host: text,
          state: { type: 'string', enum: ['waiting', 'connecting', 'live', 'failed'] },
          since: time,
          failures: count,
          reason: text,
          retryAt: time,
        },
        ['reason', 'retryAt'],
      ),
    ),
  }),
  Key: object(keyFields, ['name', 'label']),
  KeyList: object({ keys: list(ref('Key')) }),
  KeyRequest: object({ app: namePart, name: namePart, label: { type: 'string', maxLength: 200 } }, [
    'name',
    'label',
  ]),
  NewKey: object({ ...keyFields, key: { ...text, description: 'The secret; never shown again.' } }, [
    'name',
    'label',
  ]),
  SignIn: object({ token: secret, user: secret, password: secret }, ['token', 'user', 'password']),
  SignInState: object({ admin: flag }),
  ErrorEntry: object({ code: text, status: count, title: text, description: text }),
  ErrorList: object({ errors: list(ref('ErrorEntry')) }),
  FieldFault: object({ path: text, expected: text, received: text }),
  Problem: object(
    {
      type: text,
      title: text,
      status: count,
      detail: text,
      instance: text,
      code: { type: 'string', enum: Object.keys(ERROR_CODES) },
      errors: list(ref('FieldFault')),
    },
    ['detail', 'instance', 'errors'],
  ),
};
