import { bytesOfHex, decodeEvent, encodeEvent, eventNumber, type TimedEvent } from '../model/timed-event.ts';
import { id3OfEvent } from '../mpegts/event-tag.ts';
import { MICROSECONDS, rescale, type Timebase, ticks } from '../time/index.ts';
import { readBoxHeader } from './box.ts';
import { type EventMessage, readEventMessage } from './event-message.ts';

/** Scheme of `emsg` whose data are an event as JSON. */
export const EVENT_SCHEME = 'urn:x-onair:event:1';
/** `value` of messages with an event or a section: players take those whose scheme and value the manifest announces. ISO/IEC 23009-1 §5.10.3.3.4. */
export const EVENT_VALUE = '1';
/** Scheme of `emsg` whose data are a `splice_info_section`. SCTE 214-3 §7.3.2. */
export const SCTE35_SCHEME = 'urn:scte:scte35:2013:bin';
/** Scheme of `emsg` whose data are an ID3v2 tag. AOMedia, Carriage of ID3 Timed Metadata in CMAF §2. */
export const ID3_SCHEME = 'https://aomedia.org/emsg/ID3';

/**
 * The messages that carry an event in a chunk of a track: one with all of it, and beside it the bare section if it has
 * one. All repetitions have the same id.
 * @param id3 another one has it as ID3 tag, for players that know no more.
 */
export function messagesOfEvent(event: TimedEvent, timescale: Timebase, id3 = false): EventMessage[] {
  const common = {
    timescale,
    presentationTime: rescale(ticks(event.time), MICROSECONDS, timescale),
    duration: Math.min(0xffff_fffe, rescale(ticks(event.duration), MICROSECONDS, timescale)),
    id: eventNumber(event.id),
  };
  const messages = [{ ...common, scheme: EVENT_SCHEME, value: EVENT_VALUE, data: encodeEvent(event) }];
  const section = event.splice === undefined ? undefined : bytesOfHex(event.splice.section);
  if (section !== undefined)
    messages.push({ ...common, scheme: SCTE35_SCHEME, value: EVENT_VALUE, data: section });
  if (id3) messages.push({ ...common, scheme: ID3_SCHEME, value: '', data: id3OfEvent(event) });
  return messages;
}

/** The event that a message carries; undefined for one of another scheme. */
export function eventOfMessage({ scheme, data }: EventMessage): TimedEvent | undefined {
  return scheme === EVENT_SCHEME ? decodeEvent(data) : undefined;
}

/** The events that the chunks of a part or segment carry in front of them; what is malformed is left out. */
export function eventsOfChunks(bytes: Uint8Array): TimedEvent[] {
  const events: TimedEvent[] = [];
  try {
    for (let at = 0; at < bytes.length; ) {
      const header = readBoxHeader(bytes, at);
      if (header === undefined || header.size < header.headerSize) break;
      if (header.type === 'emsg') {
        const event = eventOfMessage(
          readEventMessage(bytes.subarray(at + header.headerSize, at + header.size)),
        );
        if (event !== undefined) events.push(event);
      }
      at += header.size;
    }
  } catch {
    // Whoever takes the media will meet it too, and decide what it means.
  }
  return events;
}
