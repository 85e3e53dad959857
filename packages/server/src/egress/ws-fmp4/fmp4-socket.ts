import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import {
  decodeFmp4ClientText,
  encodeFmp4Json,
  FMP4_SUBPROTOCOL,
  FMP4_TYPE,
  type Fmp4Header,
  type Fmp4State,
} from '@onair/contracts/fmp4-socket';
import type { StreamName } from '@onair/media';
import type { JoinOptions, Stream, StreamState } from '../../hub/index.ts';
import { type CmafFanouts, type LiveDeps, SocketTransport, Viewing } from '../live/index.ts';
import { framed } from '../websocket/frame.ts';
import { TRY_LATER, ViewerSocket } from '../websocket/viewer-socket.ts';
import { WS_FMP4_ENVELOPE } from './envelope.ts';

/** What the fMP4 socket needs. */
export interface Fmp4SocketDeps extends LiveDeps {
  readonly fanouts: CmafFanouts;
  /** Merge window for viewers who ask for none, in milliseconds. */
  windowMs(): number;
  /** Whether viewers may pass the stream on to each other. */
  relayed?(stream: StreamName): boolean;
}

/** Who asks for a stream, and from where on. */
export interface Fmp4SocketRequest {
  readonly stream: StreamName;
  readonly address: string;
  readonly windowMs?: number;
  /** Sequence number of the last block the client has. */
  readonly after?: number;
  /** Epoch the client is set up for. */
  readonly epoch?: number;
}

/** A viewer of a stream, which may outlive a broadcast and see the next one. */
interface Watcher {
  readonly socket: ViewerSocket;
  /** Takes the stream's feed; again after the stream had ended. */
  join(): void;
}

/** Serves `docs/protocols/ws-fmp4.md`. One object per process; it keeps what viewers of a stream share. */
export class Fmp4SocketServer {
  readonly #deps: Fmp4SocketDeps;
  readonly #viewers = new Map<Stream, Set<Watcher>>();
  /** State the viewers of a stream were told last. */
  readonly #told = new WeakMap<Stream, StreamState>();
  readonly #unlisten: () => void;

  constructor(deps: Fmp4SocketDeps) {
    this.#deps = deps;
    this.#unlisten = deps.registry.onChange((stream) => this.#tellState(stream));
  }

  /** Answers an upgrade request. */
  serve(upgrade: IncomingMessage, socket: Duplex, head: Buffer, request: Fmp4SocketRequest): void {
    let leave = (_reason: string): void => undefined;
    let viewing: Viewing | undefined;
    const options = {
      subprotocol: FMP4_SUBPROTOCOL,
      onClose: (reason: string) => leave(reason),
      onText: (text: string, from: ViewerSocket) => {
        const message = decodeFmp4ClientText(text);
        if (message.type === 'ping') from.answer({ type: 'pong', id: message.id, now: Date.now() });
        else if (message.type === 'pause') viewing?.viewer?.pause();
        else viewing?.viewer?.play();
      },
    };
    ViewerSocket.accept(upgrade, socket, head, options, (viewer) => {
      const end = (reason: string): void => {
        viewing?.close(reason);
        viewer.close(reason === 'too-slow' ? TRY_LATER : 1000, reason);
      };
      try {
        const { stream, address } = request;
        viewing = new Viewing(this.#deps, { stream, protocol: 'ws-fmp4', address, close: end });
      } catch (error) {
        viewer.close(TRY_LATER, error instanceof Error ? error.message : 'refused');
        return;
      }
      leave = this.#start(viewing, viewer, request, end);
    });
  }

  /** Stops listening to the hub. Viewers are ended by their streams. */
  close(): void {
    this.#unlisten();
    this.#viewers.clear();
  }

  /** Returns what lets the viewer go. */
  #start(
    viewing: Viewing,
    socket: ViewerSocket,
    request: Fmp4SocketRequest,
    end: (reason: string) => void,
  ): (reason: string) => void {
    const { stream } = viewing;
    const { after, epoch } = request;
    const hello = { type: 'hello', protocol: FMP4_SUBPROTOCOL, stream: request.stream, now: Date.now() };
    const relay = this.#deps.relayed?.(request.stream) === true ? { relay: true } : {};
    socket.sendText({ ...hello, ...stateOf(stream), ...relay });
    socket.raw.on('drain', () => viewing.viewer?.drained());
    // The end of a broadcast is told by a state message; the viewer may wait for the next.
    const ended = (reason: string): void => (reason === 'stream-ended' ? undefined : end(reason));
    const skipped = (blocks: number): void => socket.sendText({ type: 'skip', blocks });
    let wish: JoinOptions = {
      ...(after === undefined ? {} : { after }),
      ...(epoch === undefined ? {} : { epoch }),
    };
    const join = (): void => {
      const windowMs = request.windowMs ?? this.#deps.windowMs();
      const pump = this.#deps.fanouts
        .of(stream)
        .pump({ envelope: WS_FMP4_ENVELOPE, tracks: 'all', windowMs });
      viewing.join(pump.join(new SocketTransport(socket.raw, ended, skipped), wish));
      wish = {};
    };
    const watcher: Watcher = { socket, join };
    const watchers = this.#viewers.get(stream) ?? new Set<Watcher>();
    this.#viewers.set(stream, watchers.add(watcher));
    if (stream.state !== 'ended') join();
    return (reason) => {
      watchers.delete(watcher);
      if (watchers.size === 0 && this.#viewers.get(stream) === watchers) this.#viewers.delete(stream);
      viewing.close(reason);
    };
  }

  /** State changes are rare and small, so they are written whether a viewer is behind or not. */
  #tellState(stream: Stream): void {
    const watchers = this.#viewers.get(stream);
    if (watchers === undefined) return;
    const message = stateMessage(stream);
    const before = this.#told.get(stream);
    this.#told.set(stream, stream.state);
    for (const { socket, join } of watchers) {
      if (before !== stream.state) socket.raw.write(message);
      if (before === 'ended' && stream.state === 'live') join();
    }
  }
}

/** A stream's state as a framed message. */
export function stateMessage(stream: Stream): Uint8Array {
  return framed(encodeFmp4Json(stateHeader(stream.epoch?.number ?? 0), stateOf(stream)));
}

function stateHeader(epoch: number): Fmp4Header {
  return {
    type: FMP4_TYPE.state,
    independent: false,
    discontinuity: false,
    track: 0,
    epoch,
    sequence: 0,
    time: 0,
    duration: 0,
    compositionOffset: 0,
    wallClock: Date.now() * 1000,
  };
}

function stateOf(stream: Stream): Fmp4State {
  return stream.until === undefined ? { state: stream.state } : { state: stream.state, until: stream.until };
}
