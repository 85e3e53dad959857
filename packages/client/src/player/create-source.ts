import { browserPlatform } from '../engine/browser-platform.ts';
import type { LatencyClass } from '../engine/live-edge.ts';
import type { StreamAddresses } from '../sources/address.ts';
import { Fmp4Source } from '../sources/fmp4-source.ts';
import type { Source, SourceListener, Transport } from '../sources/source.ts';

/** What a source is made from. */
export interface SourceContext {
  readonly media: HTMLVideoElement;
  readonly addresses: StreamAddresses;
  readonly latency: LatencyClass;
}

/** The source for a transport, not yet started; undefined if this browser cannot use it. */
export type SourceFactory = (
  transport: Transport,
  context: SourceContext,
  listener: SourceListener,
) => Source | undefined;

/** Makes the sources of this package. */
export const createSource: SourceFactory = (transport, context, listener) => {
  const { media, addresses, latency } = context;
  const platform = browserPlatform(media);
  switch (transport) {
    case 'ws':
      if (platform === undefined) return undefined;
      return new Fmp4Source({ address: addresses.ws, media, platform, latency }, listener);
    case 'llhls':
    case 'hls':
    case 'flv':
      return undefined;
  }
};
