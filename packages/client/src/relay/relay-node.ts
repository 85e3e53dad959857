import { decodeFmp4Message } from '@onair/contracts/fmp4-socket';
import {
  decodeRelayIndex,
  RELAY_INDEX_TYPE,
  RELAY_MAX_CHILDREN,
  RELAY_MAX_WANTED,
  RELAY_ROOT,
  type RelayFacts,
  type RelayHello,
  type RelayIntake,
  type RelayServerMessage,
  type RelayUuid,
} from '@onair/contracts/relay';
import { peerSettings } from '../room/peer-link.ts';
import { ArrivalDelay } from './arrival-delay.ts';
import { BlockLedger } from './block-ledger.ts';
import { ChildLinks } from './child-links.ts';
import { HeldBlocks } from './held-blocks.ts';
import { ParentLinks } from './parent-links.ts';
import type { RelayPorts } from './ports.ts';
import { UploadBudget } from './upload-budget.ts';

/** Who a relay peer is. */
export interface RelayIdentity {
  readonly uuid: RelayUuid;
  /** Known to this peer and the server only. */
  readonly secret: string;
}

/** What a relay peer has done. */
export interface RelayFigures {
  /** Bytes of blocks it took from other peers and from the server. */
  readonly taken: RelayIntake;
  /** Bytes of blocks it sent to other peers. */
  readonly sent: number;
  readonly parent: RelayUuid | undefined;
  readonly children: number;
  /** Blocks it asked the server for because they were late. */
  readonly asked: number;
  /** Blocks that were not what the server said. */
  readonly forged: number;
}

/** How often a report goes to the server, ms. */
const REPORT_MS = 2_000;
/** How often the server is asked again for the same block, ms. */
const ASK_AGAIN_MS = 500;
/** While the server feeds, a block is late only after so long, ms. */
const FED_LATE_MS = 1_000;
/** Bytes and message size of the measuring of the uplink, and how long after the beginning it comes, ms. */
const PROBE = { bytes: 96 * 1024, message: 16 * 1024, afterMs: 1_500 } as const;
/** Where timers are slow, as in a tab in the background, the server's messages keep the time, so often at most, ms. */
const TICK_MS = 60;
/** Calls of `tick` further apart than this mean that the program was busy, not that others are silent, ms. */
const BUSY_MS = 200;

/**
 * A viewer that is part of a relay tree. It takes blocks from its parent or the server, checks them against the server's
 * index, gives them out in order and passes them on. It outlives connections to the server. No timers of its own: the
 * owner calls {@link RelayNode.tick} every 25 ms or so.
 */
export class RelayNode {
  readonly #identity: RelayIdentity;
  readonly #ports: RelayPorts;
  readonly #ledger: BlockLedger;
  readonly #held = new HeldBlocks();
  readonly #budget = new UploadBudget();
  readonly #delay = new ArrivalDelay();
  readonly #parents: ParentLinks;
  readonly #children: ChildLinks;
  readonly #counts = { peers: 0, server: 0, asked: 0, forged: 0 };
  readonly #line = { rtt: 0, uplink: 0, probeAt: Number.POSITIVE_INFINITY };
  readonly #times = { tick: 0, report: 0 };
  /** `before`: what was taken before this connection, which the server has counted already. */
  #session: { readonly hello: RelayHello; readonly before: RelayIntake; fed: boolean } | undefined;

  constructor(identity: RelayIdentity, ports: RelayPorts) {
    this.#identity = identity;
    this.#ports = ports;
    this.#ledger = new BlockLedger((bytes) => ports.hash(bytes));
    this.#children = new ChildLinks(ports, this.#held, this.#budget);
    this.#parents = new ParentLinks(ports, {
      position: () => this.#ledger.position,
      block: (sequence, bytes, by) => this.#fromPeer(sequence, bytes, by),
      attached: () => {
        if (this.#session !== undefined) this.#session.fed = false;
      },
      // What is missing is asked for at once; the coordinator will have the server feed.
      lost: () => this.#ask(performance.now()),
    });
  }

  get figures(): RelayFigures {
    const { peers, server, asked, forged } = this.#counts;
    return {
      taken: { peers, server },
      sent: this.#children.sent,
      parent: this.#parents.uuid,
      children: this.#children.uuids.length,
      asked,
      forged,
    };
  }

  /** Measured round trip to the server, ms. */
  set rtt(ms: number) {
    this.#line.rtt = ms;
  }

  /** A text message of the server. */
  serverText(message: RelayServerMessage, now: number): void {
    switch (message.type) {
      case 'hello':
        this.#begin(message, now);
        break;
      case 'feed':
        this.#parents.leave();
        // The server begins with what is to come.
        if (this.#session?.fed === false) this.#ask(now);
        if (this.#session !== undefined) this.#session.fed = true;
        break;
      case 'connect':
        this.#parents.connect(message.parent_uuid, message.attempt, this.#ice, now);
        break;
      case 'cancel':
        this.#parents.cancel(message.attempt);
        break;
      case 'expect':
        this.#children.expect(message.child_uuid, message.attempt, now);
        break;
      case 'release':
        this.#children.release(message.child_uuid);
        break;
      case 'signal':
        this.#parents.signal(message);
        this.#children.signal(message, this.#ice);
        break;
      case 'gone':
        for (const sequence of message.sequences) this.#ledger.gone(sequence);
        this.#deliver(now);
        break;
      case 'probed':
        // A line too fast for the clock counts as one that carries everybody.
        this.#line.uplink = (message.bytes * 8000) / Math.max(1, message.ms);
        this.#report(now);
        break;
      default:
        break;
    }
  }

  /** A binary message of the server. @throws DecodeError, Fmp4SocketError if it is malformed. */
  serverBinary(bytes: Uint8Array, now: number): void {
    if (bytes[0] === RELAY_INDEX_TYPE) {
      const { honest, forgers, renumbered } = this.#ledger.announce(decodeRelayIndex(bytes), now);
      if (renumbered) {
        this.#held.clear();
        this.#children.restart(true);
      }
      for (const giver of honest) this.#parents.praise(giver);
      for (const forger of forgers) {
        this.#counts.forged++;
        this.#parents.blame(forger);
      }
    } else {
      const message = decodeFmp4Message(bytes);
      if (message.kind === 'chunk') {
        if (this.#ledger.offer(message.header.sequence, bytes, undefined) !== 'known') {
          this.#counts.server += bytes.length;
        }
      } else if (message.kind === 'epoch' || message.kind === 'init') this.#ledger.setUp(bytes, now);
      else {
        // The next broadcast may have another log.
        if (message.kind === 'state' && message.state.state === 'ended') this.#ledger.connected();
        this.#ports.deliver(bytes);
      }
    }
    this.#deliver(now);
    if (now - this.#times.tick > TICK_MS) this.tick(now);
  }

  /** The connection to the server is lost; peers go on feeding each other. */
  disconnected(): void {
    this.#session = undefined;
    this.#line.probeAt = Number.POSITIVE_INFINITY;
  }

  /** Forgets what was received: the viewer begins anew at the newest picture. */
  restart(): void {
    this.#ledger.reset();
    this.#held.clear();
    this.#children.restart(false);
  }

  /** Time has passed. @param now monotonic ms, of `performance.now()` */
  tick(now: number): void {
    const gap = now - this.#times.tick;
    const lag = this.#times.tick > 0 && gap > BUSY_MS ? gap : 0;
    this.#times.tick = now;
    const session = this.#session;
    this.#parents.tick(now, session?.hello.silentMs ?? 1_000, lag);
    this.#children.pump(now);
    if (session === undefined) return;
    this.#ask(now);
    if (now - this.#times.report > REPORT_MS) this.#report(now);
    if (now > this.#line.probeAt) this.#probe();
  }

  /** Says goodbye and lets everything go. */
  close(): void {
    this.#ports.send({ type: 'leave' });
    this.#session = undefined;
    this.#parents.close();
    this.#children.close();
  }

  get #ice(): RTCConfiguration {
    const hello = this.#session?.hello;
    return peerSettings({
      iceServers: hello?.iceServers ?? [],
      iceTransportPolicy: hello?.addresses === 'turn' ? 'relay' : 'all',
    });
  }

  #begin(hello: RelayHello, now: number): void {
    // Without a parent the server feeds, from the beginning of its index on.
    const { peers, server } = this.#counts;
    this.#session = { hello, before: { peers, server }, fed: this.#parents.uuid === undefined };
    this.#ledger.connected();
    this.#times.report = now;
    this.#ports.send({
      type: 'announce',
      ...this.#identity,
      parent_uuid: this.#parents.uuid ?? RELAY_ROOT,
      children_uuid: this.#children.uuids.slice(0, RELAY_MAX_CHILDREN),
      ...this.#facts(),
    });
    if (this.#line.uplink === 0) this.#line.probeAt = now + PROBE.afterMs;
  }

  #facts(): RelayFacts {
    const { relayable, uploadBits } = this.#ports.willing();
    const bounds = [uploadBits, this.#session?.hello.uploadBits ?? 0].filter((bits) => bits > 0);
    const bound = bounds.length === 0 ? 0 : Math.min(...bounds);
    this.#budget.set(bound);
    const { rtt, uplink } = this.#line;
    return {
      relayable,
      capacity: relayable ? (this.#session?.hello.maxChildren ?? 0) : 0,
      rtt,
      uplink: bound === 0 ? uplink : Math.min(bound, uplink === 0 ? bound : uplink),
    };
  }

  #report(now: number): void {
    this.#times.report = now;
    const { before = { peers: 0, server: 0 } } = this.#session ?? {};
    const taken = { peers: this.#counts.peers - before.peers, server: this.#counts.server - before.server };
    this.#ports.send({ type: 'report', ...this.#facts(), taken });
  }

  #probe(): void {
    this.#line.probeAt = Number.POSITIVE_INFINITY;
    if (!this.#ports.willing().relayable) return;
    this.#ports.send({ type: 'probe', bytes: PROBE.bytes });
    for (let sent = 0; sent < PROBE.bytes; sent += PROBE.message) {
      this.#ports.sendBytes(new Uint8Array(PROBE.message));
    }
  }

  #fromPeer(sequence: number, bytes: Uint8Array, by: RelayUuid): boolean | undefined {
    const now = performance.now();
    const named = this.#ledger.namedAt(sequence);
    const offered = this.#ledger.offer(sequence, bytes, by);
    if (offered === 'forged') {
      this.#counts.forged++;
      return false;
    }
    if (offered === 'refused' || offered === 'early') {
      if (offered === 'early') this.#counts.peers += bytes.length;
      return undefined;
    }
    if (offered === 'taken') {
      this.#counts.peers += bytes.length;
      if (named !== undefined) this.#delay.add(now - named);
      this.#deliver(now);
    }
    return true;
  }

  #deliver(now: number): void {
    const verified = this.#ledger.takeVerified();
    for (const block of verified) this.#held.add(block);
    if (verified.length > 0) this.#children.pump(now);
    for (const message of this.#ledger.take()) this.#ports.deliver(message);
  }

  /** Asks the server for what should be there. */
  #ask(now: number): void {
    const session = this.#session;
    if (session === undefined) return;
    const lateMs = session.fed ? FED_LATE_MS : this.#parents.uuid === undefined ? 0 : this.#delay.lateMs;
    const sequences = this.#ledger.missing(now, lateMs, ASK_AGAIN_MS, RELAY_MAX_WANTED);
    if (sequences.length === 0) return;
    this.#counts.asked += sequences.length;
    this.#ports.send({ type: 'want', sequences });
  }
}
