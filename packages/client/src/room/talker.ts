import type { MemberId } from '@onair/contracts/rooms';
import { browserPeers, type PeerFactory, PeerLink } from './peer-link.ts';
import type { HeardMessage, RoomLink } from './room-link.ts';

/** What the talker's page shows. */
export interface TalkerState {
  /** Watchers that see the picture. */
  readonly watching: number;
  /** Watchers that were told that there is no place. */
  readonly turnedAway: number;
}

/** What a talker is made with. */
export interface TalkerOptions {
  readonly link: RoomLink;
  changed(state: TalkerState): void;
  /** Somebody asked for the picture before there was one. */
  askedTooEarly?(): void;
  readonly peers?: PeerFactory;
}

/** The side of a room that casts: one connection per watcher. */
export class Talker {
  readonly #options: TalkerOptions;
  readonly #peers = new Map<MemberId, PeerLink>();
  readonly #away = new Set<MemberId>();
  #room: { maxDirect: number; iceServers: readonly string[] } = { maxDirect: 10, iceServers: [] };
  #stream: MediaStream | undefined;

  constructor(options: TalkerOptions) {
    this.#options = options;
  }

  /** What is cast at present. */
  get stream(): MediaStream | undefined {
    return this.#stream;
  }

  /** In the room, perhaps again: old connections belong to nobody any more. */
  entered(room: { readonly maxDirect: number; readonly iceServers: readonly string[] }): void {
    this.#room = room;
    this.#closeAll();
    if (this.#stream !== undefined) this.tellReady();
  }

  /**
   * Casts `stream`, which is the talker's from now on. Whoever watches already sees the new picture without a new
   * connection; the tracks of the old stream that are not in the new one are stopped.
   */
  async show(stream: MediaStream): Promise<void> {
    const old = this.#stream;
    this.#stream = stream;
    const kept = new Set(stream.getTracks());
    await Promise.all([...this.#peers.values()].map((link) => sendTracks(link.peer, stream)));
    for (const track of old?.getTracks() ?? []) if (!kept.has(track)) track.stop();
    this.tellReady();
  }

  /** Tells everybody in the room that there is something to watch. */
  tellReady(): void {
    this.#options.link.send({ type: 'talk_ready' });
  }

  /** Ends the talk: camera, microphone and screen are released, watchers told. */
  stop(): void {
    for (const track of this.#stream?.getTracks() ?? []) track.stop();
    this.#stream = undefined;
    this.#options.link.send({ type: 'end_talk' });
    this.#closeAll();
  }

  /** Takes a message of the room. */
  async hear(message: HeardMessage): Promise<void> {
    const { from } = message;
    switch (message.type) {
      case 'talk_request':
        return this.#request(from);
      case 'answer':
        return this.#peers.get(from)?.describe({ type: 'answer', sdp: message.sdp });
      case 'candidate':
        return this.#peers.get(from)?.candidate(message);
      case 'bye':
        this.left(from);
        return;
      default:
    }
  }

  /** A member is gone. */
  left(id: MemberId): void {
    this.#away.delete(id);
    this.#peers.get(id)?.close();
    this.#peers.delete(id);
    this.#changed();
  }

  async #request(from: MemberId): Promise<void> {
    const { link, askedTooEarly, peers = browserPeers } = this.#options;
    const stream = this.#stream;
    if (stream === undefined) {
      askedTooEarly?.();
      return;
    }
    this.#peers.get(from)?.close();
    this.#peers.delete(from);
    if (this.#peers.size >= this.#room.maxDirect) {
      this.#away.add(from);
      link.send({ type: 'bye', sendto: from });
      this.#changed();
      return;
    }
    this.#away.delete(from);
    const made = new PeerLink(peers(this.#room.iceServers), {
      candidate: ({ candidate, sdpMid, sdpMLineIndex }) =>
        link.send({ type: 'candidate', sendto: from, candidate, sdpMid, sdpMLineIndex }),
      state: (state) => {
        if (state === 'failed' && this.#peers.get(from) === made) this.left(from);
        else this.#changed();
      },
    });
    this.#peers.set(from, made);
    // Both kinds from the start, so that another source never needs a new description.
    for (const kind of ['audio', 'video']) {
      made.peer.addTransceiver(kind, { direction: 'sendonly', streams: [stream] });
    }
    await sendTracks(made.peer, stream);
    await made.peer.setLocalDescription();
    const sdp = made.peer.localDescription?.sdp;
    if (sdp !== undefined && this.#peers.get(from) === made) link.send({ type: 'offer', sendto: from, sdp });
  }

  #closeAll(): void {
    for (const peer of this.#peers.values()) peer.close();
    this.#peers.clear();
    this.#away.clear();
    this.#changed();
  }

  #changed(): void {
    let watching = 0;
    for (const { peer } of this.#peers.values()) if (peer.connectionState === 'connected') watching++;
    this.#options.changed({ watching, turnedAway: this.#away.size });
  }
}

/** Puts the tracks of a stream into the connection's two senders. */
async function sendTracks(peer: RTCPeerConnection, stream: MediaStream): Promise<void> {
  const [audio, video] = peer.getTransceivers();
  await Promise.all([
    audio?.sender.replaceTrack(stream.getAudioTracks()[0] ?? null),
    video?.sender.replaceTrack(stream.getVideoTracks()[0] ?? null),
  ]);
}
