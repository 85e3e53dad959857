import {
  FMP4_SUBPROTOCOL,
  type Fmp4Hello,
  type Fmp4Message,
  type Fmp4State,
} from '@onair/contracts/fmp4-socket';
import { eventOf } from '@onair/media';
import { type LatencyClass, type MediaPort, type MediaSourcePlatform, MseEngine } from '../engine/index.ts';
import { withQuery } from './address.ts';
import { BackOff } from './back-off.ts';
import { BitrateMeter } from './bitrate-meter.ts';
import { Fmp4Connection } from './fmp4-connection.ts';
import { ServerClock } from './server-clock.ts';
import { type OpenSocket, openSocket, type SocketPort } from './socket-port.ts';
import type { Source, SourceFigures, SourceListener } from './source.ts';
import { WallClockMap } from './wall-clock-map.ts';
import { WebmTracks } from './webm-tracks.ts';

/** What an {@link Fmp4Source} works with. */
export interface Fmp4Options {
  /** `ws(s)://HOST/APP/NAME.fmp4`, with a token in its query where the stream asks for one. */
  readonly address: string;
  readonly media: MediaPort;
  readonly platform: MediaSourcePlatform;
  readonly latency: LatencyClass;
  /** Opens a socket; the browser's by default. */
  readonly open?: OpenSocket;
}

/** Merge window asked for per latency class, ms: fewer and larger messages where delay matters less. */
const MERGE_MS: Readonly<Record<LatencyClass, number>> = { lowest: 0, balanced: 50, smoothest: 200 };
/** After a pause longer than this, play begins at the live edge by a new connection instead of catching up, ms. */
const LONG_PAUSE_MS = 8000;
/** Pause before asking again for a stream that ended, ms. */
const ENDED_MS = 2000;
/** Close codes of `docs/protocols/ws-fmp4.md`. */
const CLOSE_ENDED = 1000;
const CLOSE_DENIED = 1008;

/** Position in the stream's log up to which everything was received. */
interface Progress {
  readonly sequence: number;
  readonly epoch: number;
}

/** The connection of the moment, or the wait for the next one. */
interface Link {
  connection?: Fmp4Connection;
  retry?: ReturnType<typeof setTimeout>;
  /** Chunks received by it. */
  chunks: number;
}

/** Plays a stream by fMP4 over WebSocket; reconnects and goes on where it was. */
export class Fmp4Source implements Source {
  readonly transport = 'ws';
  readonly #options: Fmp4Options;
  readonly #listener: SourceListener;
  readonly #engine: MseEngine;
  readonly #webm: WebmTracks;
  readonly #clocks = { server: new ServerClock(), walls: new WallClockMap() };
  readonly #meter = new BitrateMeter();
  readonly #backOff = new BackOff();
  #link: Link = { chunks: 0 };
  #progress: Progress | undefined;
  #shown = { latency: 'lowest' as LatencyClass, codecs: '', reconnects: 0, skipped: 0, ended: false };
  #pausedAt: number | undefined;

  constructor(options: Fmp4Options, listener: SourceListener) {
    this.#options = options;
    this.#listener = listener;
    this.#shown.latency = options.latency;
    this.#webm = new WebmTracks((mime) => options.platform.supports(mime));
    this.#engine = new MseEngine(options.media, options.platform, options.latency, {
      replaced: () => listener.replaced(),
      resync: () => this.#reopen(),
      wantsMedia: (wanted) => this.#link.connection?.send({ type: wanted ? 'play' : 'pause' }),
      failed: (error) => listener.failed({ code: 'media', detail: error.message }),
    });
  }

  start(): void {
    this.#listener.state({ kind: 'connecting' });
    this.#open();
  }

  setPaused(paused: boolean): void {
    if (paused) {
      this.#pausedAt ??= performance.now();
      this.#link.connection?.send({ type: 'pause' });
      return;
    }
    const since = this.#pausedAt;
    this.#pausedAt = undefined;
    if (since === undefined) return;
    if (performance.now() - since > LONG_PAUSE_MS) {
      this.#engine.restart();
      this.#reopen();
    } else {
      this.#link.connection?.send({ type: 'play' });
      this.#engine.goLive();
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
    if (this.#shown.latency === latency) return;
    this.#shown.latency = latency;
    this.#engine.setLatency(latency);
    // The merge window is agreed when connecting; the log lets the new connection go on without a gap.
    if (this.#link.connection !== undefined) this.#open();
  }

  figures(): SourceFigures {
    const { ahead, stalls } = this.#engine.figures;
    const wall = this.#clocks.walls.wallAt(this.#options.media.currentTime);
    return {
      latency: wall === undefined ? undefined : (this.#clocks.server.now() - wall) / 1000,
      ahead,
      bitrate: this.#meter.bitsPerSecond(performance.now()),
      codecs: this.#shown.codecs,
      reconnects: this.#shown.reconnects,
      skipped: this.#shown.skipped,
      stalls: stalls.count,
      clockOffset: this.#clocks.server.synchronised ? this.#clocks.server.offset : undefined,
    };
  }

  close(): void {
    this.#drop();
    this.#engine.close();
  }

  /** Joins at the newest picture, forgetting where it was. */
  #reopen(): void {
    this.#progress = undefined;
    this.#clocks.walls.clear();
    this.#open();
  }

  #drop(): void {
    clearTimeout(this.#link.retry);
    const { connection } = this.#link;
    this.#link = { chunks: 0 };
    connection?.close();
  }

  #open(): void {
    this.#drop();
    const progress = this.#progress;
    const merge = MERGE_MS[this.#shown.latency];
    const address = withQuery(this.#options.address, {
      after: progress === undefined ? undefined : String(progress.sequence),
      epoch: progress === undefined ? undefined : String(progress.epoch),
      latency: merge === 0 ? undefined : String(merge),
    });
    let socket: SocketPort;
    try {
      socket = (this.#options.open ?? openSocket)(address, FMP4_SUBPROTOCOL);
    } catch (error) {
      this.#listener.failed({ code: 'unreachable', detail: String(error) });
      return;
    }
    const link: Link = { chunks: 0 };
    this.#link = link;
    link.connection = new Fmp4Connection(socket, this.#clocks.server, {
      hello: (hello) => this.#hello(hello),
      message: (message, bytes) => this.#message(message, bytes),
      skipped: (blocks) => {
        this.#shown.skipped += blocks;
      },
      closed: (code, reason) => {
        if (this.#link === link) this.#closed(code, reason);
      },
    });
  }

  #hello(hello: Fmp4Hello): void {
    this.#backOff.reset();
    if (hello.relay === true) this.#listener.offered?.('relay');
    if (this.#pausedAt !== undefined) this.#link.connection?.send({ type: 'pause' });
    this.#state(hello);
  }

  #state(state: Fmp4State): void {
    this.#shown.ended = state.state === 'ended';
    switch (state.state) {
      case 'idle':
        this.#listener.state({ kind: 'waiting' });
        break;
      case 'live':
        this.#listener.state({ kind: 'live' });
        break;
      case 'waiting':
        this.#listener.state(
          state.until === undefined
            ? { kind: 'absent' }
            : { kind: 'absent', until: state.until - this.#clocks.server.offset },
        );
        break;
      case 'ended':
        this.#progress = undefined;
        this.#listener.state({ kind: 'ended' });
        break;
    }
  }

  #message(message: Fmp4Message, bytes: number): void {
    this.#meter.add(bytes, performance.now());
    const { header } = message;
    switch (message.kind) {
      case 'epoch':
        this.#progress = { sequence: this.#progress?.sequence ?? -1, epoch: message.epoch.epoch };
        this.#shown.codecs = message.epoch.tracks.map((track) => track.codecString).join(', ');
        this.#engine.configure(this.#webm.tracks(message.epoch.tracks));
        break;
      case 'init':
        this.#webm.init(header.track, message.payload, (bytes) => this.#engine.init(header.track, bytes));
        break;
      case 'chunk': {
        const { epoch, sequence } = this.#progress ?? { epoch: header.epoch, sequence: -1 };
        const first = this.#link.chunks++ === 0;
        if (sequence >= header.sequence || epoch !== header.epoch) {
          // A log that is not the one we resumed is another server's: what we know means nothing there.
          if (first) this.#reopen();
          return;
        }
        this.#progress = { epoch, sequence: header.sequence };
        const start = (header.time + header.compositionOffset) / 1e6;
        this.#clocks.walls.add(start, header.wallClock / 1000);
        this.#webm.chunk(header.track, message.payload, (bytes) =>
          this.#engine.append({
            track: header.track,
            bytes,
            start,
            duration: header.duration / 1e6,
            entry: header.independent,
          }),
        );
        break;
      }
      case 'event':
        this.#event(message.event);
        break;
      case 'state':
        this.#state(message.state);
        break;
      case 'unknown':
        break;
    }
  }

  #event(payload: unknown): void {
    const event = eventOf(payload);
    // Chunks are appended as they are: the media element counts stream time.
    if (event !== undefined) this.#listener.event(event, () => event.time / 1e6);
  }

  #closed(code: number, reason: string): void {
    this.#link = { chunks: 0 };
    if (code === CLOSE_DENIED) {
      this.#listener.failed({ code: 'denied', detail: reason || 'the server does not allow it' });
      return;
    }
    if (code === CLOSE_ENDED && this.#shown.ended) {
      this.#link.retry = setTimeout(() => this.#open(), ENDED_MS);
      return;
    }
    if (this.#backOff.exhausted) {
      this.#listener.failed({
        code: 'unreachable',
        detail: reason || closeWords(code),
      });
      return;
    }
    this.#shown.reconnects++;
    this.#listener.state({ kind: 'reconnecting', reason: reason || closeWords(code) });
    this.#link.retry = setTimeout(() => this.#open(), this.#backOff.next());
  }
}

function closeWords(code: number): string {
  // 1006 is what a browser reports when there was no closing handshake (RFC 6455 §7.1.5).
  return code === 1006 ? 'no connection by WebSocket' : `the WebSocket was closed with ${code}`;
}
