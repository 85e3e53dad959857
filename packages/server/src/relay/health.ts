import type { RelayFacts, RelayLoss } from '@onair/contracts/relay';
import { endRecovery, hear, leave } from './membership.ts';
import { abort, rescue, settle, shift } from './moves.ts';
import type { RelayPeer } from './peer.ts';
import { roomOf, send, type Turn } from './state.ts';

/** At most so many waiting peers are looked at per tick, so that no tick is long. */
const PLACED_PER_TICK = 64;

/** New facts of a peer. If it can serve fewer than it does, some of its children move on. */
export function report(turn: Turn, peer: RelayPeer, facts: RelayFacts): void {
  const { state, now } = turn;
  peer.facts = facts;
  hear(turn, peer);
  const room = roomOf(state, peer, now);
  // Who sheds children must prove itself before it gets new ones, or a wavering uplink would move them to and fro.
  if (room < peer.taken) peer.probation = now + state.policy.probationMs;
  state.tree.setRoom(peer, room);
  let excess = peer.taken - room;
  if (excess <= 0) return;
  for (const child of [...peer.children].sort((a, b) => a.height - b.height)) {
    if (excess-- <= 0) return;
    shift(turn, child);
  }
}

/** A child gave its parent up. */
export function lost(turn: Turn, child: RelayPeer, parent: RelayPeer | undefined, reason: RelayLoss): void {
  const { state, now } = turn;
  if (parent === undefined || child.parent !== parent || parent === state.tree.root) return;
  // A parent whose own feed is being mended is late without fault, and so is everybody without a publisher.
  const fault = reason !== 'closed' && parent.settled && state.source;
  send(turn, parent, { type: 'release', child_uuid: child.uuid });
  rescue(turn, child);
  if (complain(turn, child, parent)) child.waits = now + state.policy.probationMs;
  else if (fault && blame(turn, parent, child)) {
    state.tree.setRoom(parent, 0);
    const others = [...parent.children];
    for (const other of others) {
      send(turn, parent, { type: 'release', child_uuid: other.uuid });
      rescue(turn, other);
    }
    for (const other of others) settle(turn, other, parent);
  }
  settle(turn, child, parent);
}

/** A peer could not reach the parent it was sent to. */
export function failed(turn: Turn, peer: RelayPeer): void {
  const { target } = peer.move!;
  if (complain(turn, peer, target)) peer.waits = turn.now + turn.state.policy.probationMs;
  else if (blame(turn, target, peer)) turn.state.tree.setRoom(target, target.children.size);
  abort(turn, peer);
}

/** What falls due with time. */
export function tick(turn: Turn): void {
  const { state, now } = turn;
  const { policy, tree } = state;
  if (now >= state.adoptUntil && (state.awaiting.size > 0 || state.claims.size > 0)) endRecovery(turn);
  for (const [peer, at] of state.heard) {
    if (now - at <= policy.silentMs) break;
    leave(turn, peer);
  }
  for (const peer of state.moving) {
    if (now - peer.move!.since <= policy.connectMs) break;
    failed(turn, peer);
  }
  let looks = Math.min(tree.direct.size, PLACED_PER_TICK);
  for (const peer of tree.direct) {
    if (looks-- <= 0) break;
    // To the end of the line, so that everybody's turn comes.
    tree.direct.delete(peer);
    tree.direct.add(peer);
    settle(turn, peer);
  }
}

/** Notes that `child` speaks ill of `parent`. True if it does so of everybody, so that it is not believed. */
function complain({ state, now }: Turn, child: RelayPeer, parent: RelayPeer): boolean {
  return state.complaints.add(child.uuid, parent.uuid, now) >= state.policy.complaints;
}

/** Holds a fault against a parent. True if that was one too many: it is on probation now. */
function blame({ state, now }: Turn, parent: RelayPeer, child: RelayPeer): boolean {
  if (state.blames.add(parent.uuid, child.uuid, now) < state.policy.blames) return false;
  parent.probation = now + state.policy.probationMs;
  return true;
}
