import type { TimedEvent } from '@onair/media';
import { eventOfMessage, readBoxHeader, readEventMessage } from '@onair/media/isobmff';

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
    // The player will meet it too, and decide what it means.
  }
  return events;
}
