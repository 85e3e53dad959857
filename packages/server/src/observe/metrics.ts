import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import { channels } from './channels.ts';
import type { LoopDelay } from './loop-delay.ts';

/** What one transport did for one stream since the stream began. */
export interface TransportFigures {
  /** e.g. `rtmp`, `http-flv`, `ws-fmp4`, `hls`. */
  readonly transport: string;
  /** Viewers now. */
  readonly viewers: number;
  /** Bytes sent, of all viewers that ever were. */
  readonly bytesOut: number;
  /** Forward jumps of viewers that were too slow. */
  readonly skips: number;
  /** Blocks that those jumps left out. */
  readonly dropped: number;
}

/** What a scrape reads of one stream. */
export interface StreamFigures {
  /** `APP/NAME`. */
  readonly name: string;
  readonly live: boolean;
  readonly bytesIn: number;
  /** Samples that the publisher sent and the stream took. */
  readonly samplesIn: number;
  /** Samples or tags that were malformed and left out. */
  readonly droppedIn: number;
  readonly epoch: number;
  /** Incoming bits per second. */
  readonly bitrateIn: number;
  readonly transports: readonly TransportFigures[];
}

/** Gives the figures of the moment. Called once per scrape, never in between. */
export interface FiguresSource {
  streams(): Iterable<StreamFigures>;
}

/** The metrics of one process. */
export interface Metrics {
  /** Media type of {@link text}. */
  readonly contentType: string;
  /** Collects everything and renders the Prometheus text format. */
  text(): Promise<string>;
  close(): void;
}

/** Makes the registry of the process and joins it to its sources. */
export function createMetrics(source: FiguresSource, loop: LoopDelay, version: string): Metrics {
  const registry = new Registry();
  addProcessMetrics(registry);
  addServerMetrics(registry, loop, version);
  addStreamMetrics(registry, source);
  const stop = addEventCounters(registry);
  return {
    contentType: registry.contentType,
    text: () => registry.metrics(),
    close() {
      for (const undo of stop) undo();
      registry.clear();
    },
  };
}

/** How often the library would look at the event loop, in milliseconds; as seldom as can be. */
const NO_PROBES_MS = 3_600_000;

/**
 * What every Node process tells of itself, without the event loop's delay: the library would wake the process
 * a hundred times a second for it, and `onair_event_loop_delay_seconds` tells it.
 */
function addProcessMetrics(registry: Registry): void {
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: NO_PROBES_MS });
  for (const { name } of registry.getMetricsAsArray())
    if (name.startsWith('nodejs_eventloop_lag')) registry.removeSingleMetric(name);
}

function addServerMetrics(registry: Registry, loop: LoopDelay, version: string): void {
  const registers = [registry];
  new Gauge({
    name: 'onair_info',
    help: 'Always 1; the label tells the version.',
    labelNames: ['version'],
    registers,
  }).set({ version }, 1);
  new Gauge({
    name: 'onair_event_loop_delay_seconds',
    help: '99th percentile of the event loop delay over the last seconds.',
    registers,
    collect() {
      this.set(loop.p99Ms / 1000);
    },
  });
}

interface Column<T> {
  readonly name: string;
  readonly help: string;
  readonly kind: 'gauge' | 'counter';
  readonly read: (figures: T) => number;
}

const STREAM_COLUMNS: readonly Column<StreamFigures>[] = [
  {
    name: 'onair_stream_live',
    help: '1 while the stream has a publisher.',
    kind: 'gauge',
    read: (s) => (s.live ? 1 : 0),
  },
  {
    name: 'onair_stream_bytes_in_total',
    help: 'Media bytes received.',
    kind: 'counter',
    read: (s) => s.bytesIn,
  },
  {
    name: 'onair_stream_samples_in_total',
    help: 'Samples received.',
    kind: 'counter',
    read: (s) => s.samplesIn,
  },
  {
    name: 'onair_stream_dropped_in_total',
    help: 'Malformed samples that were left out.',
    kind: 'counter',
    read: (s) => s.droppedIn,
  },
  { name: 'onair_stream_epoch', help: 'Changes of codec parameters.', kind: 'gauge', read: (s) => s.epoch },
  {
    name: 'onair_stream_bitrate_in_bits_per_second',
    help: 'Incoming bitrate over the last seconds.',
    kind: 'gauge',
    read: (s) => s.bitrateIn,
  },
];

const TRANSPORT_COLUMNS: readonly Column<TransportFigures>[] = [
  { name: 'onair_stream_viewers', help: 'Viewers now.', kind: 'gauge', read: (t) => t.viewers },
  {
    name: 'onair_stream_bytes_out_total',
    help: 'Bytes sent to viewers.',
    kind: 'counter',
    read: (t) => t.bytesOut,
  },
  {
    name: 'onair_stream_skips_total',
    help: 'Forward jumps of viewers that were too slow.',
    kind: 'counter',
    read: (t) => t.skips,
  },
  {
    name: 'onair_stream_dropped_out_total',
    help: 'Blocks that viewers jumped over.',
    kind: 'counter',
    read: (t) => t.dropped,
  },
];

function addStreamMetrics(registry: Registry, source: FiguresSource): void {
  // One snapshot serves all metrics of a scrape: they are collected in the same turn of the event loop.
  let snapshot: readonly StreamFigures[] | undefined;
  const streams = (): readonly StreamFigures[] => {
    if (snapshot === undefined) {
      snapshot = [...source.streams()];
      setImmediate(() => {
        snapshot = undefined;
      });
    }
    return snapshot;
  };
  for (const column of STREAM_COLUMNS) {
    addColumn(registry, column, ['stream'], (set) => {
      for (const stream of streams()) set({ stream: stream.name }, column.read(stream));
    });
  }
  for (const column of TRANSPORT_COLUMNS) {
    addColumn(registry, column, ['stream', 'transport'], (set) => {
      for (const stream of streams()) {
        for (const one of stream.transports) {
          set({ stream: stream.name, transport: one.transport }, column.read(one));
        }
      }
    });
  }
}

function addColumn<T>(
  registry: Registry,
  { name, help, kind }: Column<T>,
  labelNames: string[],
  fill: (set: (labels: Record<string, string>, value: number) => void) => void,
): void {
  const registers = [registry];
  if (kind === 'gauge') {
    new Gauge({
      name,
      help,
      labelNames,
      registers,
      collect() {
        this.reset();
        fill((labels, value) => this.set(labels, value));
      },
    });
    return;
  }
  new Counter({
    name,
    help,
    labelNames,
    registers,
    collect() {
      this.reset();
      fill((labels, value) => this.inc(labels, value));
    },
  });
}

function addEventCounters(registry: Registry): (() => void)[] {
  const registers = [registry];
  const opened = new Counter({
    name: 'onair_sessions_opened_total',
    help: 'Sessions opened.',
    labelNames: ['protocol'],
    registers,
  });
  const closed = new Counter({
    name: 'onair_sessions_closed_total',
    help: 'Sessions ended, by the code of their end.',
    labelNames: ['protocol', 'code'],
    registers,
  });
  const refused = new Counter({
    name: 'onair_access_refused_total',
    help: 'Refused attempts to publish or to sign in.',
    labelNames: ['protocol', 'code'],
    registers,
  });
  const connections = new Counter({
    name: 'onair_connections_refused_total',
    help: 'Connections refused before any session.',
    labelNames: ['listener', 'reason'],
    registers,
  });
  const reloads = new Counter({
    name: 'onair_config_reloads_total',
    help: 'Reloads of the configuration.',
    labelNames: ['result'],
    registers,
  });
  return [
    channels.sessionOpened.listen(({ protocol }) => opened.inc({ protocol })),
    channels.sessionClosed.listen(({ protocol, code }) => closed.inc({ protocol, code })),
    channels.accessRefused.listen(({ protocol, code }) => refused.inc({ protocol, code })),
    channels.connectionRefused.listen(({ listener, reason }) => connections.inc({ listener, reason })),
    channels.configReloaded.listen(({ ok }) => reloads.inc({ result: ok ? 'applied' : 'refused' })),
  ];
}
