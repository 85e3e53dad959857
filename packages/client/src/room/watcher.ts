import type { MemberId } from '@onair/contracts/rooms';
import { browserPeers, type PeerFactory, PeerLink } from './peer-link.ts';
import type { HeardMessage, RoomLink } from './room-link.ts';

/** What the watcher's page shows: `full`, the talker has no place for one more. */
export type WatcherState = 'waiting' | 'connecting' | 'watching' | 'full';

/** What a watcher is made with. */
export interface WatcherOptions {
  readonly link: RoomLink;
  changed(state: WatcherState): void;
  /** The picture, or undefined when there is none any more. */
  show(stream: MediaStream | undefined): void;
  readonly peers?: PeerFactory;
}

/** The side of a room that watches. */
export class Watcher {
  readonly #options: WatcherOptions;
  #talk: { readonly id: MemberId; readonly link: PeerLink } | undefined;
  #asked: MemberId | undefined;
  #iceServers: readonly string[] = [];

  constructor(options: WatcherOptions) {
    this.#options = options;
  }

  /** In the room, perhaps again: asks for the talk that may be running. */
  entered(room: { readonly iceServers: readonly string[] }): void {
    this.#iceServers = room.iceServers;
    this.#drop('waiting');
    this.request();
  }

  /** Asks whoever casts in the room for the picture. */
  request(): void {
    this.#options.link.send({ type: 'talk_request' });
  }

  /** Takes a message of the room. */
  async hear(message: HeardMessage): Promise<void> {
    const { from } = message;
    switch (message.type) {
      case 'talk_ready':
        if (this.#talk?.id === from) return;
        this.#options.link.send({ type: 'talk_request', sendto: from });
        return;
      case 'offer':
        return this.#answer(from, message.sdp);
      case 'candidate':
        if (this.#talk?.id === from) await this.#talk.link.candidate(message);
        return;
      case 'bye':
        if (this.#talk === undefined || this.#talk.id === from) this.#drop('full', from);
        return;
      case 'end_talk':
        this.left(from);
        return;
      default:
    }
  }

  /** A member is gone. */
  left(id: MemberId): void {
    if (this.#talk?.id === id || this.#asked === id) this.#drop('waiting');
  }

  /** Ends watching and tells the talker. */
  close(): void {
    const id = this.#talk?.id;
    this.#drop('waiting');
    if (id !== undefined) this.#options.link.send({ type: 'bye', sendto: id });
  }

  async #answer(from: MemberId, sdp: string): Promise<void> {
    const { link } = this.#options;
    // Another offer of the same talker is a renegotiation if it continues the session, else a new start.
    if (this.#talk?.id !== from || !continues(this.#talk.link.peer, sdp)) this.#begin(from);
    const talk = this.#talk!;
    await talk.link.describe({ type: 'offer', sdp });
    await talk.link.peer.setLocalDescription();
    const answer = talk.link.peer.localDescription?.sdp;
    if (answer !== undefined && this.#talk === talk) link.send({ type: 'answer', sendto: from, sdp: answer });
  }

  #begin(from: MemberId): void {
    const { link, peers = browserPeers, changed, show } = this.#options;
    this.#drop('connecting');
    const made = new PeerLink(peers(this.#iceServers), {
      candidate: ({ candidate, sdpMid, sdpMLineIndex }) =>
        link.send({ type: 'candidate', sendto: from, candidate, sdpMid, sdpMLineIndex }),
      state: (state) => {
        if (this.#talk?.link !== made) return;
        if (state === 'connected') changed('watching');
        if (state !== 'failed') return;
        this.#drop('waiting');
        this.request();
      },
    });
    made.peer.addEventListener('track', ({ streams }) => {
      if (streams[0] !== undefined && this.#talk?.link === made) show(streams[0]);
    });
    this.#talk = { id: from, link: made };
  }

  #drop(state: WatcherState, full?: MemberId): void {
    this.#asked = full;
    this.#talk?.link.close();
    if (this.#talk !== undefined) this.#options.show(undefined);
    this.#talk = undefined;
    this.#options.changed(state);
  }
}

/** True if an offer belongs to the session that the connection has (RFC 8866 §5.2: the id in the `o=` line). */
function continues(peer: RTCPeerConnection, sdp: string): boolean {
  const session = (text: string | undefined): string | undefined => /^o=\S+ (\d+)/m.exec(text ?? '')?.[1];
  return session(peer.remoteDescription?.sdp) === session(sdp);
}
