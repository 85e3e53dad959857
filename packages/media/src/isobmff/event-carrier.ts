import { bytesOfHex, decodeEvent, encodeEvent, eventNumber, type TimedEvent } from '../model/timed-event.ts';
import { MICROSECONDS, rescale, type Timebase, ticks } from '../time/index.ts';
import type { EventMessage } from './event-message.ts';

/** Scheme of `emsg` whose `value` is the name of an event and whose data are the event as JSON. */
export const EVENT_SCHEME = 'urn:x-onair:event:1';
/** Scheme of `emsg` whose data are a `splice_info_section`. SCTE 214-3 §7.3.2. */
export const SCTE35_SCHEME = 'urn:scte:scte35:2013:bin';

/**
 * The messages that carry an event in a chunk of a track: one with all of it, and the bare section beside it if it
 * has one. All repetitions have the same id.
 */
export function messagesOfEvent(event: TimedEvent, timescale: Timebase): EventMessage[] {
  const common = {
    timescale,
    presentationTime: rescale(ticks(event.time), MICROSECONDS, timescale),
    duration: Math.min(0xffff_fffe, rescale(ticks(event.duration), MICROSECONDS, timescale)),
    id: eventNumber(event.id),
  };
  const own = { ...common, scheme: EVENT_SCHEME, value: event.name, data: encodeEvent(event) };
  const section = event.splice === undefined ? undefined : bytesOfHex(event.splice.section);
  return section === undefined
    ? [own]
    : [own, { ...common, scheme: SCTE35_SCHEME, value: '', data: section }];
}

/** The event that a message carries; undefined for one of another scheme. */
export function eventOfMessage({ scheme, data }: EventMessage): TimedEvent | undefined {
  return scheme === EVENT_SCHEME ? decodeEvent(data) : undefined;
}
