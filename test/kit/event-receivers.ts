import { get } from 'node:http';
import { decodeFmp4Message } from '@onair/contracts/fmp4-socket';
import { decodeEvent, eventOf, type TimedEvent } from '@onair/media';
import { parseMpd } from '@onair/media/dash';
import { eventOfScript, FlvReader, type ScriptMessage, TagDemuxer } from '@onair/media/flv';
import { parseMediaPlaylist } from '@onair/media/hls';
import { EVENT_SCHEME, EVENT_VALUE, eventOfMessage, parseChunks, SCTE35_SCHEME } from '@onair/media/isobmff';
import { STREAM_TYPE, TS_TIME_OFFSET } from '@onair/media/mpegts';
import { parseRtmpUrl } from '@onair/media/rtmp';
import { WebSocket } from 'ws';
import { RtmpClient } from '../../packages/server/src/net/rtmp-client.ts';
import { eventChannel } from './event-channel.ts';
import type { Scope } from './scope.ts';
import { followTs } from './ts-follower.ts';
import { until } from './until.ts';

/** An event as one receiver got it. */
export interface ReceivedEvent {
  readonly id: string;
  readonly name: string;
  readonly data: unknown;
  /** When it came, monotonic ms. */
  readonly at: number;
  /** Where the carrier itself places it, µs of stream time. */
  readonly time: number;
  readonly splice: string | undefined;
}

/** What a receiver of one output got. */
export class EventReceiver {
  readonly output: string;
  /** By id, the first of repetitions. */
  readonly events = new Map<string, ReceivedEvent>();
  /** Times that an event came whole, repetitions included. */
  readonly times = new Map<string, number>();

  constructor(output: string) {
    this.output = output;
  }

  /** Notes one. @param time where the carrier places it, µs. */
  take(event: Pick<TimedEvent, 'id' | 'name' | 'data' | 'splice'>, time: number): void {
    const { id, name, data, splice } = event;
    this.times.set(id, (this.times.get(id) ?? 0) + 1);
    if (this.events.has(id)) return;
    this.events.set(id, { id, name, data, at: performance.now(), time, splice: splice?.section });
  }

  /** Waits for an event. */
  async wait(id: string, timeoutMs = 30_000): Promise<ReceivedEvent> {
    await until(() => this.events.has(id), { timeoutMs, message: `event ${id} by ${this.output}` });
    return this.events.get(id)!;
  }
}

function scripted(receiver: EventReceiver, message: ScriptMessage, timestampMs: number): void {
  const event = eventOfScript(message);
  if (event === undefined) return;
  const id = event.id ?? `${event.name} ${JSON.stringify(event.data)}`;
  receiver.take({ ...event, id }, timestampMs * 1000);
}

/** Plays by RTMP. */
export function rtmpEvents(scope: Scope, url: string): EventReceiver {
  const receiver = new EventReceiver('RTMP');
  const connection = new RtmpClient({
    url: parseRtmpUrl(url),
    intent: 'play',
    onEvent: (event) => {
      if (event.kind === 'data') scripted(receiver, event, event.timestampMs);
    },
  });
  scope.own({ stop: () => connection.close() });
  return receiver;
}

/** Reads an endless FLV file. */
export function flvEvents(scope: Scope, url: string): EventReceiver {
  const receiver = new EventReceiver('HTTP-FLV');
  const reader = new FlvReader();
  const demuxer = new TagDemuxer({
    onTrack: () => undefined,
    onSample: () => undefined,
    onMetadata: () => undefined,
    onDataEvent: (name, values, timestampMs) => scripted(receiver, { name, values }, timestampMs),
  });
  const request = get(url, { agent: false }, (response) =>
    response.on('data', (bytes: Buffer) => {
      reader.push(bytes);
      for (let item = reader.next(); item !== undefined; item = reader.next())
        if (item.kind === 'tag') demuxer.push(item.tag);
    }),
  );
  request.on('error', () => undefined);
  scope.defer(() => request.destroy());
  return receiver;
}

/** Takes the event messages of the fMP4 socket. */
export function socketEvents(scope: Scope, url: string): EventReceiver {
  const receiver = new EventReceiver('WS-fMP4');
  const socket = new WebSocket(url, 'onair.fmp4.v1', { perMessageDeflate: false });
  socket.on('error', () => undefined);
  socket.on('message', (data: Buffer, binary: boolean) => {
    const message = binary ? decodeFmp4Message(data) : undefined;
    const event = message?.kind === 'event' ? eventOf(message.event) : undefined;
    if (event !== undefined) receiver.take(event, event.time);
  });
  scope.defer(() => socket.terminate());
  return receiver;
}

/** Watches by WHEP and takes the messages of the data channel, placed by the RTP timestamps that they name. */
export async function whepEvents(scope: Scope, url: string): Promise<EventReceiver> {
  const receiver = new EventReceiver('WHEP');
  await eventChannel(scope, url, (text) => {
    const { event: value, rtp } = JSON.parse(text) as { readonly event: unknown; readonly rtp: number };
    const event = eventOf(value);
    if (event !== undefined) receiver.take(event, Math.round((rtp / 90_000) * 1_000_000));
  });
  return receiver;
}

function takeMessages(receiver: EventReceiver, bytes: Uint8Array): void {
  for (const { events } of parseChunks(bytes)) {
    for (const message of events) {
      const event = eventOfMessage(message);
      if (event !== undefined) receiver.take(event, (message.presentationTime / message.timescale) * 1e6);
    }
  }
}

/** Follows a playlist of low-latency HLS: the messages in its parts, and the date ranges. */
export function llhlsEvents(
  scope: Scope,
  base: string,
): { readonly parts: EventReceiver; readonly ranges: EventReceiver } {
  const parts = new EventReceiver('LL-HLS emsg');
  const ranges = new EventReceiver('HLS DATERANGE');
  const stop = new AbortController();
  scope.defer(() => stop.abort());
  const url = `${base}/hls/video.m3u8`;
  const run = async (): Promise<void> => {
    const fetched = new Set<string>();
    let query = '';
    while (!stop.signal.aborted) {
      const answer = await fetch(url + query, { signal: stop.signal });
      if (answer.status !== 200) {
        await answer.arrayBuffer();
        continue;
      }
      const playlist = parseMediaPlaylist(await answer.text());
      for (const range of playlist.dateRanges) {
        const name = range.client.get('X-ONAIR-NAME')?.slice(1, -1);
        const json = Buffer.from(range.client.get('X-ONAIR-DATA')?.slice(1, -1) ?? '', 'base64url');
        const section = [...range.client].find(([key]) => key.startsWith('SCTE35-'))?.[1].slice(2);
        if (name === undefined) continue;
        const splice =
          section === undefined ? {} : { splice: { kind: 'out', section: section.toLowerCase() } as const };
        const event = { id: range.id, name, data: JSON.parse(String(json) || 'null'), ...splice };
        ranges.take(event, Number(range.client.get('X-ONAIR-TIME')));
      }
      const { pending } = playlist;
      const msn = playlist.mediaSequence + playlist.segments.length;
      query = `?_HLS_msn=${msn}&_HLS_part=${pending?.parts.length ?? 0}`;
      for (const { uri } of [
        ...playlist.segments.flatMap((segment) => segment.parts),
        ...(pending?.parts ?? []),
      ]) {
        if (fetched.has(uri)) continue;
        fetched.add(uri);
        const part = await fetch(new URL(uri, url), { signal: stop.signal });
        const bytes = new Uint8Array(await part.arrayBuffer());
        if (part.status === 200) takeMessages(parts, bytes);
      }
    }
  };
  run().catch(() => undefined);
  return { parts, ranges };
}

/** Follows HLS with MPEG-TS: the ID3 tags. */
export function tsEvents(scope: Scope, base: string): EventReceiver {
  const receiver = new EventReceiver('HLS-TS ID3');
  const follower = followTs(scope, `${base}/ts/index.m3u8`);
  let seen = 0;
  const timer = setInterval(() => {
    for (; seen < follower.segments.length; seen++) {
      for (const { streamType, header, data } of follower.segments[seen]!.units) {
        if (streamType !== STREAM_TYPE.metadata) continue;
        const text = Buffer.from(data).toString('utf8');
        const json = /onair\.event\0(\{.*\})\0/s.exec(text)?.[1];
        const event = json === undefined ? undefined : decodeEvent(Buffer.from(json));
        if (event !== undefined) receiver.take(event, (((header.pts ?? 0) - TS_TIME_OFFSET) / 90_000) * 1e6);
      }
    }
  }, 50);
  scope.defer(() => clearInterval(timer));
  return receiver;
}

/** Follows the MPD and takes the messages in the segments of the set that announces them. */
export function dashEvents(scope: Scope, base: string): EventReceiver {
  const receiver = new EventReceiver('DASH emsg');
  const stop = new AbortController();
  scope.defer(() => stop.abort());
  const run = async (): Promise<void> => {
    const fetched = new Set<string>();
    while (!stop.signal.aborted) {
      const answer = await fetch(`${base}/manifest.mpd`, { signal: stop.signal });
      const text = await answer.text();
      const set =
        answer.status === 200
          ? parseMpd(text)
              .periods.at(-1)
              ?.adaptationSets.find(({ inbandEventStreams }) =>
                inbandEventStreams.some(
                  ({ schemeIdUri, value }) => schemeIdUri === EVENT_SCHEME && value === EVENT_VALUE,
                ),
              )
          : undefined;
      const representation = set?.representations[0];
      if (
        representation !== undefined &&
        !set!.inbandEventStreams.some((s) => s.schemeIdUri === SCTE35_SCHEME)
      )
        throw new Error('SCTE 35 is not announced');
      const template = representation?.segmentTemplate;
      for (const { t } of template?.timeline ?? []) {
        const path = template!.media
          .replace('$RepresentationID$', representation!.id)
          .replace('$Time$', String(t));
        if (fetched.has(path)) continue;
        fetched.add(path);
        const segment = await fetch(`${base}/${path}`, { signal: stop.signal });
        const bytes = new Uint8Array(await segment.arrayBuffer());
        if (segment.status === 200) takeMessages(receiver, bytes);
      }
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  };
  run().catch(() => undefined);
  return receiver;
}
