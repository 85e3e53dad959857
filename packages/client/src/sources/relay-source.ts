import { sha256 } from '@onair/media/digest';
import type { LatencyClass } from '../engine/index.ts';
import { browserWillingness, type RelayWish } from '../relay/browser-willingness.ts';
import { RelayConnector, rtcLinks, type ServerSocket } from '../relay/index.ts';
import { type Fmp4Options, Fmp4Source } from './fmp4-source.ts';
import type { Source, SourceFigures, SourceListener, SourceState } from './source.ts';

/** What a {@link RelaySource} works with. */
export interface RelaySourceOptions extends Omit<Fmp4Options, 'open'> {
  /** `ws(s)://HOST/APP/NAME.relay`. */
  readonly address: string;
  readonly wish: RelayWish | undefined;
}

/** Why a server ends a peer's connection for good; its other transports are there. */
const FINAL: ReadonlySet<string> = new Set(['the tree is full', 'relaying is off']);

/** Plays a stream that comes from other viewers, with the server behind them, and passes it on. */
export class RelaySource implements Source {
  readonly transport = 'relay';
  readonly #connector: RelayConnector;
  readonly #inner: Fmp4Source;
  readonly #listener: SourceListener;
  #greeted = false;

  constructor({ wish, ...options }: RelaySourceOptions, listener: SourceListener) {
    this.#listener = listener;
    this.#connector = new RelayConnector({
      link: rtcLinks(RTCPeerConnection),
      hash: sha256,
      willing: browserWillingness(wish),
      open: (address, protocol) => new WebSocket(address, protocol) as ServerSocket,
    });
    const open = (address: string) => this.#connector.open(address);
    this.#inner = new Fmp4Source(
      { ...options, latency: relayed(options.latency), open },
      { ...listener, state: (state) => this.#state(state) },
    );
  }

  start(): void {
    this.#inner.start();
  }

  setPaused(paused: boolean): void {
    this.#inner.setPaused(paused);
  }

  goLive(): void {
    this.#inner.goLive();
  }

  seekTo(position: number): void {
    this.#inner.seekTo(position);
  }

  isLive(): boolean {
    return this.#inner.isLive();
  }

  setLatency(latency: LatencyClass): void {
    this.#inner.setLatency(relayed(latency));
  }

  figures(): SourceFigures {
    const { taken, sent } = this.#connector.figures;
    const all = taken.peers + taken.server;
    return {
      ...this.#inner.figures(),
      peerShare: all === 0 ? undefined : taken.peers / all,
      peerBytesSent: sent,
    };
  }

  close(): void {
    this.#inner.close();
    this.#connector.close();
  }

  /** A server that never said hello has no tree for this stream; one that does not want this peer says so. */
  #state(state: SourceState): void {
    if (state.kind !== 'reconnecting') {
      this.#greeted ||= state.kind !== 'connecting';
      this.#listener.state(state);
    } else if (!this.#greeted || FINAL.has(state.reason)) {
      this.#listener.failed({ code: 'unreachable', detail: state.reason });
    } else this.#listener.state(state);
  }
}

/** Blocks that come by way of others, and sometimes from the server in their place, need a margin. */
function relayed(latency: LatencyClass): LatencyClass {
  return latency === 'lowest' ? 'balanced' : latency;
}
