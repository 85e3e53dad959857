import type { LatencyClass, TransportPreference } from '@onair/client';
import { LATENCIES, PREFERENCES } from '../player/player-view.ts';

/** What the address of an embedded player may ask for. */
export interface EmbedOptions {
  readonly latency: LatencyClass;
  readonly transport: TransportPreference;
  readonly autoplay: boolean;
  readonly muted: boolean;
  readonly controls: boolean;
}

/** Reads `?latency=balanced&transport=llhls&autoplay=0&muted=1&controls=0`; what is absent or unknown is as usual. */
export function embedOptions(query: string): EmbedOptions {
  const given = new URLSearchParams(query);
  const flag = (name: string, usual: boolean): boolean => {
    const value = given.get(name);
    return value === null ? usual : value !== '0' && value !== 'false';
  };
  return {
    latency: LATENCIES.find((value) => value === given.get('latency')) ?? 'lowest',
    transport: PREFERENCES.find((value) => value === given.get('transport')) ?? 'auto',
    autoplay: flag('autoplay', true),
    muted: flag('muted', false),
    controls: flag('controls', true),
  };
}
