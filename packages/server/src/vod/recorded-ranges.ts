import type { DateRange } from '@onair/media/hls';
import { DateRanges, tellEvent } from '../packager/hls/index.ts';
import type { RunView } from '../record/index.ts';

/** Date ranges that a playlist has at most; the oldest are left out. */
const MAX_RANGES = 4096;

/**
 * The timed events of a recording, as its playlist tells them: on the dates of its runs. An event that goes on in
 * another run is told once, from where it began.
 */
export function recordedRanges(runs: readonly RunView[]): readonly DateRange[] {
  const ranges = new DateRanges(() => 0, MAX_RANGES);
  for (const { events, segments, wallMs } of runs) {
    const [first] = segments;
    const last = segments.at(-1);
    if (first === undefined || last === undefined) continue;
    const dateOf = (time: number): number => wallMs + (time - first.time) / 1000;
    const end = last.time + last.duration;
    for (const event of events) {
      // What was announced for later did not come.
      if (event.time < end) tellEvent(ranges, event, dateOf);
    }
  }
  return ranges.all();
}
