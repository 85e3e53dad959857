import type { Run } from './runs.ts';
import type { RunSegments } from './segments.ts';

/** What is told may lie above what is measured by this factor before it is told anew. */
const TOO_MUCH = 1.5;
/** Room left when a value is told, for the segments to come. */
const ROOM = 1.1;

/**
 * `@bandwidth` of each rendition: the largest of any segment listed (ISO/IEC 23009-1 §5.3.5.4, since minBufferTime is
 * one segment). It keeps still as long as it is true, because players compare it between versions.
 */
export class Bandwidths {
  readonly #told = new Map<string, number>();

  /** Bits per second. */
  of(run: Run, segments: RunSegments): number {
    const key = `${run.id} ${segments.rendition.name}`;
    const measured = peakOf(segments);
    const told = this.#told.get(key);
    if (told !== undefined && told >= measured && told <= measured * TOO_MUCH) return told;
    const value = Math.max(1000, Math.ceil((measured * ROOM) / 1000) * 1000);
    this.#told.set(key, value);
    return value;
  }

  /** Forgets all but these runs. */
  keep(runs: readonly Run[]): void {
    const prefixes = new Set(runs.map(({ id }) => id));
    for (const key of this.#told.keys()) if (!prefixes.has(key.split(' ')[0]!)) this.#told.delete(key);
  }
}

function peakOf({ listed, open }: RunSegments): number {
  let peak = 0;
  for (const { bytes, span } of listed) {
    if (span.length > 0) peak = Math.max(peak, (bytes.length * 8_000_000) / span.length);
  }
  const growing = open?.size;
  // The keyframe at its front makes a segment that has just begun look larger than it will be.
  if (growing !== undefined && growing.duration > 0 && (peak === 0 || growing.duration > 1_000_000)) {
    peak = Math.max(peak, (growing.bytes * 8_000_000) / Math.max(growing.duration, 1_000_000));
  }
  return peak;
}
