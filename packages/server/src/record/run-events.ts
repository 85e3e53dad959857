import type { TimedEvent } from '@onair/media';
import { eventsOfChunks } from '@onair/media/isobmff';

/** Events of a run that are kept for its playlist; further ones are in its media only. */
const MAX_EVENTS = 1000;
/** JSON of all of them, in UTF-16 units. */
const MAX_TEXT = 262_144;

/** The timed events that the chunks of a run carry, each once. */
export class RunEvents {
  readonly #events = new Map<string, TimedEvent>();
  #text = 0;

  /** In the order they became known. */
  get all(): readonly TimedEvent[] {
    return [...this.#events.values()];
  }

  /** Looks into chunks, or into boxes of them. */
  take(bytes: Uint8Array): void {
    for (const event of eventsOfChunks(bytes)) {
      if (this.#events.size >= MAX_EVENTS || this.#events.has(event.id)) continue;
      const { length } = JSON.stringify(event);
      if (this.#text + length > MAX_TEXT) continue;
      this.#text += length;
      this.#events.set(event.id, event);
    }
  }
}
