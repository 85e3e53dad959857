import type { AdaptationSet, Mpd, Period, Representation } from './model.ts';
import { readFrameRate } from './values.ts';

/** A rule of the standard that an MPD breaks. */
export interface MpdFault {
  /** `must`: a player may refuse it; `should`: it plays, but not as well as it could. */
  readonly severity: 'must' | 'should';
  /** e.g. `ISO/IEC 23009-1 §5.3.2`. */
  readonly clause: string;
  readonly message: string;
}

type Report = (clause: string, message: string) => void;

/** What reports faults. */
interface Reports {
  readonly must: Report;
  readonly should: Report;
}

const MPEG = 'ISO/IEC 23009-1';
const LOW_LATENCY = 'DASH-IF IOP v5 part 10';
const MAIN_PROFILE = 'urn:mpeg:dash:profile:isoff-main:2011';
/** Seconds that rounding of written times may hide. */
const ROUNDING = 0.000_002;

/** Every rule that one version of an MPD breaks in itself; see also `compareMpds`. */
export function checkMpd(mpd: Mpd): MpdFault[] {
  const faults: MpdFault[] = [];
  const reports: Reports = {
    must: (clause, message) => faults.push({ severity: 'must', clause, message }),
    should: (clause, message) => faults.push({ severity: 'should', clause, message }),
  };
  if (mpd.type === 'dynamic') checkDynamic(mpd, reports);
  else checkStatic(mpd, reports.must);
  checkPeriods(mpd, reports);
  checkService(mpd, reports);
  if (isLowLatency(mpd)) checkLowLatency(mpd, reports);
  return faults;
}

/** True if segments can be asked for while they grow. */
export function isLowLatency(mpd: Mpd): boolean {
  return representationsOf(mpd).some(
    ({ segmentTemplate }) => segmentTemplate.availabilityTimeComplete === false,
  );
}

/** Every representation of every period. */
function representationsOf(mpd: Mpd): Representation[] {
  return mpd.periods.flatMap(({ adaptationSets }) =>
    adaptationSets.flatMap(({ representations }) => representations),
  );
}

/** Seconds of the longest segment told. */
function longestSegment(mpd: Mpd): number {
  let longest = 0;
  for (const { segmentTemplate } of representationsOf(mpd)) {
    for (const { d } of segmentTemplate.timeline) longest = Math.max(longest, d / segmentTemplate.timescale);
  }
  return longest;
}

function checkDynamic(mpd: Mpd, { must, should }: Reports): void {
  const clause = `${MPEG} §5.3.1.2`;
  if (mpd.availabilityStartTime === undefined) must(clause, 'dynamic without availabilityStartTime');
  if (mpd.publishTime === undefined) must(clause, 'dynamic without publishTime');
  if (mpd.minimumUpdatePeriod === undefined) must(clause, 'dynamic with a timeline that is never updated');
  if (mpd.mediaPresentationDuration !== undefined)
    must(clause, 'a live presentation that tells its duration');
  if (!mpd.profiles.includes('urn:mpeg:dash:profile:isoff-live:2011'))
    must(`${MPEG} §8.4`, 'not of the live profile');
  if (mpd.utcTimings.length === 0) must('DASH-IF IOP v4.3 §4.7.2', 'no UTCTiming');
  for (const { schemeIdUri, value } of mpd.utcTimings) {
    if (value === undefined || value === '') must(`${MPEG} §5.8.4.11`, `${schemeIdUri} without a value`);
  }
  const longest = longestSegment(mpd);
  const { suggestedPresentationDelay: delay, timeShiftBufferDepth: depth } = mpd;
  if (delay === undefined) should(clause, 'no suggestedPresentationDelay');
  else if (delay < 2 * longest - ROUNDING)
    should(clause, `suggestedPresentationDelay ${delay} s, segments of ${longest} s`);
  if (depth !== undefined && delay !== undefined && depth < delay)
    must(clause, `timeShiftBufferDepth ${depth} s, suggestedPresentationDelay ${delay} s`);
}

function checkStatic(mpd: Mpd, must: Report): void {
  const clause = `${MPEG} §5.3.1.2`;
  const last = mpd.periods.at(-1);
  if (mpd.minimumUpdatePeriod !== undefined) must(clause, 'static, but with minimumUpdatePeriod');
  if (mpd.timeShiftBufferDepth !== undefined) must(clause, 'static, but with timeShiftBufferDepth');
  if (mpd.mediaPresentationDuration === undefined && last?.duration === undefined)
    must(clause, 'static without a duration');
  const duration = mpd.mediaPresentationDuration;
  if (duration !== undefined && last !== undefined && duration <= last.start)
    must(clause, `mediaPresentationDuration ${duration} s, the last period begins at ${last.start} s`);
}

function checkPeriods(mpd: Mpd, reports: Reports): void {
  const { must } = reports;
  if (!(mpd.minBufferTime > 0)) must(`${MPEG} §5.3.1.2`, 'minBufferTime of 0');
  if (mpd.periods.length === 0) must(`${MPEG} §5.3.2.1`, 'no period');
  unique(mpd.periods, 'periods', must);
  for (const [i, period] of mpd.periods.entries()) {
    const next = mpd.periods[i + 1];
    if (next !== undefined && next.start <= period.start)
      must(
        `${MPEG} §5.3.2.1`,
        `period ${next.id} begins at ${next.start} s, ${period.id} at ${period.start} s`,
      );
    const room = (next?.start ?? Number.POSITIVE_INFINITY) - period.start;
    if (period.duration !== undefined && period.duration > room + ROUNDING)
      must(
        `${MPEG} §5.3.2.1`,
        `period ${period.id} lasts ${period.duration} s, the next begins after ${room} s`,
      );
    checkPeriod(period, mpd, Math.min(room, period.duration ?? room), reports);
  }
}

/** @param room seconds that the period lasts, infinite while that is open. */
function checkPeriod(period: Period, mpd: Mpd, room: number, reports: Reports): void {
  const { must, should } = reports;
  if (period.adaptationSets.length === 0)
    must(`${MPEG} §5.3.2.1`, `period ${period.id} has no adaptation set`);
  unique(period.adaptationSets, `adaptation sets of ${period.id}`, must);
  const all = period.adaptationSets.flatMap(({ representations }) => representations);
  unique(all, `representations of ${period.id}`, must);
  for (const set of period.adaptationSets) {
    const name = `${period.id}/${set.id}`;
    if (set.representations.length === 0) must(`${MPEG} §5.3.3.1`, `${name} has no representation`);
    for (const type of new Set([
      set.mimeType,
      ...set.representations.map((one) => one.mimeType ?? set.mimeType),
    ])) {
      if (!type.startsWith(`${set.contentType}/`)) must(`${MPEG} §5.3.7.2`, `${name}: ${type}`);
    }
    for (const profile of set.profiles ?? []) {
      if (!mpd.profiles.includes(profile))
        must(`${MPEG} §8.1`, `${name}: ${profile} is not a profile of the MPD`);
    }
    // The main profile (§8.5) asks for no access point.
    const live = (set.profiles ?? mpd.profiles).some((profile) => profile !== MAIN_PROFILE);
    if (live && (set.startWithSAP < 1 || set.startWithSAP > 2))
      must(`${MPEG} §8.4.2`, `${name}: segments start with an access point of type ${set.startWithSAP}`);
    if (set.lang !== undefined && !/^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$/.test(set.lang))
      must(`${MPEG} §5.3.3.2`, `${name}: ${set.lang} is no language`);
    if (!set.segmentAlignment) should(`${MPEG} §8.4.2`, `${name}: segments need not be aligned`);
    for (const representation of set.representations) {
      checkRepresentation(representation, set, `${period.id}/${representation.id}`, reports);
      checkTimeline(representation, mpd, `${period.id}/${representation.id}`, room, reports);
    }
  }
}

function checkRepresentation(
  value: Representation,
  set: AdaptationSet,
  name: string,
  reports: Reports,
): void {
  const { must } = reports;
  if (/\s/.test(value.id) || value.id === '') must(`${MPEG} §5.3.5.2`, `${name}: white space in an id`);
  if (!(value.bandwidth > 0)) must(`${MPEG} §5.3.5.2`, `${name}: bandwidth of 0`);
  if (value.codecs === '') must('DASH-IF IOP v4.3 §3.2.4', `${name}: no codecs`);
  if (set.contentType === 'video') {
    if (value.width === undefined || value.height === undefined)
      must('DASH-IF IOP v4.3 §3.2.4', `${name}: no width or height`);
    if (value.frameRate === undefined) must('DASH-IF IOP v4.3 §3.2.4', `${name}: no frameRate`);
    else readFrameRate(value.frameRate);
    if (value.sar === undefined) must('DASH-IF IOP v4.3 §3.2.4', `${name}: no sar`);
  }
  if (set.contentType === 'audio') {
    if (value.audioSamplingRate === undefined)
      must('DASH-IF IOP v4.3 §3.2.4', `${name}: no audioSamplingRate`);
    if (value.audioChannelConfiguration === undefined)
      must('DASH-IF IOP v4.3 §3.2.4', `${name}: no AudioChannelConfiguration`);
  }
  const { media, initialization, timescale } = value.segmentTemplate;
  const clause = `${MPEG} §5.3.9.4.4`;
  if (timescale < 1) must(`${MPEG} §5.3.9.2`, `${name}: timescale of 0`);
  const numbered = /\$Number(%0\d+d)?\$/.test(media);
  const timed = /\$Time(%0\d+d)?\$/.test(media);
  if (numbered === timed) must(clause, `${name}: ${media} needs $Number$ or $Time$, and not both`);
  if (/\$(Number|Time)/.test(initialization))
    must(clause, `${name}: ${initialization} changes with the segment`);
}

function checkTimeline(value: Representation, mpd: Mpd, name: string, room: number, reports: Reports): void {
  const { must, should } = reports;
  const { timeline, timescale, presentationTimeOffset, availabilityTimeOffset } = value.segmentTemplate;
  const clause = `${MPEG} §5.3.9.6`;
  if (timeline.length === 0) must(clause, `${name}: no segment`);
  let end: number | undefined;
  for (const { t, d } of timeline) {
    if (end !== undefined && t < end) must(clause, `${name}: the segment at ${t} begins before ${end}`);
    if (end !== undefined && t > end) should(clause, `${name}: a hole of ${t - end} ticks before ${t}`);
    end = t + d;
    const from = (t - presentationTimeOffset) / timescale;
    if (from + d / timescale <= 0 || from >= room)
      must(clause, `${name}: the segment at ${t} lies outside of its period`);
    if (mpd.maxSegmentDuration !== undefined && d / timescale > mpd.maxSegmentDuration + ROUNDING)
      must(
        `${MPEG} §5.3.1.2`,
        `${name}: a segment of ${d / timescale} s, maxSegmentDuration ${mpd.maxSegmentDuration} s`,
      );
  }
  const last = timeline.at(-1);
  if (last !== undefined && Number.isFinite(room)) {
    const over = (last.t + last.d - presentationTimeOffset) / timescale - room;
    if (over > last.d / timescale / 2)
      must(clause, `${name}: the last segment ends ${over} s behind its period`);
  }
  if (availabilityTimeOffset !== undefined && availabilityTimeOffset < 0)
    must(`${MPEG} §5.3.9.2`, `${name}: a negative availabilityTimeOffset`);
}

function checkService(mpd: Mpd, { must }: Reports): void {
  for (const { latency, playbackRate } of mpd.serviceDescriptions) {
    const { min, target, max } = latency ?? {};
    if (!rising([min, target, max])) must(`${MPEG} §K.3.2`, `latency ${min}, ${target}, ${max} ms`);
    if (!rising([playbackRate?.min, 1, playbackRate?.max]))
      must(`${MPEG} §K.3.3`, `playback rate from ${playbackRate?.min} to ${playbackRate?.max}`);
  }
}

function checkLowLatency(mpd: Mpd, { must, should }: Reports): void {
  const { latency } = mpd.serviceDescriptions[0] ?? {};
  if (latency?.target === undefined) must(LOW_LATENCY, 'no ServiceDescription with a target latency');
  for (const period of mpd.periods) {
    for (const set of period.adaptationSets) {
      const name = `${period.id}/${set.id}`;
      const reference = set.producerReferenceTimes.find(({ id }) => id === latency?.referenceId);
      if (latency?.referenceId !== undefined && reference === undefined)
        must(`${MPEG} §K.3.2`, `${name}: no ProducerReferenceTime ${latency.referenceId}`);
      for (const { segmentTemplate } of set.representations) {
        const { availabilityTimeComplete, availabilityTimeOffset = 0, timescale } = segmentTemplate;
        if (availabilityTimeComplete !== false) continue;
        const longest = Math.max(...segmentTemplate.timeline.map(({ d }) => d)) / timescale;
        if (!(availabilityTimeOffset > 0))
          must(`${MPEG} §5.3.9.2`, `${name}: availabilityTimeComplete is false, but nothing comes earlier`);
        else if (availabilityTimeOffset >= longest)
          must(
            LOW_LATENCY,
            `${name}: availabilityTimeOffset ${availabilityTimeOffset} s, segments of ${longest} s`,
          );
      }
      const template = set.representations[0]?.segmentTemplate;
      if (reference === undefined || template === undefined || mpd.availabilityStartTime === undefined)
        continue;
      const media = (reference.presentationTime - template.presentationTimeOffset) / template.timescale;
      const off = reference.wallClockTime / 1000 - mpd.availabilityStartTime / 1000 - period.start - media;
      if (Math.abs(off) > 0.002)
        should(
          `${MPEG} §5.12`,
          `${name}: the producer's clock is ${off.toFixed(3)} s beside the presentation's`,
        );
    }
  }
}

function unique(items: readonly { readonly id: string | number }[], what: string, must: Report): void {
  const seen = new Set<string | number>();
  for (const { id } of items) {
    if (seen.has(id)) must(`${MPEG} §5.3`, `two ${what} are called ${id}`);
    seen.add(id);
  }
}

function rising(values: readonly (number | undefined)[]): boolean {
  const known = values.filter((value) => value !== undefined);
  return known.every((value, i) => i === 0 || value >= known[i - 1]!);
}
