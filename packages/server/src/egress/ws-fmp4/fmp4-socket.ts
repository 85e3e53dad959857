import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import {
  decodeFmp4ClientText,
  encodeFmp4Json,
  FMP4_SUBPROTOCOL,
  FMP4_TYPE,
  type Fmp4State,
} from '@onair/contracts/fmp4-socket';
import type { StreamName } from '@onair/media';
import {
  Fanout,
  type FanoutContext,
  type Packager,
  type PackagerKind,
  type Stream,
} from '../../hub/index.ts';
import type { CmafConfig, CmafLog } from '../../packager/cmaf/cmaf-log.ts';
import { type LiveDeps, SocketTransport, Viewing } from '../live/index.ts';
import { framed } from '../websocket/frame.ts';
import { ViewerSocket } from '../websocket/viewer-socket.ts';
import { WS_FMP4_ENVELOPE } from './envelope.ts';

/** What the fMP4 socket needs. */
export interface Fmp4SocketDeps extends LiveDeps {
  /** The packager whose log of CMAF chunks is served. */
  readonly kind: PackagerKind<Packager & { readonly log: CmafLog }>;
  readonly context: FanoutContext;
  /** Merge window for viewers who ask for none, in milliseconds. */
  windowMs(): number;
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

/** Serves `docs/protocols/ws-fmp4.md`. One object per process; it keeps what viewers of a stream share. */
export class Fmp4SocketServer {
  readonly #deps: Fmp4SocketDeps;
  readonly #fanouts = new WeakMap<CmafLog, Fanout<CmafConfig>>();
  readonly #viewers = new Map<Stream, Set<ViewerSocket>>();
  readonly #unlisten: () => void;

  constructor(deps: Fmp4SocketDeps) {
    this.#deps = deps;
    this.#unlisten = deps.registry.onChange((stream) => this.#tellState(stream));
  }

  /** Answers an upgrade request. */
  serve(upgrade: IncomingMessage, socket: Duplex, head: Buffer, request: Fmp4SocketRequest): void {
    const deps = this.#deps;
    let viewing: Viewing | undefined;
    const current = (): Viewing | undefined => viewing;
    let viewer: ViewerSocket | undefined;
    const options = {
      subprotocol: FMP4_SUBPROTOCOL,
      onClose: (reason: string) => {
        if (viewer !== undefined && viewing !== undefined) this.#forget(viewing.stream, viewer);
        viewing?.close(reason);
      },
      onText: (text: string) => {
        const message = decodeFmp4ClientText(text);
        if (message.type === 'ping') viewer?.sendText({ type: 'pong', id: message.id, now: Date.now() });
        else if (message.type === 'pause') current()?.viewer?.pause();
        else current()?.viewer?.play();
      },
    };
    ViewerSocket.accept(upgrade, socket, head, options, (opened) => {
      viewer = opened;
      const end = (reason: string): void => {
        viewing?.close(reason);
        opened.close(reason === 'too-slow' ? 1013 : 1000, reason);
      };
      try {
        viewing = new Viewing(deps, {
          stream: request.stream,
          protocol: 'ws-fmp4',
          address: request.address,
          close: end,
        });
      } catch (error) {
        opened.close(1013, error instanceof Error ? error.message : 'refused');
        return;
      }
      this.#start(viewing, opened, request, end);
    });
  }

  /** Stops listening to the hub. Viewers are ended by their streams. */
  close(): void {
    this.#unlisten();
    this.#viewers.clear();
  }

  #start(
    viewing: Viewing,
    viewer: ViewerSocket,
    request: Fmp4SocketRequest,
    end: (reason: string) => void,
  ): void {
    const { stream } = viewing;
    const known = this.#viewers.get(stream);
    if (known === undefined) this.#viewers.set(stream, new Set([viewer]));
    else known.add(viewer);
    viewer.sendText({
      type: 'hello',
      protocol: FMP4_SUBPROTOCOL,
      stream: request.stream,
      now: Date.now(),
      ...stateOf(stream),
    });
    const transport = new SocketTransport(viewer.raw, end, (blocks) =>
      viewer.sendText({ type: 'skip', blocks }),
    );
    viewer.raw.on('drain', () => viewing.viewer?.drained());
    const { log } = stream.packager(this.#deps.kind);
    let fanout = this.#fanouts.get(log);
    if (fanout === undefined) {
      fanout = new Fanout(log, this.#deps.context);
      this.#fanouts.set(log, fanout);
    }
    const windowMs = request.windowMs ?? this.#deps.windowMs();
    const pump = fanout.pump({ envelope: WS_FMP4_ENVELOPE, tracks: 'all', windowMs });
    viewing.join(
      pump.join(transport, {
        ...(request.after === undefined ? {} : { after: request.after }),
        ...(request.epoch === undefined ? {} : { epoch: request.epoch }),
      }),
    );
  }

  #forget(stream: Stream, viewer: ViewerSocket): void {
    const viewers = this.#viewers.get(stream);
    viewers?.delete(viewer);
    if (viewers?.size === 0) this.#viewers.delete(stream);
  }

  /** State changes are rare and small, so they are written whether a viewer is behind or not. */
  #tellState(stream: Stream): void {
    const viewers = this.#viewers.get(stream);
    if (viewers === undefined) return;
    const message = framed(
      encodeFmp4Json(
        {
          type: FMP4_TYPE.state,
          independent: false,
          discontinuity: false,
          track: 0,
          epoch: stream.epoch?.number ?? 0,
          sequence: 0,
          time: 0,
          duration: 0,
          compositionOffset: 0,
          wallClock: Date.now() * 1000,
        },
        stateOf(stream),
      ),
    );
    for (const viewer of viewers) viewer.raw.write(message);
  }
}

function stateOf(stream: Stream): Fmp4State {
  return stream.until === undefined ? { state: stream.state } : { state: stream.state, until: stream.until };
}
