import type { SourceFailure, SourceState, Transport } from '../sources/source.ts';

/** What a viewer sees of a player. */
export type PlayerStatus =
  /** Nothing to play, or play not asked for yet. */
  | { readonly kind: 'idle' }
  | { readonly kind: 'connecting' }
  /** Nobody publishes the stream yet. */
  | { readonly kind: 'waiting' }
  | { readonly kind: 'playing' }
  | { readonly kind: 'paused' }
  /** The stream is live, but the picture stands still for want of media. */
  | { readonly kind: 'buffering' }
  /** The publisher vanished; `until` in ms since the Unix epoch by this machine's clock. */
  | { readonly kind: 'absent'; readonly until?: number }
  | { readonly kind: 'reconnecting'; readonly reason: string }
  | { readonly kind: 'ended' }
  /** The browser refuses to play before the viewer does something. */
  | { readonly kind: 'blocked' }
  /** No transport works; the player tries again at `retryAt` (ms since the Unix epoch) if that is set. */
  | { readonly kind: 'failed'; readonly failure: SourceFailure; readonly retryAt?: number };

/** What the media element does, as far as it matters for the status. */
export interface MediaCondition {
  readonly wanted: boolean;
  /** Play was refused by the browser. */
  readonly blocked: boolean;
  /** The position moves or was moving until now. */
  readonly moving: boolean;
}

/** The status that follows from the source and the media element. */
export function statusOf(source: SourceState, media: MediaCondition): PlayerStatus {
  switch (source.kind) {
    case 'connecting':
      return { kind: 'connecting' };
    case 'waiting':
    case 'ended':
      // What is still buffered is shown to its end.
      return media.moving && media.wanted ? { kind: 'playing' } : { kind: source.kind };
    case 'absent':
      return media.moving && media.wanted ? { kind: 'playing' } : source;
    case 'reconnecting':
      return media.moving && media.wanted ? { kind: 'playing' } : source;
    case 'live':
      if (media.blocked) return { kind: 'blocked' };
      if (!media.wanted) return { kind: 'paused' };
      return { kind: media.moving ? 'playing' : 'buffering' };
  }
}

/** True if both say the same to a viewer. */
export function sameStatus(a: PlayerStatus, b: PlayerStatus): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** Why the transport in use is in use. */
export interface TransportChoice {
  readonly transport: Transport;
  /** `chosen` by a person, `first` of the automatic order, or a `fallback` after another failed, or `offered` by the server. */
  readonly why: 'chosen' | 'first' | 'fallback' | 'offered';
  /** With `fallback`: what failed and how. */
  readonly failed?: { readonly transport: Transport; readonly failure: SourceFailure };
}
