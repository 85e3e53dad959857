import { ParseError, type TimedEvent } from '@onair/media';
import type { DateRange } from '@onair/media/hls';
import type { DateRanges } from './date-ranges.ts';

/** CLASS of the date ranges that timed events are. */
export const EVENT_CLASS = 'onair.event';
/** Longest JSON of an event that a date range carries, in UTF-16 units; larger ones are in the media only. */
const MAX_DATA = 512;

/**
 * Adds an event to the date ranges of a playlist, with the interstitial that it asks for. What a playlist cannot hold,
 * and the end of a break whose beginning is not there, is in the media only.
 * @param dateOf ms since the Unix epoch of a stream time in µs; undefined while that is not known.
 */
export function tellEvent(
  ranges: DateRanges,
  event: TimedEvent,
  dateOf: (time: number) => number | undefined,
): void {
  for (const range of [rangeOfEvent(event, dateOf), interstitialOf(event, dateOf)]) {
    try {
      if (range !== undefined) ranges.set(range);
    } catch (error) {
      if (!(error instanceof ParseError)) throw error;
    }
  }
}

/**
 * The date range of an event, or undefined while no date is known for its time. The end of a break is told on the range
 * that began it (RFC 8216bis §4.4.5.1.1).
 * @param dateOf ms since the Unix epoch of a stream time in µs.
 */
export function rangeOfEvent(
  event: TimedEvent,
  dateOf: (time: number) => number | undefined,
): DateRange | undefined {
  const { id, name, time, duration, data, splice } = event;
  const date = dateOf(time);
  if (date === undefined) return undefined;
  const startDate = Math.round(date);
  const client = new Map([['X-ONAIR-NAME', `"${name}"`]]);
  const json = JSON.stringify(data);
  // Base64url has no quotes, which a quoted string cannot hold.
  if (json.length <= MAX_DATA)
    client.set('X-ONAIR-DATA', `"${Buffer.from(json, 'utf8').toString('base64url')}"`);
  client.set('X-ONAIR-TIME', String(time));
  if (splice?.kind === 'in' && splice.of !== undefined) {
    return {
      id: splice.of,
      startDate: undefined,
      endDate: startDate,
      client: new Map([['SCTE35-IN', hex(splice.section)]]),
    };
  }
  if (splice !== undefined) client.set(ATTRIBUTE[splice.kind], hex(splice.section));
  const open = splice?.kind === 'out';
  return {
    id,
    class: EVENT_CLASS,
    startDate,
    ...(open
      ? duration > 0
        ? { plannedDuration: duration / 1_000_000 }
        : {}
      : { duration: duration / 1_000_000 }),
    client,
  };
}

/** CLASS of interstitials. RFC 8216bis Appendix D.2. */
export const INTERSTITIAL_CLASS = 'com.apple.hls.interstitial';
/** Longest address of what is played in a break, in characters. */
const MAX_ADDRESS = 2048;
/** What a viewer may be kept from in a break. */
const RESTRICTIONS: readonly unknown[] = ['SKIP', 'JUMP'];

/**
 * The interstitial that an event asks for with `interstitial` in its data: `uri` of a playlist or `list` of a list of
 * assets, and perhaps `resumeOffset` and `playoutLimit` in seconds and `restrict`, of SKIP and JUMP. Undefined if it
 * asks for none, or what it says is not that. Its range has an id of its own, since the event's has another class.
 */
export function interstitialOf(
  { id, time, duration, data }: TimedEvent,
  dateOf: (time: number) => number | undefined,
): DateRange | undefined {
  const date = dateOf(time);
  const asked = fieldsOf(fieldsOf(data).interstitial);
  const [uri, list] = [addressOf(asked.uri), addressOf(asked.list)];
  if (date === undefined || (uri === undefined) === (list === undefined)) return undefined;
  const client = new Map([uri === undefined ? ['X-ASSET-LIST', `"${list}"`] : ['X-ASSET-URI', `"${uri}"`]]);
  const seconds = (name: string, value: unknown): void => {
    if (typeof value === 'number' && value >= 0 && value < 86_400) client.set(name, decimal(value));
  };
  seconds('X-RESUME-OFFSET', asked.resumeOffset);
  seconds('X-PLAYOUT-LIMIT', asked.playoutLimit);
  const restrict = Array.isArray(asked.restrict) ? asked.restrict : [];
  const kept = RESTRICTIONS.filter((one) => restrict.includes(one));
  if (kept.length > 0) client.set('X-RESTRICT', `"${kept.join(',')}"`);
  return {
    id: `${id}.interstitial`,
    class: INTERSTITIAL_CLASS,
    startDate: Math.round(date),
    ...(duration > 0 ? { duration: duration / 1_000_000 } : {}),
    client,
  };
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

/** An address without anything that a quoted string cannot hold; of HTTP, or one of this server. */
function addressOf(value: unknown): string | undefined {
  const fits =
    typeof value === 'string' && value.length <= MAX_ADDRESS && /^(https?:\/\/|\/)[!#-~]+$/.test(value);
  return fits ? value : undefined;
}

/** A decimal-floating-point number of RFC 8216 §4.2, which knows no exponent. */
function decimal(value: number): string {
  return String(Number(value.toFixed(3)));
}

const ATTRIBUTE = { out: 'SCTE35-OUT', in: 'SCTE35-IN', command: 'SCTE35-CMD' } as const;

function hex(section: string): string {
  return `0x${section.toUpperCase()}`;
}
