import type { RelayPeer } from './peer.ts';
import type { RelayState } from './state.ts';

/** What is wrong with a tree, in words; empty when all is well. For tests and the simulation. */
export function faultsOf(state: RelayState, peers: Iterable<RelayPeer> = state.tree.peers): string[] {
  const faults: string[] = [];
  for (const peer of peers) {
    const say = (what: string): void => void faults.push(`${peer.uuid} ${what}`);
    if (peer !== state.tree.root && state.tree.find(peer.uuid) === peer) inspect(state, peer, say);
    inspectChildren(peer, say);
  }
  return faults;
}

function inspect({ tree, policy, moving }: RelayState, peer: RelayPeer, say: (what: string) => void): void {
  const { parent, move } = peer;
  if (parent === undefined) {
    say('has no parent');
    return;
  }
  if (!parent.children.has(peer)) say('is unknown to its parent');
  let hops = 0;
  let settled = true;
  for (let at: RelayPeer | undefined = peer; at !== tree.root; at = at.parent) {
    if (at === undefined) {
      say('does not lead to the server');
      return;
    }
    settled &&= at.place === 'slot';
    if (++hops > policy.maxDepth) {
      say(`is deeper than ${policy.maxDepth}, or in a cycle`);
      return;
    }
  }
  if (peer.depth !== hops) say(`has depth ${hops}, not ${peer.depth}`);
  if (peer.settled !== settled) say(`is ${settled ? '' : 'not '}settled`);
  if (peer.place !== 'slot' && parent !== tree.root) say(`is ${peer.place} below a peer`);
  if ((peer.place === 'direct') !== tree.direct.has(peer)) say('is in the wrong list');
  if ((move !== undefined) !== moving.has(peer)) say('is on its way and is not');
  if (move !== undefined && tree.find(move.target.uuid) !== move.target) say('goes to somebody who left');
}

function inspectChildren(peer: RelayPeer, say: (what: string) => void): void {
  let slots = 0;
  for (const child of peer.children) {
    if (child.parent !== peer) say('has a child that has another parent');
    if (child.place === 'slot') slots++;
  }
  if (peer.taken < slots) say(`has ${slots} children and ${peer.taken} slots taken`);
}
