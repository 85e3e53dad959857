import type { GopLimits } from './gop-cache.ts';

/**
 * What happens when a second publisher comes for a live name: `refuse` it; let it `takeover` if it shows
 * the same credentials as the first; or let it `standby` and go on air when the first one is gone.
 */
export type TakeoverPolicy = 'refuse' | 'takeover' | 'standby';

/** How the hub treats its streams. Values can be replaced at run time; running streams see the new ones. */
export interface HubPolicy {
  /** How long a stream waits for a vanished publisher, in milliseconds. */
  readonly reconnectWindowMs: number;
  readonly takeover: TakeoverPolicy;
  readonly gop: GopLimits;
  /** How long an ended stream stays known, in milliseconds. */
  readonly endedLingerMs: number;
  /** Streams known at once, idle ones that only have viewers included. */
  readonly maxStreams: number;
}

/** Values that serve most installations. */
export const DEFAULT_POLICY: HubPolicy = {
  reconnectWindowMs: 30_000,
  takeover: 'refuse',
  gop: { maxBytes: 16 * 1024 * 1024, maxMs: 20_000 },
  endedLingerMs: 60_000,
  maxStreams: 2_000,
};

/** Most tracks one publication may have. */
export const MAX_TRACKS = 16;
