import { RELAY_ROOT, type RelayFacts, type RelayNode, type RelayUuid } from '@onair/contracts/relay';

/**
 * How a peer hangs below its parent: `slot` for good; `direct` fed by the server until a place is found; `claimed` said
 * after a restart of the coordinator that a peer feeds it which has not announced itself yet.
 */
export type RelayPlace = 'slot' | 'direct' | 'claimed';

/** A peer on its way to another parent, which keeps a slot for it. The old parent feeds on till then. */
export interface RelayMove {
  readonly target: RelayPeer;
  /** Number by which late answers are told from present ones. */
  readonly attempt: number;
  /** When it began, in milliseconds of the coordinator's clock. */
  readonly since: number;
  /** Who gets the slot that becomes free. */
  readonly successor: RelayPeer | undefined;
}

/** A node of the tree. Only the tree and the coordinator write to it. */
export interface RelayPeer {
  readonly uuid: RelayUuid;
  facts: RelayFacts;
  /** Undefined for the server only. */
  parent: RelayPeer | undefined;
  readonly children: Set<RelayPeer>;
  place: RelayPlace;
  depth: number;
  /** Hops down to the deepest descendant. */
  height: number;
  /** True if every node up to the server, this one included, has its place for good. */
  settled: boolean;
  /** How many children it may have now. */
  room: number;
  /** Children that hold a slot, and slots kept for peers on their way. */
  taken: number;
  move: RelayMove | undefined;
  /** Until when it gets no children, in milliseconds of the coordinator's clock. */
  probation: number;
  /** Until when it stays with the server, since no parent would do. */
  waits: number;
}

/** A node without parent and children. */
export function createPeer(uuid: RelayUuid, facts: RelayFacts): RelayPeer {
  return {
    uuid,
    facts,
    parent: undefined,
    children: new Set(),
    place: 'direct',
    depth: 0,
    height: 0,
    settled: false,
    room: 0,
    taken: 0,
    move: undefined,
    probation: 0,
    waits: 0,
  };
}

/** A peer as the API shows it. */
export function nodeOf(peer: RelayPeer): RelayNode {
  return {
    uuid: peer.uuid,
    parent_uuid: peer.parent?.uuid ?? RELAY_ROOT,
    children_uuid: [...peer.children].map(({ uuid }) => uuid),
    depth: peer.depth,
    ...peer.facts,
  };
}
