import type { TimedEvent } from '@onair/media';
import type { DateRange } from '@onair/media/hls';

/** CLASS of the date ranges that timed events are. */
export const EVENT_CLASS = 'onair.event';
/** Longest JSON of an event that a date range carries, in UTF-16 units; larger ones are in the media only. */
const MAX_DATA = 2048;

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

const ATTRIBUTE = { out: 'SCTE35-OUT', in: 'SCTE35-IN', command: 'SCTE35-CMD' } as const;

function hex(section: string): string {
  return `0x${section.toUpperCase()}`;
}
