import type { MpdFault } from './check.ts';
import type { Mpd, Period, Representation, SegmentTemplate } from './model.ts';

const MPEG = 'ISO/IEC 23009-1';
const CLAUSE = `${MPEG} §5.4`;

type Report = (clause: string, message: string) => void;

/** Every rule that a later version of an MPD breaks with regard to an earlier one (ISO/IEC 23009-1 §5.4). */
export function compareMpds(before: Mpd, after: Mpd): MpdFault[] {
  const faults: MpdFault[] = [];
  const must: Report = (clause, message) => faults.push({ severity: 'must', clause, message });
  if (before.availabilityStartTime !== after.availabilityStartTime)
    must(`${MPEG} §5.3.1.2`, 'availabilityStartTime has changed');
  if (before.profiles.join() !== after.profiles.join()) must(CLAUSE, 'the profiles have changed');
  if ((after.publishTime ?? 0) < (before.publishTime ?? 0)) must(`${MPEG} §5.3.1.2`, 'publishTime goes back');
  const kept = before.periods.findIndex(({ id }) => id === after.periods[0]?.id);
  if (kept < 0) {
    if (lastEnd(before) > windowStart(after)) must(CLAUSE, 'every period is gone');
    return faults;
  }
  for (const [i, period] of before.periods.slice(kept).entries()) {
    const same = after.periods[i];
    if (same?.id !== period.id) must(CLAUSE, `period ${period.id} is gone or has moved`);
    else comparePeriods(period, same, after, must);
  }
  return faults;
}

function comparePeriods(before: Period, after: Period, mpd: Mpd, must: Report): void {
  if (before.start !== after.start)
    must(CLAUSE, `period ${before.id} began at ${before.start}, now ${after.start}`);
  if (before.duration !== undefined && before.duration !== after.duration)
    must(CLAUSE, `period ${before.id} lasted ${before.duration}, now ${after.duration}`);
  const open = mpd.type === 'dynamic' && mpd.periods.at(-1) === after;
  const now = new Map(sets(after));
  for (const [id, representation] of sets(before)) {
    const same = now.get(id);
    const name = `${before.id}/${id}`;
    if (same === undefined) {
      must(CLAUSE, `representation ${name} is gone`);
      continue;
    }
    now.delete(id);
    compareRepresentations(representation, same, name, must);
    compareTimelines(representation, same, { name, from: windowStart(mpd) - after.start, open }, must);
  }
  for (const id of now.keys())
    must(CLAUSE, `representation ${before.id}/${id} was not there from the beginning`);
}

function sets(period: Period): [string, Representation][] {
  return period.adaptationSets.flatMap((set) =>
    set.representations.map((value): [string, Representation] => [`${set.id}/${value.id}`, value]),
  );
}

function compareRepresentations(
  before: Representation,
  after: Representation,
  name: string,
  must: Report,
): void {
  for (const key of ['codecs', 'width', 'height', 'sar', 'audioSamplingRate'] as const) {
    if (before[key] !== after[key]) must(CLAUSE, `${name}: ${key} was ${before[key]}, is ${after[key]}`);
  }
  const [old, now] = [before.segmentTemplate, after.segmentTemplate];
  for (const key of ['timescale', 'presentationTimeOffset', 'initialization', 'media'] as const) {
    if (old[key] !== now[key]) must(CLAUSE, `${name}: ${key} was ${old[key]}, is ${now[key]}`);
  }
}

/** Segments leave at the front and come at the end; only the one that grows may change, and only its length. */
function compareTimelines(
  before: Representation,
  after: Representation,
  { name, from, open }: { readonly name: string; readonly from: number; readonly open: boolean },
  must: Report,
): void {
  const [old, now] = [before.segmentTemplate, after.segmentTemplate];
  if (now.startNumber < old.startNumber) must(CLAUSE, `${name}: startNumber goes back`);
  const gone = leftOf(old, now);
  for (const [i, segment] of old.timeline.entries()) {
    if (i < gone) {
      const end = (segment.t + segment.d - old.presentationTimeOffset) / old.timescale;
      // Up to one segment that lies half inside may leave with the clocks of two renditions.
      if (end > from + segment.d / old.timescale)
        must(`${MPEG} §5.3.1.2`, `${name}: ${segment.t} left too early`);
      continue;
    }
    const same = now.timeline[i - gone];
    const growing = i === old.timeline.length - 1 && old.availabilityTimeComplete === false;
    if (same === undefined) {
      // A segment that was announced while the source vanished may never have come.
      if (!growing || open) must(CLAUSE, `${name}: the segment at ${segment.t} is gone`);
    } else if (same.t !== segment.t) must(CLAUSE, `${name}: the segment at ${segment.t} moved to ${same.t}`);
    else if (same.d !== segment.d && !growing)
      must(CLAUSE, `${name}: the segment at ${segment.t} lasted ${segment.d} ticks, now ${same.d}`);
  }
}

/** Segments that have left: by their numbers or, where addresses carry times, by where the list begins now. */
function leftOf(old: SegmentTemplate, now: SegmentTemplate): number {
  if (!old.media.includes('$Time')) return now.startNumber - old.startNumber;
  const first = now.timeline[0];
  const kept = old.timeline.findIndex(({ t, d }) => first !== undefined && t + d > first.t);
  return kept < 0 ? old.timeline.length : kept;
}

/** Seconds at which the newest segment of the last period ends. */
function lastEnd(mpd: Mpd): number {
  const period = mpd.periods.at(-1);
  let end = 0;
  for (const { representations } of period?.adaptationSets ?? []) {
    for (const { segmentTemplate } of representations) {
      const { timeline, timescale, presentationTimeOffset } = segmentTemplate;
      const last = timeline.at(-1);
      if (last === undefined) continue;
      end = Math.max(end, (last.t + last.d - presentationTimeOffset) / timescale);
    }
  }
  return (period?.start ?? 0) + end;
}

/** Seconds before which nothing need be told any more. */
function windowStart(mpd: Mpd): number {
  if (mpd.type === 'static' || mpd.timeShiftBufferDepth === undefined) return 0;
  return lastEnd(mpd) - mpd.timeShiftBufferDepth;
}
