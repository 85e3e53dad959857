import { HttpProblem } from '../../net/index.ts';
import type { ReloadWish } from '../../packager/hls/index.ts';

/** The delivery directives of a playlist request. RFC 8216bis §6.2.5. */
export interface ReloadQuery {
  readonly wish: ReloadWish | undefined;
  /** A delta update is welcome, `v2` one that leaves out date ranges too. */
  readonly skip: 'no' | 'segments' | 'v2';
}

/** A request without directives. */
const NOTHING: ReloadQuery = { wish: undefined, skip: 'no' };

/** Queries read before: all who watch a stream wait for the same part. */
const seen = new Map<string, ReloadQuery>();
const MAX_SEEN = 512;
/** Longest query that is remembered, in characters. */
const MAX_KEPT = 256;

/**
 * Reads `_HLS_msn`, `_HLS_part` and `_HLS_skip`; everything else is ignored (RFC 8216bis §6.2.5).
 * @param query what follows the question mark.
 * @throws HttpProblem `BAD_REQUEST` for a part without a segment, and for what is no number.
 */
export function readReload(query: string): ReloadQuery {
  if (!query.includes('_HLS_')) return NOTHING;
  const known = seen.get(query);
  if (known !== undefined) return known;
  const read = parse(query);
  if (query.length > MAX_KEPT) return read;
  if (seen.size >= MAX_SEEN) seen.clear();
  seen.set(query, read);
  return read;
}

function parse(query: string): ReloadQuery {
  const values = new Map<string, string>();
  for (const pair of query.split('&')) {
    if (!pair.startsWith('_HLS_')) continue;
    const at = pair.indexOf('=');
    const name = at < 0 ? pair : pair.slice(0, at);
    if (values.has(name)) throw bad(`${name} stands there twice`);
    values.set(name, at < 0 ? '' : pair.slice(at + 1));
  }
  const msn = numberOf(values, '_HLS_msn');
  const part = numberOf(values, '_HLS_part');
  if (part !== undefined && msn === undefined) throw bad('_HLS_part needs _HLS_msn');
  const asked = values.get('_HLS_skip');
  const skip = asked === 'v2' ? 'v2' : asked === 'YES' ? 'segments' : 'no';
  if (msn === undefined) return { wish: undefined, skip };
  return { wish: part === undefined ? { msn } : { msn, part }, skip };
}

function numberOf(values: ReadonlyMap<string, string>, name: string): number | undefined {
  const value = values.get(name);
  if (value === undefined) return undefined;
  if (!/^\d{1,15}$/.test(value)) throw bad(`${name} must be one whole number`);
  return Number(value);
}

function bad(detail: string): HttpProblem {
  return new HttpProblem('BAD_REQUEST', { detail });
}
