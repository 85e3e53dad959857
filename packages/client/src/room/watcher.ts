import type { MemberId, RoomWelcome } from '@onair/contracts/rooms';
import { HandOn } from './hand-on.ts';
import { browserPeers, type PeerFactory, PeerLink } from './peer-link.ts';
import type { HeardMessage, RoomLink } from './room-link.ts';
import { ServerView, type ServerViewOptions } from './server-view.ts';
import { browserMedia, type ShownMedia, ShownStream } from './shown-stream.ts';

/**
 * What the watcher's page shows: `full`, the talker has no place for one more; `unplayable`, the server's picture is the
 * only one that is to be had, and this browser cannot play it.
 */
export type WatcherState = 'waiting' | 'connecting' | 'watching' | 'full' | 'unplayable';
/** Where the picture comes from. */
export type WatcherWay = 'talker' | 'watcher' | 'server';

/** What a watcher is made with. */
export interface WatcherOptions {
  readonly link: RoomLink;
  /** @param way where the picture comes from, if there is one. */
  changed(state: WatcherState, way?: WatcherWay): void;
  /** The picture, or undefined when there is none any more. */
  show(stream: MediaStream | undefined): void;
  /** A connection to the talker begins, before anything is said over it. */
  linked?(talker: MemberId, peer: RTCPeerConnection): void;
  unlinked?(talker: MemberId, peer: RTCPeerConnection): void;
  readonly peers?: PeerFactory;
  readonly media?: ShownMedia;
  view?(options: ServerViewOptions): Pick<ServerView, 'close'>;
}

type Timer = ReturnType<typeof setTimeout>;
/** Until when another watcher must hand the picture on, ms. */
const HANDED_MS = 6000;

/** What a watcher uses of its welcome. */
export type WatcherRoom = Pick<RoomWelcome, 'iceServers' | 'iceTransportPolicy' | 'stream' | 'maxHandOn'>;

/** The side of a room that watches. */
export class Watcher {
  readonly #options: WatcherOptions;
  readonly #shown: ShownStream;
  readonly #handOn: HandOn;
  #talk: { readonly id: MemberId; readonly link: PeerLink } | undefined;
  #view: { readonly id: MemberId; readonly server: Pick<ServerView, 'close'> } | undefined;
  #asked: MemberId | undefined;
  /** From whom else the talker said that the picture comes. */
  #parent: { readonly id: MemberId; readonly talker: MemberId; readonly timer: Timer } | undefined;
  #room: WatcherRoom = { iceServers: [], iceTransportPolicy: 'all', maxHandOn: 0 };

  constructor(options: WatcherOptions) {
    this.#options = options;
    this.#shown = new ShownStream(options.media ?? browserMedia, options.show);
    this.#handOn = new HandOn(options.link, options.peers ?? browserPeers);
  }

  /** In the room, perhaps again: asks for the talk that may be running. */
  entered(room: WatcherRoom): void {
    this.#room = room;
    this.#drop('waiting');
    this.request();
  }

  /** Asks whoever casts in the room for the picture. */
  request(): void {
    this.#ask('can');
  }

  /** Takes a message of the room. */
  async hear(message: HeardMessage): Promise<void> {
    const { from } = message;
    switch (message.type) {
      case 'talk_ready':
        if (this.#talk?.id === from || this.#view?.id === from || this.#parent?.talker === from) return;
        this.#ask('can', from);
        return;
      case 'offer':
        return this.#answer(from, message.sdp);
      case 'candidate':
        if (this.#talk?.id === from) await this.#talk.link.candidate(message);
        else await this.#handOn.hear(message);
        return;
      case 'answer':
        return this.#handOn.hear(message);
      case 'relay':
        if (message.parent !== undefined) this.#await(message.parent, from);
        else if (message.child !== undefined)
          await this.#handOn.add(message.child, this.#room, this.#shown.stream);
        return;
      case 'spill':
        this.#spill(from);
        return;
      case 'bye':
        await this.#handOn.hear(message);
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
    this.#handOn.left(id);
    if (this.#parent?.id === id) {
      const { talker } = this.#parent;
      this.#orphan();
      this.#unlink();
      this.#ask('can', talker);
    } else if (this.#parent?.talker === id) this.#drop('waiting');
    else if (this.#talk?.id === id || this.#view?.id === id || this.#asked === id) this.#drop('waiting');
  }

  /** Ends watching and tells the talker. */
  close(): void {
    const id = this.#parent?.talker ?? this.#talk?.id ?? this.#view?.id;
    this.#drop('waiting');
    if (id !== undefined) this.#options.link.send({ type: 'bye', sendto: id });
  }

  #ask(spill: 'can' | 'only', sendto?: MemberId): void {
    this.#options.link.send({
      type: 'talk_request',
      ...(sendto === undefined ? {} : { sendto }),
      ...(this.#room.stream === undefined ? {} : { spill }),
      ...(this.#room.maxHandOn === 0 ? {} : { relays: true }),
    });
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
    const { link, peers = browserPeers, linked } = this.#options;
    const handed = this.#parent?.id === from;
    if (!handed) this.#orphan();
    if (!handed && this.#view !== undefined && this.#view.id !== from) this.#drop('connecting');
    this.#unlink();
    const tracks: MediaStreamTrack[] = [];
    const made = new PeerLink(peers(this.#room), {
      candidate: ({ candidate, sdpMid, sdpMLineIndex }) =>
        link.send({ type: 'candidate', sendto: from, candidate, sdpMid, sdpMLineIndex }),
      state: (state) => {
        if (this.#talk?.link !== made) return;
        if (state === 'connected') this.#take(tracks, handed ? 'watcher' : 'talker');
        else if (state === 'failed') this.#failed(from);
      },
    });
    made.peer.addEventListener('track', ({ track }) => void tracks.push(track));
    this.#talk = { id: from, link: made };
    if (!this.#shown.present) this.#options.changed('connecting');
    // Channels are the talker's; over another they would have to be passed on step by step.
    if (!handed) linked?.(from, made.peer);
  }

  /** What is shown stays, standing still, until the picture comes another way. */
  #failed(from: MemberId): void {
    this.#unlink();
    const talker = this.#parent?.id === from ? this.#parent.talker : from;
    this.#orphan();
    if (this.#view !== undefined) return;
    if (this.#room.stream === undefined) {
      this.#drop('waiting');
      this.request();
    } else this.#ask('only', talker);
  }

  /** The picture is to come from another watcher; if it does not, over the server. */
  #await(parent: MemberId, talker: MemberId): void {
    this.#orphan();
    this.#parent = { id: parent, talker, timer: setTimeout(() => this.#failed(parent), HANDED_MS) };
    if (!this.#shown.present) this.#options.changed('connecting');
  }

  #orphan(): void {
    clearTimeout(this.#parent?.timer);
    this.#parent = undefined;
  }

  #spill(from: MemberId): void {
    const { stream } = this.#room;
    if (stream === undefined || this.#view?.id === from) return;
    this.#view?.server.close();
    const { peers = browserPeers, view = (options) => new ServerView(options) } = this.#options;
    const server = view({
      stream,
      ice: this.#room,
      peers,
      arrived: (tracks) => {
        if (this.#view?.server === server) this.#take(tracks, 'server');
      },
      refused: () => {
        if (this.#view?.server === server) this.#refused(from);
      },
    });
    this.#view = { id: from, server };
    if (!this.#shown.present) this.#options.changed('connecting');
  }

  /** The server's picture is not for this browser: who has the talker's keeps that, the others are told. */
  #refused(from: MemberId): void {
    this.#view = undefined;
    if (this.#talk !== undefined) return;
    this.#drop('unplayable');
    this.#options.link.send({ type: 'bye', sendto: from });
  }

  /** The picture comes from `way` now; the other way is let go of once it does. */
  #take(tracks: readonly MediaStreamTrack[], way: WatcherWay): void {
    this.#shown.take(tracks, () => {
      this.#handOn.tracks = tracks;
      clearTimeout(this.#parent?.timer);
      if (way === 'server') this.#unlink();
      else {
        this.#view?.server.close();
        this.#view = undefined;
      }
      this.#options.changed('watching', way);
    });
  }

  #unlink(): void {
    const talk = this.#talk;
    this.#talk = undefined;
    if (talk === undefined) return;
    this.#options.unlinked?.(talk.id, talk.link.peer);
    talk.link.close();
  }

  #drop(state: WatcherState, full?: MemberId): void {
    this.#asked = full;
    this.#unlink();
    this.#view?.server.close();
    this.#view = undefined;
    this.#orphan();
    this.#handOn.close();
    this.#shown.clear();
    this.#options.changed(state);
  }
}

/** True if an offer belongs to the session that the connection has (RFC 8866 §5.2: the id in the `o=` line). */
function continues(peer: RTCPeerConnection, sdp: string): boolean {
  const session = (text: string | undefined): string | undefined => /^o=\S+ (\d+)/m.exec(text ?? '')?.[1];
  return session(peer.remoteDescription?.sdp) === session(sdp);
}
