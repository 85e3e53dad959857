import type { ConnectRequest } from '@onair/media/rtmp';
import { type Config, rtmpHost } from '../config/index.ts';
import type { Logger } from '../observe/index.ts';
import { bindAddress } from './any-address.ts';
import { NodeExchange } from './http-exchange.ts';
import type { HttpServer } from './http-server.ts';
import { RtmpDoors } from './rtmp-doors.ts';
import type { RtmpHandlers } from './rtmp-handlers.ts';
import { RtmpListener } from './rtmp-listener.ts';
import { addressOf } from './rtmp-web-socket.ts';
import type { TlsIdentity } from './tls-listener.ts';

/** What the RTMP side of the server is made with. */
export interface RtmpServerParts {
  /** Settings in force at the moment. */
  config(): Config;
  readonly logger: Logger;
  /** Takes RTMPT too, in front of its routes. */
  readonly http: HttpServer;
  readonly handlers: RtmpHandlers;
  /** Asks encoders for name and password; gives the words of a refusal. */
  readonly challenge?: { connect(request: ConnectRequest, address: string): string | undefined };
  /** What to show over TLS. */
  identity(): TlsIdentity;
}

/** RTMP in all its ways, listening. */
export interface OpenRtmp {
  readonly ports: { readonly rtmp: number; readonly rtmps?: number };
  /** Ends every connection. Safe to call twice. */
  close(reason: string): Promise<void>;
}

const RTMPE_WARNING =
  'RTMPE is on: its keys are agreed on with nobody in particular and its secrets are published, so that whoever sits in between reads and changes everything; use RTMPS wherever the other end can';

/** What connections go by, made anew only when the settings are others: each connection asks several times. */
function policyOf(settings: () => Config['rtmp']): () => Config['rtmp'] & { readonly pingMs: number } {
  let of = settings();
  const made = (): Config['rtmp'] & { readonly pingMs: number } => ({ ...of, pingMs: of.pingSeconds * 1000 });
  let policy = made();
  return () => {
    const now = settings();
    if (now !== of) {
      of = now;
      policy = made();
    }
    return policy;
  };
}

/** Opens the RTMP port, the one for RTMPS if there is one, RTMPT and RTMP over WebSocket on the HTTP ports. Rejects if a port is taken. */
export async function openRtmp(parts: RtmpServerParts): Promise<OpenRtmp> {
  const { config, logger, http, handlers } = parts;
  const settings = config().rtmp;
  const listener: RtmpListener = new RtmpListener({
    logger,
    handlers: {
      ...handlers,
      connect: (request, address) => {
        const { app } = request;
        const moved = config().rtmp.redirects.find((redirect) => redirect.app === app);
        if (moved === undefined) {
          const reason = parts.challenge?.connect(request, address);
          return reason === undefined ? undefined : { refused: 'NetConnection.Connect.Rejected', reason };
        }
        return { refused: 'NetConnection.Connect.Rejected', reason: `${app} has moved`, redirect: moved.url };
      },
    },
    policy: policyOf(() => config().rtmp),
    other: (socket, head, range) => doors.open(socket, head, range),
  });
  const doors = new RtmpDoors(
    {
      http: () => config().http,
      phaseTimeoutMs: settings.phaseTimeoutMs,
      tunnel: settings.tunnel,
      webSocket: settings.webSocket,
      client: http.client,
      logger,
      identity: settings.tls ? () => parts.identity() : undefined,
      fault: (error) => logger.error({ err: error }, 'RTMPS cannot be spoken'),
    },
    listener,
  );
  if (settings.tunnel) {
    http.intercept((exchange) => {
      // What has a body is always read by Node.
      const { method } = exchange;
      if ((method !== 'POST' && method !== 'OPTIONS') || !(exchange instanceof NodeExchange)) return false;
      const { request, response } = exchange;
      const client = http.client(request);
      return doors.tunnels.take(request, response, addressOf(client), client.secure);
    });
  }
  if (settings.webSocket) http.upgrades.add(doors.webSockets.route);
  if (settings.encrypted) logger.warn(RTMPE_WARNING);
  const close = async (reason: string): Promise<void> => {
    const closed = listener.close(reason);
    doors.close();
    await closed;
  };
  try {
    const host = bindAddress(rtmpHost(config()));
    const { tlsMin, tlsMax, rtmpsPort, rtmpsMin, rtmpsMax } = settings;
    const rtmp = await listener.listen(settings.port, host, { range: { min: tlsMin, max: tlsMax } });
    if (!settings.tls || rtmpsPort === undefined) return { ports: { rtmp }, close };
    const range = { min: rtmpsMin, max: rtmpsMax };
    const rtmps = await listener.listen(rtmpsPort, host, { range, secure: true });
    return { ports: { rtmp, rtmps }, close };
  } catch (error) {
    await close('not started');
    throw error;
  }
}
