import type { RoomWelcome } from '@onair/contracts/rooms';
import {
  type PublisherState,
  WhipPublisher,
  type WhipPublisherOptions,
} from '../publisher/whip-publisher.ts';
import { peerSettings } from './peer-link.ts';

/** The part of a {@link WhipPublisher} that is used; tests have their own. */
export type Publisher = Pick<WhipPublisher, 'start' | 'stop' | 'replaceTrack'>;

/** How long the server goes on being sent to after the last one who needed it, ms: whoever reloads comes back. */
const LINGER_MS = 5000;

/** Sends the talk to the server while somebody needs it there. */
export class ServerCast {
  readonly #make: (options: WhipPublisherOptions) => Publisher;
  readonly #told: (state: PublisherState) => void;
  #room: RoomWelcome | undefined;
  #publisher: Publisher | undefined;
  #sent: MediaStream | undefined;
  #linger: ReturnType<typeof setTimeout> | undefined;

  /** @param told of every change. */
  constructor(
    told: (state: PublisherState) => void = () => {},
    make: (options: WhipPublisherOptions) => Publisher = (options) => new WhipPublisher(options),
  ) {
    this.#told = told;
    this.#make = make;
  }

  /** True if the server of this room takes the talk. */
  get possible(): boolean {
    return this.#room?.stream !== undefined;
  }

  /** In the room, perhaps again: what was sent under the old key ends. */
  entered(room: RoomWelcome): void {
    this.#end();
    this.#room = room;
  }

  /** Sends `stream`, whose tracks stay the caller's; undefined for nothing. */
  send(stream: MediaStream | undefined): void {
    clearTimeout(this.#linger);
    if (stream === undefined) {
      if (this.#publisher !== undefined) this.#linger = setTimeout(() => this.#end(), LINGER_MS);
    } else if (this.#publisher === undefined || kinds(stream) !== kinds(this.#sent)) this.#begin(stream);
    else if (stream !== this.#sent) {
      this.#sent = stream;
      for (const track of stream.getTracks()) void this.#publisher.replaceTrack(track);
    }
  }

  /** Ends sending at once. */
  stop(): void {
    this.#end();
  }

  #begin(stream: MediaStream): void {
    this.#end();
    if (this.#room?.stream === undefined) return;
    const { stream: url, key } = this.#room;
    this.#sent = stream;
    this.#publisher = this.#make({
      url,
      ...(key === undefined ? {} : { key }),
      peer: peerSettings(this.#room),
      onState: this.#told,
    });
    this.#publisher.start(stream);
  }

  #end(): void {
    clearTimeout(this.#linger);
    this.#publisher?.stop();
    this.#publisher = undefined;
    this.#sent = undefined;
  }
}

function kinds(stream: MediaStream | undefined): string {
  return (stream?.getTracks() ?? [])
    .map(({ kind }) => kind)
    .sort()
    .join(' ');
}
