import type { TimedEvent } from '@onair/media';
import { eventsOfChunks } from '@onair/media/isobmff';
import Hls from 'hls.js';
import type { EventPlace } from './source.ts';

/** Tells the events in what an hls.js loads, each as soon as its part is here. Ends with that hls.js. */
export function followHlsEvents(hls: Hls, found: (event: TimedEvent, place: EventPlace) => void): void {
  /** Stream time minus media time in seconds, by discontinuity, as hls.js places the fragments at present. */
  const offsets = new Map<number, number>();
  hls.on(Hls.Events.INIT_PTS_FOUND, (_event, { frag, initPTS, timescale }) => {
    offsets.set(frag.cc, initPTS / timescale);
  });
  hls.on(Hls.Events.FRAG_LOADED, (_event, { payload, frag }) => {
    for (const event of eventsOfChunks(new Uint8Array(payload))) {
      found(event, () => {
        const offset = offsets.get(frag.cc);
        return offset === undefined ? undefined : event.time / 1e6 - offset;
      });
    }
  });
}
