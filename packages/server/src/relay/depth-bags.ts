import type { RelayPeer } from './peer.ts';

/** Peers by depth, to draw from at random. Adding, removing and drawing take constant time. */
export class DepthBags {
  readonly #bags: RelayPeer[][] = [];
  readonly #places = new Map<RelayPeer, { bag: RelayPeer[]; at: number }>();

  /** Puts a peer where it belongs now, or takes it out. */
  set(peer: RelayPeer, belongs: boolean): void {
    const place = this.#places.get(peer);
    if (!belongs) {
      if (place !== undefined) this.#take(peer, place);
      return;
    }
    this.#bags[peer.depth] ??= [];
    const bag = this.#bags[peer.depth]!;
    if (place?.bag === bag) return;
    if (place !== undefined) this.#take(peer, place);
    this.#places.set(peer, { bag, at: bag.push(peer) - 1 });
  }

  /** The peers at a depth, in no order. */
  at(depth: number): readonly RelayPeer[] {
    return this.#bags[depth] ?? [];
  }

  #take(peer: RelayPeer, { bag, at }: { bag: RelayPeer[]; at: number }): void {
    const last = bag.pop()!;
    if (last !== peer) {
      bag[at] = last;
      this.#places.get(last)!.at = at;
    }
    this.#places.delete(peer);
  }
}
