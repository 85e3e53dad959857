import { ParseError } from '../model/errors.ts';
import { Attributes } from './attributes.ts';
import type { ByteRange, InitMap, Start } from './model.ts';

/** A decimal integer that is the whole value of `tag`. @throws ParseError `HLS_SYNTAX`. */
export function readInteger(tag: string, value: string | undefined): number {
  const number = Number(value);
  if (value === undefined || !/^\d{1,20}$/.test(value) || !Number.isSafeInteger(number)) {
    throw new ParseError('HLS_SYNTAX', 'RFC 8216 §4.2', `${tag} needs an integer, has ${quote(value)}`);
  }
  return number;
}

/** ISO 8601 date and time with zone as milliseconds since 1970. RFC 8216 §4.3.2.6. */
export function readDateTime(tag: string, value: string | undefined): number {
  const form = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d([.,]\d{1,9})?)?(Z|[+-]\d\d(:?\d\d)?)$/;
  const match = value === undefined ? null : form.exec(value);
  const zone = match?.[3];
  const full =
    zone !== undefined && /^[+-]\d\d$/.test(zone)
      ? `${value}:00`
      : zone?.length === 5
        ? colon(value!)
        : value;
  const time = match === null ? Number.NaN : Date.parse(full!.replace(',', '.'));
  if (Number.isNaN(time)) {
    throw new ParseError('HLS_SYNTAX', 'RFC 8216 §4.3.2.6', `${tag} needs a date, has ${quote(value)}`);
  }
  return time;
}

/** `length[@offset]`. RFC 8216 §4.3.2.2. */
export function readByteRange(tag: string, value: string | undefined): ByteRange {
  const match = value === undefined ? null : /^(\d{1,16})(?:@(\d{1,16}))?$/.exec(value);
  const length = Number(match?.[1]);
  const offset = match?.[2] === undefined ? undefined : Number(match[2]);
  if (match === null || !Number.isSafeInteger(length) || !Number.isSafeInteger(offset ?? 0)) {
    throw new ParseError('HLS_SYNTAX', 'RFC 8216 §4.3.2.2', `${tag} needs a byte range, has ${quote(value)}`);
  }
  return { length, offset };
}

/** `EXT-X-MAP`. RFC 8216 §4.3.2.5. */
export function readMap(value: string): InitMap {
  const attributes = new Attributes('EXT-X-MAP', value);
  const uri = attributes.requireQuoted('URI');
  const range = attributes.quoted('BYTERANGE');
  return range === undefined ? { uri } : { uri, byteRange: readByteRange('EXT-X-MAP', range) };
}

/** `EXT-X-START`. RFC 8216 §4.3.5.2. */
export function readStart(value: string): Start {
  const attributes = new Attributes('EXT-X-START', value);
  return { timeOffset: attributes.requireDecimal('TIME-OFFSET', true), precise: attributes.yes('PRECISE') };
}

/** At most 40 characters of `value` for a message. */
export function quote(value: string | undefined): string {
  return value === undefined ? 'none' : JSON.stringify(value.slice(0, 40));
}

function colon(value: string): string {
  return `${value.slice(0, -2)}:${value.slice(-2)}`;
}
