import type { RelayPeer } from './peer.ts';
import type { RelayPolicy } from './policy.ts';
import type { RelayTree } from './tree.ts';

/** How many parents are looked at before one is chosen. */
const CANDIDATES = 8;
/** From so many children on a peer is worth making room for near the root. */
const STRONG_ROOM = 3;

/** What a choice may depend on besides the tree. */
export interface PlacementOptions {
  readonly policy: RelayPolicy;
  readonly random: () => number;
  /** A parent that just failed this peer. */
  readonly avoid?: RelayPeer | undefined;
}

/**
 * The parent for a peer and what hangs below it: of the shallowest ones with a free slot the nearest to the peer.
 * Undefined if the tree is full.
 */
export function chooseParent(
  tree: RelayTree,
  peer: RelayPeer,
  options: PlacementOptions,
): RelayPeer | undefined {
  const deepest = options.policy.maxDepth - 1 - peer.height;
  // The few places at the server are for those who can pass the stream on.
  const first = peer.room === 0 && peer.taken === 0 ? 1 : 0;
  for (let depth = first; depth <= deepest; depth++) {
    const found = nearest(tree, peer, tree.free.at(depth), options);
    if (found !== undefined) return found;
  }
  return first === 1 && deepest >= 0 ? nearest(tree, peer, tree.free.at(0), options) : undefined;
}

/**
 * A peer that should give its place to `peer`, and where it goes: one that serves nobody and sits higher than `peer`
 * would otherwise come. Undefined if nothing is won by it.
 */
export function chooseToYield(
  tree: RelayTree,
  peer: RelayPeer,
  parent: RelayPeer | undefined,
  options: PlacementOptions,
): { readonly weak: RelayPeer; readonly target: RelayPeer } | undefined {
  if (peer.room < STRONG_ROOM && peer.height === 0) return undefined;
  const { maxDepth } = options.policy;
  const depth = Math.min(parent === undefined ? maxDepth : parent.depth, maxDepth - peer.height);
  for (let at = 1; at <= depth; at++) {
    const bag = tree.weak.at(at);
    if (bag.length === 0) continue;
    const weak = bag[Math.floor(options.random() * bag.length)]!;
    if (peer.taken < peer.room) return { weak, target: peer };
    const target = chooseParent(tree, weak, options);
    if (target !== undefined && target.depth >= weak.depth) return { weak, target };
  }
  return undefined;
}

function nearest(
  tree: RelayTree,
  peer: RelayPeer,
  bag: readonly RelayPeer[],
  { random, avoid }: PlacementOptions,
): RelayPeer | undefined {
  let best: RelayPeer | undefined;
  let bestScore = Infinity;
  const every = bag.length <= CANDIDATES;
  for (let look = 0; look < Math.min(bag.length, CANDIDATES); look++) {
    const parent = bag[every ? look : Math.floor(random() * bag.length)]!;
    if (parent === avoid || (parent === peer.parent && peer.place === 'slot')) continue;
    const score = parent.facts.rtt - 5 * (parent.room - parent.taken);
    if (score >= bestScore || !tree.isSteady(parent) || tree.isBelow(parent, peer)) continue;
    best = parent;
    bestScore = score;
  }
  return best;
}
