import { FMP4_SUBPROTOCOL } from '@onair/contracts/fmp4-socket';
import {
  decodeRelayServerMessage,
  RELAY_SUBPROTOCOL,
  type RelayPeerMessage,
  type RelayServerMessage,
  type RelayUuid,
} from '@onair/contracts/relay';
import type { SocketPort } from '../sources/socket-port.ts';
import type { RelayPorts } from './ports.ts';
import { type RelayFigures, RelayNode } from './relay-node.ts';

/** What a relay peer is made with. */
export interface RelayOptions {
  readonly link: RelayPorts['link'];
  readonly hash: RelayPorts['hash'];
  readonly willing: RelayPorts['willing'];
  /** Opens the socket to the server. */
  readonly open: (address: string, protocol: string) => ServerSocket;
}

/** What of `WebSocket` the relay uses. */
export interface ServerSocket extends Omit<SocketPort, 'send'> {
  send(message: string | Uint8Array<ArrayBuffer>): void;
}

const OPEN = 1;
const CLOSED = 3;
const TICK_MS = 25;
/** Messages kept while the viewer has paused. */
const MAX_PAUSED = 2048;

/**
 * A relay peer that looks like a socket of `docs/protocols/ws-fmp4.md`: whoever can play that can play this. The peer
 * outlives the sockets that are opened through it one after the other.
 */
export class RelayConnector {
  /** What the peer is called in its tree. */
  readonly uuid: RelayUuid;
  readonly #options: RelayOptions;
  readonly #node: RelayNode;
  readonly #timer: ReturnType<typeof setInterval>;
  #socket: RelaySocket | undefined;

  constructor(options: RelayOptions) {
    this.#options = options;
    const { link, hash, willing } = options;
    this.uuid = randomUuid();
    this.#node = new RelayNode(
      { uuid: this.uuid, secret: randomUuid() },
      {
        link,
        hash,
        willing,
        send: (message) => this.#socket?.sendServer(message),
        sendBytes: (bytes) => this.#socket?.sendBytes(bytes),
        deliver: (message) => this.#socket?.deliver(message),
      },
    );
    this.#timer = setInterval(() => this.#node.tick(performance.now()), TICK_MS);
  }

  /** What the peer has done. */
  get figures(): RelayFigures {
    return this.#node.figures;
  }

  /** Opens a socket in place of the one before. @param address `ws(s)://HOST/APP/NAME.relay` with its query */
  open(address: string): SocketPort {
    if (!new URL(address).searchParams.has('after')) this.#node.restart();
    const inner = this.#options.open(address, RELAY_SUBPROTOCOL);
    const socket = new RelaySocket(inner, this.#node, () => {
      if (this.#socket !== socket) return;
      this.#socket = undefined;
      this.#node.disconnected();
    });
    this.#socket = socket;
    return socket;
  }

  /** Leaves the tree. Safe to call twice. */
  close(): void {
    clearInterval(this.#timer);
    this.#node.close();
    this.#socket?.close();
  }
}

/** `crypto.randomUUID` is for secure contexts only, this one for all. RFC 9562 §5.4. */
function randomUuid(): RelayUuid {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6]! & 0x0f) | 0x40;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5') as RelayUuid;
}

/** One connection to the server, shown as a socket of the fMP4 protocol. */
class RelaySocket implements SocketPort {
  binaryType = 'arraybuffer';
  onopen: (() => void) | null = null;
  onmessage: ((event: { readonly data: unknown }) => void) | null = null;
  onclose: ((event: { readonly code: number; readonly reason: string }) => void) | null = null;
  onerror: (() => void) | null = null;
  readonly #inner: ServerSocket;
  readonly #node: RelayNode;
  #paused: Uint8Array[] | undefined;
  #pingedAt = 0;

  constructor(inner: ServerSocket, node: RelayNode, gone: () => void) {
    this.#inner = inner;
    this.#node = node;
    inner.binaryType = 'arraybuffer';
    inner.onopen = () => this.onopen?.();
    inner.onerror = () => this.onerror?.();
    inner.onclose = (event) => {
      gone();
      this.onclose?.(event);
    };
    inner.onmessage = ({ data }) => {
      try {
        if (typeof data === 'string') this.#text(data);
        else if (data instanceof ArrayBuffer) node.serverBinary(new Uint8Array(data), performance.now());
      } catch {
        this.close(4002, 'malformed message');
      }
    };
  }

  get readyState(): number {
    return this.#inner.readyState;
  }

  /** A command of the fMP4 protocol. */
  send(text: string): void {
    const message = JSON.parse(text) as { readonly type: string; readonly id?: number };
    if (message.type === 'ping') {
      this.#pingedAt = performance.now();
      this.#inner.send(text);
    } else if (message.type === 'pause') this.#paused ??= [];
    else if (message.type === 'play') {
      const kept = this.#paused ?? [];
      this.#paused = undefined;
      for (const one of kept) this.deliver(one);
    }
  }

  close(code?: number, reason?: string): void {
    if (this.#inner.readyState !== CLOSED) this.#inner.close(code, reason);
  }

  sendServer(message: RelayPeerMessage): void {
    if (this.#inner.readyState === OPEN) this.#inner.send(JSON.stringify(message));
  }

  sendBytes(bytes: Uint8Array): void {
    if (this.#inner.readyState === OPEN) this.#inner.send(bytes as Uint8Array<ArrayBuffer>);
  }

  /** A message of the stream, in order. */
  deliver(message: Uint8Array): void {
    if (this.#paused === undefined) {
      // The player expects a buffer of its own.
      const { buffer, byteOffset, byteLength } = message;
      const whole = byteOffset === 0 && byteLength === buffer.byteLength;
      this.onmessage?.({ data: whole ? buffer : buffer.slice(byteOffset, byteOffset + byteLength) });
      return;
    }
    this.#paused.push(message);
    // After so long a pause the player begins at the live edge by another socket.
    if (this.#paused.length > MAX_PAUSED) this.#paused.shift();
  }

  #text(text: string): void {
    const message: RelayServerMessage = decodeRelayServerMessage(text);
    switch (message.type) {
      case 'hello': {
        const { stream, state, until, now } = message;
        const since = until === undefined ? {} : { until };
        this.#tell({ type: 'hello', protocol: FMP4_SUBPROTOCOL, stream, state, ...since, now });
        break;
      }
      case 'pong':
        this.#node.rtt = performance.now() - this.#pingedAt;
        this.#tell(message);
        break;
      case 'skip':
        this.#tell(message);
        break;
      case 'full':
        this.close(4003, 'the tree is full');
        return;
    }
    this.#node.serverText(message, performance.now());
  }

  #tell(message: object): void {
    this.onmessage?.({ data: JSON.stringify(message) });
  }
}
