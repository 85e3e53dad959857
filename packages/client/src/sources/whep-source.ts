import type { LatencyClass } from '../engine/live-edge.ts';
import { isFinalRefusal } from '../webrtc/final-refusal.ts';
import { OfferRefused } from '../webrtc/http-session.ts';
import { OfferedConnection } from '../webrtc/offered-connection.ts';
import { availabilityOf } from './availability.ts';
import { BackOff } from './back-off.ts';
import { BitrateMeter } from './bitrate-meter.ts';
import { RtpEvents } from './rtp-events.ts';
import type { Source, SourceFigures, SourceListener } from './source.ts';

/** What a {@link WhepSource} works with. */
export interface WhepOptions {
  readonly address: string;
  readonly media: HTMLVideoElement;
  readonly latency: LatencyClass;
}

/** Pause before asking again for a stream that is not there, ms. */
const ASK_AGAIN_MS = 1500;
/** How often the connection is looked at, ms. */
const LOOK_MS = 500;
/** Without media for so long nobody publishes, ms. */
const ABSENT_MS = 2500;
/** Without a picture or sound for so long after the answer the connection is given up, ms. */
const CONNECT_MS = 8000;
/** Milliseconds that the browser shall hold media back. */
const HELD_BACK: Readonly<Record<LatencyClass, number>> = { lowest: 0, balanced: 200, smoothest: 800 };

/** The parts of an `inbound-rtp` report (webrtc-stats) that are looked at. */
interface Inbound {
  readonly type: string;
  readonly kind?: string;
  readonly bytesReceived?: number;
  readonly jitterBufferDelay?: number;
  readonly jitterBufferEmittedCount?: number;
  readonly codecId?: string;
  readonly mimeType?: string;
  readonly id: string;
  readonly currentRoundTripTime?: number;
  readonly nominated?: boolean;
  readonly freezeCount?: number;
}

/** Plays WebRTC by WHEP: least delay of all. */
export class WhepSource implements Source {
  readonly transport = 'whep';
  readonly #options: WhepOptions;
  readonly #listener: SourceListener;
  readonly #backOff = new BackOff();
  readonly #meter = new BitrateMeter();
  readonly #look: ReturnType<typeof setInterval>;
  readonly #events: RtpEvents;
  readonly #offered = new OfferedConnection();
  #state: {
    kind: string;
    bytes: number;
    grewAt: number;
    closed: boolean;
    paused: boolean;
    latency: LatencyClass;
    retry: ReturnType<typeof setTimeout> | undefined;
  } = {
    latency: 'lowest',
    kind: '',
    bytes: 0,
    grewAt: 0,
    closed: false,
    paused: false,
    retry: undefined,
  };
  #seen = {
    latency: undefined as number | undefined,
    codecs: '',
    reconnects: 0,
    stalls: 0,
    delay: 0,
    emitted: 0,
  };

  constructor(options: WhepOptions, listener: SourceListener) {
    this.#options = options;
    this.#listener = listener;
    this.#state.latency = options.latency;
    this.#events = new RtpEvents(options.media, listener);
    this.#look = setInterval(() => void this.#watch(), LOOK_MS);
  }

  start(): void {
    this.#tell('connecting');
    void this.#open();
  }

  setPaused(paused: boolean): void {
    if (this.#state.paused === paused) return;
    this.#state.paused = paused;
    // There is no way back to what was missed, so nothing need come meanwhile.
    if (paused) this.#drop();
    else void this.#open();
  }

  goLive(): void {
    // It is never anywhere else.
  }

  seekTo(_position: number): void {
    // There is nothing behind the live edge.
  }

  isLive(): boolean {
    return true;
  }

  setLatency(latency: LatencyClass): void {
    this.#state.latency = latency;
    for (const receiver of this.#offered.connection?.getReceivers() ?? []) {
      if ('jitterBufferTarget' in receiver) receiver.jitterBufferTarget = HELD_BACK[latency];
    }
  }

  figures(): SourceFigures {
    const { latency, codecs, reconnects, stalls } = this.#seen;
    return {
      latency,
      ahead: 0,
      bitrate: this.#meter.bitsPerSecond(performance.now()),
      codecs,
      reconnects,
      skipped: 0,
      stalls,
      clockOffset: undefined,
    };
  }

  close(): void {
    if (this.#state.closed) return;
    this.#state.closed = true;
    clearInterval(this.#look);
    this.#drop();
    this.#events.close();
    this.#options.media.srcObject = null;
  }

  #drop(): void {
    clearTimeout(this.#state.retry);
    this.#offered.drop();
  }

  async #open(): Promise<void> {
    this.#drop();
    if (this.#state.closed || this.#state.paused) return;
    const connection = new RTCPeerConnection();
    const stream = new MediaStream();
    for (const kind of ['video', 'audio']) connection.addTransceiver(kind, { direction: 'recvonly' });
    this.#events.open(connection);
    connection.addEventListener('track', ({ track }) => stream.addTrack(track));
    const offer = this.#offered.take(connection, (state) => {
      if (state !== 'connected') this.#lost(`connection ${state}`);
    });
    this.setLatency(this.#state.latency);
    try {
      if (!(await offer(this.#options.address))) return;
      this.#state.bytes = 0;
      this.#state.grewAt = performance.now();
      this.#options.media.srcObject = stream;
      this.#listener.replaced();
    } catch (error) {
      this.#refused(error);
    }
  }

  #refused(error: unknown): void {
    if (!(error instanceof OfferRefused)) {
      this.#listener.failed({ code: 'unsupported', detail: String(error) });
      return;
    }
    if (isFinalRefusal(error)) {
      this.#listener.failed({ code: 'unsupported', detail: error.message });
      return;
    }
    switch (availabilityOf(error.status)) {
      case 'waiting':
        this.#tell(this.#state.kind === 'live' || this.#state.kind === 'ended' ? 'ended' : 'waiting');
        this.#again(ASK_AGAIN_MS);
        break;
      case 'denied':
        this.#listener.failed({ code: 'denied', detail: error.message });
        break;
      default:
        this.#lost(error.message);
    }
  }

  #lost(reason: string): void {
    this.#drop();
    if (this.#backOff.exhausted) {
      this.#listener.failed({ code: 'unreachable', detail: reason });
      return;
    }
    this.#seen.reconnects++;
    this.#state.kind = 'reconnecting';
    this.#listener.state({ kind: 'reconnecting', reason });
    this.#again(this.#backOff.next());
  }

  #again(pause: number): void {
    clearTimeout(this.#state.retry);
    this.#state.retry = setTimeout(() => void this.#open(), pause);
  }

  async #watch(): Promise<void> {
    const { connection, answered } = this.#offered;
    if (connection === undefined || !answered) return;
    const reports: Inbound[] = [];
    (await connection.getStats()).forEach((report: Inbound) => {
      reports.push(report);
    });
    if (connection !== this.#offered.connection || this.#state.closed) return;
    const inbound = reports.filter(({ type }) => type === 'inbound-rtp');
    const bytes = inbound.reduce((sum, one) => sum + (one.bytesReceived ?? 0), 0);
    const now = performance.now();
    const silent = now - this.#state.grewAt;
    if (bytes > this.#state.bytes) {
      this.#meter.add(bytes - this.#state.bytes, now);
      this.#state.bytes = bytes;
      this.#state.grewAt = now;
      this.#note(reports, inbound);
      this.#backOff.reset();
      this.#tell('live');
    } else if (bytes === 0 && silent > CONNECT_MS) this.#lost('no media came');
    else if (bytes > 0 && silent > ABSENT_MS) this.#tell('absent');
  }

  #note(reports: readonly Inbound[], inbound: readonly Inbound[]): void {
    const names = inbound.map(({ codecId }) => reports.find(({ id }) => id === codecId)?.mimeType ?? '');
    this.#seen.codecs = names.map((name) => name.replace(/^\w+\//, '')).join(', ');
    const first = inbound.find(({ kind }) => kind === 'video') ?? inbound[0];
    const delay = first?.jitterBufferDelay ?? 0;
    const emitted = first?.jitterBufferEmittedCount ?? 0;
    const held =
      emitted > this.#seen.emitted ? (delay - this.#seen.delay) / (emitted - this.#seen.emitted) : undefined;
    this.#seen.delay = delay;
    this.#seen.emitted = emitted;
    const pair = reports.find(({ type, nominated }) => type === 'candidate-pair' && nominated === true);
    this.#seen.latency = held === undefined ? undefined : held + (pair?.currentRoundTripTime ?? 0) / 2;
    this.#seen.stalls = first?.freezeCount ?? 0;
  }

  #tell(kind: 'connecting' | 'waiting' | 'live' | 'absent' | 'ended'): void {
    if (this.#state.kind === kind) return;
    this.#state.kind = kind;
    this.#listener.state({ kind });
  }
}
