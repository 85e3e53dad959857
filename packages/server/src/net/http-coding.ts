/** Content codings that texts are kept in (RFC 9110 §8.4.1, RFC 7932). */
export type ContentCoding = 'identity' | 'gzip' | 'br';

/** Longest `Accept-Encoding` that is read, in characters. */
const MAX_LENGTH = 1000;
/** Answers to headers seen before: clients send few different ones. */
const seen = new Map<string, ContentCoding>();
const MAX_SEEN = 256;

/** The smallest coding that the client takes (RFC 9110 §12.5.3). */
export function chooseCoding(header: string | undefined): ContentCoding {
  if (header === undefined) return 'identity';
  const known = seen.get(header);
  if (known !== undefined) return known;
  const coding = read(header.slice(0, MAX_LENGTH));
  if (seen.size >= MAX_SEEN) seen.clear();
  if (header.length <= MAX_LENGTH) seen.set(header, coding);
  return coding;
}

/** True if the client takes a coding at all (RFC 9110 §12.5.3). */
export function acceptsCoding(header: string | undefined, coding: 'gzip' | 'br'): boolean {
  if (header === undefined) return false;
  const weights = weightsOf(header.slice(0, MAX_LENGTH));
  return (weights.get(coding) ?? weights.get('*') ?? 0) > 0;
}

function read(header: string): ContentCoding {
  const weights = weightsOf(header);
  const other = weights.get('*') ?? 0;
  const brotli = weights.get('br') ?? other;
  const gzip = weights.get('gzip') ?? other;
  if (brotli > 0 && brotli >= gzip) return 'br';
  return gzip > 0 ? 'gzip' : 'identity';
}

function weightsOf(header: string): ReadonlyMap<string, number> {
  const weights = new Map<string, number>();
  for (const item of header.split(',')) {
    const [name = '', ...parameters] = item.trim().toLowerCase().split(';');
    let weight = 1;
    for (const parameter of parameters) {
      const match = /^\s*q=(\d(?:\.\d{0,3})?)\s*$/.exec(parameter);
      if (match !== null) weight = Number(match[1]);
    }
    weights.set(name.trim() === 'x-gzip' ? 'gzip' : name.trim(), weight);
  }
  return weights;
}
