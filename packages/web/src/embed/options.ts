import { LATENCIES, type Latency, TRANSPORTS, type Transport } from '../player/player-box.tsx';

/** What the address of an embedded player may ask for. */
export interface EmbedOptions {
  readonly latency: Latency;
  readonly transport: Transport;
  readonly autoplay: boolean;
  readonly muted: boolean;
  readonly controls: boolean;
}

/** Reads `?latency=lowest&transport=ll-hls&autoplay=0&muted=1&controls=0`; what is absent or unknown is as usual. */
export function embedOptions(query: string): EmbedOptions {
  const given = new URLSearchParams(query);
  const flag = (name: string, usual: boolean): boolean => {
    const value = given.get(name);
    return value === null ? usual : value !== '0' && value !== 'false';
  };
  return {
    latency: LATENCIES.find((value) => value === given.get('latency')) ?? 'balanced',
    transport: TRANSPORTS.find((value) => value === given.get('transport')) ?? 'auto',
    autoplay: flag('autoplay', true),
    muted: flag('muted', false),
    controls: flag('controls', true),
  };
}
