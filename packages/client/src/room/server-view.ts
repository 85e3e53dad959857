import type { IceSettings } from '@onair/contracts/rooms';
import { isFinalRefusal } from '../webrtc/final-refusal.ts';
import { OfferedConnection } from '../webrtc/offered-connection.ts';
import type { PeerFactory } from './peer-link.ts';

/** What a {@link ServerView} is made with. */
export interface ServerViewOptions {
  /** Address of the stream, `/APP/NAME`. */
  readonly stream: string;
  readonly ice: IceSettings;
  readonly peers: PeerFactory;
  /** The tracks of a connection, which may come more than once. */
  arrived(tracks: readonly MediaStreamTrack[]): void;
  /** The server cannot give this browser the picture, now or later; nothing is asked any more. */
  refused(): void;
}

/** First pause before asking again, ms: the talker may have only just begun to send to the server. */
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 3000;

/** The picture of a room from the server, by WHEP. Asks again until it is closed or refused for good. */
export class ServerView {
  readonly #options: ServerViewOptions;
  readonly #offered = new OfferedConnection();
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
    this.#offered.drop();
  }

  async #open(): Promise<void> {
    const { peers, ice, stream, arrived, refused } = this.#options;
    const connection = peers(ice);
    const tracks: MediaStreamTrack[] = [];
    for (const kind of ['audio', 'video']) connection.addTransceiver(kind, { direction: 'recvonly' });
    connection.addEventListener('track', ({ track }) => void tracks.push(track));
    const offer = this.#offered.take(connection, (state) => {
      if (state !== 'connected') {
        this.#again();
        return;
      }
      this.#pause = FIRST_PAUSE_MS;
      arrived(tracks);
    });
    try {
      await offer(`${stream}/whep`);
    } catch (error) {
      if (!isFinalRefusal(error)) {
        // Not there yet, or a refusal that may pass.
        this.#again();
        return;
      }
      this.close();
      refused();
    }
  }

  #again(): void {
    if (this.#closed) return;
    this.#drop();
    this.#retry = setTimeout(() => void this.#open(), this.#pause);
    this.#pause = Math.min(LONGEST_PAUSE_MS, this.#pause * 1.5);
  }
}
