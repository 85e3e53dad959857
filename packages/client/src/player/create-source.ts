import { browserPlatform } from '../engine/browser-platform.ts';
import type { LatencyClass } from '../engine/live-edge.ts';
import type { RelayWish } from '../relay/browser-willingness.ts';
import type { StreamAddresses } from '../sources/address.ts';
import { Fmp4Source } from '../sources/fmp4-source.ts';
import type { Source, SourceListener, Transport } from '../sources/source.ts';

/** What a source is made from. */
export interface SourceContext {
  readonly media: HTMLVideoElement;
  readonly addresses: StreamAddresses;
  readonly latency: LatencyClass;
  /** What the viewer gives to others; by default what its line carries. */
  readonly relay?: RelayWish | false | undefined;
}

/** The source for a transport, not yet started; undefined if this browser cannot use it. */
export type SourceFactory = (
  transport: Transport,
  context: SourceContext,
  listener: SourceListener,
) => Promise<Source | undefined>;

/** Makes the sources of this package. What the first transport does not need is loaded when it is needed. */
export const createSource: SourceFactory = async (transport, context, listener) => {
  const { media, addresses, latency } = context;
  const platform = browserPlatform(media);
  switch (transport) {
    case 'ws':
      if (platform === undefined) return undefined;
      return new Fmp4Source({ address: addresses.ws, media, platform, latency }, listener);
    case 'relay': {
      if (platform === undefined || typeof RTCPeerConnection !== 'function') return undefined;
      const { RelaySource } = await import('../sources/relay-source.ts');
      return new RelaySource(
        { address: addresses.relay, media, platform, latency, wish: context.relay || undefined },
        listener,
      );
    }
    case 'llhls': {
      if (platform === undefined) return undefined;
      const { HlsSource } = await import('../sources/hls-source.ts');
      return new HlsSource(
        { address: addresses.hls, media, latency, steadyRate: platform.steadyRate === true },
        listener,
      );
    }
    case 'hls': {
      const { NativeHlsSource } = await import('../sources/native-hls-source.ts');
      return new NativeHlsSource({ address: addresses.hls, media, latency }, listener);
    }
    case 'flv': {
      if (platform === undefined) return undefined;
      const { FlvSource } = await import('../sources/flv-source.ts');
      return new FlvSource({ address: addresses.flv, media, platform, latency }, listener);
    }
    case 'whep': {
      if (typeof RTCPeerConnection !== 'function') return undefined;
      const { WhepSource } = await import('../sources/whep-source.ts');
      return new WhepSource({ address: addresses.whep, media, latency }, listener);
    }
  }
};
