import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';
import {
  type LinkFactory,
  RelayConnector,
  rtcLinks,
  type ServerSocket,
  type Willingness,
} from '../../../packages/client/src/relay/index.ts';
import { decodeFmp4Message } from '../../../packages/contracts/src/fmp4-socket/index.ts';
import type { Scope } from '../scope.ts';

// They are dependencies of the server, not of the root.
const server = createRequire(new URL('../../../packages/server/package.json', import.meta.url));
const { RTCPeerConnection: Connection } = server('node-datachannel/polyfill') as {
  RTCPeerConnection: new (ice: RTCConfiguration) => RTCPeerConnection;
};
const { WebSocket } = server('ws') as {
  WebSocket: new (address: string, protocol: string) => ServerSocket & { terminate(): void };
};

/** A block as a viewer got it. */
export interface SeenBlock {
  readonly sequence: number;
  readonly hash: string;
  /** Milliseconds from the block's arrival at the server to here. */
  readonly delay: number;
}

/** A program in the place of a viewer's page: the same relay code, with another peer connection below it. */
export interface NodePeer {
  readonly connector: RelayConnector;
  /** In the order in which the player would get them. */
  readonly seen: readonly SeenBlock[];
  /** Opens another socket to the server, as a player does that lost one. */
  comeBack(): void;
  /** Leaves with a goodbye. */
  leave(): void;
  /** Dies without a word: sockets and links are torn. */
  crash(): void;
  /** The network below it drops everything from now on; it does not know. */
  cut(): void;
}

const READY: Willingness = { relayable: true, uploadBits: 0 };

/** Changes what a peer sends to others, to try those who receive it. */
export type Tamper = (message: Uint8Array) => Uint8Array | undefined;

/** Watches `ws://HOST/APP/NAME.relay`; the scope closes it. */
export function nodePeer(scope: Scope, address: string, willing = READY, tamper?: Tamper): NodePeer {
  const state = { cut: false, links: new Set<{ close(): void }>() };
  let socket: (ServerSocket & { terminate(): void }) | undefined;
  const links = rtcLinks(Connection);
  const link: LinkFactory = (role, ice, owner) => {
    const made = links(role, ice, {
      ...owner,
      opened: () => owner.opened(),
      signal: (signal) => owner.signal(signal),
      message: (bytes) => {
        if (!state.cut) owner.message(bytes);
      },
      drained: () => owner.drained(),
      closed: () => owner.closed(),
    });
    state.links.add(made);
    return {
      get buffered() {
        return made.buffered;
      },
      send: (message) => {
        const sent = tamper === undefined ? message : tamper(message);
        if (!state.cut && sent !== undefined) made.send(sent);
      },
      signal: (signal) => made.signal(signal),
      close: () => {
        state.links.delete(made);
        if (!state.cut) made.close();
      },
    };
  };
  const seen: SeenBlock[] = [];
  const connector = new RelayConnector({
    link,
    hash: (bytes) => createHash('sha256').update(bytes).digest(),
    willing: () => willing,
    open: (url, protocol) => {
      socket = new WebSocket(url, protocol);
      return socket;
    },
  });
  let last = '';
  const watch = (): void => {
    connector.open(address + last).onmessage = ({ data }) => {
      if (!(data instanceof ArrayBuffer)) return;
      const bytes = new Uint8Array(data);
      const { kind, header } = decodeFmp4Message(bytes);
      if (kind !== 'chunk') return;
      const hash = createHash('sha256').update(bytes).digest('base64');
      seen.push({ sequence: header.sequence, hash, delay: Date.now() - header.wallClock / 1000 });
      last = `?after=${header.sequence}&epoch=${header.epoch}`;
    };
  };
  watch();
  const end = (): void => {
    connector.close();
    for (const made of [...state.links]) made.close();
  };
  scope.defer(end);
  return {
    connector,
    seen,
    comeBack: watch,
    leave: end,
    crash: () => {
      socket?.terminate();
      end();
    },
    cut: () => {
      state.cut = true;
      // What the server sends stays unread, what the peer sends stays here.
      const raw = (socket as unknown as { _socket: { pause(): void } } | undefined)?._socket;
      raw?.pause();
      if (socket !== undefined) socket.send = () => undefined;
    },
  };
}
