/** Which bytes of a resource to send: all, some, or none because the range lies outside. */
export type ByteSpan =
  | { readonly kind: 'whole' }
  | { readonly kind: 'part'; readonly from: number; readonly to: number }
  | { readonly kind: 'outside' };

const WHOLE: ByteSpan = { kind: 'whole' };

/**
 * Reads a `Range` header for a resource of `length` bytes (RFC 9110 §14.2). Several ranges and anything that is
 * not understood are answered with the whole resource, as §14.2 allows.
 */
export function readByteRange(header: string | undefined, length: number): ByteSpan {
  const match = header === undefined ? null : /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header.trim());
  if (match === null) return WHOLE;
  const [, first, last] = match;
  if (first === '' && last === '') return WHOLE;
  if (first === '') {
    const count = Math.min(Number(last), length);
    return count === 0 ? { kind: 'outside' } : { kind: 'part', from: length - count, to: length - 1 };
  }
  const from = Number(first);
  const to = last === '' ? length - 1 : Math.min(Number(last), length - 1);
  if (last !== '' && Number(last) < from) return WHOLE;
  return from >= length ? { kind: 'outside' } : { kind: 'part', from, to };
}
