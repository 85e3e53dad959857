import { createHmac } from 'node:crypto';
import type { RelayAddresses, RelayIceServer } from '@onair/contracts/relay';
import type { StreamName } from '@onair/media';

/** The settings `relay.*` as the endpoint reads them. */
export interface RelaySettings {
  readonly enabled: boolean;
  readonly streams: readonly string[];
  readonly addresses: RelayAddresses;
  readonly iceServers: readonly string[];
  readonly turnSecret?: string | undefined;
  readonly maxChildren: number;
  readonly uploadBits: number;
  readonly maxPeers: number;
  readonly silentMs: number;
}

/** How long credentials for a TURN server hold, in seconds. */
const TURN_SECONDS = 24 * 3600;

/** Whether viewers may pass a stream on. */
export function mayRelay({ enabled, streams }: RelaySettings, stream: StreamName): boolean {
  if (!enabled) return false;
  const app = stream.slice(0, stream.indexOf('/'));
  return streams.length === 0 || streams.includes(stream) || streams.includes(app);
}

/**
 * The STUN and TURN servers with credentials for one peer, as coturn's `use-auth-secret` reckons them.
 * @param now ms since the Unix epoch
 */
export function iceServersFor(
  { iceServers, turnSecret }: RelaySettings,
  peer: string,
  now: number,
): RelayIceServer[] {
  return iceServers.map((urls) => {
    if (turnSecret === undefined || !urls.startsWith('turn')) return { urls };
    const username = `${Math.floor(now / 1000) + TURN_SECONDS}:${peer}`;
    return { urls, username, credential: createHmac('sha1', turnSecret).update(username).digest('base64') };
  });
}
