import { Field } from './decode.ts';

/** What a session does. */
export const SESSION_KINDS = ['publisher', 'viewer'] as const;
/** A session publishes or views one stream. */
export type SessionKind = (typeof SESSION_KINDS)[number];

/** One connection speaking one protocol, as the API shows it. */
export interface SessionInfo {
  readonly id: string;
  readonly kind: SessionKind;
  /** e.g. `rtmp`, `http-flv`, `ws-fmp4`, `hls`. */
  readonly protocol: string;
  /** `APP/NAME`. */
  readonly stream: string;
  /** Remote address without port. */
  readonly address: string;
  /** When it opened, milliseconds since 1970. */
  readonly since: number;
  /** Media bytes received from a publisher or sent to a viewer. */
  readonly bytes: number;
  /** Bits per second over the last seconds. */
  readonly bitrate?: number;
  /** Samples (publisher) or blocks (viewer) that were not passed on. */
  readonly dropped: number;
  /** How often a viewer jumped forward because it was too slow. */
  readonly skips: number;
  /** Milliseconds of stream that a viewer has not taken yet. */
  readonly backlogMs?: number;
  /** Bytes that wait in the socket. */
  readonly backlogBytes?: number;
  /** What the program at the other end calls itself. */
  readonly agent?: string;
}

/** Body of `GET /api/v1/sessions`. */
export interface SessionList {
  readonly sessions: readonly SessionInfo[];
  /** Pass as `after` to read on; absent at the end. */
  readonly next?: string;
}

/** Reads a {@link SessionInfo} from a parsed JSON value or a field of one. @throws DecodeError */
export function decodeSessionInfo(input: unknown): SessionInfo {
  const field = input instanceof Field ? input : new Field(input);
  return {
    id: field.at('id').string(),
    kind: field.at('kind').oneOf(SESSION_KINDS),
    protocol: field.at('protocol').string(),
    stream: field.at('stream').string(129),
    address: field.at('address').string(),
    since: field.at('since').number(0),
    bytes: field.at('bytes').count(),
    ...field.optional('bitrate', (f) => f.number(0)),
    dropped: field.at('dropped').count(),
    skips: field.at('skips').count(),
    ...field.optional('backlogMs', (f) => f.number(0)),
    ...field.optional('backlogBytes', (f) => f.count()),
    ...field.optional('agent', (f) => f.string()),
  };
}

/** Reads a {@link SessionList}. @throws DecodeError */
export function decodeSessionList(value: unknown): SessionList {
  const field = new Field(value);
  return {
    sessions: field.at('sessions').list(decodeSessionInfo),
    ...field.optional('next', (f) => f.string()),
  };
}
