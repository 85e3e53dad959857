import { Field } from './decode.ts';

/** Life of a stream: with a publisher, between two of them, wanted but never published, over. */
export const STREAM_STATES = ['live', 'waiting', 'idle', 'ended'] as const;
/** `live` has a publisher; `waiting` lost it within the reconnect window; `idle` has viewers only; `ended` is over. */
export type StreamState = (typeof STREAM_STATES)[number];

/** One track of a stream, as the API shows it. */
export interface TrackInfo {
  readonly kind: 'video' | 'audio' | 'data';
  /** Name of the codec, e.g. `h264`. */
  readonly codec: string;
  /** RFC 6381 codec string, e.g. `avc1.64001f`. */
  readonly codecString?: string;
  /** Pixels. */
  readonly width?: number;
  /** Pixels. */
  readonly height?: number;
  /** Frames per second. */
  readonly frameRate?: number;
  /** Samples per second. */
  readonly sampleRate?: number;
  readonly channels?: number;
  /** Measured over the last seconds, bits per second. */
  readonly bitrate?: number;
}

/** Who publishes a stream. */
export interface PublisherInfo {
  /** Id of the session, for operators only. */
  readonly session?: string;
  /** e.g. `rtmp`. */
  readonly protocol: string;
  /** Remote address, for operators only. */
  readonly address?: string;
  /** What the encoder calls itself. */
  readonly encoder?: string;
  /** When it began to publish, milliseconds since 1970. */
  readonly since: number;
}

/** Something that a publisher should change. */
export interface StreamWarning {
  /** Stable, e.g. `KEYFRAMES_RARE`. */
  readonly code: string;
  /** What was seen and what to do about it. */
  readonly text: string;
  /** Milliseconds since 1970. */
  readonly since: number;
}

/** Most warnings that a stream has at one time. */
export const MAX_STREAM_WARNINGS = 16;

/** A stream, as the API shows it. */
export interface StreamInfo {
  /** `APP/NAME`. */
  readonly name: string;
  readonly state: StreamState;
  /** When the state began, milliseconds since 1970. */
  readonly since: number;
  readonly publisher?: PublisherInfo;
  readonly tracks: readonly TrackInfo[];
  readonly viewers: number;
  /** Viewers by transport, e.g. `{ "rtmp": 2, "ws-fmp4": 5 }`. */
  readonly viewersByTransport: Readonly<Record<string, number>>;
  /** Media bytes received since the stream began. */
  readonly bytesIn: number;
  /** Bytes sent to all viewers since the stream began. */
  readonly bytesOut: number;
  /** Bytes that viewers got from each other in place of the server, as they say; only where they pass the stream on. */
  readonly bytesRelayed?: number;
  /** Incoming bits per second over the last seconds. */
  readonly bitrateIn: number;
  /** `bitrateIn` once a second, oldest first, at most {@link MAX_BITRATE_HISTORY}; for a small plot. */
  readonly bitrateHistory: readonly number[];
  /** Counts changes of codec parameters; viewers reset their decoders when it rises. */
  readonly epoch: number;
  /** Until when the publisher may come back, milliseconds since 1970; with state `waiting`. */
  readonly reconnectDeadline?: number;
  /** What the publisher should change, if there is anything. */
  readonly warnings?: readonly StreamWarning[];
}

/** Longest history of the incoming bitrate, in entries of one second. */
export const MAX_BITRATE_HISTORY = 60;

/** Reads a {@link TrackInfo}. @throws DecodeError */
export function decodeTrackInfo(field: Field): TrackInfo {
  return {
    kind: field.at('kind').oneOf(['video', 'audio', 'data']),
    codec: field.at('codec').string(),
    ...field.optional('codecString', (f) => f.string()),
    ...field.optional('width', (f) => f.count()),
    ...field.optional('height', (f) => f.count()),
    ...field.optional('frameRate', (f) => f.number(0)),
    ...field.optional('sampleRate', (f) => f.count()),
    ...field.optional('channels', (f) => f.count()),
    ...field.optional('bitrate', (f) => f.number(0)),
  };
}

function decodePublisher(field: Field): PublisherInfo {
  return {
    ...field.optional('session', (f) => f.string()),
    protocol: field.at('protocol').string(),
    ...field.optional('address', (f) => f.string()),
    ...field.optional('encoder', (f) => f.string()),
    since: field.at('since').number(0),
  };
}

function decodeWarning(field: Field): StreamWarning {
  return {
    code: field.at('code').string(64),
    text: field.at('text').string(),
    since: field.at('since').number(0),
  };
}

/** Reads a {@link StreamInfo} from a parsed JSON value or a field of one. @throws DecodeError */
export function decodeStreamInfo(input: unknown): StreamInfo {
  const field = input instanceof Field ? input : new Field(input);
  return {
    name: field.at('name').string(129),
    state: field.at('state').oneOf(STREAM_STATES),
    since: field.at('since').number(0),
    ...field.optional('publisher', decodePublisher),
    tracks: field.at('tracks').list(decodeTrackInfo, 64),
    viewers: field.at('viewers').count(),
    viewersByTransport: field.at('viewersByTransport').map((f) => f.count()),
    bytesIn: field.at('bytesIn').count(),
    bytesOut: field.at('bytesOut').count(),
    ...field.optional('bytesRelayed', (f) => f.count()),
    bitrateIn: field.at('bitrateIn').number(0),
    bitrateHistory: field.at('bitrateHistory').list((f) => f.number(0), MAX_BITRATE_HISTORY),
    epoch: field.at('epoch').count(),
    ...field.optional('reconnectDeadline', (f) => f.number(0)),
    ...field.optional('warnings', (f) => f.list(decodeWarning, MAX_STREAM_WARNINGS)),
  };
}

/** Body of `GET /api/v1/streams` and of the `streams` event. */
export interface StreamList {
  readonly streams: readonly StreamInfo[];
}

/** Reads a {@link StreamList}. @throws DecodeError */
export function decodeStreamList(value: unknown): StreamList {
  return { streams: new Field(value).at('streams').list(decodeStreamInfo) };
}
