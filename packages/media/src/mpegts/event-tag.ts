import { eventOf, type TimedEvent } from '../model/timed-event.ts';
import { id3TextTag, MAX_ID3_TEXT_BYTES, readId3Texts } from './id3.ts';

/** Description of the ID3 text that is an event as JSON. */
export const EVENT_TAG = 'onair.event';
const encoder = new TextEncoder();

/** An event as an ID3 tag. One that is too long for a tag goes without its data, marked as `cut`. */
export function id3OfEvent(event: TimedEvent): Uint8Array {
  const whole = JSON.stringify(event);
  const fits = encoder.encode(whole).length < MAX_ID3_TEXT_BYTES;
  const value = fits ? whole : JSON.stringify({ ...event, data: null, cut: true });
  return id3TextTag({ description: EVENT_TAG, value });
}

/** What a text of a tag says: an event of {@link id3OfEvent}, whose time is that of another stream, or anything else. */
export interface TaggedText {
  readonly event: TimedEvent | undefined;
  readonly description: string;
  readonly value: string;
}

/** The texts of an ID3 tag, and the events that they are. */
export function textsOfTag(tag: Uint8Array): TaggedText[] {
  return readId3Texts(tag).map((text) => ({ ...text, event: eventOfText(text) }));
}

function eventOfText({ description, value }: Omit<TaggedText, 'event'>): TimedEvent | undefined {
  if (description !== EVENT_TAG) return undefined;
  try {
    return eventOf(JSON.parse(value));
  } catch {
    return undefined;
  }
}
