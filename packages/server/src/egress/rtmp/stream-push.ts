import { type StreamName, splitStreamName } from '@onair/media';
import { metadataOf } from '@onair/media/flv';
import { parseRtmpUrl } from '@onair/media/rtmp';
import type { Clock, PackagerKind } from '../../hub/index.ts';
import { RtmpClient, RtmpRefused } from '../../net/rtmp-client.ts';
import type { TagPackager } from '../../packager/tags/index.ts';
import { type LiveDeps, SocketTransport, Viewing } from '../live/index.ts';
import { takesMultitrack } from './player-abilities.ts';
import { rtmpEnvelope } from './rtmp-envelope.ts';

/** Wait before the second attempt, in milliseconds; it doubles with each failure. */
export const FIRST_PUSH_RETRY_MS = 1_000;
/** Longest wait between attempts, in milliseconds. */
export const MAX_PUSH_RETRY_MS = 60_000;
/** A target that took the stream for so long counts as good again, in milliseconds. */
export const GOOD_PUSH_MS = 10_000;
/** Redirects followed in one attempt. */
const MAX_REDIRECTS = 3;

/** What to send where. */
export interface PushOrder {
  /** An rtmp URL in any of its ways; `{app}` and `{name}` in it stand for the stream's. */
  readonly url: string;
  readonly stream: StreamName;
  /** Takes any certificate. */
  readonly insecure?: boolean | undefined;
}

/** How a push is doing. */
export interface PushStatus {
  readonly stream: StreamName;
  /** Without what may be secret. */
  readonly host: string;
  /** `waiting` for the stream, `connecting`, `live`, or `failed` until the next attempt. */
  readonly state: 'waiting' | 'connecting' | 'live' | 'failed';
  /** Since when, ms since the Unix epoch. */
  readonly since: number;
  /** Attempts that failed in a row. */
  readonly failures: number;
  /** Why the last one failed. */
  readonly reason: string | undefined;
  /** When the next attempt begins, ms since the Unix epoch. */
  readonly retryAt: number | undefined;
}

/** What a push needs. */
export interface PushDeps extends LiveDeps {
  readonly clock: Clock;
  /** The stream's RTMP messages. */
  readonly kind: PackagerKind<TagPackager>;
  /** Merge window in milliseconds. */
  windowMs(): number;
  /** 0 to 1, for waits that do not fall together. */
  readonly random?: () => number;
}

/** Sends a stream to another server as long as it is live, and tries again whenever that fails. */
export class StreamPush {
  readonly #order: PushOrder;
  readonly #deps: PushDeps;
  readonly #unlisten: () => void;
  #status: PushStatus;
  #connection: RtmpClient | undefined;
  #viewing: Viewing | undefined;
  #cancelRetry: (() => void) | undefined;
  #onAirMs: number | undefined;
  #redirects = 0;
  #closed = false;

  constructor(order: PushOrder, deps: PushDeps) {
    this.#order = order;
    this.#deps = deps;
    this.#status = {
      stream: order.stream,
      host: hostOf(order.url),
      state: 'waiting',
      since: deps.clock.wall(),
      failures: 0,
      reason: undefined,
      retryAt: undefined,
    };
    this.#unlisten = deps.registry.onChange((stream) => {
      if (stream.name === order.stream) this.#look();
    });
    this.#look();
  }

  get status(): PushStatus {
    return this.#status;
  }

  get statuses(): readonly PushStatus[] {
    return [this.#status];
  }

  /** Lets connection and timers go. Safe to call twice. */
  close(reason: string): void {
    this.#closed = true;
    this.#unlisten();
    this.#cancelRetry?.();
    this.#cancelRetry = undefined;
    this.#drop(reason);
  }

  /** Connects when the stream is live, lets go when it is over. */
  #look(): void {
    if (this.#closed) return;
    const state = this.#deps.registry.find(this.#order.stream)?.state ?? 'idle';
    if (state === 'live') {
      if (
        this.#connection === undefined &&
        this.#cancelRetry === undefined &&
        this.#status.state !== 'failed'
      )
        this.#tryConnect(this.#url());
      return;
    }
    if (state === 'waiting') return;
    this.#cancelRetry?.();
    this.#cancelRetry = undefined;
    if (this.#status.state === 'waiting') return;
    this.#drop('the stream is over');
    this.#enter('waiting', { failures: 0, reason: undefined, retryAt: undefined });
  }

  #url(): string {
    const { app, name } = splitStreamName(this.#order.stream);
    return this.#order.url.replaceAll('{app}', app).replaceAll('{name}', name);
  }

  #connect(url: string): void {
    this.#cancelRetry = undefined;
    this.#enter('connecting', { retryAt: undefined });
    const connection = new RtmpClient({
      url: parseRtmpUrl(url),
      intent: 'publish',
      verify: this.#order.insecure !== true,
      // The operator may name any host; what a target redirects to must be that host or a public one.
      reach: hostOf(url) === this.#status.host ? 'anywhere' : 'public',
      onEvent: (event) => {
        if (event.kind !== 'status' || event.code !== 'NetConnection.Connect.ReconnectRequest') return;
        void connection.close(); // the next attempt follows
      },
    });
    this.#connection = connection;
    void connection.ready.then(
      () => this.#onAir(connection),
      () => undefined, // told by `closed`
    );
    void connection.closed.then((error) => this.#over(connection, error));
  }

  #onAir(connection: RtmpClient): void {
    if (this.#connection !== connection) return;
    const { stream } = this.#order;
    const { clock, kind } = this.#deps;
    this.#onAirMs = clock.now();
    this.#redirects = 0;
    const stop = (): void => void connection.close();
    const viewing = new Viewing(this.#deps, {
      stream,
      protocol: 'rtmp-push',
      address: this.#status.host,
      close: stop,
    });
    this.#viewing = viewing;
    const { fanout } = viewing.stream.packager(kind);
    connection.setDataFrame(0, 'onMetaData', metadataOf(viewing.stream.epoch?.tracks ?? []));
    const multitrack = takesMultitrack(connection);
    const envelope = rtmpEnvelope(connection.streamId, multitrack);
    const tracks = multitrack ? 'all' : 'default';
    const pump = fanout.pump({ envelope, tracks, windowMs: this.#deps.windowMs() });
    viewing.join(pump.join(new SocketTransport(connection.socket, stop), {}));
    connection.socket.on('drain', () => viewing.viewer?.drained());
    this.#enter('live', { reason: undefined });
    this.#deps.log('push began', { stream, host: this.#status.host });
  }

  #over(connection: RtmpClient, error: Error | undefined): void {
    if (this.#connection !== connection) return;
    const reason = error?.message ?? 'closed by the target';
    const { clock, registry } = this.#deps;
    const goodMs = this.#onAirMs === undefined ? 0 : clock.now() - this.#onAirMs;
    this.#drop(reason);
    if (error instanceof RtmpRefused && error.redirect !== undefined && this.#redirects < MAX_REDIRECTS) {
      this.#redirects++;
      this.#tryConnect(error.redirect);
      return;
    }
    this.#redirects = 0;
    const failures = goodMs >= GOOD_PUSH_MS ? 1 : this.#status.failures + 1;
    const { stream } = this.#order;
    if (registry.find(stream)?.state !== 'live') {
      this.#enter('waiting', { failures, reason, retryAt: undefined });
      return;
    }
    const random = this.#deps.random ?? Math.random;
    const wait =
      Math.min(MAX_PUSH_RETRY_MS, FIRST_PUSH_RETRY_MS * 2 ** (failures - 1)) * (0.75 + random() / 4);
    this.#enter('failed', { failures, reason, retryAt: clock.wall() + Math.round(wait) });
    if (failures === 1) this.#deps.log('push failed', { stream, host: this.#status.host, reason });
    this.#cancelRetry = clock.after(wait, () => this.#tryConnect(this.#url()));
  }

  /** An address from elsewhere may be none. */
  #tryConnect(url: string): void {
    try {
      this.#connect(url);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#enter('failed', { failures: this.#status.failures + 1, reason, retryAt: undefined });
    }
  }

  #drop(reason: string): void {
    const connection = this.#connection;
    this.#connection = undefined;
    this.#onAirMs = undefined;
    this.#viewing?.close(reason);
    this.#viewing = undefined;
    void connection?.close();
  }

  #enter(state: PushStatus['state'], more: Partial<PushStatus>): void {
    const since = state === this.#status.state ? this.#status.since : this.#deps.clock.wall();
    this.#status = { ...this.#status, ...more, state, since };
  }
}

function hostOf(url: string): string {
  return /^[a-z]+:\/\/(?:[^/@]*@)?(\[[^\]]*\]|[^:/?#]*)/.exec(url)?.[1] ?? '';
}
