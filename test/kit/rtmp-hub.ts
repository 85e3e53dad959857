import type { StreamName } from '../../packages/media/src/index.ts';
import { RtmpEgress } from '../../packages/server/src/egress/rtmp/index.ts';
import {
  DEFAULT_POLICY,
  DEFAULT_PUMP_POLICY,
  SessionTable,
  StreamRegistry,
  systemClock,
} from '../../packages/server/src/hub/index.ts';
import { StreamPull } from '../../packages/server/src/ingest/pull/index.ts';
import { acceptRtmpPublisher } from '../../packages/server/src/ingest/rtmp/index.ts';
import { RtmpListener } from '../../packages/server/src/net/rtmp-listener.ts';
import { createLog } from '../../packages/server/src/observe/index.ts';
import { RTMP_MESSAGES, tagPackagerKind } from '../../packages/server/src/packager/tags/index.ts';
import type { Owned } from './scope.ts';

/** The RTMP side of the server alone, in this process: everybody may publish and play. */
export class RtmpHub implements Owned {
  readonly registry: StreamRegistry;
  readonly sessions: SessionTable;
  /** Log lines so far. */
  readonly lines: { readonly message: string; readonly fields: Readonly<Record<string, unknown>> }[] = [];
  /** Sinks that threw. */
  readonly faults: unknown[] = [];
  readonly listener: RtmpListener;
  readonly #egress: RtmpEgress;
  readonly #pulls: StreamPull[] = [];
  #port = 0;

  constructor() {
    this.registry = new StreamRegistry({
      policy: DEFAULT_POLICY,
      onFault: (_, error) => this.faults.push(error),
    });
    let serial = 0;
    this.sessions = new SessionTable(
      () => Date.now(),
      () => `s${serial++}`,
    );
    const context = {
      clock: systemClock,
      policy: (windowMs: number) => ({ ...DEFAULT_PUMP_POLICY, windowMs }),
    };
    const { registry, sessions } = this;
    this.#egress = new RtmpEgress({
      registry,
      sessions,
      log: this.#log,
      kind: tagPackagerKind(RTMP_MESSAGES, context),
      windowMs: () => 0,
      waitForPublisher: () => true,
      notifyAway: () => false,
    });
    const gate = { authorize: async () => ({ ok: true as const, identity: 'anybody' }) };
    this.listener = new RtmpListener({
      logger: createLog({ level: 'silent', format: 'json', write: () => undefined }).logger,
      policy: () => ({
        phaseTimeoutMs: 10_000,
        pingMs: 30_000,
        maxConnections: 1000,
        maxConnectionsPerAddress: 1000,
      }),
      handlers: {
        publish: (peer, request) =>
          acceptRtmpPublisher(peer, request, { registry, sessions, gate, log: this.#log }),
        play: (peer, request) => this.#egress.play(peer, request),
      },
    });
  }

  get port(): number {
    return this.#port;
  }

  /** Listens on a free port of loopback. */
  async start(): Promise<this> {
    this.#port = await this.listener.listen(0, '127.0.0.1');
    return this;
  }

  /** Address of `live/NAME`. */
  url(name: string): string {
    return `rtmp://127.0.0.1:${this.#port}/live/${name}`;
  }

  /** Fetches a stream from elsewhere. */
  pull(url: string, stream: StreamName): void {
    const { registry, sessions } = this;
    const pull = new StreamPull({ url, stream }, { registry, sessions, clock: systemClock, log: this.#log });
    this.#pulls.push(pull);
    pull.start();
  }

  async stop(): Promise<void> {
    for (const pull of this.#pulls) pull.close('test over');
    this.#egress.close();
    await this.listener.close('test over');
    this.registry.close('test over');
  }

  readonly #log = (message: string, fields: Readonly<Record<string, unknown>>): void => {
    this.lines.push({ message, fields });
  };
}
