import type {
  LatencyClass,
  OnairPlayerElement,
  PlayerFigures,
  PlayerStatus,
  TransportChoice,
  TransportPreference,
} from '@onair/client';
import { type Signal, signal } from '@preact/signals';

/** What a page asks of a player and what the player tells. The player's own menu may change the wishes too. */
export interface PlayerView {
  readonly latency: Signal<LatencyClass>;
  readonly transport: Signal<TransportPreference>;
  /** Once a second while connected. */
  readonly figures: Signal<PlayerFigures | undefined>;
  /** The transport in use and why. */
  readonly choice: Signal<TransportChoice | undefined>;
  readonly status: Signal<PlayerStatus | undefined>;
  /** The element, once it is on the page. */
  readonly element: Signal<OnairPlayerElement | undefined>;
}

/** A view that begins with these wishes. */
export function playerView(latency: LatencyClass, transport: TransportPreference): PlayerView {
  return {
    latency: signal(latency),
    transport: signal(transport),
    figures: signal(undefined),
    choice: signal(undefined),
    status: signal(undefined),
    element: signal(undefined),
  };
}

/** The classes of delay, least first; the player's code itself is loaded later. */
export const LATENCIES: readonly LatencyClass[] = ['lowest', 'balanced', 'smoothest'];
/** The ways to the picture that a person can choose. */
export const PREFERENCES: readonly TransportPreference[] = [
  'auto',
  'ws',
  'whep',
  'relay',
  'llhls',
  'flv',
  'hls',
];
