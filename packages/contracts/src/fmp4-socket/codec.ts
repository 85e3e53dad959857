import {
  FMP4_FLAG,
  FMP4_HEADER_LENGTH,
  FMP4_MAX_JSON,
  FMP4_TYPE,
  type Fmp4ClientText,
  type Fmp4Epoch,
  type Fmp4Header,
  type Fmp4Message,
  type Fmp4ServerText,
  type Fmp4State,
  type Fmp4TrackInfo,
} from './message.ts';

/** A message that breaks `docs/protocols/ws-fmp4.md`. The receiver closes the socket with 1002. */
export class Fmp4SocketError extends Error {
  override readonly name = 'Fmp4SocketError';
  readonly code = 'WS_FMP4_MALFORMED';
}

const TWO_32 = 0x1_0000_0000;
const decoder = new TextDecoder('utf-8');
const encoder = new TextEncoder();

/** Writes the 40-byte header of a binary message to `target` at `at`. */
export function writeFmp4Header(target: Uint8Array, at: number, header: Fmp4Header): void {
  const view = new DataView(target.buffer, target.byteOffset + at, FMP4_HEADER_LENGTH);
  view.setUint8(0, header.type);
  view.setUint8(
    1,
    (header.independent ? FMP4_FLAG.independent : 0) | (header.discontinuity ? FMP4_FLAG.discontinuity : 0),
  );
  view.setUint8(2, header.track);
  view.setUint8(3, FMP4_HEADER_LENGTH);
  view.setUint32(4, header.epoch);
  setU64(view, 8, header.sequence);
  setU64(view, 16, header.time);
  view.setUint32(24, header.duration);
  view.setInt32(28, header.compositionOffset);
  setU64(view, 32, header.wallClock);
}

/** A message about the whole stream with a JSON payload. */
export function encodeFmp4Json(header: Fmp4Header, value: Fmp4Epoch | Fmp4State | object): Uint8Array {
  const json = encoder.encode(JSON.stringify(value));
  const out = new Uint8Array(FMP4_HEADER_LENGTH + json.length);
  writeFmp4Header(out, 0, header);
  out.set(json, FMP4_HEADER_LENGTH);
  return out;
}

/**
 * Takes a binary message apart. Unknown types come back as `unknown`, so that newer servers can add some.
 * @throws Fmp4SocketError if the header is short or a JSON payload is not what its type promises.
 */
export function decodeFmp4Message(bytes: Uint8Array): Fmp4Message {
  if (bytes.length < FMP4_HEADER_LENGTH) throw new Fmp4SocketError(`a message of ${bytes.length} bytes`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const headerLength = view.getUint8(3);
  if (headerLength < FMP4_HEADER_LENGTH || headerLength > bytes.length) {
    throw new Fmp4SocketError(`a header length of ${headerLength}`);
  }
  const flags = view.getUint8(1);
  const header: Fmp4Header = {
    type: view.getUint8(0),
    independent: (flags & FMP4_FLAG.independent) !== 0,
    discontinuity: (flags & FMP4_FLAG.discontinuity) !== 0,
    track: view.getUint8(2),
    epoch: view.getUint32(4),
    sequence: getU64(view, 8),
    time: getU64(view, 16),
    duration: view.getUint32(24),
    compositionOffset: view.getInt32(28),
    wallClock: getU64(view, 32),
  };
  const payload = bytes.subarray(headerLength);
  switch (header.type) {
    case FMP4_TYPE.init:
      return { kind: 'init', header, payload };
    case FMP4_TYPE.chunk:
      return { kind: 'chunk', header, payload };
    case FMP4_TYPE.event:
      return { kind: 'event', header, event: parseJson(payload) };
    case FMP4_TYPE.epoch:
      return { kind: 'epoch', header, epoch: epochOf(parseJson(payload)) };
    case FMP4_TYPE.state:
      return { kind: 'state', header, state: stateOf(parseJson(payload)) };
    default:
      return { kind: 'unknown', header };
  }
}

/** A text message from the server. @throws Fmp4SocketError if it is none of the known ones. */
export function decodeFmp4ServerText(text: string): Fmp4ServerText {
  const value = record(parseText(text));
  switch (value.type) {
    case 'hello':
      return {
        ...stateOf(value),
        type: 'hello',
        protocol: 'onair.fmp4.v1',
        stream: string(value.stream),
        now: number(value.now),
        ...(value.relay === true ? { relay: true } : {}),
      };
    case 'pong':
      return { type: 'pong', id: number(value.id), now: number(value.now) };
    case 'skip':
      return { type: 'skip', blocks: number(value.blocks) };
    case 'error':
      return { type: 'error', code: string(value.code), detail: string(value.detail) };
    default:
      throw new Fmp4SocketError('an unknown text message');
  }
}

/** A text message from a client. @throws Fmp4SocketError if it is none of the known ones. */
export function decodeFmp4ClientText(text: string): Fmp4ClientText {
  if (text.length > 1024) throw new Fmp4SocketError(`a text message of ${text.length} characters`);
  const value = record(parseText(text));
  switch (value.type) {
    case 'ping':
      return { type: 'ping', id: number(value.id) };
    case 'pause':
      return { type: 'pause' };
    case 'play':
      return { type: 'play' };
    default:
      throw new Fmp4SocketError('an unknown text message');
  }
}

function epochOf(raw: unknown): Fmp4Epoch {
  const value = record(raw);
  if (!Array.isArray(value.tracks) || value.tracks.length > 32)
    throw new Fmp4SocketError('no list of tracks');
  return { epoch: number(value.epoch), tracks: value.tracks.map(trackOf) };
}

function trackOf(raw: unknown): Fmp4TrackInfo {
  const value = record(raw);
  if (value.kind !== 'video' && value.kind !== 'audio') throw new Fmp4SocketError('a track of unknown kind');
  const info: Record<string, unknown> = {
    id: number(value.id),
    kind: value.kind,
    codec: string(value.codec),
    codecString: string(value.codecString),
    mime: string(value.mime),
  };
  for (const key of ['width', 'height', 'frameRate', 'sampleRate', 'channels']) {
    if (value[key] !== undefined) info[key] = number(value[key]);
  }
  return info as unknown as Fmp4TrackInfo;
}

function stateOf(raw: unknown): Fmp4State {
  const value = record(raw);
  const { state } = value;
  if (state !== 'idle' && state !== 'live' && state !== 'waiting' && state !== 'ended') {
    throw new Fmp4SocketError('an unknown state');
  }
  return value.until === undefined ? { state } : { state, until: number(value.until) };
}

function parseJson(payload: Uint8Array): unknown {
  if (payload.length > FMP4_MAX_JSON) throw new Fmp4SocketError(`a JSON payload of ${payload.length} bytes`);
  return parseText(decoder.decode(payload));
}

function parseText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Fmp4SocketError('a payload that is not JSON');
  }
}

function record(value: unknown): Record<string, unknown> {
  if (typeof value !== 'object' || value === null) throw new Fmp4SocketError('not an object');
  return value as Record<string, unknown>;
}

function number(value: unknown): number {
  if (typeof value !== 'number' || !Number.isFinite(value)) throw new Fmp4SocketError('not a number');
  return value;
}

function string(value: unknown): string {
  if (typeof value !== 'string') throw new Fmp4SocketError('not a string');
  return value;
}

function setU64(view: DataView, at: number, value: number): void {
  view.setUint32(at, Math.floor(value / TWO_32));
  view.setUint32(at + 4, value >>> 0);
}

function getU64(view: DataView, at: number): number {
  const value = view.getUint32(at) * TWO_32 + view.getUint32(at + 4);
  if (!Number.isSafeInteger(value)) throw new Fmp4SocketError('a 64-bit value above 2^53 - 1');
  return value;
}
