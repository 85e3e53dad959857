import type { RelayPeer } from './peer.ts';
import { chooseParent, chooseToYield } from './placement.ts';
import { send, type Turn } from './state.ts';

/** Finds a place for a peer that the server feeds for the time being; does nothing if one is on its way. */
export function settle(turn: Turn, peer: RelayPeer, avoid?: RelayPeer): void {
  const { state, now } = turn;
  if (peer.place !== 'direct' || peer.move !== undefined || now < peer.waits) return;
  if (state.promised.has(peer)) return;
  const options = { policy: state.policy, random: turn.random, avoid };
  const parent = chooseParent(state.tree, peer, options);
  if (parent === state.tree.root) {
    // The server feeds it already.
    state.tree.attach(peer, parent, 'slot');
    return;
  }
  const better = chooseToYield(state.tree, peer, parent, options);
  if (better !== undefined) {
    state.promised.add(peer);
    begin(turn, better.weak, better.target, peer);
  } else if (parent !== undefined) begin(turn, peer, parent);
}

/** Moves a peer away from a parent that still feeds it. It stays if there is no other. */
export function shift(turn: Turn, peer: RelayPeer): void {
  if (peer.move !== undefined) return;
  const { state } = turn;
  const options = { policy: state.policy, random: turn.random, avoid: peer.parent };
  const parent = chooseParent(state.tree, peer, options);
  if (parent !== undefined && parent !== state.tree.root) begin(turn, peer, parent);
}

/** Sends a peer to `target`, which keeps a slot for it. */
export function begin(turn: Turn, peer: RelayPeer, target: RelayPeer, successor?: RelayPeer): void {
  const { state, now } = turn;
  const attempt = ++state.attempts;
  state.tree.reserve(target, 1);
  peer.move = { target, attempt, since: now, successor };
  state.tree.index(peer);
  state.moving.add(peer);
  send(turn, target, { type: 'expect', child_uuid: peer.uuid, attempt });
  send(turn, peer, { type: 'connect', parent_uuid: target.uuid, attempt });
}

/** The peer is fed by its new parent: the tree follows, if that is still right. */
export function commit(turn: Turn, peer: RelayPeer): void {
  const { tree, policy } = turn.state;
  const { target, attempt, successor } = finish(turn, peer);
  const old = peer.parent!;
  // Meanwhile the target may have come below the peer, or deeper.
  if (tree.isBelow(target, peer) || target.depth + 1 + peer.height > policy.maxDepth) {
    send(turn, target, { type: 'release', child_uuid: peer.uuid });
    send(turn, peer, { type: 'cancel', attempt });
    tree.index(peer);
    settle(turn, peer, target);
    return;
  }
  tree.attach(peer, target, 'slot');
  send(turn, old, { type: 'release', child_uuid: peer.uuid });
  if (successor !== undefined && tree.find(successor.uuid) === successor) inherit(turn, successor, old);
}

/** Gives an attempt up. The peer stays where it is, or looks for another place if the server feeds it. */
export function abort(turn: Turn, peer: RelayPeer): void {
  const { target, attempt } = finish(turn, peer);
  send(turn, target, { type: 'release', child_uuid: peer.uuid });
  send(turn, peer, { type: 'cancel', attempt });
  turn.state.tree.index(peer);
  settle(turn, peer, target);
}

/** The peer's parent is of no use any more: the server feeds it from now on. `settle` comes after. */
export function rescue(turn: Turn, peer: RelayPeer): void {
  const { tree } = turn.state;
  tree.attach(peer, tree.root, 'direct');
  send(turn, peer, { type: 'feed' });
}

/** Ends the peer's attempt in the books and returns it. */
export function finish({ state }: Turn, peer: RelayPeer): NonNullable<RelayPeer['move']> {
  const move = peer.move!;
  peer.move = undefined;
  state.moving.delete(peer);
  state.tree.reserve(move.target, -1);
  if (move.successor !== undefined) state.promised.delete(move.successor);
  return move;
}

/** The successor takes the slot that became free under `parent`, unless things have changed. */
function inherit(turn: Turn, successor: RelayPeer, parent: RelayPeer): void {
  const { tree, policy } = turn.state;
  if (successor.place !== 'direct' || successor.move !== undefined) return;
  const fits =
    parent.settled &&
    parent.move === undefined &&
    parent.taken < parent.room &&
    parent.depth + 1 + successor.height <= policy.maxDepth;
  if (!fits) settle(turn, successor);
  else if (parent === tree.root) tree.attach(successor, parent, 'slot');
  else begin(turn, successor, parent);
}
