import { HttpProblem } from '../../net/index.ts';
import type { ReloadWish } from '../../packager/hls/index.ts';

/** The delivery directives of a playlist request. RFC 8216bis §6.2.5. */
export interface ReloadQuery {
  readonly wish: ReloadWish | undefined;
  /** A delta update is welcome. */
  readonly skip: boolean;
}

/**
 * Reads `_HLS_msn`, `_HLS_part` and `_HLS_skip`; everything else is ignored (RFC 8216bis §6.2.5).
 * @throws HttpProblem `BAD_REQUEST` for a part without a segment, and for what is no number.
 */
export function readReload(query: Readonly<Record<string, unknown>>): ReloadQuery {
  const msn = numberOf(query, '_HLS_msn');
  const part = numberOf(query, '_HLS_part');
  if (part !== undefined && msn === undefined) throw bad('_HLS_part needs _HLS_msn');
  const skip = query._HLS_skip === 'YES' || query._HLS_skip === 'v2';
  if (msn === undefined) return { wish: undefined, skip };
  return { wish: part === undefined ? { msn } : { msn, part }, skip };
}

function numberOf(query: Readonly<Record<string, unknown>>, name: string): number | undefined {
  const value = query[name];
  if (value === undefined) return undefined;
  if (typeof value !== 'string' || !/^\d{1,15}$/.test(value)) throw bad(`${name} must be one whole number`);
  return Number(value);
}

function bad(detail: string): HttpProblem {
  return new HttpProblem('BAD_REQUEST', { detail });
}
