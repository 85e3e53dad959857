/** How a relay tree is built. Times in milliseconds. */
export interface RelayPolicy {
  /** Bits per second of one child. */
  readonly bitrate: number;
  /** Deepest allowed place; the server has depth 0. */
  readonly maxDepth: number;
  /** Most children of one peer. */
  readonly maxChildren: number;
  /** Share of a measured uplink that is used. */
  readonly uplinkShare: number;
  /** Peers that the server feeds for good: this share of all, within the two bounds. */
  readonly rootShare: number;
  readonly minRootSlots: number;
  readonly maxRootSlots: number;
  /** Peers that the server feeds besides those, until they find a place. */
  readonly maxDirect: number;
  /** How long a peer may take to reach a parent. */
  readonly connectMs: number;
  /** A peer not heard for so long is gone. */
  readonly silentMs: number;
  /** How long after a start of the coordinator peers may name parents that have not announced themselves yet. */
  readonly adoptMs: number;
  /** How long a peer that was blamed, flapped, or lost uplink stays without new children. */
  readonly probationMs: number;
  /** A peer that so many children complain of within `probationMs` is put on probation. */
  readonly blames: number;
  /** A peer that finds fault with so many parents within `probationMs` stays with the server for as long. */
  readonly complaints: number;
  /** A peer that leaves so often within `probationMs` gets no children. */
  readonly flaps: number;
  /** Most peers of one tree. */
  readonly maxPeers: number;
}

/** What holds where nothing else is set. */
export const DEFAULT_RELAY_POLICY: RelayPolicy = {
  bitrate: 2_000_000,
  maxDepth: 8,
  maxChildren: 12,
  uplinkShare: 0.7,
  rootShare: 0.04,
  minRootSlots: 2,
  maxRootSlots: 64,
  maxDirect: 500,
  connectMs: 4_000,
  silentMs: 6_000,
  adoptMs: 3_000,
  probationMs: 30_000,
  blames: 2,
  complaints: 5,
  flaps: 3,
  maxPeers: 20_000,
};
