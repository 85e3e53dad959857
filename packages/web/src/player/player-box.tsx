import { type Signal, signal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import './player-box.css';

/** How close to the live edge the player stays. */
export const LATENCIES = ['lowest', 'balanced', 'smoothest'] as const;
/** A choice between delay and evenness. */
export type Latency = (typeof LATENCIES)[number];

/** How the media may reach the player; `auto` lets the player choose. */
export const TRANSPORTS = ['auto', 'ws-fmp4', 'll-hls', 'http-flv', 'native-hls'] as const;
/** A way for the media. */
export type Transport = (typeof TRANSPORTS)[number];

/** What the player tells about itself, once a second. */
export interface PlayerFigures {
  /** The transport in use. */
  readonly transport?: string;
  /** Why this transport, in words. */
  readonly reason?: string;
  /** Delay behind the encoder by the server's clock, milliseconds. */
  readonly latencyMs?: number;
  /** Pixels. */
  readonly height?: number;
}

/** A place for the figures of one player. */
export function playerFigures(): Signal<PlayerFigures> {
  return signal<PlayerFigures>({});
}

/** The player as an element of the page; the box keeps its form before the player is loaded. */
export function PlayerBox({
  src,
  latency,
  transport,
  controls = true,
  autoplay = true,
  muted = false,
}: {
  /** `/APP/NAME`. */
  readonly src: string;
  readonly latency: Latency;
  readonly transport: Transport;
  readonly controls?: boolean;
  readonly autoplay?: boolean;
  readonly muted?: boolean;
}): JSX.Element {
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const player = document.createElement('onair-player');
    player.setAttribute('src', src);
    player.setAttribute('latency', latency);
    player.setAttribute('transport', transport);
    player.toggleAttribute('autoplay', autoplay);
    player.toggleAttribute('muted', muted);
    player.toggleAttribute('controls', controls);
    box.current?.replaceChildren(player);
    void import('@onair/client');
    return () => player.remove();
  }, [src, latency, transport, controls, autoplay, muted]);
  return <div ref={box} class="player-box" />;
}
