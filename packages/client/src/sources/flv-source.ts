import { type LatencyClass, type MediaPort, type MediaSourcePlatform, MseEngine } from '../engine/index.ts';
import { ArrivalClock } from './arrival-clock.ts';
import { availabilityOf } from './availability.ts';
import { BackOff } from './back-off.ts';
import { BitrateMeter } from './bitrate-meter.ts';
import { readHttp, readSocket, type StreamEnd } from './byte-stream.ts';
import { FlvTransmuxer } from './flv-transmuxer.ts';
import type { Source, SourceFigures, SourceListener } from './source.ts';

/** What an {@link FlvSource} works with. */
export interface FlvOptions {
  /** `http(s)://HOST/APP/NAME.flv`, or `ws(s)://…` to begin with the WebSocket of the same address. */
  readonly address: string;
  readonly media: MediaPort;
  readonly platform: MediaSourcePlatform;
  readonly latency: LatencyClass;
}

/** Pause before asking again for a stream that is not there, ms. */
const ASK_AGAIN_MS = 1500;
/** Without a byte for this long the publisher is gone, ms. */
const ABSENT_MS = 2500;
const LOOK_MS = 500;

/** Plays FLV over HTTP, or over WebSocket where HTTP does not come through, made into CMAF chunks in the page. */
export class FlvSource implements Source {
  readonly transport = 'flv';
  readonly #options: FlvOptions;
  readonly #listener: SourceListener;
  readonly #engine: MseEngine;
  readonly #arrivals = new ArrivalClock();
  readonly #meter = new BitrateMeter();
  readonly #backOff = new BackOff();
  readonly #look: ReturnType<typeof setInterval>;
  #abort: AbortController | undefined;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #shown = { codecs: '', reconnects: 0, heardAt: 0, state: '' };
  #overSocket: boolean;

  constructor(options: FlvOptions, listener: SourceListener) {
    this.#options = options;
    this.#listener = listener;
    this.#overSocket = options.address.startsWith('ws');
    this.#engine = new MseEngine(options.media, options.platform, options.latency, {
      replaced: () => listener.replaced(),
      resync: () => this.#open(),
      wantsMedia: (wanted) => this.setPaused(!wanted),
      failed: (error) => listener.failed({ code: 'media', detail: error.message }),
    });
    this.#look = setInterval(() => this.#watch(), LOOK_MS);
  }

  start(): void {
    this.#listener.state({ kind: 'connecting' });
    this.#open();
  }

  setPaused(paused: boolean): void {
    if (paused) this.#drop();
    else if (this.#abort === undefined) {
      this.#engine.restart();
      this.#open();
    }
  }

  goLive(): void {
    this.#engine.goLive();
  }

  seekTo(position: number): void {
    // The engine sees by itself that the position left the live edge.
    this.#options.media.currentTime = position;
  }

  isLive(): boolean {
    return this.#engine.following;
  }

  setLatency(latency: LatencyClass): void {
    this.#engine.setLatency(latency);
  }

  figures(): SourceFigures {
    const { ahead, stalls } = this.#engine.figures;
    const now = performance.now();
    return {
      latency: this.#arrivals.latency(this.#options.media.currentTime, now),
      ahead,
      bitrate: this.#meter.bitsPerSecond(now),
      codecs: this.#shown.codecs,
      reconnects: this.#shown.reconnects,
      skipped: 0,
      stalls: stalls.count,
      clockOffset: undefined,
    };
  }

  close(): void {
    clearInterval(this.#look);
    this.#drop();
    this.#engine.close();
  }

  #drop(): void {
    clearTimeout(this.#retry);
    const abort = this.#abort;
    this.#abort = undefined;
    abort?.abort();
  }

  #open(): void {
    this.#drop();
    this.#arrivals.clear();
    const abort = new AbortController();
    this.#abort = abort;
    const transmuxer = new FlvTransmuxer({
      tracks: (tracks) => {
        this.#shown.codecs = tracks.map((track) => track.codecs).join(', ');
        this.#engine.configure(tracks);
      },
      init: (track, bytes) => this.#engine.init(track, bytes),
      chunk: (chunk) => {
        this.#arrivals.add(chunk.start + chunk.duration, performance.now());
        this.#engine.append(chunk);
      },
      event: (event) => this.#listener.event(event, () => event.time / 1e6),
    });
    let received = false;
    const receive = (bytes: Uint8Array): void => {
      if (this.#abort !== abort) return;
      received = true;
      this.#heard(bytes.length);
      try {
        transmuxer.push(bytes);
      } catch (error) {
        this.#listener.failed({
          code: 'media',
          detail: error instanceof Error ? error.message : String(error),
        });
      }
    };
    const read = this.#overSocket ? readSocket : readHttp;
    void read(this.#options.address, abort.signal, receive).then((end) => {
      if (this.#abort === abort) this.#ended(end, received);
    });
  }

  #heard(bytes: number): void {
    const now = performance.now();
    this.#meter.add(bytes, now);
    this.#shown.heardAt = now;
    this.#backOff.reset();
    this.#tell('live');
  }

  #watch(): void {
    if (this.#shown.state !== 'live' || this.#abort === undefined) return;
    if (performance.now() - this.#shown.heardAt > ABSENT_MS) this.#tell('absent');
  }

  #tell(kind: 'live' | 'absent' | 'waiting' | 'ended'): void {
    if (this.#shown.state === kind) return;
    this.#shown.state = kind;
    this.#listener.state({ kind });
  }

  #ended({ status, detail }: StreamEnd, received: boolean): void {
    this.#abort = undefined;
    const availability = availabilityOf(status);
    if (availability === 'denied') {
      this.#listener.failed({ code: 'denied', detail });
      return;
    }
    if (availability !== 'unreachable') {
      this.#tell(availability === 'there' ? 'ended' : 'waiting');
      this.#retry = setTimeout(() => this.#open(), ASK_AGAIN_MS);
      return;
    }
    // Something between here and the server may not let an endless response through.
    if (!received) this.#overSocket = !this.#overSocket;
    if (this.#backOff.exhausted) {
      this.#listener.failed({ code: 'unreachable', detail });
      return;
    }
    this.#shown.reconnects++;
    this.#shown.state = 'reconnecting';
    this.#listener.state({ kind: 'reconnecting', reason: detail });
    this.#retry = setTimeout(() => this.#open(), this.#backOff.next());
  }
}
