import { ParseError } from '../model/errors.ts';

const XS = 'XML Schema Part 2 §3.2';

/** `xs:duration` of seconds, microseconds kept: `PT4.004S`. */
export function writeDuration(seconds: number): string {
  return `PT${decimal(seconds)}S`;
}

/** A decimal number of at most six places without exponent. */
export function decimal(value: number): string {
  const text = value.toFixed(6);
  return text.replace(/\.?0+$/, '');
}

const DURATION = /^P(?:(\d{1,6})D)?(?:T(?:(\d{1,8})H)?(?:(\d{1,10})M)?(?:(\d{1,12}(?:\.\d{1,12})?)S)?)?$/;

/**
 * Seconds of an `xs:duration`; years and months are refused, their length is not known.
 * @throws ParseError `DASH_VALUE`.
 */
export function readDuration(text: string): number {
  const match = DURATION.exec(text);
  if (match === null || text.endsWith('P') || text.endsWith('T')) {
    throw new ParseError('DASH_VALUE', XS, `${quote(text)} is no duration`);
  }
  const [days, hours, minutes, seconds] = match.slice(1).map((part) => Number(part ?? 0));
  return days! * 86_400 + hours! * 3600 + minutes! * 60 + seconds!;
}

/** `xs:dateTime` in UTC of milliseconds since the Unix epoch. */
export function writeDateTime(ms: number): string {
  return new Date(Math.round(ms)).toISOString();
}

const DATE_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)?$/;

/** Milliseconds since the Unix epoch; without a zone it is UTC (ISO/IEC 23009-1 §5.3.1.2). @throws ParseError */
export function readDateTime(text: string): number {
  const match = DATE_TIME.exec(text);
  const ms = match === null ? Number.NaN : Date.parse(match[2] === undefined ? `${text}Z` : text);
  if (Number.isNaN(ms)) throw new ParseError('DASH_VALUE', XS, `${quote(text)} is no date`);
  return ms;
}

/** A whole number that can be counted with. @throws ParseError `DASH_VALUE`. */
export function readCount(text: string): number {
  const value = Number(text);
  if (!/^\d{1,16}$/.test(text) || !Number.isSafeInteger(value)) {
    throw new ParseError('DASH_VALUE', XS, `${quote(text)} is no whole number`);
  }
  return value;
}

/** A decimal number, or `INF`. @throws ParseError `DASH_VALUE`. */
export function readNumber(text: string): number {
  if (text === 'INF') return Number.POSITIVE_INFINITY;
  if (!/^[+-]?\d{1,15}(\.\d{1,15})?$/.test(text)) {
    throw new ParseError('DASH_VALUE', XS, `${quote(text)} is no number`);
  }
  return Number(text);
}

/** @throws ParseError `DASH_VALUE`. */
export function readBoolean(text: string): boolean {
  if (text === 'true' || text === '1') return true;
  if (text === 'false' || text === '0') return false;
  throw new ParseError('DASH_VALUE', XS, `${quote(text)} is neither true nor false`);
}

/** Frames per second of `30` or `30000/1001`. @throws ParseError `DASH_VALUE`. */
export function readFrameRate(text: string): number {
  const match = /^(\d{1,9})(?:\/(\d{1,9}))?$/.exec(text);
  const rate = match === null ? 0 : Number(match[1]) / Number(match[2] ?? 1);
  if (!(rate > 0) || !Number.isFinite(rate)) {
    throw new ParseError('DASH_VALUE', 'ISO/IEC 23009-1 §5.3.7.2', `${quote(text)} is no frame rate`);
  }
  return rate;
}

/** A frame rate as an MPD tells it: whole, of the 1001 family, or in thousandths. */
export function writeFrameRate(rate: number): string {
  if (Math.abs(rate - Math.round(rate)) < 0.001) return String(Math.round(rate));
  const nominal = Math.round((rate * 1001) / 1000);
  if (Math.abs((nominal * 1000) / 1001 - rate) < 0.004) return `${nominal * 1000}/1001`;
  return `${Math.round(rate * 1000)}/1000`;
}

function quote(text: string): string {
  return JSON.stringify(text.slice(0, 40));
}
