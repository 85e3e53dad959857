import type { PublishGuard } from './auth/index.ts';
import type { Bridges } from './bridged-kinds.ts';
import type { Config } from './config/index.ts';
import type { LiveDeps } from './egress/live/index.ts';
import { whepProtocol } from './egress/whep/index.ts';
import { type FanoutContext, type LogLimits, systemClock } from './hub/index.ts';
import { whipProtocol } from './ingest/whip/index.ts';
import {
  bindAddress,
  type HttpServer,
  iceSettings,
  openRtcEndpoint,
  type RtcEndpoint,
  registerRtcProtocol,
} from './net/index.ts';
import type { Logger } from './observe/index.ts';
import { type RtpPackager, rtpPackagerKind } from './packager/rtp/index.ts';
import {
  bridgedKind,
  H264_FOR_RTP,
  OPUS_FOR_RTP,
  type PictureRule,
  pictureBridgedKind,
  VP8_FOR_RTP,
} from './transcode/index.ts';

/** What WebRTC is joined from. */
export interface WebRtcParts {
  readonly http: HttpServer;
  readonly live: LiveDeps;
  readonly guard: PublishGuard;
  readonly logger: Logger;
  readonly context: FanoutContext;
  readonly bridge: Bridges;
  config(): Config;
  limits(): LogLimits;
}

/**
 * Opens the UDP port and registers WHIP and WHEP. Resolves with the port and what ends all of it, or with undefined
 * where the server does without.
 */
export async function startWebRtc(
  parts: WebRtcParts,
): Promise<{ readonly port: number; close(reason: string): void } | undefined> {
  const { http, live, guard } = parts;
  const context = unmerged(parts.context);
  const endpoint = await openEndpoint(parts);
  if (endpoint === undefined) return undefined;
  const settings = () => parts.config().webrtc;
  const iceServers = () => iceSettings(parts.config().ice, 'media', Date.now()).iceServers;
  const common = { ...live, endpoint, clock: systemClock, settings };
  const whip = registerRtcProtocol(http, whipProtocol({ ...common, gate: guard }), iceServers);
  const used = ({ fanout }: RtpPackager): boolean => fanout.size > 0;
  const turned = (rule: PictureRule) => {
    const sounding = bridgedKind(rtpPackagerKind(context, parts.limits), OPUS_FOR_RTP, parts.bridge);
    return pictureBridgedKind(sounding, rule, parts.bridge, { used });
  };
  const kind = turned(H264_FOR_RTP);
  const vp8Kind = turned(VP8_FOR_RTP);
  const whep = registerRtcProtocol(http, whepProtocol({ ...common, kind, vp8Kind }), iceServers);
  return {
    port: endpoint.port,
    close(reason) {
      whip(reason);
      whep(reason);
      endpoint.close();
    },
  };
}

/**
 * The pumps' settings without the window that widens under load. RTP goes out packet by packet, so merging saves
 * nothing: it would only make sound come in bursts, against which browsers hold it, and the pictures with it, back.
 */
export function unmerged(context: FanoutContext): FanoutContext {
  return { ...context, policy: (windowMs) => ({ ...context.policy(windowMs), windowMs }) };
}

async function openEndpoint({ config, logger }: WebRtcParts): Promise<RtcEndpoint | undefined> {
  const { enabled, port } = config().webrtc;
  if (enabled === 'off') return undefined;
  const { host } = config();
  try {
    return await openRtcEndpoint({
      port,
      host: host === undefined ? undefined : bindAddress(host),
      addresses: () => config().webrtc.addresses,
    });
  } catch (error) {
    if (enabled === 'on') throw error;
    logger.warn({ err: error, port }, 'going on without WebRTC');
    return undefined;
  }
}
