import type { RelayServerMessage, RelayUuid } from '@onair/contracts/relay';
import type { RelayCommand, RelayContext } from './events.ts';
import type { RelayPeer } from './peer.ts';
import { DEFAULT_RELAY_POLICY, type RelayPolicy } from './policy.ts';
import { Tally } from './tally.ts';
import { RelayTree } from './tree.ts';

/** All that is known of one relay tree. Changed by `coordinate` only; owns neither timers nor sockets. */
export interface RelayState {
  policy: RelayPolicy;
  readonly tree: RelayTree;
  /** Peers on their way, the longest first. */
  readonly moving: Set<RelayPeer>;
  /** When each peer was last heard, the longest silent first. */
  readonly heard: Map<RelayPeer, number>;
  /** Peers that wait for another to give its place to them. */
  readonly promised: Set<RelayPeer>;
  /** After a start: who said to be fed by a peer that is not there yet. */
  readonly awaiting: Map<RelayUuid, Set<RelayPeer>>;
  /** After a start: whom each peer said to feed. */
  readonly claims: Map<RelayUuid, ReadonlySet<RelayUuid>>;
  /** Parents by the children that complained. */
  readonly blames: Tally<RelayUuid, RelayUuid>;
  /** Children by the parents they found fault with. */
  readonly complaints: Tally<RelayUuid, RelayUuid>;
  /** Peers by when they left. */
  readonly flaps: Tally<RelayUuid, number>;
  /** False while the stream has no publisher. */
  source: boolean;
  attempts: number;
  /** Until when claims are believed, in milliseconds of the coordinator's clock. */
  readonly adoptUntil: number;
}

/** An empty tree. After a restart of the coordinator it fills by what the peers announce. */
export function createRelayState(now: number, policy: Partial<RelayPolicy> = {}): RelayState {
  const whole = { ...DEFAULT_RELAY_POLICY, ...policy };
  const state: RelayState = {
    policy: whole,
    tree: new RelayTree(),
    moving: new Set(),
    heard: new Map(),
    promised: new Set(),
    awaiting: new Map(),
    claims: new Map(),
    blames: new Tally(whole.probationMs),
    complaints: new Tally(whole.probationMs),
    flaps: new Tally(whole.probationMs),
    source: true,
    attempts: 0,
    adoptUntil: now + whole.adoptMs,
  };
  sizeRoot(state);
  return state;
}

/** One event being handled: the state, what decisions may depend on, and the commands so far. */
export interface Turn extends RelayContext {
  readonly state: RelayState;
  readonly out: RelayCommand[];
}

/** Adds a command for a peer or the server. */
export function send(turn: Turn, to: RelayPeer, message: RelayServerMessage): void {
  turn.out.push({ to: to.uuid, message });
}

/** The server's own children grow with the audience. */
export function sizeRoot({ tree, policy }: RelayState): void {
  const share = Math.ceil(tree.size * policy.rootShare);
  tree.setRoom(tree.root, Math.min(policy.maxRootSlots, Math.max(policy.minRootSlots, share)));
}

/** How many children a peer may have; on probation never more than before. */
export function roomOf({ policy }: RelayState, peer: RelayPeer, now: number): number {
  const { relayable, capacity, uplink } = peer.facts;
  if (!relayable) return 0;
  // Who has not measured its uplink yet is tried with one child.
  const carried = uplink === 0 ? 1 : Math.floor((uplink * policy.uplinkShare) / policy.bitrate);
  const room = Math.min(policy.maxChildren, capacity, carried);
  return now < peer.probation ? Math.min(room, peer.room) : room;
}
