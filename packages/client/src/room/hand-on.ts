import type { IceSettings, MemberId } from '@onair/contracts/rooms';
import { type PeerFactory, PeerLink } from './peer-link.ts';
import type { HeardMessage, RoomLink } from './room-link.ts';

/** Watchers that one page hands the picture on to at most, whatever the talker says. */
const MAX_CHILDREN = 8;

/**
 * Hands the picture that a watcher sees on to others, as it is. When it comes another way the tracks are exchanged, so
 * that nobody below sees more than a picture that stands still for a moment.
 */
export class HandOn {
  readonly #link: RoomLink;
  readonly #peers: PeerFactory;
  readonly #children = new Map<MemberId, PeerLink>();
  #tracks: readonly MediaStreamTrack[] = [];

  constructor(link: RoomLink, peers: PeerFactory) {
    this.#link = link;
    this.#peers = peers;
  }

  /** What is seen now; the tracks stay their connection's. */
  set tracks(tracks: readonly MediaStreamTrack[]) {
    this.#tracks = tracks;
    for (const { peer } of this.#children.values()) void this.#send(peer);
  }

  /** Begins to hand on to another. @param stream what tells its player that sound and picture belong together. */
  async add(child: MemberId, ice: IceSettings, stream: MediaStream | undefined): Promise<void> {
    this.left(child);
    if (this.#children.size >= MAX_CHILDREN || stream === undefined) return;
    const made = new PeerLink(this.#peers(ice), {
      candidate: ({ candidate, sdpMid, sdpMLineIndex }) =>
        this.#link.send({ type: 'candidate', sendto: child, candidate, sdpMid, sdpMLineIndex }),
      state: (state) => {
        if (state === 'failed' && this.#children.get(child) === made) this.left(child);
      },
    });
    this.#children.set(child, made);
    for (const kind of ['audio', 'video']) {
      made.peer.addTransceiver(kind, { direction: 'sendonly', streams: [stream] });
    }
    await this.#send(made.peer);
    await made.peer.setLocalDescription();
    const sdp = made.peer.localDescription?.sdp;
    if (sdp !== undefined && this.#children.get(child) === made) {
      this.#link.send({ type: 'offer', sendto: child, sdp });
    }
  }

  /** Takes an answer or a candidate of somebody it hands on to. */
  async hear(message: HeardMessage): Promise<void> {
    const child = this.#children.get(message.from);
    if (message.type === 'answer') await child?.describe({ type: 'answer', sdp: message.sdp });
    else if (message.type === 'candidate') await child?.candidate(message);
    else if (message.type === 'bye') this.left(message.from);
  }

  /** Another is gone. */
  left(id: MemberId): void {
    this.#children.get(id)?.close();
    this.#children.delete(id);
  }

  /** Ends handing on. */
  close(): void {
    for (const child of this.#children.values()) child.close();
    this.#children.clear();
  }

  async #send(peer: RTCPeerConnection): Promise<void> {
    const [audio, video] = peer.getTransceivers();
    const of = (kind: string) => this.#tracks.find((track) => track.kind === kind) ?? null;
    await Promise.all([audio?.sender.replaceTrack(of('audio')), video?.sender.replaceTrack(of('video'))]);
  }
}
