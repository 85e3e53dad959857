import type { RelayPeerMessage, RelaySignalling } from '@onair/contracts/relay';

/** What happens on a link to another peer. */
export interface LinkOwner {
  /** Something for the other side, by way of the server. */
  signal(signal: Omit<RelaySignalling, 'attempt'>): void;
  /** The channel carries messages now. */
  opened(): void;
  message(bytes: Uint8Array): void;
  /** The channel has room again. */
  drained(): void;
  /** Over, or never came about. Called once, and not after `close`. */
  closed(): void;
}

/** One data channel to another peer. */
export interface RelayLink {
  /** Bytes that wait to be sent. */
  readonly buffered: number;
  /** Sends a message; does nothing if the channel is not open. */
  send(message: Uint8Array): void;
  /** Something from the other side. */
  signal(signal: RelaySignalling): void;
  /** Safe to call twice. */
  close(): void;
}

/** Makes links. The child offers, the parent answers. */
export type LinkFactory = (role: 'child' | 'parent', ice: RTCConfiguration, owner: LinkOwner) => RelayLink;

/** What a peer is ready to do for others at this moment. */
export interface Willingness {
  /** False on battery, mobile data, in a background tab, or if the viewer does not want to. */
  readonly relayable: boolean;
  /** Most bits per second that it sends to others; 0 for no bound. */
  readonly uploadBits: number;
}

/** What a relay peer works with. */
export interface RelayPorts {
  readonly link: LinkFactory;
  /** To the server; lost if there is no connection. */
  send(message: RelayPeerMessage): void;
  /** Bytes of no meaning to the server, to measure the uplink. */
  sendBytes(bytes: Uint8Array): void;
  /** The next message of the stream, in order, as the fMP4 WebSocket has it. */
  deliver(message: Uint8Array): void;
  /** SHA-256. */
  hash(bytes: Uint8Array): Uint8Array;
  willing(): Willingness;
}
