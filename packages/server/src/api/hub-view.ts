import type { SessionInfo, StreamInfo, TrackInfo } from '@onair/contracts';
import type { StreamName, Track } from '@onair/media';
import type { Clock, Session, SessionTable, Stream, StreamRegistry } from '../hub/index.ts';
import type { FiguresSource, StreamFigures, TransportFigures } from '../observe/index.ts';
import type { SessionService, StreamService } from './ports.ts';

/** What the hub's streams and sessions are read from. */
export interface HubSources {
  readonly registry: StreamRegistry;
  readonly sessions: SessionTable;
  readonly clock: Clock;
  /** Bytes that viewers of a stream got from each other; undefined if they do not pass it on. */
  relayed?(stream: StreamName): number | undefined;
}

/** The hub's streams as the API shows them. */
export function streamService(sources: HubSources): StreamService {
  const { registry } = sources;
  return {
    list: () => {
      const perStream = sessionsByStream(sources.sessions);
      return registry
        .list()
        .map((stream) => describeStream(stream, perStream.get(stream.name) ?? [], sources));
    },
    find: (name) => {
      const stream = registry.find(name);
      if (stream === undefined) return undefined;
      const own = sources.sessions.list().filter((session) => session.stream === name);
      return describeStream(stream, own, sources);
    },
    kick: (name, reason) => {
      const publication = registry.find(name)?.publication;
      publication?.revoke(reason);
      return publication !== undefined;
    },
    onChange: (listener) => registry.onChange(() => listener()),
  };
}

/** The hub's sessions as the API shows them. */
export function sessionService(sessions: SessionTable): SessionService {
  return {
    list: () => sessions.list().map(describeSession),
    find: (id) => {
      const session = sessions.get(id);
      return session === undefined ? undefined : describeSession(session);
    },
    kick: (id, reason) => {
      const session = sessions.get(id);
      session?.close(reason);
      return session !== undefined;
    },
    move: (id, to) => sessions.get(id)?.move?.(to) === true,
  };
}

/** The hub's figures for a metrics scrape. */
export function figuresSource(sources: HubSources): FiguresSource {
  return {
    *streams(): Iterable<StreamFigures> {
      const perStream = sessionsByStream(sources.sessions);
      for (const stream of sources.registry.list()) {
        const own = perStream.get(stream.name) ?? [];
        yield {
          name: stream.name,
          live: stream.state === 'live',
          bytesIn: stream.input.total,
          samplesIn: stream.input.count,
          droppedIn: own.reduce(
            (sum, one) => sum + (one.kind === 'publisher' ? one.figures().dropped : 0),
            0,
          ),
          epoch: stream.epoch?.number ?? 0,
          bitrateIn: stream.input.bitrate(sources.clock.now()),
          transports: transportsOf(stream.name, own, sources.sessions),
        };
      }
    },
  };
}

function describeStream(
  stream: Stream,
  own: readonly Session[],
  { sessions, clock, relayed }: HubSources,
): StreamInfo {
  const bytesRelayed = relayed?.(stream.name);
  const transports = transportsOf(stream.name, own, sessions);
  const publisher = own.find((session) => session.kind === 'publisher');
  const now = clock.now();
  const warnings = stream.publication?.warnings ?? [];
  return {
    name: stream.name,
    state: stream.state,
    since: stream.since,
    ...(publisher === undefined
      ? {}
      : {
          publisher: {
            session: publisher.id,
            protocol: publisher.protocol,
            address: publisher.address,
            since: publisher.since,
          },
        }),
    tracks: (stream.epoch?.tracks ?? []).map(describeTrack),
    viewers: sessions.viewers(stream.name),
    viewersByTransport: Object.fromEntries(
      transports.filter(({ viewers }) => viewers > 0).map(({ transport, viewers }) => [transport, viewers]),
    ),
    bytesIn: stream.input.total,
    bytesOut: transports.reduce((sum, { bytesOut }) => sum + bytesOut, 0),
    ...(bytesRelayed === undefined ? {} : { bytesRelayed }),
    bitrateIn: Math.round(stream.input.bitrate(now)),
    bitrateHistory: stream.input.history(now).map(Math.round),
    epoch: stream.epoch?.number ?? 0,
    ...(stream.until === undefined ? {} : { reconnectDeadline: stream.until }),
    ...(warnings.length === 0 ? {} : { warnings }),
  };
}

function describeTrack({ parameters }: Track): TrackInfo {
  switch (parameters.kind) {
    case 'video':
      return {
        kind: 'video',
        codec: parameters.codec,
        codecString: parameters.codecString,
        width: parameters.width,
        height: parameters.height,
        ...(parameters.frameRate === undefined ? {} : { frameRate: parameters.frameRate }),
      };
    case 'audio':
      return {
        kind: 'audio',
        codec: parameters.codec,
        codecString: parameters.codecString,
        sampleRate: parameters.sampleRate,
        channels: parameters.channels,
      };
    case 'data':
      return { kind: 'data', codec: parameters.codec };
  }
}

function describeSession(session: Session): SessionInfo {
  const { bytes, dropped, skips, backlog } = session.figures();
  return {
    id: session.id,
    kind: session.kind,
    protocol: session.protocol,
    stream: session.stream,
    address: session.address,
    since: session.since,
    bytes,
    dropped,
    skips,
    backlogBytes: backlog,
  };
}

function sessionsByStream(sessions: SessionTable): Map<StreamName, Session[]> {
  const perStream = new Map<StreamName, Session[]>();
  for (const session of sessions.list()) {
    const own = perStream.get(session.stream);
    if (own === undefined) perStream.set(session.stream, [session]);
    else own.push(session);
  }
  return perStream;
}

/** Figures of a stream's viewers by transport: those present and those who left. */
function transportsOf(name: StreamName, own: readonly Session[], sessions: SessionTable): TransportFigures[] {
  const sums = new Map<string, { viewers: number; bytesOut: number; skips: number; dropped: number }>();
  const sum = (transport: string) => {
    const known = sums.get(transport);
    if (known !== undefined) return known;
    const fresh = { viewers: 0, bytesOut: 0, skips: 0, dropped: 0 };
    sums.set(transport, fresh);
    return fresh;
  };
  for (const [key, past] of sessions.past(name)) {
    const [kind, transport = ''] = key.split(':');
    if (kind !== 'viewer') continue;
    const figures = sum(transport);
    figures.bytesOut += past.bytes;
    figures.skips += past.skips;
    figures.dropped += past.dropped;
  }
  for (const session of own) {
    if (session.kind !== 'viewer') continue;
    const figures = sum(session.protocol);
    const { bytes, skips, dropped } = session.figures();
    figures.viewers++;
    figures.bytesOut += bytes;
    figures.skips += skips;
    figures.dropped += dropped;
  }
  return [...sums].map(([transport, figures]) => ({ transport, ...figures }));
}
