declare const unit: unique symbol;
/** A count of ticks in some timebase; the timebase stands beside it in the track. */
export type Ticks = number & { readonly [unit]: 'ticks' };
/** Ticks per second. */
export type Timebase = number & { readonly [unit]: 'timebase' };

/** Milliseconds as a timebase (RTMP, FLV). */
export const MILLISECONDS = 1000 as Timebase;
/** Microseconds as a timebase (stream time inside the hub and our own wire formats). */
export const MICROSECONDS = 1_000_000 as Timebase;
/** The 90 kHz clock of MPEG systems, used for every video track. */
export const VIDEO_TIMEBASE = 90_000 as Timebase;

/** Marks a plain integer as ticks. */
export function ticks(count: number): Ticks {
  return count as Ticks;
}

/**
 * Convert without leaving the safe-integer range; rounds to the nearest tick.
 * Exact inverse for whole multiples; monotonic in `count`.
 */
export function rescale(count: Ticks, from: Timebase, to: Timebase): Ticks {
  if (from === to) return count;
  const whole = Math.floor(count / from);
  const rest = count - whole * from;
  return (whole * to + Math.round((rest * to) / from)) as Ticks;
}
