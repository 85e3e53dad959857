import type { RelayAddresses } from '@onair/contracts/relay';
import type { StreamName } from '@onair/media';

/** The settings `relay.*` as the endpoint reads them. */
export interface RelaySettings {
  readonly enabled: boolean;
  readonly streams: readonly string[];
  readonly addresses: RelayAddresses;
  readonly maxChildren: number;
  readonly uploadBits: number;
  readonly maxPeers: number;
  readonly silentMs: number;
}

/** Whether viewers may pass a stream on. */
export function mayRelay({ enabled, streams }: RelaySettings, stream: StreamName): boolean {
  if (!enabled) return false;
  const app = stream.slice(0, stream.indexOf('/'));
  return streams.length === 0 || streams.includes(stream) || streams.includes(app);
}
