import {
  type Aside,
  type ChatAside,
  type FileAside,
  isFileStep,
  type MemberId,
  type REACTIONS,
  type RoomWelcome,
} from '@onair/contracts/rooms';
import { channelWay, type FileDelivery, serverWay } from './part-ways.ts';
import { type FileView, RoomFiles } from './room-files.ts';
import type { HeardMessage, RoomLink } from './room-link.ts';
import { SideChannels } from './side-channels.ts';

/** Words as the page shows them. */
export interface SaidText {
  readonly id: string;
  readonly name: string | undefined;
  readonly text: string;
  /** True for one's own. */
  readonly own: boolean;
}

/** What {@link Asides} is made with. */
export interface AsidesOptions {
  readonly link: RoomLink;
  readonly talks: boolean;
  /** On the talker's side: true if there are watchers without a channel, who are reached over the server. */
  hasOthers?(): boolean;
  said(text: SaidText): void;
  reacted(sign: (typeof REACTIONS)[number]): void;
  files(files: readonly FileView[]): void;
}

/** Ids of what was heard last, so that nothing is heard twice. */
const MAX_KNOWN = 2000;

/**
 * Chat, reactions and files beside the picture: over data channels to the talker, who passes them on, and over the
 * server wherever there is no channel.
 */
export class Asides {
  readonly #options: AsidesOptions;
  readonly #channels: SideChannels;
  readonly #files: RoomFiles;
  readonly #known = new Set<string>();
  #talker: MemberId | undefined;
  #relayed: RoomWelcome['relayed'] = { fileBytes: 0, perSecond: 1 };

  constructor(options: AsidesOptions) {
    this.#options = options;
    this.#channels = new SideChannels({
      heard: (from, aside) => this.#heard(from, aside, true),
      fileChannel: (from, file, channel) => this.#files.channel(from, file, channel),
    });
    this.#files = new RoomFiles({
      post: (to, step) => this.#post(to, step),
      open: (to, { id, size }, delivery) => {
        const channel = this.#channels.openFile(to, id, delivery);
        if (channel !== undefined) return channelWay(channel);
        if (size > this.#relayed.fileBytes) return undefined;
        return serverWay(this.#relayed.perSecond, (index, data) =>
          options.link.send({ type: 'file_part', id, index, data, sendto: to }),
        );
      },
      changed: options.files,
    });
  }

  /** In the room, perhaps again. */
  entered({ relayed }: RoomWelcome): void {
    this.#relayed = relayed;
    this.#talker = undefined;
  }

  /** A connection begins; see `linked` of the talker and the watcher. */
  attach(id: MemberId, peer: RTCPeerConnection): void {
    this.#channels.attach(id, peer, this.#options.talks);
  }

  /** A connection is over. */
  detach(id: MemberId, peer: RTCPeerConnection): void {
    if (this.#channels.detach(id, peer)) this.#files.gone(id);
  }

  /** Takes a message of the room. */
  hear(message: HeardMessage): void {
    const { from, sendto: _, ...aside } = message;
    switch (aside.type) {
      case 'talk_ready':
      case 'offer':
      case 'spill':
      case 'relay':
        this.#talker = from;
        return;
      case 'end_talk':
        this.left(from);
        return;
      case 'talk_request':
      case 'answer':
      case 'candidate':
      case 'bye':
        return;
      default:
        this.#heard(from, aside, false);
    }
  }

  /** A member is gone. */
  left(id: MemberId): void {
    if (this.#talker === id) this.#talker = undefined;
    this.#files.gone(id);
  }

  /** Says something to the room. */
  chat(text: string, name: string | undefined): void {
    const id = newId();
    this.#say({ type: 'chat', id, text, ...(name === undefined || name === '' ? {} : { name }) });
    this.#options.said({ id, name, text, own: true });
  }

  /** Gives a sign to the room. */
  react(sign: (typeof REACTIONS)[number]): void {
    this.#say({ type: 'reaction', id: newId(), sign });
    this.#options.reacted(sign);
  }

  /** Offers a file: the talker to all watchers, a watcher to the talker. False if it cannot be. */
  offer(file: File, delivery: FileDelivery): boolean {
    const { talks, link, hasOthers } = this.#options;
    if (!talks && this.#talker === undefined) return false;
    const step = this.#files.offer(file, newId(), delivery);
    if (step === undefined) return false;
    if (!talks) this.#post(this.#talker!, step);
    else {
      this.#channels.broadcast(step);
      if (hasOthers?.() === true) link.send(step);
    }
    return true;
  }

  accept(id: string): void {
    this.#files.accept(id);
  }

  refuse(id: string): void {
    this.#files.refuse(id);
  }

  /** Ends all transfers. */
  close(): void {
    this.#files.close();
  }

  #say(aside: ChatAside): void {
    this.#isNew(aside.id);
    const { talks, link } = this.#options;
    if (talks) this.#pass(aside);
    else if (this.#talker === undefined || !this.#channels.send(this.#talker, aside)) link.send(aside);
  }

  /** To everybody, on the talker's side. */
  #pass(aside: ChatAside, except?: MemberId): void {
    this.#channels.broadcast(aside, except);
    // Without any watcher there may be others still who wait.
    if (this.#options.hasOthers?.() !== false) this.#options.link.send(aside);
  }

  #post(to: MemberId, step: FileAside): void {
    if (!this.#channels.send(to, step)) this.#options.link.send({ ...step, sendto: to });
  }

  #heard(from: MemberId, aside: Aside, direct: boolean): void {
    if (aside.type === 'file_part') {
      this.#files.part(from, aside);
    } else if (aside.type === 'file_offer' || isFileStep(aside.type)) {
      this.#files.hear(from, aside as FileAside);
    } else {
      const said = aside as ChatAside;
      if (!this.#isNew(said.id)) return;
      // What came over the server went to everybody already.
      if (direct && this.#options.talks) this.#pass(said, from);
      if (said.type === 'reaction') this.#options.reacted(said.sign);
      else this.#options.said({ id: said.id, name: said.name, text: said.text, own: false });
    }
  }

  #isNew(id: string): boolean {
    if (this.#known.has(id)) return false;
    this.#known.add(id);
    if (this.#known.size > MAX_KNOWN) {
      const [oldest] = this.#known;
      if (oldest !== undefined) this.#known.delete(oldest);
    }
    return true;
  }
}

/** An id that nobody else has; `randomUUID` is there in secure contexts alone. */
function newId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
