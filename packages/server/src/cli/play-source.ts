import { decodeFmp4Message, FMP4_SUBPROTOCOL } from '@onair/contracts/fmp4-socket';
import { initParameters } from '@onair/media/file';
import { FlvReader, type Tag, TagDemuxer } from '@onair/media/flv';
import { parseChunks, parseInit } from '@onair/media/isobmff';
import { ParseError, type Sample, type Track } from '@onair/media/model';
import { parseRtmpUrl } from '@onair/media/rtmp';
import { ticks } from '@onair/media/time';
import { WebSocket } from 'ws';
import { RtmpClient } from '../net/rtmp-client.ts';

/** Milliseconds within which a server must answer a request. */
const ANSWER_MS = 10_000;
/** Milliseconds a server gets to answer the closing of a WebSocket. */
const CLOSE_MS = 1000;
/** Largest WebSocket message taken, in bytes. */
const MAX_MESSAGE_BYTES = 64 * 1024 * 1024;

/** Who takes what is played. */
export interface PlaySink {
  /** Every read of the connection, in bytes. */
  bytes(count: number): void;
  sample(sample: Sample): void;
}

/**
 * Plays a stream until it ends or `signal` says so: `rtmp://` in any of its ways, FLV by `http(s)://` or `ws(s)://`, fMP4 by
 * `ws(s)://…fmp4`.
 * @param insecure takes any certificate of an RTMP server. @throws whatever ends it otherwise.
 */
export async function playStream(
  url: string,
  sink: PlaySink,
  signal: AbortSignal,
  insecure = false,
): Promise<void> {
  if (signal.aborted) return;
  const scheme = /^([a-z]+):\/\//.exec(url)?.[1] ?? '';
  if (scheme.startsWith('rtmp')) return playRtmp(url, sink, signal, insecure);
  if (scheme === 'http' || scheme === 'https') return playHttp(url, sink, signal);
  if (scheme === 'ws' || scheme === 'wss') return playSocket(url, sink, signal);
  throw new RangeError(`rtmp://, http:// or ws:// is wanted, received ${JSON.stringify(url.slice(0, 80))}`);
}

/** Demultiplexes tags; one whose body is malformed is left out. */
function tagTaker(sink: PlaySink): (tag: Tag) => void {
  const demuxer = new TagDemuxer({
    onTrack: () => undefined,
    onSample: (sample) => sink.sample(sample),
    onMetadata: () => undefined,
    onDataEvent: () => undefined,
  });
  return (tag) => {
    try {
      demuxer.push(tag);
    } catch (error) {
      if (!(error instanceof ParseError)) throw error;
    }
  };
}

async function playRtmp(url: string, sink: PlaySink, signal: AbortSignal, insecure: boolean): Promise<void> {
  const take = tagTaker(sink);
  const connection = new RtmpClient({
    url: parseRtmpUrl(url),
    intent: 'play',
    verify: !insecure,
    onBytes: (count) => sink.bytes(count),
    onEvent: (event) => {
      if (event.kind === 'media')
        take({ type: event.type, timestampMs: event.timestampMs, body: event.body });
      else if (event.kind === 'status' && event.code === 'NetStream.Play.UnpublishNotify')
        void connection.close();
    },
  });
  const leave = (): void => void connection.close();
  signal.addEventListener('abort', leave);
  const error = await connection.closed;
  signal.removeEventListener('abort', leave);
  if (error !== undefined && !signal.aborted) throw error;
}

/** Takes the bytes of an FLV stream as they come. */
function flvTaker(sink: PlaySink): (bytes: Uint8Array) => void {
  const reader = new FlvReader();
  const take = tagTaker(sink);
  return (bytes) => {
    sink.bytes(bytes.length);
    reader.push(bytes);
    for (let item = reader.next(); item !== undefined; item = reader.next()) {
      if (item.kind === 'tag') take(item.tag);
    }
  };
}

async function playHttp(url: string, sink: PlaySink, signal: AbortSignal): Promise<void> {
  const request = new AbortController();
  const leave = (): void => request.abort();
  signal.addEventListener('abort', leave);
  const timer = setTimeout(() => request.abort(new Error('no answer within 10 s')), ANSWER_MS);
  // A body that was received whole before the abort never settles its reads any more.
  const left = new Promise<{ readonly done: true }>((resolve) => {
    request.signal.addEventListener('abort', () => resolve({ done: true }));
  });
  try {
    const response = await fetch(url, { signal: request.signal });
    clearTimeout(timer);
    if (!response.ok || response.body === null) throw new Error(`${response.status} ${response.statusText}`);
    const take = flvTaker(sink);
    const reader = response.body.getReader();
    for (;;) {
      const part = await Promise.race([reader.read(), left]);
      if (part.done) return;
      take(part.value);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', leave);
    request.abort();
  }
}

async function playSocket(url: string, sink: PlaySink, signal: AbortSignal): Promise<void> {
  const fmp4 = new URL(url).pathname.endsWith('.fmp4');
  const socket = new WebSocket(url, fmp4 ? [FMP4_SUBPROTOCOL] : [], {
    perMessageDeflate: false,
    maxPayload: MAX_MESSAGE_BYTES,
    handshakeTimeout: ANSWER_MS,
  });
  const take = fmp4 ? fmp4Taker(sink) : flvTaker(sink);
  let timer: NodeJS.Timeout | undefined;
  const leave = (): void => {
    socket.close(1000);
    timer = setTimeout(() => socket.terminate(), CLOSE_MS);
  };
  signal.addEventListener('abort', leave);
  try {
    await new Promise<void>((resolve, reject) => {
      socket.on('message', (data: Buffer, binary) => {
        if (!binary) return;
        try {
          take(data);
        } catch (error) {
          reject(error instanceof Error ? error : new Error(String(error)));
        }
      });
      socket.once('error', reject);
      socket.once('close', (code, reason) => {
        if (code === 1000 || signal.aborted) resolve();
        else reject(new Error(`the server closed with ${code} ${reason.toString()}`.trimEnd()));
      });
    });
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    signal.removeEventListener('abort', leave);
    clearTimeout(timer);
    socket.terminate();
  }
}

/** Takes the messages of `docs/protocols/ws-fmp4.md`. */
function fmp4Taker(sink: PlaySink): (bytes: Uint8Array) => void {
  const tracks = new Map<number, Track>();
  return (bytes) => {
    sink.bytes(bytes.length);
    const message = decodeFmp4Message(bytes);
    if (message.kind === 'init') {
      const id = message.header.track;
      const init = parseInit(message.payload).tracks[0];
      const parameters = init === undefined ? undefined : initParameters(init);
      if (init !== undefined && parameters !== undefined) {
        tracks.set(id, { id, timebase: init.timebase, parameters });
      }
    }
    const track = tracks.get(message.header.track);
    if (message.kind !== 'chunk' || track === undefined) return;
    for (const chunk of parseChunks(message.payload)) {
      for (const { dts, pts, duration, keyframe, data } of chunk.tracks[0]?.samples ?? []) {
        sink.sample({ track, dts: ticks(dts), pts: ticks(pts), duration: ticks(duration), keyframe, data });
      }
    }
  };
}
