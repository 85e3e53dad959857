import {
  AmfDictionary,
  AmfEcmaArray,
  AmfTypedObject,
  type AmfValue,
  AmfVector,
  AmfXml,
  amfObject,
  MAX_AMF_DEPTH,
} from './value.ts';

/** Most values that are made of one: what is shared within a message must not multiply it. */
export const MAX_JSON_VALUES = 16_384;

/**
 * What JSON can hold of a value: dates become ISO 8601 texts, bytes `{ "hex": … }`, what has no counterpart null.
 * Undefined if it is nested too deep, contains itself, or has more than {@link MAX_JSON_VALUES} parts.
 */
export function jsonOfAmf(value: AmfValue): unknown {
  const budget = { left: MAX_JSON_VALUES };
  try {
    return plain(value, 0, budget);
  } catch (error) {
    if (error === TOO_MUCH) return undefined;
    throw error;
  }
}

/** A value of JSON as AMF. Objects are copied onto ones without prototype. */
export function amfOfJson(value: unknown, depth = 0): AmfValue {
  if (depth >= MAX_AMF_DEPTH - 4) return null;
  if (Array.isArray(value)) return value.map((item) => amfOfJson(item, depth + 1));
  if (typeof value === 'object' && value !== null) {
    const out = amfObject();
    for (const [key, item] of Object.entries(value)) out[key] = amfOfJson(item, depth + 1);
    return out;
  }
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? value : null;
}

const TOO_MUCH = new RangeError('more than JSON is to hold');

function plain(value: AmfValue, depth: number, budget: { left: number }): unknown {
  if (depth > MAX_AMF_DEPTH || budget.left-- <= 0) throw TOO_MUCH;
  if (value === undefined || value === null) return null;
  if (typeof value === 'number') return Number.isFinite(value) ? value : null;
  if (typeof value !== 'object') return value;
  if (Array.isArray(value)) return value.map((item) => plain(item, depth + 1, budget));
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  if (value instanceof Uint8Array) return { hex: hexOf(value) };
  if (value instanceof AmfXml) return value.text;
  if (value instanceof AmfVector) return value.items.map((item) => plain(item, depth + 1, budget));
  if (value instanceof AmfDictionary) {
    return value.entries.map(([key, item]) => [
      plain(key, depth + 1, budget),
      plain(item, depth + 1, budget),
    ]);
  }
  const properties =
    value instanceof AmfEcmaArray || value instanceof AmfTypedObject ? value.properties : value;
  const out = Object.create(null) as Record<string, unknown>;
  for (const [key, item] of Object.entries(properties)) out[key] = plain(item, depth + 1, budget);
  return out;
}

/** Hexadecimal digits, lower case. */
export function hexOf(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += byte.toString(16).padStart(2, '0');
  return text;
}
