import type { TimedEvent } from '../model/timed-event.ts';
import { id3TextTag, MAX_ID3_TEXT_BYTES } from './id3.ts';

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
