import { type Aside, decodeAside, type MemberId } from '@onair/contracts/rooms';
import { FILE_DELIVERIES, type FileDelivery } from './part-ways.ts';

/** What comes over the channels. */
export interface SideChannelEvents {
  heard(from: MemberId, aside: Aside): void;
  /** Another opens a channel for the parts of a file. */
  fileChannel(from: MemberId, file: string, channel: RTCDataChannel): void;
}

/** Longest message on a channel in UTF-16 units. */
const MAX_TEXT = 16 * 1024;
/** Messages of one member per second that are listened to. */
const MAX_PER_SECOND = 40;
const FILE_LABEL = 'file ';

interface Side {
  readonly peer: RTCPeerConnection;
  chat: RTCDataChannel | undefined;
  reactions: RTCDataChannel | undefined;
  heard: { second: number; count: number };
}

/**
 * Data channels beside the picture, per connection: `chat`, reliable and in order, for words and the steps of files;
 * `reactions`, in no order and given up after three seconds; and one for each file. The talker opens the first two.
 */
export class SideChannels {
  readonly #events: SideChannelEvents;
  readonly #sides = new Map<MemberId, Side>();

  constructor(events: SideChannelEvents) {
    this.#events = events;
  }

  /** Uses a connection, which stays the caller's. @param opens true on the talker's side, before the offer. */
  attach(id: MemberId, peer: RTCPeerConnection, opens: boolean): void {
    const side: Side = { peer, chat: undefined, reactions: undefined, heard: { second: 0, count: 0 } };
    this.#sides.set(id, side);
    peer.addEventListener('datachannel', ({ channel }) => this.#came(id, side, channel));
    if (!opens) return;
    this.#came(id, side, peer.createDataChannel('chat'));
    this.#came(id, side, peer.createDataChannel('reactions', FILE_DELIVERIES.timed));
  }

  /** Lets go of a connection that is closed. */
  detach(id: MemberId, peer: RTCPeerConnection): boolean {
    return this.#sides.get(id)?.peer === peer && this.#sides.delete(id);
  }

  /** True if words get to this member over a channel. */
  reaches(id: MemberId): boolean {
    return this.#sides.get(id)?.chat?.readyState === 'open';
  }

  /** Says something to one member; false if there is no channel. */
  send(id: MemberId, aside: Aside): boolean {
    const side = this.#sides.get(id);
    const channel = aside.type === 'reaction' ? side?.reactions : side?.chat;
    if (channel?.readyState !== 'open') return false;
    try {
      channel.send(JSON.stringify(aside));
      return true;
    } catch {
      return false; // its buffer is full
    }
  }

  /** Says something to everybody with a channel but one. */
  broadcast(aside: Aside, except?: MemberId): void {
    for (const id of this.#sides.keys()) if (id !== except) this.send(id, aside);
  }

  /** Opens a channel for a file; undefined if there is no connection. */
  openFile(id: MemberId, file: string, delivery: FileDelivery): RTCDataChannel | undefined {
    if (!this.reaches(id)) return undefined;
    return this.#sides.get(id)?.peer.createDataChannel(FILE_LABEL + file, FILE_DELIVERIES[delivery]);
  }

  #came(id: MemberId, side: Side, channel: RTCDataChannel): void {
    channel.binaryType = 'arraybuffer';
    if (channel.label.startsWith(FILE_LABEL)) {
      this.#events.fileChannel(id, channel.label.slice(FILE_LABEL.length), channel);
      return;
    }
    if (channel.label === 'chat') side.chat = channel;
    else if (channel.label === 'reactions') side.reactions = channel;
    else {
      channel.close();
      return;
    }
    channel.addEventListener('message', ({ data }: MessageEvent<unknown>) => {
      if (typeof data !== 'string' || data.length > MAX_TEXT || isTooMuch(side)) return;
      let aside: Aside;
      try {
        aside = decodeAside(JSON.parse(data));
      } catch {
        return; // not as documented: passed over
      }
      if (this.#sides.get(id) === side) this.#events.heard(id, aside);
    });
  }
}

function isTooMuch({ heard }: Side): boolean {
  const second = Math.floor(performance.now() / 1000);
  if (heard.second !== second) Object.assign(heard, { second, count: 0 });
  return ++heard.count > MAX_PER_SECOND;
}
