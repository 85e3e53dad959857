import { randomBytes } from 'node:crypto';
import { type StreamName, streamName } from '@onair/media';
import { figuresSource, type OpenPorts, registerApi, sessionService, streamService } from './api/index.ts';
import {
  AdminGuard,
  AdminToken,
  AttemptLimiter,
  createPublishGuard,
  EncoderChallenge,
  FileKeyStore,
  SignIns,
} from './auth/index.ts';
import { bridgedHlsKinds, bridgedTagKinds } from './bridged-kinds.ts';
import type { Config, ConfigStore } from './config/index.ts';
import { DemoSource } from './demo/index.ts';
import { registerDoors } from './doors.ts';
import { registerDashRoutes } from './egress/dash/index.ts';
import { Fmp4HttpServer } from './egress/fmp4/index.ts';
import { registerHlsRoutes } from './egress/hls/index.ts';
import { CmafFanouts } from './egress/live/index.ts';
import { registerLiveRoutes } from './egress/live-routes.ts';
import { mayRelay } from './egress/relay/settings.ts';
import { PushSet, RtmpEgress } from './egress/rtmp/index.ts';
import { registerTsRoutes } from './egress/ts/index.ts';
import { Fmp4SocketServer } from './egress/ws-fmp4/index.ts';
import { registerEvents, VOTE_METHOD, voteByMethod } from './events/index.ts';
import {
  type FanoutContext,
  type HubPolicy,
  LoadGovernor,
  type LogLimits,
  type PackagerKind,
  SessionTable,
  StreamRegistry,
  systemClock,
} from './hub/index.ts';
import { publishLocal } from './ingest/local/index.ts';
import { acceptRtmpPublisher } from './ingest/rtmp/index.ts';
import { registerTsIngest } from './ingest/ts/index.ts';
import { identityOf, listenCompat, listenTls } from './listeners.ts';
import { registerMethods } from './methods/index.ts';
import { builtPages, createHttpServer, iceSettings } from './net/index.ts';
import { openRtmp } from './net/rtmp-server.ts';
import { ADMITTED, RtmpCallbacks } from './nginx/rtmp-callbacks.ts';
import { createMetrics, type Logger, LoopDelay } from './observe/index.ts';
import { cmafPackagerKind } from './packager/cmaf/index.ts';
import { dashPackagerKind } from './packager/dash/index.ts';
import { type HlsPackager, hlsPackagerKind, streamOptions } from './packager/hls/index.ts';
import { tsPackagerKind } from './packager/ts/index.ts';
import { tellOfPlaylists } from './playlist-calls.ts';
import { registerRecordedUploads } from './recorded-uploads.ts';
import { RedirectRelays } from './redirect-relays.ts';
import type { Rooms } from './rooms/index.ts';
import { NO_ROOMS } from './rooms/room-directory.ts';
import { roomGate } from './rooms/room-gate.ts';
import { AudioTranscoder, PictureTranscoder } from './transcode/index.ts';

/** What a server is started with. The store and the logger stay the caller's. */
export interface ServerOptions {
  readonly config: ConfigStore;
  readonly logger: Logger;
  /** Version told by the API. */
  readonly version: string;
  /** Folder of the built pages; the one of this installation if left out. */
  readonly pagesFolder?: string;
}

/** A server that listens. */
export interface RunningServer {
  readonly ports: OpenPorts;
  /** The operator's token in clear, at the first start only. */
  readonly freshToken: string | undefined;
  readonly registry: StreamRegistry;
  /** Ends every session, closes every port and releases everything. Safe to call twice. */
  close(deadlineMs?: number): Promise<void>;
}

/** The demo's name. */
export const DEMO_STREAM = streamName('live', 'demo');

/** Joins all parts and listens. Rejects, with nothing left behind, if a port or the data folder cannot be used. */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { logger, version } = options;
  const config = (): Config => options.config.current;
  const undo: (() => void | Promise<void>)[] = [];
  try {
    return await assemble();
  } catch (error) {
    for (const step of undo.reverse()) await step();
    throw error;
  }

  async function assemble(): Promise<RunningServer> {
    const state = { stopping: false };
    const ports: { -readonly [K in keyof OpenPorts]: OpenPorts[K] } = { http: 0 };
    const loop = new LoopDelay();
    undo.push(() => loop.close());
    const context = fanoutContext(config, loop);
    const limits = (): LogLimits => logLimits(config());
    const cmaf = cmafPackagerKind(limits, () => config().hls.eventId3);
    const hlsOptions = streamOptions(() => config().hls);
    const hlsOver = (chunks: typeof cmaf): PackagerKind<HlsPackager> =>
      hlsPackagerKind(chunks, systemClock, hlsOptions);
    const hls = hlsOver(cmaf);
    const transcoder = new AudioTranscoder();
    undo.push(() => transcoder.close());
    const pictures = new PictureTranscoder(() => config().transcode);
    undo.push(() => pictures.close());
    const bridge = {
      transcoder,
      pictures,
      log: (message: string, fields: object) => logger.info(fields, message),
    };
    const kinds = {
      ...bridgedTagKinds(context, limits, bridge),
      cmaf,
      hls,
      dash: dashPackagerKind(hls, cmaf, systemClock, () => config().dash),
    };
    const making = {
      sessions: () => sessions,
      cmaf: () => cmafPackagerKind(limits, () => config().hls.eventId3),
      hls: hlsOver,
      ts: (of: typeof hls) => tsPackagerKind(of, systemClock, () => config().hls),
    };
    const hlsKinds = bridgedHlsKinds(hls, making, bridge);
    const registry = new StreamRegistry({
      clock: systemClock,
      policy: hubPolicy(config()),
      // Segments are made from the first moment on, so that who comes first does not wait for them.
      eager: config().hls.enabled ? [kinds.cmaf, kinds.hls] : [kinds.cmaf],
      onFault: (stream, error) =>
        logger.error({ err: error, stream: stream.name }, 'a sink failed and was removed'),
      onWarning: (stream, { code, text }) => logger.warn({ stream: stream.name, code }, text),
    });
    undo.push(() => registry.close('server stopping'));
    const sessions = new SessionTable(Date.now, () => randomBytes(12).toString('base64url'));
    undo.push(
      registry.onChange((stream) => {
        if (registry.find(stream.name) === undefined) sessions.forget(stream.name);
      }),
    );
    undo.push(
      options.config.listen({
        changed: ({ current }) => {
          registry.policy = hubPolicy(current);
        },
      }),
    );

    const { data, auth } = config();
    const limiter = new AttemptLimiter(
      () => config().auth.failuresPerMinute,
      () => performance.now(),
    );
    const keys = new FileKeyStore(data);
    const token = AdminToken.open(data);
    if (token.wasExposed)
      logger.warn('other users of this machine could read the admin token; delete it for a new one');
    const challenge = new EncoderChallenge({ config: () => config().auth, limiter, now: Date.now });
    let rooms: Rooms | undefined;
    const guard = roomGate(
      createPublishGuard({ config: () => config().auth, keys, limiter }),
      () => rooms?.directory,
    );
    const admin = new AdminGuard({
      token,
      signIns: new SignIns(data, auth.sessionMs),
      limiter,
      demoAccount: () => config().auth.demoAccount,
    });

    const log = (message: string, fields: Readonly<Record<string, unknown>>): void =>
      logger.info(fields, message);
    const live = { registry, sessions, log, windowMs: () => config().hub.mergeWindowMs };
    const http = createHttpServer({ config, logger, pagesFolder: options.pagesFolder ?? builtPages() });
    undo.push(() => http.close(0));
    const doors = registerDoors(http, options.config, { ...live, clock: systemClock });
    undo.push(() => doors.close('server stopping'));
    const fanouts = new CmafFanouts(kinds.cmaf, context);
    const relayed = (name: StreamName): boolean => mayRelay(config().relay, name);
    const fmp4 = new Fmp4SocketServer({ ...live, fanouts, relayed });
    undo.push(() => fmp4.close());
    const fmp4Http = new Fmp4HttpServer({ ...live, fanouts });
    undo.push(() => fmp4Http.close());
    if (config().hls.enabled) {
      const served = registerHlsRoutes(http, {
        ...live,
        kindOf: hlsKinds.hls,
        clock: systemClock,
        endedMs: () => config().hls.endedMs,
      });
      undo.push(() => served.close('server stopping'));
      const tsRoutes = registerTsRoutes(http, {
        ...live,
        kindOf: hlsKinds.ts,
        clock: systemClock,
        endedMs: () => config().hls.endedMs,
      });
      undo.push(() => tsRoutes.close('server stopping'));
    }
    if (config().dash.enabled) {
      const stallMs = (): number => config().hub.stallMs;
      const served = registerDashRoutes(http, { ...live, kind: kinds.dash, clock: systemClock, stallMs });
      undo.push(() => served.close('server stopping'));
    }
    const pushing = { ...live, kind: kinds.rtmp, clock: systemClock };
    const relays = new RedirectRelays(pushing);
    undo.push(() => relays.close('server stopping'));
    const callbacks = new RtmpCallbacks({ rules: () => config().callbacks, log, relays });
    undo.push(() => callbacks.close());
    if (config().hls.enabled)
      undo.push(tellOfPlaylists({ registry, clock: systemClock, kind: hls, callbacks }));
    const recorded = registerRecordedUploads({
      config,
      logger,
      registry,
      sessions,
      guard,
      cmaf: kinds.cmaf,
      http,
      records: (stream) => rooms?.directory.isRecorded(stream) === true,
      started: (stream, file) => callbacks.recording(stream, file),
      finished: ({ stream, runs }) =>
        callbacks.recorded(
          stream,
          runs.map(({ path }) => path),
        ),
    });
    undo.push(() => recorded.close());
    registerTsIngest(http, { ...live, clock: systemClock, gate: guard });
    registerLiveRoutes(http, { flv: { ...live, kind: kinds.flv }, fmp4, fmp4Http });
    const pushes = new PushSet(pushing);
    undo.push(() => pushes.close('server stopping'));
    undo.push(options.config.listen({ changed: ({ current }) => pushes.set(current.pushes) }));
    pushes.set(config().pushes);
    const events = registerEvents(http, {
      ...live,
      config,
      admin,
      guard,
      dateOfZero: (stream) => (config().hls.enabled ? stream.packager(hls).dateOf(0) : undefined),
    });
    undo.push(() => events.close());
    const methods = await registerMethods(http, {
      data,
      folder: config().apps.folder,
      callMs: () => config().apps.callMs,
      fire: (stream, request, app) =>
        events.service.fire(stream, request, { by: `app:${app}`, address: 'local' }),
      own: new Map([[VOTE_METHOD, (client, args) => voteByMethod(events.service, client, args)]]),
      log: (level, message, fields) => logger[level](fields, message),
    });
    undo.push(() => methods.close());
    // Early: encoders of a server that comes back try again and again. What follows is not even loaded before.
    const rtmpPlay = new RtmpEgress({
      ...live,
      kind: kinds.rtmp,
      preciseKind: kinds.preciseRtmp,
      waitForPublisher: () => config().rtmp.waitForPublisher,
      notifyAway: () => false,
      assumeEnhanced: () => config().rtmp.assumeEnhanced,
      archive: recorded.archive,
    });
    undo.push(() => rtmpPlay.close());
    if (config().rtmp.enabled) {
      const rtmp = await openRtmp({
        config,
        logger,
        http,
        identity: () => identityOf(config()),
        challenge,
        handlers: doors.rtmp(
          callbacks.around(
            methods.rtmp({
              publish: (peer, request) => {
                const gate = callbacks.admitted(request) ? ADMITTED : challenge.guard(peer.connect, guard);
                return acceptRtmpPublisher(peer, request, { registry, sessions, gate, log });
              },
              play: (peer, request) => rtmpPlay.play(peer, request),
            }),
          ),
        ),
      });
      undo.push(() => rtmp.close('server stopping'));
      Object.assign(ports, rtmp.ports);
    }
    const { startTalks } = await import('./talks.ts');
    const hasWebRtc = (): boolean => ports.webrtc !== undefined;
    rooms = startTalks({ http, registry, recorded, config, limiter, hasWebRtc, log });
    undo.push(() => rooms?.close());
    const { registerRelay } = await import('./egress/relay/index.ts');
    const relay = registerRelay(http, {
      ...live,
      fanouts,
      settings: () => config().relay,
      ice: () => iceSettings(config().ice, 'viewer', Date.now()).iceServers,
    });
    undo.push(() => relay.close());
    const { registerDemos } = await import('./demos.ts');
    const demos = registerDemos({ config, logger, registry, sessions, guard, http });
    undo.push(() => demos.close());
    const sources = { registry, sessions, clock: systemClock, relayed: relay.relayed };
    const metrics = createMetrics(figuresSource(sources), loop, version);
    undo.push(() => metrics.close());
    registerApi(http.fastify, {
      config,
      admin,
      guard,
      keys,
      streams: streamService(sources),
      sessions: sessionService(sessions),
      events: events.service,
      relay,
      rooms: rooms?.directory ?? NO_ROOMS,
      client: http.client,
      metrics,
      loop,
      version,
      ports: () => ports,
      pushes: () => pushes.list(),
      stopping: () => state.stopping,
    });
    if ((config().nginx.stat ?? config().nginx.control) !== undefined) {
      const { registerNginxPages } = await import('./nginx/register.ts');
      const shown = { streams: streamService(sources), sessions: sessionService(sessions) };
      const record = recorded.order;
      registerNginxPages(http, { config, admin, ...shown, record, version, wall: Date.now });
    }
    const { startWebRtc } = await import('./webrtc.ts');
    const webrtc = await startWebRtc({ http, live, guard, logger, context, bridge, config, limits });
    if (webrtc !== undefined) {
      undo.push(() => webrtc.close('server stopping'));
      ports.webrtc = webrtc.port;
    }
    ports.http = await http.listen();
    const signalling = await rooms?.listenCompat();
    if (signalling !== undefined) ports.rooms = signalling;
    const sample = await demos.listenCompat();
    if (sample !== undefined) ports.echo = sample;
    await listenCompat(http, config, logger);
    const tls = await listenTls(http, config, logger);
    if (tls !== undefined) ports.tls = tls;

    doors.start();
    if (config().demo) undo.push(publishLocal(DEMO_STREAM, new DemoSource(), { registry, sessions }));

    let closing: Promise<void> | undefined;
    const shutDown = async (deadlineMs: number): Promise<void> => {
      state.stopping = true;
      const ending = http.close(deadlineMs);
      for (const step of undo.reverse()) await step();
      await ending;
    };
    return {
      ports,
      registry,
      freshToken: token.fresh,
      close: (deadlineMs = 1_000) => {
        closing ??= shutDown(deadlineMs);
        return closing;
      },
    };
  }
}

/** The pumps' settings; the merge window widens while the event loop is late. */
function fanoutContext(config: () => Config, loop: LoopDelay): FanoutContext {
  const governor = new LoadGovernor();
  loop.follow(({ p90Ms }) => governor.observe(p90Ms, performance.now()));
  return {
    clock: systemClock,
    policy: (windowMs) => {
      const { maxLagMs, stallMs } = config().hub;
      return { windowMs: Math.max(windowMs, governor.windowMs), lagMs: maxLagMs, stallMs };
    },
  };
}

/** What a log keeps: a little more than a viewer may lag, and further back as long as a group of pictures lasts. */
function logLimits({ hub }: Config): LogLimits {
  return {
    maxBytes: hub.logMaxBytes,
    keepMs: Math.min(hub.maxLagMs + 1000, hub.logMaxMs),
    maxMs: hub.logMaxMs,
  };
}

function hubPolicy({ hub }: Config): HubPolicy {
  return {
    reconnectWindowMs: hub.reconnectWindowMs,
    takeover: hub.takeover,
    gop: { maxBytes: hub.gopMaxBytes, maxMs: hub.gopMaxMs },
    endedLingerMs: hub.endedLingerMs,
    maxStreams: hub.maxStreams,
  };
}
