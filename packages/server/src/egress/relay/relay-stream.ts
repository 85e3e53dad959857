import {
  RELAY_ROOT,
  type RelayPeerMessage,
  type RelaySignal,
  type RelayTreeInfo,
  type RelayUuid,
} from '@onair/contracts/relay';
import type { IceServer } from '@onair/contracts/rooms';
import type { Stream } from '../../hub/index.ts';
import {
  coordinate,
  createRelayState,
  nodeOf,
  type RelayCommand,
  type RelayEvent,
  type RelayState,
} from '../../relay/index.ts';
import { TRY_LATER } from '../websocket/viewer-socket.ts';
import { passedOn } from './addresses.ts';
import { believedIntake } from './intake.ts';
import type { RelayMember } from './relay-member.ts';
import type { RelaySettings } from './settings.ts';

/** How long two peers may talk through the server after they were told of each other, ms. */
const SIGNAL_MS = 20_000;
/** A socket must say so soon who it is, ms. */
const NAMELESS_MS = 5_000;
/** A stream's bit rate counts from this on, bits per second: below it there is nothing to divide an uplink by. */
const LEAST_BITRATE = 50_000;

/** Two peers that may signal each other. */
interface Pair {
  readonly child: RelayUuid;
  readonly parent: RelayUuid;
  readonly until: number;
}

/** The tree of one stream: gives what its members say to the coordinator, and does what that wants. */
export class RelayStream {
  readonly stream: Stream;
  readonly #settings: () => RelaySettings;
  readonly #ice: () => readonly IceServer[];
  readonly #members = new Set<RelayMember>();
  /** Sockets that have not said who they are, by when they opened. */
  readonly #nameless = new Map<RelayMember, number>();
  readonly #byUuid = new Map<RelayUuid, RelayMember>();
  readonly #pairs = new Map<number, Pair>();
  readonly #state: RelayState;
  /** Bytes of those that left. */
  readonly #past = { blocks: 0, index: 0, relayed: 0 };
  #told: string;

  constructor(
    stream: Stream,
    { settings, ice }: { settings(): RelaySettings; ice(): readonly IceServer[] },
    now: number,
  ) {
    this.stream = stream;
    this.#settings = settings;
    this.#ice = ice;
    const { maxChildren, maxPeers } = settings();
    this.#state = createRelayState(now, { maxChildren, maxPeers });
    this.#told = stream.state;
    this.#give({ kind: 'source', present: stream.state === 'live' });
  }

  /** Sockets at present. */
  get size(): number {
    return this.#members.size;
  }

  /** Bytes of blocks that viewers got from each other, as they say. */
  get relayed(): number {
    let { relayed } = this.#past;
    for (const { intake } of this.#members) relayed += intake.peers;
    return relayed;
  }

  /** A socket opened. */
  opened(member: RelayMember): void {
    this.#members.add(member);
    this.#nameless.set(member, performance.now());
    const { addresses, silentMs, maxChildren, uploadBits } = this.#settings();
    const { state, until, name } = this.stream;
    const now = Date.now();
    member.send({
      type: 'hello',
      stream: name,
      state,
      ...(until === undefined ? {} : { until }),
      now,
      // Credentials are for this socket; the name in them is no secret and of no use elsewhere.
      iceServers: this.#ice(),
      addresses,
      silentMs,
      maxChildren,
      uploadBits,
    });
  }

  /** A member said something. @throws TypeError if it may not say it. */
  said(member: RelayMember, message: RelayPeerMessage): void {
    if (message.type === 'announce') {
      this.#announce(member, message);
      return;
    }
    const { uuid } = member;
    // Another socket of the same peer has taken over.
    if (uuid === undefined || this.#byUuid.get(uuid) !== member) return;
    switch (message.type) {
      case 'report': {
        const { relayable, capacity, rtt, uplink, taken } = message;
        if (taken !== undefined) {
          const published = this.stream.input.total - member.since;
          member.intake = believedIntake(member.intake, taken, published);
        }
        this.#give({
          kind: 'report',
          uuid,
          facts: { relayable, capacity, rtt, uplink: this.#capped(uplink) },
        });
        break;
      }
      case 'attached':
      case 'failed':
        this.#give({ kind: message.type, uuid, attempt: message.attempt });
        break;
      case 'lost':
        this.#give({ kind: 'lost', uuid, parent: message.parent_uuid, reason: message.reason });
        break;
      case 'signal':
        this.#signal(uuid, message);
        break;
      case 'leave':
        this.#forget(member);
        break;
    }
  }

  /** A socket is gone. */
  closed(member: RelayMember): void {
    this.#forget(member);
    this.#nameless.delete(member);
    if (!this.#members.delete(member)) return;
    const { blocks, index } = member.sent;
    this.#past.blocks += blocks;
    this.#past.index += index;
    this.#past.relayed += member.intake.peers;
  }

  /** Time has passed. @param now monotonic ms */
  tick(now: number): void {
    for (const [attempt, { until }] of this.#pairs) {
      if (until > now) break;
      this.#pairs.delete(attempt);
    }
    for (const [member, since] of this.#nameless) {
      if (now - since < NAMELESS_MS) break;
      member.close(1008, 'no announcement');
    }
    const bitsPerSecond = this.stream.input.bitrate(now);
    if (bitsPerSecond > LEAST_BITRATE) this.#give({ kind: 'bitrate', bitsPerSecond });
    this.#give({ kind: 'tick' });
  }

  /** The stream came, waits for its publisher or ended. @param message its state as a framed message */
  tellState(message: Uint8Array): void {
    const { state } = this.stream;
    if (this.#told === state) return;
    const before = this.#told;
    this.#told = state;
    this.#give({ kind: 'source', present: state === 'live' });
    for (const member of this.#members) {
      member.write(message);
      if (before === 'ended' && state === 'live' && member.uuid !== undefined) member.join();
    }
  }

  /** The tree as the API shows it. */
  info(enabled: boolean): RelayTreeInfo {
    const sent = { blocks: this.#past.blocks, index: this.#past.index };
    for (const member of this.#members) {
      sent.blocks += member.sent.blocks;
      sent.index += member.sent.index;
    }
    const nodes = [...this.#state.tree.peers].map((peer) => {
      const member = this.#byUuid.get(peer.uuid);
      return {
        ...nodeOf(peer),
        peerBytes: member?.intake.peers ?? 0,
        serverBytes: member?.sent.blocks ?? 0,
      };
    });
    return { stream: this.stream.name, enabled, root_uuid: RELAY_ROOT, sent, relayed: this.relayed, nodes };
  }

  /** Ends every connection. */
  close(reason: string): void {
    for (const member of [...this.#members]) member.close(1000, reason);
  }

  #announce(member: RelayMember, message: Extract<RelayPeerMessage, { type: 'announce' }>): void {
    const { type: _, secret, uplink, ...said } = message;
    const former = this.#byUuid.get(said.uuid);
    if (former !== undefined && former.secret !== secret) {
      member.close(1008, 'the name is taken');
      return;
    }
    member.uuid = said.uuid;
    member.secret = secret;
    member.since = this.stream.input.total;
    this.#nameless.delete(member);
    this.#byUuid.set(said.uuid, member);
    former?.close(1000, 'the peer has another connection');
    if (this.stream.state !== 'ended') member.join();
    const { uuid } = said;
    this.#give({ kind: 'announce', ...said, uplink: this.#capped(uplink) });
    if (this.#state.tree.find(uuid) === undefined) member.close(TRY_LATER, 'the tree is full');
  }

  #forget(member: RelayMember): void {
    const { uuid } = member;
    if (uuid === undefined || this.#byUuid.get(uuid) !== member) return;
    this.#byUuid.delete(uuid);
    this.#give({ kind: 'left', uuid });
  }

  /** Nobody is given more children than the settings let it send to. */
  #capped(uplink: number): number {
    const { uploadBits } = this.#settings();
    return uploadBits === 0 ? uplink : Math.min(uplink, uploadBits);
  }

  #give(event: RelayEvent): void {
    const now = performance.now();
    for (const command of coordinate(this.#state, event, { now, random: Math.random }))
      this.#do(command, now);
  }

  #do({ to, message }: RelayCommand, now: number): void {
    if (to === RELAY_ROOT) {
      if (message.type === 'release') this.#byUuid.get(message.child_uuid)?.starve();
      return;
    }
    const member = this.#byUuid.get(to);
    if (member === undefined) return;
    if (message.type === 'connect') {
      const until = now + SIGNAL_MS;
      this.#pairs.set(message.attempt, { child: to, parent: message.parent_uuid, until });
    }
    member.send(message);
    if (message.type === 'feed') member.feed();
  }

  /** Passes signalling on between two peers that were sent to each other, and nobody else. */
  #signal(from: RelayUuid, message: RelaySignal): void {
    const pair = this.#pairs.get(message.attempt);
    const fits =
      pair !== undefined &&
      ((pair.child === from && pair.parent === message.peer_uuid) ||
        (pair.parent === from && pair.child === message.peer_uuid));
    if (!fits) return;
    const signal = passedOn(message, this.#settings().addresses);
    if (signal !== undefined)
      this.#byUuid.get(message.peer_uuid)?.send({ type: 'signal', peer_uuid: from, ...signal });
  }
}
