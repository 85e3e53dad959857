import type { MemberId } from '@onair/contracts/rooms';

/** Connections that a picture may go over from the talker: each one decodes and encodes it anew. */
const MAX_DEPTH = 4;

interface Node {
  /** Undefined for who is served by the talker. */
  parent: MemberId | undefined;
  /** It can hand the picture on, and sees it. */
  relays: boolean;
}

/** Who gets the picture from whom. The talker's view; knows no connections. */
export class HandOnTree {
  readonly #nodes = new Map<MemberId, Node>();

  /** How many get the picture from another watcher. */
  get handedOn(): number {
    let count = 0;
    for (const { parent } of this.#nodes.values()) if (parent !== undefined) count++;
    return count;
  }

  /** Puts a member below `parent`, or below the talker. What is below the member stays there. */
  set(id: MemberId, parent: MemberId | undefined, relays: boolean): void {
    this.#nodes.set(id, { parent, relays });
  }

  /** It sees the picture: from now on it may hand it on, if it can. */
  arrived(id: MemberId, relays: boolean): void {
    const node = this.#nodes.get(id);
    if (node !== undefined) node.relays = relays;
  }

  /** Takes a member out. Those below it go on asking for the talker by themselves. */
  remove(id: MemberId): void {
    this.#nodes.delete(id);
  }

  clear(): void {
    this.#nodes.clear();
  }

  /** The parent of a member, if it gets the picture from another watcher. */
  parentOf(id: MemberId): MemberId | undefined {
    return this.#nodes.get(id)?.parent;
  }

  /** Who can take one more below it: the one nearest to the talker, never one that is below `id` itself. */
  placeFor(id: MemberId, maxChildren: number): MemberId | undefined {
    let best: { readonly id: MemberId; readonly depth: number } | undefined;
    for (const [candidate, { relays }] of this.#nodes) {
      if (!relays || this.#children(candidate) >= maxChildren) continue;
      const depth = this.#depth(candidate, id);
      if (depth === undefined || depth + this.#height(id) > MAX_DEPTH) continue;
      if (best === undefined || depth < best.depth) best = { id: candidate, depth };
    }
    return best?.id;
  }

  #children(id: MemberId): number {
    let count = 0;
    for (const { parent } of this.#nodes.values()) if (parent === id) count++;
    return count;
  }

  /** Connections from the talker to `id`; undefined if it is `below`, or hangs on it or on nobody. */
  #depth(id: MemberId, below: MemberId): number | undefined {
    let depth = 1;
    for (let at: MemberId | undefined = id; ; depth++) {
      const node: Node | undefined = this.#nodes.get(at);
      if (node === undefined || at === below || depth > this.#nodes.size) return undefined;
      at = node.parent;
      if (at === undefined) return depth;
    }
  }

  /** Levels that a member and those below it take. */
  #height(id: MemberId, bound = MAX_DEPTH): number {
    if (bound <= 0) return 1;
    let height = 0;
    for (const [child, { parent }] of this.#nodes) {
      if (parent === id) height = Math.max(height, this.#height(child, bound - 1));
    }
    return 1 + height;
  }
}
