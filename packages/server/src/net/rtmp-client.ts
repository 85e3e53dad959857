import type { AmfValue } from '@onair/media/amf';
import { type RtmpClientEvent, RtmpClientSession, type RtmpUrl } from '@onair/media/rtmp';
import { handshakeCrypto } from './handshake-crypto.ts';
import { ChallengeAnswers } from './rtmp-challenge-answer.ts';
import { type DialOptions, dialRtmp } from './rtmp-dial.ts';
import type { RtmpSocket } from './rtmp-socket.ts';

/** Milliseconds from opening the socket until publishing or playing must have begun. */
export const RTMP_READY_MS = 10_000;
/** Milliseconds a socket gets to send what waits when it is closed. */
const CLOSE_MS = 3000;

/** What to connect to and for what. */
export interface RtmpClientOptions extends DialOptions {
  readonly url: RtmpUrl;
  readonly intent: 'publish' | 'play';
  /** Takes every event of the session. What it throws closes the connection. */
  readonly onEvent?: (event: RtmpClientEvent) => void;
  /** Takes the number of bytes of each read. */
  readonly onBytes?: (count: number) => void;
}

/** The server said no: to the connection, the name or the right to it. */
export class RtmpRefused extends Error {
  override readonly name = 'RtmpRefused';
  /** RTMP status code, e.g. `NetStream.Publish.BadName`. */
  readonly code: string;
  /** Where to go instead, an rtmp URL. */
  readonly redirect: string | undefined;

  constructor(code: string, description: string, redirect?: string) {
    super(description === '' ? code : `${code}: ${description}`);
    this.code = code;
    this.redirect = redirect;
  }
}

/** One RTMP connection as client: owns the socket and pumps it through the session. */
export class RtmpClient {
  /** Settles when publishing or playing may begin; rejects if it never does. */
  readonly ready: Promise<void>;
  /** Settles once when the connection is over, with the error if there was one. Never rejects. */
  readonly closed: Promise<Error | undefined>;
  readonly #options: RtmpClientOptions;
  readonly #answers: ChallengeAnswers;
  #session!: RtmpClientSession;
  #socket!: RtmpSocket;
  readonly #deadline: NodeJS.Timeout;
  #markClosed: (error: Error | undefined) => void = () => undefined;
  #error: Error | undefined;
  #markReady: () => void = () => undefined;
  #capsEx = 0;

  /** Opens at once. */
  constructor(options: RtmpClientOptions) {
    const { url, intent } = options;
    this.#options = options;
    this.#answers = new ChallengeAnswers(url);
    this.closed = new Promise((resolve) => {
      this.#markClosed = resolve;
    });
    const begun = new Promise<void>((resolve) => {
      this.#markReady = resolve;
    });
    const never = this.closed.then((error) => {
      throw error ?? new Error('the server closed the connection');
    });
    this.ready = Promise.race([begun, never]);
    this.ready.catch(() => undefined); // whoever asks gets it; nobody has to
    this.#deadline = setTimeout(() => {
      this.#fail(new Error(`nothing to ${intent} within ${RTMP_READY_MS / 1000} s`));
    }, RTMP_READY_MS);
    this.#open(url);
  }

  /** For shared media only: whole messages, between `ready` and `closed`. */
  get socket(): RtmpSocket {
    return this.#socket;
  }

  /** Message stream that the server gave. */
  get streamId(): number {
    return this.#session.streamId;
  }

  /** Flags of Enhanced RTMP that the server honours, of `CAPS_EX`; 0 before it has said so, and if it says nothing. */
  get capsEx(): number {
    return this.#capsEx;
  }

  /** Bytes that wait for the server to take them. */
  get waitingBytes(): number {
    return this.#socket.writableLength;
  }

  /** Resolves when the socket takes more without piling it up, or when the connection is over. */
  async drained(): Promise<void> {
    if (!this.#socket.writableNeedDrain || this.#socket.destroyed) return;
    const drain = new Promise<void>((resolve) => this.#socket.once('drain', resolve));
    await Promise.race([drain, this.closed]);
  }

  /** Sends an audio or video message; only once it is ready. @param timestampMs taken modulo 2^32. */
  sendMedia(type: 'audio' | 'video', timestampMs: number, body: Uint8Array): void {
    this.#session.sendMedia(type, timestampMs, body);
    this.#flush();
  }

  /** Sends metadata that holds until it is replaced; only once it is ready. */
  setDataFrame(timestampMs: number, name: string, value: AmfValue): void {
    this.#session.setDataFrame(timestampMs, name, value);
    this.#flush();
  }

  /** Says goodbye, sends what waits, closes. Safe to call twice. Resolves when the socket is gone. */
  async close(): Promise<void> {
    if (!this.#socket.destroyed && this.#session.phase !== 'closed') {
      this.#session.close();
      this.#flush();
    }
    this.#socket.end();
    const timer = setTimeout(() => this.#socket.destroy(), CLOSE_MS);
    await this.closed;
    clearTimeout(timer);
  }

  #open(url: RtmpUrl): void {
    const { intent } = this.#options;
    const { app, tcUrl, playpath: name } = url;
    const nowMs = (): number => Math.floor(performance.now());
    const { socket, shaken } = dialRtmp(url, this.#options);
    const crypto = handshakeCrypto;
    this.#session = new RtmpClientSession({ nowMs, crypto, intent, app, tcUrl, name, shaken });
    this.#socket = socket;
    socket.once('close', () => {
      if (this.#socket !== socket) return;
      clearTimeout(this.#deadline);
      this.#markClosed(this.#error);
    });
    socket.on('error', (error) => {
      if (this.#socket === socket) this.#fail(error);
    });
    socket.on('data', (bytes: Uint8Array) => {
      if (this.#socket === socket) this.#receive(bytes);
    });
    this.#session.start();
    this.#flush();
  }

  #receive(bytes: Uint8Array): void {
    this.#options.onBytes?.(bytes.length);
    try {
      this.#session.push(bytes);
      for (let event = this.#session.next(); event !== undefined; event = this.#session.next()) {
        this.#take(event);
      }
      this.#flush();
    } catch (error) {
      this.#fail(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #take(event: RtmpClientEvent): void {
    if (event.kind === 'refused') {
      const next = this.#answers.next(event.description);
      if (next === undefined) throw new RtmpRefused(event.code, event.description, event.redirect);
      const before = this.#socket;
      this.#open(next);
      before.destroy();
      return;
    }
    if (event.kind === 'connected') {
      const { capsEx } = event.properties;
      this.#capsEx = typeof capsEx === 'number' ? capsEx & 0xff : 0;
    }
    if (event.kind === 'ready') {
      clearTimeout(this.#deadline);
      this.#markReady();
    }
    this.#options.onEvent?.(event);
  }

  #flush(): void {
    const bytes = this.#session.takeOutput();
    if (bytes !== undefined && this.#socket.writable) this.#socket.write(bytes);
  }

  #fail(error: Error): void {
    this.#error ??= error;
    this.#socket.destroy();
  }
}
