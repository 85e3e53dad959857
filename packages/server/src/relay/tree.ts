import { RELAY_ROOT, type RelayFacts, type RelayUuid } from '@onair/contracts/relay';
import { DepthBags } from './depth-bags.ts';
import { createPeer, type RelayPeer, type RelayPlace } from './peer.ts';

/** Who feeds whom, with the server as root. Holds depths, heights and the lists from which places are drawn. */
export class RelayTree {
  /** The server. */
  readonly root: RelayPeer;
  /** Peers with a free slot below which a newcomer is safe. */
  readonly free = new DepthBags();
  /** Peers that serve nobody and cannot, so that a better one may take their place. */
  readonly weak = new DepthBags();
  /** Peers that the server feeds until they find a place. */
  readonly direct = new Set<RelayPeer>();
  readonly #peers = new Map<RelayUuid, RelayPeer>();

  constructor() {
    const facts: RelayFacts = { relayable: true, capacity: 0, rtt: 0, uplink: 0 };
    this.root = createPeer(RELAY_ROOT, facts);
    this.root.place = 'slot';
    this.root.settled = true;
  }

  /** How many peers there are, without the server. */
  get size(): number {
    return this.#peers.size;
  }

  get peers(): Iterable<RelayPeer> {
    return this.#peers.values();
  }

  find(uuid: RelayUuid): RelayPeer | undefined {
    return this.#peers.get(uuid);
  }

  /** A new peer, fed by the server. The name must not be taken. */
  add(uuid: RelayUuid, facts: RelayFacts, place: 'direct' | 'claimed'): RelayPeer {
    const peer = createPeer(uuid, facts);
    this.#peers.set(uuid, peer);
    this.attach(peer, this.root, place);
    return peer;
  }

  /** Takes out a peer without children. */
  remove(peer: RelayPeer): void {
    this.#detach(peer);
    // Late changes of its books must not bring it back into the lists.
    peer.settled = false;
    this.#peers.delete(peer.uuid);
    this.direct.delete(peer);
    this.free.set(peer, false);
    this.weak.set(peer, false);
  }

  /** Hangs a peer with all below it under `parent`, which must not be one of them. */
  attach(peer: RelayPeer, parent: RelayPeer, place: RelayPlace): void {
    this.#detach(peer);
    peer.parent = parent;
    peer.place = place;
    parent.children.add(peer);
    if (place === 'slot') parent.taken++;
    if (place === 'direct') this.direct.add(peer);
    else this.direct.delete(peer);
    this.#raise(parent);
    this.#lower(peer);
    this.index(parent);
  }

  /** Keeps a slot of `target` for a peer on its way (1), or gives it back (-1). */
  reserve(target: RelayPeer, change: 1 | -1): void {
    target.taken += change;
    this.index(target);
  }

  setRoom(peer: RelayPeer, room: number): void {
    if (peer.room === room) return;
    peer.room = room;
    this.index(peer);
  }

  /** True if `peer` is `ancestor` or below it. */
  isBelow(peer: RelayPeer, ancestor: RelayPeer): boolean {
    for (let at: RelayPeer | undefined = peer; at !== undefined; at = at.parent) {
      if (at === ancestor) return true;
    }
    return false;
  }

  /** True if neither the peer nor anybody above it is on its way: who comes below it cannot end up above it. */
  isSteady(peer: RelayPeer): boolean {
    for (let at: RelayPeer | undefined = peer; at !== undefined; at = at.parent) {
      if (at.move !== undefined) return false;
    }
    return true;
  }

  /** Brings the lists up to date after a change of the peer itself. */
  index(peer: RelayPeer): void {
    const still = peer.settled && peer.move === undefined;
    this.free.set(peer, still && peer.taken < peer.room);
    this.weak.set(peer, still && peer.room === 0 && peer.taken === 0 && peer !== this.root);
  }

  #detach(peer: RelayPeer): void {
    const { parent } = peer;
    if (parent === undefined) return;
    parent.children.delete(peer);
    if (peer.place === 'slot') parent.taken--;
    peer.parent = undefined;
    this.#raise(parent);
    this.index(parent);
  }

  /** Heights from here up. */
  #raise(peer: RelayPeer): void {
    for (let at = peer; at !== this.root; at = at.parent!) {
      let height = 0;
      for (const child of at.children) if (child.height >= height) height = child.height + 1;
      if (at.height === height) return;
      at.height = height;
      if (at.parent === undefined) return;
    }
  }

  /** Depths from here down. */
  #lower(peer: RelayPeer): void {
    const parent = peer.parent!;
    peer.depth = parent.depth + 1;
    peer.settled = parent.settled && peer.place === 'slot';
    this.index(peer);
    for (const child of peer.children) this.#lower(child);
  }
}
