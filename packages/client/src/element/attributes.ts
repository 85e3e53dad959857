import { LATENCY_CLASSES, type LatencyClass } from '../engine/live-edge.ts';
import type { TransportPreference } from '../player/transports.ts';
import type { RelayWish } from '../relay/browser-willingness.ts';
import { TRANSPORTS } from '../sources/source.ts';

/** Attributes of `<onair-player>`. */
export const ATTRIBUTES = [
  'src',
  'transport',
  'latency',
  'autoplay',
  'muted',
  'poster',
  'controls',
  'lang',
  'relay',
  'upload-limit',
] as const;

const PREFERENCES: readonly TransportPreference[] = ['auto', ...TRANSPORTS];

/** `transport` as written by a page; a wrong value is told and taken as `auto`. */
export function parseTransport(value: string | null): TransportPreference {
  return oneOf('transport', value, PREFERENCES, 'auto');
}

/** `lowest`, and WebRTC first among the transports, which is more work for the server. */
const REALTIME = 'realtime';

/** `latency` as written by a page; a wrong value is told and taken as `lowest`. */
export function parseLatency(value: string | null): LatencyClass {
  const found = oneOf('latency', value, [...LATENCY_CLASSES, REALTIME], 'lowest');
  return found === REALTIME ? 'lowest' : (found as LatencyClass);
}

/** The transport to begin with: for a page that asks for `latency="realtime"` WebRTC, the others behind it. */
export function firstTransport(transport: TransportPreference, latency: string | null): TransportPreference {
  return transport === 'auto' && latency?.trim().toLowerCase() === REALTIME ? 'whep' : transport;
}

/** `controls`: shown unless the page says `off`. */
export function parseControls(value: string | null): boolean {
  return oneOf('controls', value === '' ? 'on' : value, ['on', 'off'] as const, 'on') === 'on';
}

/** `relay` and `upload-limit` (bits per second): false if the viewer takes no part in the relay tree. */
export function parseRelay(relay: string | null, limit: string | null): RelayWish | false {
  if (oneOf('relay', relay === '' ? 'on' : relay, ['on', 'off'] as const, 'on') === 'off') return false;
  if (limit === null || limit === '') return { uploadBits: 0 };
  const bits = Number(limit);
  if (Number.isFinite(bits) && bits > 0) return { uploadBits: bits };
  console.warn(`<onair-player upload-limit="${limit}">: expected bits per second; no limit is used instead`);
  return { uploadBits: 0 };
}

function oneOf<T extends string>(name: string, value: string | null, known: readonly T[], fallback: T): T {
  if (value === null || value === '') return fallback;
  const found = known.find((one) => one === value.trim().toLowerCase());
  if (found !== undefined) return found;
  console.warn(
    `<onair-player ${name}="${value}">: expected one of ${known.join(', ')}; ${fallback} is used instead`,
  );
  return fallback;
}
