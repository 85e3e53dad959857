import {
  decodeFmp4ClientText,
  encodeFmp4Json,
  FMP4_HEADER_LENGTH,
  FMP4_TYPE,
  type Fmp4Header,
  type Fmp4State,
  writeFmp4Header,
} from '@onair/contracts/fmp4-socket';
import type { WebSocket } from 'ws';
import { type FileTrack, shifted } from './fmp4-file.ts';

interface Block {
  readonly sequence: number;
  readonly independent: boolean;
  readonly bytes: Uint8Array;
  readonly at: number;
}

interface Viewer {
  readonly socket: WebSocket;
  paused: boolean;
  last: number;
  /** False until it was sent the first block. */
  joined: boolean;
}

const LOG_MS = 10_000;

/** One live stream that loops test media and speaks `docs/protocols/ws-fmp4.md`, for tests of the player alone. */
export class MockStream {
  readonly #name: string;
  readonly #viewers = new Set<Viewer>();
  #state: Fmp4State = { state: 'idle' };
  #publisher: { tracks: readonly FileTrack[]; start: number; sent: number[]; first: boolean[] } | undefined;
  #timer: ReturnType<typeof setInterval> | undefined;
  #log: Block[] = [];
  #sequence = 1;
  #epoch = 0;
  #start: number | undefined;
  #absence: ReturnType<typeof setTimeout> | undefined;

  constructor(name: string) {
    this.#name = name;
  }

  /** Addresses that were asked for, newest last. */
  readonly requests: string[] = [];

  /** Viewers connected now. */
  get viewers(): number {
    return this.#viewers.size;
  }

  /** Seconds since the first publisher began, 0 before. */
  get seconds(): number {
    return this.#start === undefined ? 0 : (performance.now() - this.#start) / 1000;
  }

  /** A publisher begins or comes back. */
  publish(tracks: readonly FileTrack[], sameParameters = false): void {
    clearTimeout(this.#absence);
    const now = performance.now();
    this.#start ??= now;
    if (!sameParameters) this.#epoch++;
    this.#publisher = { tracks, start: now, sent: tracks.map(() => 0), first: tracks.map(() => true) };
    this.#setState({ state: 'live' });
    if (!sameParameters) for (const viewer of this.#viewers) if (viewer.joined) this.#sendEpoch(viewer);
    this.#timer ??= setInterval(() => this.#advance(), 5);
  }

  /** The publisher vanishes and may come back within `windowMs`. */
  vanish(windowMs = 30_000): void {
    this.#stop();
    this.#setState({ state: 'waiting', until: Date.now() + windowMs });
    this.#absence = setTimeout(() => this.end(), windowMs);
  }

  /** The stream ends. */
  end(): void {
    this.#stop();
    this.#setState({ state: 'ended' });
    for (const viewer of this.#viewers) viewer.socket.close(1000);
  }

  /** Cuts all connections without a word. */
  cut(): void {
    for (const viewer of this.#viewers) viewer.socket.terminate();
  }

  /** Stops everything. */
  close(): void {
    this.#stop();
    clearTimeout(this.#absence);
    this.cut();
  }

  /** A viewer came to `url`. */
  accept(socket: WebSocket, url: URL): void {
    this.requests.push(url.search);
    const viewer: Viewer = { socket, paused: false, last: 0, joined: false };
    this.#viewers.add(viewer);
    socket.on('close', () => this.#viewers.delete(viewer));
    socket.on('message', (data) => this.#command(viewer, String(data)));
    const hello = { type: 'hello', protocol: 'onair.fmp4.v1', stream: this.#name, now: Date.now() };
    socket.send(JSON.stringify({ ...hello, ...this.#state }));
    const after = Number(url.searchParams.get('after') ?? Number.NaN);
    const held = this.#log.some((block) => block.sequence <= after + 1) && after < this.#sequence;
    if (held) {
      viewer.last = after;
      viewer.joined = true;
      if (Number(url.searchParams.get('epoch')) !== this.#epoch) this.#sendEpoch(viewer);
    }
    this.#catchUp(viewer);
  }

  #command(viewer: Viewer, text: string): void {
    const message = decodeFmp4ClientText(text);
    if (message.type === 'ping') {
      viewer.socket.send(JSON.stringify({ type: 'pong', id: message.id, now: Date.now() }));
    } else {
      viewer.paused = message.type === 'pause';
      this.#catchUp(viewer);
    }
  }

  #stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#publisher = undefined;
  }

  #setState(state: Fmp4State): void {
    this.#state = state;
    const bytes = encodeFmp4Json(this.#header(FMP4_TYPE.state), state);
    for (const { socket } of this.#viewers) socket.send(bytes);
  }

  #header(type: number, more: Partial<Fmp4Header> = {}): Fmp4Header {
    return {
      type,
      independent: false,
      discontinuity: false,
      track: 0,
      epoch: this.#epoch,
      sequence: this.#sequence,
      time: 0,
      duration: 0,
      compositionOffset: 0,
      wallClock: 0,
      ...more,
    };
  }

  #sendEpoch({ socket }: Viewer): void {
    const tracks = this.#publisher?.tracks;
    if (tracks === undefined) return;
    const epoch = { epoch: this.#epoch, tracks: tracks.map((track) => track.info) };
    socket.send(encodeFmp4Json(this.#header(FMP4_TYPE.epoch), epoch));
    for (const { init, info } of tracks) socket.send(this.#message(FMP4_TYPE.init, { track: info.id }, init));
  }

  #message(type: number, more: Partial<Fmp4Header>, payload: Uint8Array): Uint8Array {
    const bytes = new Uint8Array(FMP4_HEADER_LENGTH + payload.length);
    writeFmp4Header(bytes, 0, this.#header(type, more));
    bytes.set(payload, FMP4_HEADER_LENGTH);
    return bytes;
  }

  #catchUp(viewer: Viewer): void {
    if (viewer.paused) return;
    const held = this.#log.some((block) => block.sequence <= viewer.last + 1);
    if (!viewer.joined || !held) {
      const from = this.#log.findLast((block) => block.independent);
      if (from === undefined) return;
      if (!viewer.joined) this.#sendEpoch(viewer);
      viewer.joined = true;
      viewer.last = from.sequence - 1;
    }
    for (const block of this.#log) {
      if (block.sequence <= viewer.last) continue;
      viewer.socket.send(block.bytes);
      viewer.last = block.sequence;
    }
  }

  #advance(): void {
    const publisher = this.#publisher;
    if (publisher === undefined || this.#start === undefined) return;
    const now = performance.now();
    const elapsed = (now - publisher.start) / 1000;
    const base = (publisher.start - this.#start) / 1000;
    publisher.tracks.forEach((track, i) => {
      for (;;) {
        const count = publisher.sent[i]!;
        const loop = Math.floor(count / track.chunks.length);
        const chunk = track.chunks[count % track.chunks.length]!;
        const local = loop * track.duration + chunk.time;
        // An access unit exists once it was captured: at the end of its duration.
        if (local + chunk.duration > elapsed) return;
        publisher.sent[i] = count + 1;
        const shift = base + loop * track.duration;
        const { independent, compositionOffset, duration } = chunk;
        const more = {
          track: track.info.id,
          independent: independent || (track.info.kind === 'audio' && publisher.tracks.length === 1),
          discontinuity: publisher.first[i]!,
          time: Math.round((shift + chunk.time) * 1e6),
          duration: Math.round(duration * 1e6),
          compositionOffset: Math.round(compositionOffset * 1e6),
          wallClock: Math.round(Date.now() * 1000),
        };
        publisher.first[i] = false;
        const bytes = this.#message(FMP4_TYPE.chunk, more, shifted(track, chunk, shift));
        this.#log.push({ sequence: this.#sequence++, independent: more.independent, bytes, at: now });
      }
    });
    while (this.#log.length > 0 && this.#log[0]!.at < now - LOG_MS) this.#log.shift();
    for (const viewer of this.#viewers) this.#catchUp(viewer);
  }
}
