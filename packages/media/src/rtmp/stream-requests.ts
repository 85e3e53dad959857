import type { AmfValue } from '../amf/index.ts';
import type { ChunkMessage } from './chunk-message.ts';
import { splitQuery } from './connect-request.ts';
import { decodeData } from './messages/index.ts';
import type { PlayRequest, PublishRequest, RtmpServerEvent } from './server-events.ts';

/** The request in the values of a `publish` command (RTMP 1.0 §7.2.2.6). */
export function publishRequest(streamId: number, app: string, values: readonly AmfValue[]): PublishRequest {
  const [name, query] = splitQuery(text(values[1]));
  const mode = values[2] === 'record' || values[2] === 'append' ? values[2] : 'live';
  return { kind: 'publish', streamId, app, name, query, mode };
}

/**
 * The request in the values of a `play` command (§7.2.2.1). The standard counts in seconds; players
 * count in milliseconds, so −2 and −2000 both mean "live or recorded", −1 and −1000 "live only".
 */
export function playRequest(streamId: number, app: string, values: readonly AmfValue[]): PlayRequest {
  const [name, query] = splitQuery(text(values[1]));
  const start = finite(values[2]) ?? -2000;
  const duration = finite(values[3]) ?? -1;
  return {
    kind: 'play',
    streamId,
    app,
    name,
    query,
    start: start >= 0 ? start : start === -1 || start === -1000 ? 'live' : 'any',
    durationMs: duration >= 0 ? duration : undefined,
    reset: values[4] !== false && values[4] !== 0,
  };
}

/** The event for a publisher's data message; `@setDataFrame` and `@clearDataFrame` name their subject. */
export function dataEvent(message: ChunkMessage): RtmpServerEvent | undefined {
  const { streamId, timestampMs } = message;
  const { name, values } = decodeData(message.type, message.body);
  if (name !== '@setDataFrame' && name !== '@clearDataFrame') {
    return { kind: 'data', streamId, timestampMs, name, values };
  }
  const subject = values[0];
  if (typeof subject !== 'string') return undefined;
  if (name === '@clearDataFrame') return { kind: 'clearData', streamId, name: subject };
  return { kind: 'data', streamId, timestampMs, name: subject, values: values.slice(1) };
}

/** A string, or '' for anything else. */
export function text(value: AmfValue): string {
  return typeof value === 'string' ? value : '';
}

/** A finite number, or undefined for anything else. */
export function finite(value: AmfValue): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}
