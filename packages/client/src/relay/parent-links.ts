import {
  decodeRelayChannel,
  encodeRelayStart,
  RelayBlockJoiner,
  type RelayLoss,
  type RelaySignal,
  type RelayUuid,
} from '@onair/contracts/relay';
import type { RelayLink, RelayPorts } from './ports.ts';

/** What the parents of a peer tell it. */
export interface ParentOwner {
  /** Sequence number up to which the peer has everything. */
  position(): number;
  /** A block came from a parent; true if it is of use, undefined if that cannot be told yet. */
  block(sequence: number, bytes: Uint8Array, by: RelayUuid): boolean | undefined;
  /** The new parent delivers. */
  attached(): void;
  /** The parent is gone, and none is left. */
  lost(): void;
}

/** One parent, present, coming or former. */
interface Parent {
  readonly uuid: RelayUuid;
  readonly attempt: number;
  readonly link: RelayLink;
  readonly joiner: RelayBlockJoiner;
  /** When it was heard last, or since when it is waited for. */
  heardAt: number;
}

/** A former parent is kept so long, in case that the coordinator does not agree, ms. */
const FORMER_MS = 1_500;

/**
 * The links of a peer to those above it: the present parent, the one it goes over to (make before break), and for a
 * moment the former one.
 */
export class ParentLinks {
  readonly #ports: RelayPorts;
  readonly #owner: ParentOwner;
  #present: Parent | undefined;
  #coming: Parent | undefined;
  #former: { readonly parent: Parent; readonly until: number } | undefined;
  #now = 0;

  constructor(ports: RelayPorts, owner: ParentOwner) {
    this.#ports = ports;
    this.#owner = owner;
  }

  /** Who feeds the peer, if another peer does. */
  get uuid(): RelayUuid | undefined {
    return this.#present?.uuid;
  }

  /** The coordinator sends the peer to another parent. */
  connect(uuid: RelayUuid, attempt: number, ice: RTCConfiguration, now: number): void {
    this.#now = now;
    this.#coming?.link.close();
    const joiner = new RelayBlockJoiner();
    // The link may speak before it is returned.
    const early: { parent: Parent | undefined } = { parent: undefined };
    const link = this.#ports.link('child', ice, {
      signal: (signal) => this.#ports.send({ type: 'signal', peer_uuid: uuid, attempt, ...signal }),
      opened: () => link.send(encodeRelayStart(this.#owner.position())),
      message: (bytes) => early.parent && this.#message(early.parent, bytes),
      drained: () => undefined,
      closed: () => early.parent && this.#closed(early.parent),
    });
    early.parent = { uuid, attempt, link, joiner, heardAt: now };
    this.#coming = early.parent;
  }

  /** The coordinator takes the attempt back. */
  cancel(attempt: number): void {
    if (this.#coming?.attempt === attempt) {
      this.#coming.link.close();
      this.#coming = undefined;
      return;
    }
    if (this.#present?.attempt !== attempt) return;
    this.#present.link.close();
    this.#present = this.#former?.parent;
    this.#former = undefined;
    if (this.#present === undefined) this.#owner.lost();
    else this.#present.heardAt = this.#now;
  }

  /** Something from a parent by way of the server. */
  signal(signal: RelaySignal): void {
    const parent = [this.#coming, this.#present].find(
      (one) => one?.attempt === signal.attempt && one.uuid === signal.peer_uuid,
    );
    parent?.link.signal(signal);
  }

  /** The server feeds the peer from now on. */
  leave(): void {
    this.#present?.link.close();
    this.#present = undefined;
  }

  /** A block that a parent sent was right. */
  praise(uuid: string): void {
    if (this.#coming?.uuid === uuid) this.#attach(this.#coming);
  }

  /** Gives a parent up that is not what it should be. */
  blame(uuid: string): void {
    if (this.#coming?.uuid === uuid) this.#fail(this.#coming);
    if (this.#present?.uuid === uuid) this.#lose(this.#present, 'forged');
  }

  /** @param lag how late this call is: time in which nothing could be heard, ms */
  tick(now: number, silentMs: number, lag: number): void {
    this.#now = now;
    if (this.#former !== undefined && now > this.#former.until) {
      this.#former.parent.link.close();
      this.#former = undefined;
    }
    const present = this.#present;
    if (present === undefined) return;
    present.heardAt += lag;
    if (now - present.heardAt > silentMs) this.#lose(present, 'late');
  }

  close(): void {
    for (const parent of [this.#present, this.#coming, this.#former?.parent]) parent?.link.close();
    this.#present = undefined;
    this.#coming = undefined;
    this.#former = undefined;
  }

  #message(parent: Parent, bytes: Uint8Array): void {
    parent.heardAt = performance.now();
    this.#now = parent.heardAt;
    try {
      const message = decodeRelayChannel(bytes);
      if (message.type !== 'part') return;
      const block = parent.joiner.push(message);
      if (block === undefined) return;
      const useful = this.#owner.block(block.sequence, block.bytes, parent.uuid);
      if (useful === false) this.blame(parent.uuid);
      else if (useful === true && parent === this.#coming) this.#attach(parent);
    } catch {
      this.blame(parent.uuid);
    }
  }

  #attach(parent: Parent): void {
    if (this.#present !== undefined) {
      this.#former?.parent.link.close();
      this.#former = { parent: this.#present, until: this.#now + FORMER_MS };
    }
    this.#present = parent;
    this.#coming = undefined;
    this.#ports.send({ type: 'attached', attempt: parent.attempt });
    this.#owner.attached();
  }

  #closed(parent: Parent): void {
    if (parent === this.#coming) this.#fail(parent);
    else if (parent === this.#present) this.#lose(parent, 'closed');
    else if (parent === this.#former?.parent) this.#former = undefined;
  }

  #fail(parent: Parent): void {
    parent.link.close();
    this.#coming = undefined;
    this.#ports.send({ type: 'failed', attempt: parent.attempt });
  }

  #lose(parent: Parent, reason: RelayLoss): void {
    parent.link.close();
    this.#present = undefined;
    this.#ports.send({ type: 'lost', parent_uuid: parent.uuid, reason });
    this.#owner.lost();
  }
}
