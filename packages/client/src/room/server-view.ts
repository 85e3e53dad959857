import type { IceSettings } from '@onair/contracts/rooms';
import { type HttpSession, offerTo } from '../webrtc/http-session.ts';
import type { PeerFactory } from './peer-link.ts';

/** What a {@link ServerView} is made with. */
export interface ServerViewOptions {
  /** Address of the stream, `/APP/NAME`. */
  readonly stream: string;
  readonly ice: IceSettings;
  readonly peers: PeerFactory;
  /** The tracks of a connection, which may come more than once. */
  arrived(tracks: readonly MediaStreamTrack[]): void;
}

/** First pause before asking again, ms: the talker may have only just begun to send to the server. */
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 3000;

/** The picture of a room from the server, by WHEP. Asks again until it is closed. */
export class ServerView {
  readonly #options: ServerViewOptions;
  #abort = new AbortController();
  #connection: RTCPeerConnection | undefined;
  #session: HttpSession | undefined;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #pause = FIRST_PAUSE_MS;
  #closed = false;

  constructor(options: ServerViewOptions) {
    this.#options = options;
    void this.#open();
  }

  /** Ends it, on the server too. Safe to call twice. */
  close(): void {
    this.#closed = true;
    this.#drop();
  }

  #drop(): void {
    clearTimeout(this.#retry);
    this.#abort.abort();
    this.#session?.end();
    this.#session = undefined;
    this.#connection?.close();
    this.#connection = undefined;
  }

  async #open(): Promise<void> {
    this.#drop();
    const { peers, ice, stream, arrived } = this.#options;
    const abort = new AbortController();
    this.#abort = abort;
    const connection = peers(ice);
    this.#connection = connection;
    const tracks: MediaStreamTrack[] = [];
    for (const kind of ['audio', 'video']) connection.addTransceiver(kind, { direction: 'recvonly' });
    connection.addEventListener('track', ({ track }) => void tracks.push(track));
    connection.addEventListener('connectionstatechange', () => {
      if (connection !== this.#connection) return;
      const { connectionState } = connection;
      if (connectionState === 'connected') {
        this.#pause = FIRST_PAUSE_MS;
        arrived(tracks);
      } else if (connectionState === 'failed' || connectionState === 'disconnected') this.#again();
    });
    try {
      const session = await offerTo(`${stream}/whep`, connection, undefined, abort.signal);
      if (abort.signal.aborted) session.end();
      else this.#session = session;
    } catch {
      // Not there yet, or a refusal that may pass.
      if (!abort.signal.aborted) this.#again();
    }
  }

  #again(): void {
    if (this.#closed) return;
    this.#drop();
    this.#retry = setTimeout(() => void this.#open(), this.#pause);
    this.#pause = Math.min(LONGEST_PAUSE_MS, this.#pause * 1.5);
  }
}
