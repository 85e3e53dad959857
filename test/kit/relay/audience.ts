import type { RelayServerMessage, RelayUuid } from '@onair/contracts/relay';
import { RELAY_ROOT } from '@onair/contracts/relay';
import type { RelayCommand, RelayEvent } from '../../../packages/server/src/relay/index.ts';
import type { Agenda } from './agenda.ts';
import { createSimPeer, drawFacts, type Ending, nextUuid, type SimPeer } from './sim-peer.ts';

/** Blocks and signs of life of a parent come so often, ms. */
const BEAT_MS = 33;
/** A parent not heard for so long is given up, ms (docs/protocols/relay.md). */
const LATE_MS = 100;
/** How often two peers cannot reach each other at all. */
const UNREACHABLE = 0.03;

/** What the viewers went through. Times in milliseconds. */
export interface Experience {
  /** Milliseconds of picture from the server and from peers, over all viewers. */
  serverMs: number;
  peerMs: number;
  /** Gap of each orphan, from the end of its parent to the first block from somebody else. */
  readonly gaps: number[];
  /** From the end of its parent until an orphan is fed by a peer again. */
  readonly homecomings: number[];
  full: number;
}

/** Viewers that do as `docs/protocols/relay.md` says, over links with delay. */
export class Audience {
  readonly peers = new Map<RelayUuid, SimPeer>();
  readonly seen: Experience = { serverMs: 0, peerMs: 0, gaps: [], homecomings: [], full: 0 };
  readonly #agenda: Agenda;
  readonly #random: () => number;
  readonly #tell: (event: RelayEvent) => void;
  readonly #fed = { server: 0, peer: 0, since: 0 };

  /** `tell` hands an event to the coordinator at once. */
  constructor(agenda: Agenda, random: () => number, tell: (event: RelayEvent) => void) {
    this.#agenda = agenda;
    this.#random = random;
    this.#tell = tell;
  }

  /** Somebody opens the page, or comes back under an old name. */
  join(uuid: RelayUuid = nextUuid()): SimPeer {
    const peer = createSimPeer(uuid, drawFacts(this.#random));
    this.peers.set(peer.uuid, peer);
    this.#agenda.in(peer.facts.rtt, () => this.announce(peer));
    this.#agenda.in(this.#random() * 2000 + peer.facts.rtt, () => this.#report(peer));
    return peer;
  }

  /** Says who and where the peer is. */
  announce(peer: SimPeer): void {
    peer.attempt = 0;
    if (!peer.alive) return;
    this.#tell({
      kind: 'announce',
      uuid: peer.uuid,
      parent_uuid: peer.source === 'server' || peer.source === undefined ? RELAY_ROOT : peer.source.uuid,
      children_uuid: [...peer.serving].map(({ uuid }) => uuid),
      ...peer.facts,
    });
  }

  /** The peer goes, or goes bad. */
  end(peer: SimPeer, how: Ending): void {
    if (!peer.alive) return;
    peer.serves = false;
    if (how !== 'mute') {
      this.#feed(peer, undefined);
      peer.alive = false;
      this.peers.delete(peer.uuid);
    }
    if (how === 'closed') this.#later(peer, { kind: 'left', uuid: peer.uuid });
    const children = [...peer.serving];
    peer.serving.clear();
    for (const child of children) {
      if (child.source === peer) this.#orphan(child, peer, how === 'closed' ? 'closed' : 'late');
    }
  }

  /** A command of the coordinator sets out. */
  deliver({ to, message }: RelayCommand): void {
    const peer = this.peers.get(to);
    if (peer === undefined) return;
    this.#agenda.in(peer.facts.rtt / 2, () => {
      if (peer.alive) this.#obey(peer, message);
    });
  }

  /** Adds up what flowed since the last change. */
  settleAccount(): void {
    const ms = this.#agenda.now - this.#fed.since;
    this.seen.serverMs += this.#fed.server * ms;
    this.seen.peerMs += this.#fed.peer * ms;
    this.#fed.since = this.#agenda.now;
  }

  #obey(peer: SimPeer, message: RelayServerMessage): void {
    switch (message.type) {
      case 'feed':
        this.#feed(peer, 'server');
        return;
      case 'connect':
        peer.attempt = message.attempt;
        this.#connect(peer, message.parent_uuid, message.attempt);
        return;
      case 'release': {
        const child = this.peers.get(message.child_uuid);
        if (child === undefined) return;
        peer.serving.delete(child);
        if (child.source === peer) this.#orphan(child, peer, 'closed');
        return;
      }
      case 'cancel':
        if (peer.attempt === message.attempt) peer.attempt = 0;
        else if (peer.attempt === -message.attempt && usable(peer.previous)) this.#feed(peer, peer.previous);
        return;
      case 'full':
        this.seen.full++;
        this.end(peer, 'cut');
        return;
      case 'expect':
    }
  }

  /** Offer and answer go by the server; then four round trips between the two for ICE, DTLS and SCTP. */
  #connect(peer: SimPeer, to: RelayUuid, attempt: number): void {
    const parent = this.peers.get(to);
    if (parent === undefined) return;
    const ms = 3 * (peer.facts.rtt + parent.facts.rtt);
    if (this.#random() < UNREACHABLE) {
      this.#agenda.in(ms + 1000, () => this.#later(peer, { kind: 'failed', uuid: peer.uuid, attempt }));
      return;
    }
    this.#agenda.in(ms, () => {
      if (!peer.alive || peer.attempt !== attempt || !parent.alive || !parent.serves) return;
      peer.attempt = -attempt;
      peer.previous = peer.source;
      parent.serving.add(peer);
      this.#feed(peer, parent);
      this.#later(peer, { kind: 'attached', uuid: peer.uuid, attempt });
    });
  }

  /** Nothing comes any more: the child notices, asks the server for the next block and reports. */
  #orphan(child: SimPeer, parent: SimPeer, reason: 'late' | 'closed'): void {
    this.#feed(child, undefined);
    child.orphanedAt = this.#agenda.now;
    const notice =
      reason === 'late' ? LATE_MS + this.#random() * BEAT_MS : (child.facts.rtt + parent.facts.rtt) / 4;
    this.#agenda.in(notice, () => {
      if (!child.alive) return;
      this.#later(child, { kind: 'lost', uuid: child.uuid, parent: parent.uuid, reason });
      this.#agenda.in(child.facts.rtt, () => {
        if (child.alive && child.source === undefined) this.#feed(child, 'server');
      });
    });
  }

  #feed(peer: SimPeer, source: SimPeer | 'server' | undefined): void {
    const { now } = this.#agenda;
    this.settleAccount();
    this.#count(peer.source, -1);
    this.#count(source, 1);
    peer.source = source;
    if (source === undefined) return;
    if (!Number.isNaN(peer.orphanedAt)) {
      this.seen.gaps.push(now - peer.orphanedAt);
      if (Number.isNaN(peer.rescuedAt)) peer.rescuedAt = peer.orphanedAt;
      peer.orphanedAt = Number.NaN;
    }
    if (source !== 'server' && !Number.isNaN(peer.rescuedAt)) {
      this.seen.homecomings.push(now - peer.rescuedAt);
      peer.rescuedAt = Number.NaN;
    }
  }

  #count(source: SimPeer['source'], change: number): void {
    if (source === 'server') this.#fed.server += change;
    else if (source !== undefined) this.#fed.peer += change;
  }

  #report(peer: SimPeer): void {
    if (!peer.alive) return;
    this.#tell({ kind: 'report', uuid: peer.uuid, facts: peer.facts });
    this.#agenda.in(2000, () => this.#report(peer));
  }

  /** An event sets out for the coordinator. */
  #later(peer: SimPeer, event: RelayEvent): void {
    this.#agenda.in(peer.facts.rtt / 2, () => this.#tell(event));
  }
}

function usable(source: SimPeer['source']): boolean {
  return source === 'server' || (source?.alive === true && source.serves);
}
