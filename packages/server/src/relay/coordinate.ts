import type { RelayUuid } from '@onair/contracts/relay';
import type { RelayCommand, RelayContext, RelayEvent } from './events.ts';
import { failed, lost, report, tick } from './health.ts';
import { announce, hear, leave } from './membership.ts';
import { commit } from './moves.ts';
import type { RelayPeer } from './peer.ts';
import type { RelayState, Turn } from './state.ts';

/**
 * One step of a relay tree: what happened goes in, what is to be done comes out, and `state` is what holds afterwards.
 * There is no other input: the same events at the same times with the same random numbers give the same commands.
 * Events of peers that are not in the tree, and late answers, change nothing.
 */
export function coordinate(state: RelayState, event: RelayEvent, context: RelayContext): RelayCommand[] {
  const turn: Turn = { ...context, state, out: [] };
  switch (event.kind) {
    case 'announce':
      announce(turn, event);
      break;
    case 'source':
      state.source = event.present;
      break;
    case 'bitrate':
      // Rooms follow with each peer's next report, not all at once.
      state.policy = { ...state.policy, bitrate: Math.max(1, event.bitsPerSecond) };
      break;
    case 'tick':
      tick(turn);
      break;
    default: {
      const peer = state.tree.find(event.uuid);
      if (peer !== undefined) peerEvent(turn, peer, event);
    }
  }
  return turn.out;
}

type PeerEvent = Extract<RelayEvent, { readonly uuid: RelayUuid }>;

function peerEvent(turn: Turn, peer: RelayPeer, event: Exclude<PeerEvent, { kind: 'announce' }>): void {
  switch (event.kind) {
    case 'report':
      report(turn, peer, event.facts);
      return;
    case 'attached':
      hear(turn, peer);
      if (peer.move?.attempt === event.attempt) commit(turn, peer);
      return;
    case 'failed':
      hear(turn, peer);
      if (peer.move?.attempt === event.attempt) failed(turn, peer);
      return;
    case 'lost':
      hear(turn, peer);
      lost(turn, peer, turn.state.tree.find(event.parent), event.reason);
      return;
    case 'left':
      leave(turn, peer);
      return;
  }
}
