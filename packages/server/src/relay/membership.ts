import type { RelayAnnounce } from '@onair/contracts/relay';
import { abort, finish, rescue, settle } from './moves.ts';
import type { RelayPeer } from './peer.ts';
import { roomOf, send, sizeRoot, type Turn } from './state.ts';

/** A peer comes, comes back, or tells a restarted coordinator where it is. */
export function announce(turn: Turn, said: Omit<RelayAnnounce, 'type' | 'secret'>): void {
  const { state, now } = turn;
  const { tree, policy } = state;
  const { relayable, capacity, rtt, uplink } = said;
  const facts = { relayable, capacity, rtt, uplink };
  const known = tree.find(said.uuid);
  if (known !== undefined) {
    known.facts = facts;
    hear(turn, known);
    returned(turn, known, said);
    return;
  }
  const recovering = now < state.adoptUntil;
  const parent = tree.find(said.parent_uuid);
  const claims = said.parent_uuid !== tree.root.uuid;
  if (tree.size >= policy.maxPeers) {
    turn.out.push({ to: said.uuid, message: { type: 'full' } });
    return;
  }
  const held = recovering && claims;
  const peer = tree.add(said.uuid, facts, held ? 'claimed' : 'direct');
  if (state.flaps.count(said.uuid, now) >= policy.flaps) peer.probation = now + policy.probationMs;
  tree.setRoom(peer, roomOf(state, peer, now));
  hear(turn, peer);
  sizeRoot(state);
  if (recovering) state.claims.set(said.uuid, new Set(said.children_uuid));
  if (!held) welcome(turn, peer);
  else if (parent !== undefined) adopt(turn, parent, peer);
  else {
    const waiting = state.awaiting.get(said.parent_uuid) ?? new Set();
    state.awaiting.set(said.parent_uuid, waiting.add(peer));
  }
  for (const child of state.awaiting.get(said.uuid) ?? []) adopt(turn, peer, child);
  state.awaiting.delete(said.uuid);
}

/** A peer is gone: its children are fed by the server at once, then find their places. */
export function leave(turn: Turn, peer: RelayPeer): void {
  const { state, now } = turn;
  const { tree } = state;
  const children = [...peer.children];
  tree.setRoom(peer, 0);
  if (peer.move !== undefined) {
    const { target } = finish(turn, peer);
    send(turn, target, { type: 'release', child_uuid: peer.uuid });
  }
  for (const child of children) rescue(turn, child);
  send(turn, peer.parent!, { type: 'release', child_uuid: peer.uuid });
  const coming = peer.taken > 0 ? [...state.moving].filter(({ move }) => move!.target === peer) : [];
  tree.remove(peer);
  state.heard.delete(peer);
  state.promised.delete(peer);
  state.awaiting.get(peer.uuid)?.clear();
  state.claims.delete(peer.uuid);
  state.flaps.add(peer.uuid, now, now);
  sizeRoot(state);
  for (const child of coming) abort(turn, child);
  for (const child of children) settle(turn, child, peer);
}

/** The time in which claims are believed is over: who is still unknown to its parent is fed by the server. */
export function endRecovery(turn: Turn): void {
  const { state } = turn;
  for (const waiting of state.awaiting.values()) {
    for (const peer of waiting) if (peer.place === 'claimed') reclaim(turn, peer);
  }
  state.awaiting.clear();
  state.claims.clear();
}

/** Notes a sign of life. */
export function hear({ state, now }: Turn, peer: RelayPeer): void {
  state.heard.delete(peer);
  state.heard.set(peer, now);
}

/** A newcomer is fed by the server until it has a place; if there is neither, it is turned away. */
function welcome(turn: Turn, peer: RelayPeer): void {
  const { state } = turn;
  const crowded = state.tree.direct.size > state.policy.maxDirect;
  send(turn, peer, { type: 'feed' });
  settle(turn, peer);
  if (!crowded || peer.place !== 'direct' || peer.move !== undefined || state.promised.has(peer)) return;
  turn.out.length = 0;
  state.tree.remove(peer);
  state.heard.delete(peer);
  sizeRoot(state);
  send(turn, peer, { type: 'full' });
}

/** A peer that never left in our eyes has a new socket: attempts on the old one are void. */
function returned(turn: Turn, peer: RelayPeer, said: Omit<RelayAnnounce, 'type' | 'secret'>): void {
  const parent = peer.parent!;
  if (peer.move !== undefined) abort(turn, peer);
  if (peer.place === 'claimed') return;
  if (parent.uuid === said.parent_uuid) {
    if (parent === turn.state.tree.root) send(turn, peer, { type: 'feed' });
    return;
  }
  send(turn, parent, { type: 'release', child_uuid: peer.uuid });
  rescue(turn, peer);
  settle(turn, peer);
}

/** Parent and child were found after a restart. They stay together if both say so and the tree allows it. */
function adopt(turn: Turn, parent: RelayPeer, child: RelayPeer): void {
  const { state } = turn;
  const { tree, policy } = state;
  if (child.place !== 'claimed') return;
  const right =
    state.claims.get(parent.uuid)?.has(child.uuid) === true &&
    parent.taken < policy.maxChildren &&
    parent.depth + 1 + child.height <= policy.maxDepth &&
    !tree.isBelow(parent, child);
  if (right) tree.attach(child, parent, 'slot');
  else reclaim(turn, child, parent);
}

function reclaim(turn: Turn, peer: RelayPeer, parent?: RelayPeer): void {
  if (parent !== undefined) send(turn, parent, { type: 'release', child_uuid: peer.uuid });
  rescue(turn, peer);
  settle(turn, peer, parent);
}
