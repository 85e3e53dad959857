import type { Sample, StreamName, TimedEvent, Track } from '@onair/media';
import { AmfEcmaArray } from '@onair/media/amf';
import {
  configTag,
  metadataOf,
  sampleTagBody,
  sampleTimestampMs,
  scriptOfEvent,
  type TagType,
} from '@onair/media/flv';
import { type PlayRequest, RTMP_SHARED_STREAM_ID } from '@onair/media/rtmp';
import type { SessionTable } from '../../hub/index.ts';
import type { RtmpOutlet, RtmpPeer } from '../../net/rtmp-handlers.ts';
import { RTMP_MESSAGES } from '../../packager/tags/index.ts';
import { lackOf } from './player-abilities.ts';
import { onStream } from './rtmp-envelope.ts';

/** A recording as players need it. */
export interface RecordedMedia {
  /** µs. */
  readonly duration: number;
  /**
   * Tracks and samples in decoding order, and timed events in front of their places, on the recording's own time,
   * which begins at 0.
   * @param from µs; the first picture is the key frame at or before it.
   */
  read(from: number): AsyncIterable<Track | Sample | TimedEvent>;
}

/** Where recordings are found. */
export interface RecordingArchive {
  /** The newest recording of a stream, as far as it is there; undefined if there is none. */
  open(stream: StreamName): Promise<RecordedMedia | undefined>;
}

/** What playing a recording needs. */
export interface RecordedPlayDeps {
  readonly sessions: SessionTable;
  readonly log: (message: string, fields: Readonly<Record<string, unknown>>) => void;
  /** Whether players that list no codecs of Enhanced RTMP are sent them all the same. */
  assumeEnhanced?(): boolean;
}

/** A player is sent at least so much ahead of what it shows, and the buffer it tells if that is more; milliseconds. */
const LEAST_AHEAD_MS = 500;
/** What players keep unless they tell, in milliseconds. */
const DEFAULT_AHEAD_MS = 3_000;

/** Plays a recording to one player: at the pace of its time, from wherever the player seeks to. */
export class RecordedPlayer implements RtmpOutlet {
  readonly #peer: RtmpPeer;
  readonly #request: PlayRequest;
  readonly #media: RecordedMedia;
  readonly #deps: RecordedPlayDeps;
  readonly #release: (reason: string) => void;
  readonly #wants = { audio: true, video: true };
  /** Counts seeks: whoever reads for an older one stops. */
  #run = 0;
  #paused = false;
  #aheadMs = DEFAULT_AHEAD_MS;
  #bytes = 0;
  #wake: () => void = () => undefined;

  constructor(
    peer: RtmpPeer,
    request: PlayRequest,
    stream: StreamName,
    media: RecordedMedia,
    deps: RecordedPlayDeps,
  ) {
    this.#peer = peer;
    this.#request = request;
    this.#media = media;
    this.#deps = deps;
    const { address, transport: protocol } = peer;
    const figures = () => ({
      bytes: this.#bytes,
      skips: 0,
      dropped: 0,
      backlog: peer.socket.writableLength,
    });
    const close = (reason: string): void => peer.close(reason);
    const session = deps.sessions.add({ kind: 'viewer', protocol, stream, address, figures, close });
    this.#release = (reason) => {
      session.remove();
      deps.log('viewer of a recording left', { session: session.id, stream, protocol, address, reason });
    };
  }

  started(): void {
    const { start } = this.#request;
    this.#play(typeof start === 'number' ? start : 0);
  }

  paused(paused: boolean): void {
    this.#paused = paused;
    this.#wake();
  }

  receive(media: 'audio' | 'video', on: boolean): void {
    this.#wants[media] = on;
  }

  drained(): void {
    this.#wake();
  }

  bufferLength(ms: number): void {
    this.#aheadMs = Math.max(LEAST_AHEAD_MS, ms);
    this.#wake();
  }

  seek(timeMs: number): boolean {
    const { streamId, name } = this.#request;
    const toMs = Math.min(Math.max(0, timeMs), this.#media.duration / 1000);
    const what = `Seeking ${Math.round(toMs)} (stream ID: ${streamId}).`;
    this.#peer.sendStatus(streamId, 'status', 'NetStream.Seek.Notify', what);
    this.#peer.sendStatus(streamId, 'status', 'NetStream.Play.Start', `Started playing ${name}.`);
    this.#play(toMs);
    return true;
  }

  closed(reason: string): void {
    this.#run++;
    this.#wake();
    this.#release(reason);
  }

  #play(fromMs: number): void {
    const run = ++this.#run;
    this.#wake();
    this.#feed(run, fromMs).catch((error: unknown) => {
      if (run !== this.#run) return;
      this.#deps.log('a recording cannot be played', { err: error });
      const { streamId } = this.#request;
      this.#peer.sendStatus(streamId, 'error', 'NetStream.Play.Failed', 'The recording cannot be read.');
    });
  }

  async #feed(run: number, fromMs: number): Promise<void> {
    const { streamId, name, durationMs } = this.#request;
    const untilMs = durationMs === undefined ? Number.POSITIVE_INFINITY : fromMs + durationMs;
    const tracks = new Map<number, Track>();
    /** Wall clock at which the recording's 0 would have been sent, ms. */
    let origin: number | undefined;
    let described = false;
    let latestMs = fromMs;
    let events: TimedEvent[] = [];
    for await (const item of this.#media.read(fromMs * 1000)) {
      if (run !== this.#run) return;
      if ('parameters' in item) {
        tracks.set(item.id, item);
        described = false;
        if (this.#lacks([...tracks.values()])) return;
        continue;
      }
      if (!('track' in item)) {
        events.push(item);
        continue;
      }
      const timeMs = sampleTimestampMs(item);
      if (timeMs >= untilMs) break;
      origin ??= performance.now() - timeMs;
      const pausedMs = await this.#due(run, () => origin! + timeMs - this.#aheadMs);
      origin += pausedMs;
      if (run !== this.#run) return;
      if (!described) {
        described = true;
        this.#describe([...tracks.values()], timeMs);
      }
      latestMs = Math.max(latestMs, timeMs);
      if (events.length > 0) events = this.#tell(events, timeMs);
      this.#send(item, timeMs);
    }
    if (run !== this.#run) return;
    const duration = this.#media.duration / 1_000_000;
    const code = 'NetStream.Play.Complete';
    this.#peer.sendData(streamId, latestMs, 'onPlayStatus', [
      { level: 'status', code, duration, bytes: this.#bytes },
    ]);
    this.#peer.endPlay(streamId, name);
  }

  /** Waits until the clock has come to a time, the player goes on and its socket takes more; tells how long it was paused, ms. */
  async #due(run: number, at: () => number): Promise<number> {
    let pausedMs = 0;
    while (run === this.#run) {
      const now = performance.now();
      const leftMs = at() + pausedMs - now;
      const { socket } = this.#peer;
      if (!this.#paused && leftMs <= 0 && !socket.writableNeedDrain) break;
      const wasPaused = this.#paused;
      await new Promise<void>((resolve) => {
        const timer = wasPaused || leftMs <= 0 ? undefined : setTimeout(resolve, leftMs);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      if (wasPaused) pausedMs += performance.now() - now;
    }
    return pausedMs;
  }

  /** Metadata and the set-up of decoders. */
  #describe(tracks: readonly Track[], timeMs: number): void {
    const { properties } = metadataOf(tracks);
    const duration = this.#media.duration / 1_000_000;
    const metadata = new AmfEcmaArray({ ...properties, duration });
    this.#peer.sendData(this.#request.streamId, timeMs, 'onMetaData', [metadata]);
    for (const track of tracks) {
      const tag = configTag(track);
      if (tag !== undefined) this.#write(tag.type, timeMs, tag.body);
    }
  }

  /** Tells the events whose place has come; the others are left. */
  #tell(events: readonly TimedEvent[], timeMs: number): TimedEvent[] {
    const left: TimedEvent[] = [];
    for (const event of events) {
      if (event.time / 1000 > timeMs) left.push(event);
      else {
        const { name, values } = scriptOfEvent(event);
        this.#peer.sendData(this.#request.streamId, timeMs, name, values);
      }
    }
    return left;
  }

  #send(sample: Sample, timeMs: number): void {
    const { kind } = sample.track.parameters;
    if (kind !== 'data' && this.#wants[kind]) this.#write(kind, timeMs, sampleTagBody(sample));
  }

  #write(type: TagType, timeMs: number, body: Uint8Array): void {
    const { streamId } = this.#request;
    const message = RTMP_MESSAGES.body(type, timeMs, body);
    this.#bytes += message.length;
    this.#peer.socket.write(streamId === RTMP_SHARED_STREAM_ID ? message : onStream(message, streamId));
  }

  /** Ends the play with a status if the player lacks a codec. */
  #lacks(tracks: readonly Track[]): boolean {
    const lack = lackOf(this.#peer.connect, tracks, this.#deps.assumeEnhanced?.() === true);
    if (lack === undefined) return false;
    this.#peer.sendStatus(this.#request.streamId, 'error', 'NetStream.Play.NoSupportedTrackFound', lack);
    this.#peer.close(lack);
    return true;
  }
}
