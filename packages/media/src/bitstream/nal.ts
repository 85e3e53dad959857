import { concatBytes } from '../bytes/index.ts';
import { ParseError } from '../model/errors.ts';

/** Most NAL units in one access unit; level 6.2 allows 600 slices (ITU-T H.264 Table A-1). */
export const MAX_NALS_PER_UNIT = 4096;
/** Largest parameter set that is looked into, in bytes; real ones have less than 300. */
export const MAX_PARAMETER_SET_BYTES = 16_384;

const LENGTH_CLAUSE = 'ISO/IEC 14496-15 §4.3.2';

/**
 * Raw byte sequence payload: the NAL unit without its emulation prevention bytes (ITU-T H.264 §7.3.1).
 * Looks at no more than `limit` bytes. The result is the input itself where nothing had to be removed.
 */
export function unescapeRbsp(nal: Uint8Array, limit = nal.length): Uint8Array {
  const end = Math.min(limit, nal.length);
  let at = 2;
  while (at < end && !(nal[at] === 3 && nal[at - 1] === 0 && nal[at - 2] === 0)) at++;
  if (at >= end) return nal.subarray(0, end);
  const out = new Uint8Array(end);
  let length = 0;
  let zeros = 0;
  for (let i = 0; i < end; i++) {
    const byte = nal[i]!;
    if (zeros >= 2 && byte === 3) {
      zeros = 0;
      continue;
    }
    zeros = byte === 0 ? zeros + 1 : 0;
    out[length++] = byte;
  }
  return out.subarray(0, length);
}

/** Inserts emulation prevention bytes; the inverse of {@link unescapeRbsp}. */
export function escapeRbsp(rbsp: Uint8Array): Uint8Array {
  const out = new Uint8Array(rbsp.length + Math.ceil(rbsp.length / 2) + 1);
  let length = 0;
  let zeros = 0;
  for (const byte of rbsp) {
    if (zeros === 2 && byte <= 3) {
      out[length++] = 3;
      zeros = 0;
    }
    zeros = byte === 0 ? zeros + 1 : 0;
    out[length++] = byte;
  }
  if (zeros > 0) out[length++] = 3; // a NAL unit never ends in 00
  return out.slice(0, length);
}

/**
 * NAL units of an access unit with `lengthSize`-byte lengths in front of each, as views.
 * Empty ones are left out.
 * @throws ParseError `NAL_MALFORMED` unless the lengths add up to the whole.
 */
export function splitLengthPrefixed(unit: Uint8Array, lengthSize = 4): Uint8Array[] {
  const nals: Uint8Array[] = [];
  let at = 0;
  while (at < unit.length) {
    const start = at + lengthSize;
    const size = nalLength(unit, at, lengthSize);
    if (size > 0) nals.push(unit.subarray(start, start + size));
    if (nals.length > MAX_NALS_PER_UNIT) throw tooMany(at);
    at = start + size;
  }
  return nals;
}

/**
 * Length of the NAL unit whose length field stands at `at`.
 * @throws ParseError `NAL_MALFORMED` if field or unit reach past the end.
 */
export function nalLength(unit: Uint8Array, at: number, lengthSize = 4): number {
  if (at + lengthSize > unit.length) {
    throw new ParseError('NAL_MALFORMED', LENGTH_CLAUSE, 'the access unit ends within a NAL length', at);
  }
  let size = 0;
  for (let i = 0; i < lengthSize; i++) size = size * 256 + unit[at + i]!;
  if (at + lengthSize + size > unit.length) {
    const left = unit.length - at - lengthSize;
    throw new ParseError('NAL_MALFORMED', LENGTH_CLAUSE, `NAL length ${size}, but ${left} bytes left`, at);
  }
  return size;
}

/** One access unit with 4-byte lengths. */
export function joinLengthPrefixed(nals: readonly Uint8Array[]): Uint8Array {
  return join(nals, (view, at, size) => view.setUint32(at, size));
}

/** One byte stream with 4-byte start codes (ITU-T H.264 Annex B). */
export function joinAnnexB(nals: readonly Uint8Array[]): Uint8Array {
  return join(nals, (view, at) => view.setUint32(at, 1));
}

function join(
  nals: readonly Uint8Array[],
  mark: (view: DataView, at: number, size: number) => void,
): Uint8Array {
  let length = 0;
  for (const nal of nals) length += 4 + nal.length;
  const out = new Uint8Array(length);
  const view = new DataView(out.buffer);
  let at = 0;
  for (const nal of nals) {
    mark(view, at, nal.length);
    out.set(nal, at + 4);
    at += 4 + nal.length;
  }
  return out;
}

/**
 * NAL units of a byte stream (ITU-T H.264 Annex B), as views, without start codes and trailing zeros.
 * Bytes before the first start code are left out, as are empty units.
 * @throws ParseError `NAL_MALFORMED` above {@link MAX_NALS_PER_UNIT} units.
 */
export function splitAnnexB(bytes: Uint8Array): Uint8Array[] {
  const nals: Uint8Array[] = [];
  let start = -1;
  const close = (end: number): void => {
    if (start < 0) return;
    while (end > start && bytes[end - 1] === 0) end--;
    if (end > start) nals.push(bytes.subarray(start, end));
    if (nals.length > MAX_NALS_PER_UNIT) throw tooMany(start);
  };
  let at = bytes.indexOf(1, 2);
  while (at >= 0) {
    if (bytes[at - 1] === 0 && bytes[at - 2] === 0 && at - 2 >= start) {
      close(at - 2);
      start = at + 1;
    }
    at = bytes.indexOf(1, at + 1);
  }
  close(bytes.length);
  return nals;
}

/** True if the bytes begin with a start code of Annex B rather than with a NAL length of 4 bytes. */
export function looksLikeAnnexB(bytes: Uint8Array): boolean {
  if (bytes.length < 4 || bytes[0] !== 0 || bytes[1] !== 0) return false;
  const startCode = bytes[2] === 1 || (bytes[2] === 0 && bytes[3] === 1);
  return startCode && nalEnd(bytes) !== bytes.length;
}

/** Where the chain of 4-byte lengths ends; the length of `bytes` if the chain is sound. */
function nalEnd(bytes: Uint8Array): number {
  let at = 0;
  while (at + 4 <= bytes.length) {
    const size = bytes[at]! * 0x100_0000 + ((bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!);
    at += 4 + size;
  }
  return at;
}

/** Rewrites NAL lengths of `lengthSize` bytes as 4-byte ones. */
export function widenLengths(unit: Uint8Array, lengthSize: number): Uint8Array {
  return joinLengthPrefixed(splitLengthPrefixed(unit, lengthSize));
}

/** A byte stream access unit in the canonical framing. */
export function annexBToLengthPrefixed(bytes: Uint8Array): Uint8Array {
  return joinLengthPrefixed(splitAnnexB(bytes));
}

/** A canonical access unit as a byte stream, `before` (parameter sets) in front. */
export function lengthPrefixedToAnnexB(unit: Uint8Array, before: readonly Uint8Array[] = []): Uint8Array {
  if (before.length === 0) return joinAnnexB(splitLengthPrefixed(unit));
  return concatBytes([joinAnnexB(before), joinAnnexB(splitLengthPrefixed(unit))]);
}

function tooMany(at: number): ParseError {
  return new ParseError(
    'NAL_MALFORMED',
    LENGTH_CLAUSE,
    `more than ${MAX_NALS_PER_UNIT} NAL units in one access unit`,
    at,
  );
}
