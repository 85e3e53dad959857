import type { MemberId, RoomStage, RoomWelcome } from '@onair/contracts/rooms';
import { HandOnTree } from './hand-on-tree.ts';
import { browserPeers, type PeerFactory, PeerLink } from './peer-link.ts';
import type { HeardMessage, RoomLink } from './room-link.ts';
import type { ServerCast } from './server-cast.ts';

/** What the talker's page shows. */
export interface TalkerState {
  /** Watchers that see the picture directly. */
  readonly watching: number;
  /** Watchers that get it from another watcher. */
  readonly handedOn: number;
  /** Watchers that get it from the server. */
  readonly spilled: number;
  /** Watchers that were told that there is no place. */
  readonly turnedAway: number;
}

/** What a talker is made with. */
export interface TalkerOptions {
  readonly link: RoomLink;
  changed(state: TalkerState): void;
  /** Somebody asked for the picture before there was one. */
  askedTooEarly?(): void;
  /** A connection to a watcher begins, before anything is said over it. */
  linked?(watcher: MemberId, peer: RTCPeerConnection): void;
  unlinked?(watcher: MemberId, peer: RTCPeerConnection): void;
  readonly peers?: PeerFactory;
  /** Sends to the server those whom the talker has no place for; without it they are told so. */
  readonly cast?: Pick<ServerCast, 'entered' | 'possible' | 'send' | 'stop'>;
}

/** How a watcher may get the picture: over the server `only` once a direct connection has failed. */
type SpillWish = 'can' | 'only';

/** The side of a room that casts: one connection per watcher, and one to the server for those beyond. */
export class Talker {
  readonly #options: TalkerOptions;
  readonly #peers = new Map<MemberId, PeerLink>();
  readonly #away = new Set<MemberId>();
  /** Who gets the picture from the server. */
  readonly #spilled = new Map<MemberId, SpillWish>();
  readonly #tree = new HandOnTree();
  #room: Pick<RoomWelcome, 'maxDirect' | 'maxHandOn' | 'iceServers' | 'iceTransportPolicy'> = {
    maxDirect: 10,
    maxHandOn: 0,
    iceServers: [],
    iceTransportPolicy: 'all',
  };
  #stage: RoomStage = { stream: false, record: false };
  #stream: MediaStream | undefined;

  constructor(options: TalkerOptions) {
    this.#options = options;
  }

  /** What is cast at present. */
  get stream(): MediaStream | undefined {
    return this.#stream;
  }

  /** True if there may be members whom no connection of this side reaches. */
  get hasOthers(): boolean {
    if (this.#stream === undefined) return true;
    if (this.#spilled.size + this.#away.size + this.#tree.handedOn > 0) return true;
    return [...this.#peers.values()].some(({ peer }) => peer.connectionState !== 'connected');
  }

  /** In the room, perhaps again: old connections belong to nobody any more. */
  entered(room: RoomWelcome): void {
    this.#room = room;
    this.#stage = room.stage;
    this.#options.cast?.entered(room);
    this.#closeAll();
    if (this.#stream !== undefined) this.tellReady();
  }

  /** What the server is to do with the talk. */
  staged(stage: RoomStage): void {
    this.#stage = stage;
    this.#changed();
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
    this.#changed();
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
    this.#options.cast?.stop();
    this.#options.link.send({ type: 'end_talk' });
    this.#closeAll();
  }

  /** Takes a message of the room. */
  async hear(message: HeardMessage): Promise<void> {
    const { from } = message;
    switch (message.type) {
      case 'talk_request':
        return this.#request(from, message.spill, message.relays === true);
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
    this.#spilled.delete(id);
    this.#tree.remove(id);
    this.#close(id);
    this.#promote();
    this.#changed();
  }

  async #request(from: MemberId, spill: SpillWish | undefined, relays: boolean): Promise<void> {
    const { link, askedTooEarly, cast } = this.#options;
    if (this.#stream === undefined) {
      askedTooEarly?.();
      return;
    }
    this.#close(from);
    this.#spilled.delete(from);
    this.#away.delete(from);
    if (spill !== 'only' && this.#peers.size < this.#room.maxDirect) {
      this.#tree.set(from, undefined, false);
      return this.#connect(from, relays);
    }
    const parent = spill === 'only' ? undefined : this.#tree.placeFor(from, this.#room.maxHandOn);
    if (parent !== undefined) {
      this.#tree.set(from, parent, relays);
      // The watcher first, so that it knows whose offer it is.
      link.send({ type: 'relay', sendto: from, parent });
      link.send({ type: 'relay', sendto: parent, child: from });
      this.#changed();
      return;
    }
    this.#tree.remove(from);
    if (spill !== undefined && cast?.possible === true) {
      this.#spilled.set(from, spill);
      link.send({ type: 'spill', sendto: from });
    } else {
      this.#away.add(from);
      link.send({ type: 'bye', sendto: from });
    }
    this.#changed();
  }

  /** Gives a place that is free to one who watches over the server; it goes on there until it sees the picture here. */
  #promote(): void {
    if (this.#stream === undefined) return;
    for (const [id, wish] of this.#spilled) {
      if (this.#peers.size >= this.#room.maxDirect) return;
      if (wish === 'can' && !this.#peers.has(id)) void this.#connect(id);
    }
  }

  async #connect(to: MemberId, relays = false): Promise<void> {
    const { link, peers = browserPeers, linked } = this.#options;
    const stream = this.#stream!;
    const made = new PeerLink(peers(this.#room), {
      candidate: ({ candidate, sdpMid, sdpMLineIndex }) =>
        link.send({ type: 'candidate', sendto: to, candidate, sdpMid, sdpMLineIndex }),
      state: (state) => {
        if (this.#peers.get(to) !== made) return;
        if (state === 'failed') this.#failed(to);
        // Left without a word.
        else if (state === 'closed') this.left(to);
        else if (state === 'connected') this.#arrived(to, relays);
        this.#changed();
      },
    });
    this.#peers.set(to, made);
    // Both kinds from the start, so that another source never needs a new description.
    for (const kind of ['audio', 'video']) {
      made.peer.addTransceiver(kind, { direction: 'sendonly', streams: [stream] });
    }
    linked?.(to, made.peer);
    await sendTracks(made.peer, stream);
    await made.peer.setLocalDescription();
    const sdp = made.peer.localDescription?.sdp;
    if (sdp !== undefined && this.#peers.get(to) === made) link.send({ type: 'offer', sendto: to, sdp });
  }

  #arrived(id: MemberId, relays: boolean): void {
    if (this.#spilled.delete(id)) this.#tree.set(id, undefined, false);
    this.#tree.arrived(id, relays);
  }

  #failed(id: MemberId): void {
    this.#close(id);
    // Not again, or it would go back and forth.
    if (this.#spilled.has(id)) this.#spilled.set(id, 'only');
    this.#promote();
  }

  #close(id: MemberId): void {
    const link = this.#peers.get(id);
    if (link === undefined) return;
    this.#peers.delete(id);
    this.#options.unlinked?.(id, link.peer);
    link.close();
  }

  #closeAll(): void {
    for (const id of [...this.#peers.keys()]) this.#close(id);
    this.#away.clear();
    this.#tree.clear();
    this.#spilled.clear();
    this.#changed();
  }

  #changed(): void {
    const { cast, changed } = this.#options;
    const needed = this.#spilled.size > 0 || this.#stage.stream || this.#stage.record;
    cast?.send(needed ? this.#stream : undefined);
    let watching = 0;
    for (const { peer } of this.#peers.values()) if (peer.connectionState === 'connected') watching++;
    changed({
      watching,
      handedOn: this.#tree.handedOn,
      spilled: this.#spilled.size,
      turnedAway: this.#away.size,
    });
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
