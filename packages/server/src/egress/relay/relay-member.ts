import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import {
  decodeRelayPeerMessage,
  RELAY_MAX_MESSAGE,
  RELAY_SUBPROTOCOL,
  type RelayIntake,
  type RelayPeerMessage,
  type RelayServerMessage,
  type RelayUuid,
} from '@onair/contracts/relay';
import type { StreamName } from '@onair/media';
import type { JoinOptions, Stream, Viewer } from '../../hub/index.ts';
import { Allowance } from '../../net/index.ts';
import { type CmafFanouts, type LiveDeps, SocketTransport, Viewing } from '../live/index.ts';
import { TRY_LATER, ViewerSocket } from '../websocket/viewer-socket.ts';
import { batchMessages } from '../ws-fmp4/index.ts';
import { RELAY_FEED, RELAY_INDEX } from './envelopes.ts';

/** What the relay's sockets stand on. */
export interface RelayDeps extends LiveDeps {
  readonly fanouts: CmafFanouts;
}

/** Who wants to be part of a tree, and from where on. */
export interface RelayRequest {
  readonly stream: StreamName;
  readonly address: string;
  /** Sequence number of the last block it has, and the epoch it is set up for. */
  readonly after?: number;
  readonly epoch?: number;
}

/** What a member tells its tree. */
export interface RelayMemberOwner {
  /** The socket is open: the first message may go out. */
  opened(member: RelayMember): void;
  /** Anything but `want`, `ping` and `probe`, which the member answers itself. `announce` comes first, once. */
  said(member: RelayMember, message: RelayPeerMessage): void;
  closed(member: RelayMember): void;
}

/** Messages and blocks that a peer may ask for per second, three times as many at once. */
const MESSAGES_PER_SECOND = 100;
const BLOCKS_PER_SECOND = 300;
const BURST_SECONDS = 3;
/** A probe of the uplink may have so many bytes, and so many of them come in one connection. */
const MAX_PROBE = 256 * 1024;
const MAX_PROBES = 8;
/** Longest binary message of a probe, bytes. */
const MAX_PROBE_MESSAGE = 32 * 1024;
/** Close codes of RFC 6455 §7.4.1. */
const POLICY = 1008;

/** One peer's socket: the index always, the chunks while the server feeds it, single blocks when it asks. */
export class RelayMember {
  /** Who it is; undefined before it announced itself. */
  uuid: RelayUuid | undefined;
  secret = '';
  /** Bytes that the publisher had sent when it announced itself. */
  since = 0;
  /** What it says to have taken from whom since then. */
  intake: RelayIntake = { peers: 0, server: 0 };
  readonly #deps: RelayDeps;
  readonly #request: RelayRequest;
  readonly #socket: ViewerSocket;
  readonly #viewing: Viewing;
  readonly #limits: { readonly messages: Allowance; readonly blocks: Allowance };
  /** The index' place in its pump, what is wanted at the next join, and whether the chunks are wanted too. */
  readonly #feed: {
    index: Viewer | undefined;
    on: boolean;
    first: JoinOptions | undefined;
    answered: number;
    indexed: number;
  } = {
    index: undefined,
    on: false,
    first: undefined,
    answered: 0,
    indexed: 0,
  };
  #probe: { left: number; bytes: number; since: number; done: number } = {
    left: 0,
    bytes: 0,
    since: 0,
    done: 0,
  };

  private constructor(socket: ViewerSocket, viewing: Viewing, deps: RelayDeps, request: RelayRequest) {
    this.#socket = socket;
    this.#viewing = viewing;
    this.#deps = deps;
    this.#request = request;
    const now = performance.now();
    this.#limits = {
      messages: new Allowance(() => MESSAGES_PER_SECOND, BURST_SECONDS, now),
      blocks: new Allowance(() => BLOCKS_PER_SECOND, BURST_SECONDS, now),
    };
    socket.raw.on('drain', () => {
      this.#feed.index?.drained();
      if (this.#feed.on) viewing.viewer?.drained();
    });
  }

  /** Answers an upgrade request. What the hub refuses closes the socket. */
  static accept(
    upgrade: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    request: RelayRequest,
    deps: RelayDeps,
    owner: RelayMemberOwner,
  ): void {
    let member: RelayMember | undefined;
    let over = false;
    const options = {
      subprotocol: RELAY_SUBPROTOCOL,
      maxMessage: Math.max(MAX_PROBE_MESSAGE, RELAY_MAX_MESSAGE * 3),
      onClose: (reason: string) => {
        over = true;
        member?.leave(reason);
        if (member !== undefined) owner.closed(member);
      },
      onText: (text: string) => member?.text(text, owner),
      onBinary: (bytes: Uint8Array) => member?.binary(bytes),
    };
    ViewerSocket.accept(upgrade, socket, head, options, (viewer) => {
      const { stream, address } = request;
      let viewing: Viewing;
      try {
        const close = (reason: string): void =>
          viewer.close(reason === 'too-slow' ? TRY_LATER : 1000, reason);
        viewing = new Viewing(deps, { stream, protocol: 'relay', address, close });
      } catch (error) {
        viewer.close(TRY_LATER, error instanceof Error ? error.message : 'refused');
        return;
      }
      member = new RelayMember(viewer, viewing, deps, request);
      if (over) member.leave('closed');
      else owner.opened(member);
    });
  }

  /** What it watches. */
  get stream(): Stream {
    return this.#viewing.stream;
  }

  /** Bytes that the server sent it: blocks and index. */
  get sent(): { readonly blocks: number; readonly index: number } {
    const { index, answered, indexed } = this.#feed;
    return {
      blocks: this.#viewing.figures().bytes + answered,
      index: indexed + (index?.counters.bytes ?? 0),
    };
  }

  /** Sends a message of the coordinator. */
  send(message: RelayServerMessage): void {
    this.#socket.sendText(message);
  }

  /** Writes bytes that are a WebSocket frame already. */
  write(frame: Uint8Array): void {
    this.#socket.raw.write(frame);
  }

  /** Ends the connection. */
  close(code: 1000 | 1008 | 1013, reason: string): void {
    this.#socket.close(code, reason);
  }

  /** Begins the index; again after the stream had ended. */
  join(): void {
    const { after, epoch } = this.#request;
    const feed = this.#feed;
    const resumes = feed.index === undefined && after !== undefined && epoch !== undefined;
    feed.first = resumes ? { after, epoch } : {};
    feed.indexed += feed.index?.counters.bytes ?? 0;
    feed.index?.close();
    const skipped = (blocks: number): void => this.send({ type: 'skip', blocks });
    feed.index = this.#pump(RELAY_INDEX).join(this.#transport(skipped), feed.first);
    if (feed.on) this.#serve();
  }

  /** Sends the chunks too from now on; those that are in the index already only if it was begun just now. */
  feed(): void {
    if (this.#feed.on) return;
    this.#feed.on = true;
    if (this.#feed.index !== undefined) this.#serve();
  }

  /** Sends the index only from now on. */
  starve(): void {
    this.#feed.on = false;
    this.#viewing.viewer?.close();
  }

  /** Takes a text message. @throws DecodeError if it is malformed, TypeError if there are too many. */
  text(text: string, owner: RelayMemberOwner): void {
    if (!this.#limits.messages.take(performance.now())) {
      this.close(POLICY, 'too many messages');
      return;
    }
    const message = decodeRelayPeerMessage(text);
    if ((message.type === 'announce') !== (this.uuid === undefined)) {
      throw new TypeError('a peer announces itself first, and once');
    }
    if (message.type === 'ping') this.#socket.answer({ type: 'pong', id: message.id, now: Date.now() });
    else if (message.type === 'want') this.#answer(message.sequences);
    else if (message.type === 'probe') this.#beginProbe(message.bytes);
    else owner.said(this, message);
  }

  /** Takes a part of a probe. @throws TypeError if none was announced. */
  binary(bytes: Uint8Array): void {
    const probe = this.#probe;
    if (bytes.length > probe.left) throw new TypeError('more bytes than announced');
    probe.left -= bytes.length;
    // The first message starts the clock: what it took to come says nothing about the line.
    if (probe.since === 0) probe.since = performance.now();
    else probe.bytes += bytes.length;
    if (probe.left > 0) return;
    this.send({ type: 'probed', bytes: probe.bytes, ms: performance.now() - probe.since });
  }

  /** Lets everything go. Safe to call twice. */
  leave(reason: string): void {
    this.#feed.on = false;
    this.#feed.index?.close();
    this.#viewing.close(reason);
  }

  #pump(envelope: typeof RELAY_INDEX) {
    return this.#deps.fanouts.of(this.#viewing.stream).pump({ envelope, tracks: 'all', windowMs: 0 });
  }

  #transport(skipped: (blocks: number) => void): SocketTransport {
    // The end of a broadcast is told by a state message; the peer may wait for the next.
    const ended = (reason: string): void => {
      if (reason !== 'stream-ended') this.close(reason === 'too-slow' ? TRY_LATER : 1000, reason);
    };
    return new SocketTransport(this.#socket.raw, ended, skipped);
  }

  /** Joins the pump of the chunks where the index was begun; later where it is now, for the rest can be asked for. */
  #serve(): void {
    const feed = this.#feed;
    const next = feed.index?.nextSeq ?? 0;
    const last = this.#log.at(next - 2);
    const wish = feed.first ?? (last === undefined ? {} : { after: next - 2, epoch: last.epoch.number });
    feed.first = undefined;
    this.#viewing.join(
      this.#pump(RELAY_FEED).join(
        this.#transport(() => undefined),
        wish,
      ),
    );
  }

  get #log() {
    return this.#deps.fanouts.logOf(this.#viewing.stream);
  }

  #answer(sequences: readonly number[]): void {
    const gone: number[] = [];
    for (const sequence of sequences) {
      // Who does not read gets no answers piled up; it will ask again.
      if (this.#socket.raw.writableNeedDrain || !this.#limits.blocks.take(performance.now())) break;
      const block = this.#log.at(sequence);
      if (block?.kind !== 'media') {
        gone.push(sequence);
        continue;
      }
      const message = batchMessages([block]);
      this.#feed.answered += message.length;
      this.#socket.raw.write(message);
    }
    if (gone.length > 0) this.#socket.answer({ type: 'gone', sequences: gone });
  }

  #beginProbe(bytes: number): void {
    const { left, done } = this.#probe;
    if (left > 0 || bytes > MAX_PROBE || done >= MAX_PROBES) throw new TypeError('not this probe');
    this.#probe = { left: bytes, bytes: 0, since: 0, done: done + 1 };
  }
}
