import type { Part, Segment } from '../model.ts';
import { leadingTrack, type MeasuredMedia, type MeasuredTrack, secondsOf } from './measure.ts';
import { type Fault, Faults } from './rule.ts';

/** Seconds that a told duration may be beside the real one. */
const DURATION_TOLERANCE = 0.001;

/** A segment of a rendition with what it really holds; gaps have no media. */
export interface MeasuredSegment {
  readonly msn: number;
  readonly segment: Segment;
  readonly media: MeasuredMedia | undefined;
}

/** What is wrong with the media of one segment. @param target seconds of EXT-X-TARGETDURATION. */
export function checkSegmentMedia(segment: Segment, media: MeasuredMedia, target: number): Fault[] {
  const faults = new Faults();
  const { uri } = segment;
  const lead = leadingTrack(media);
  if (lead === undefined) {
    faults.add('segment-duration', `${uri}: no media`);
    return faults.list;
  }
  const real = secondsOf(lead);
  if (Math.abs(real - segment.duration) > DURATION_TOLERANCE) {
    faults.add('segment-duration', `${uri}: ${segment.duration} s, its media lasts ${real.toFixed(5)} s`);
  }
  if (Math.round(real) > target) {
    faults.add('target-duration', `${uri}: media of ${real.toFixed(3)} s, target duration ${target} s`);
  }
  if (lead.kind === 'video' && !lead.startsWithKeyframe) {
    faults.add('keyframe-at-start', `${uri}: does not begin with a keyframe`);
  }
  const sound = media.tracks.find(({ kind }) => kind === 'audio');
  const apart = sound === undefined ? 0 : startMs(sound) - startMs(lead);
  if (sound !== undefined && Math.abs(apart) > frameMs(sound)) {
    faults.add('start-together', `${uri}: sound begins ${apart.toFixed(1)} ms after the picture`);
  }
  for (const track of media.tracks) {
    for (const hole of track.holes) {
      faults.add('continuity', `${uri}: ${track.kind} ${hole.ticks} ticks off at ${hole.at}`);
    }
  }
  return faults.list;
}

/** What is wrong with the media of one part. @param partTarget seconds of PART-TARGET. */
export function checkPartMedia(part: Part, media: MeasuredMedia, partTarget: number): Fault[] {
  const faults = new Faults();
  const { uri } = part;
  const lead = leadingTrack(media);
  if (lead === undefined) {
    faults.add('part-duration', `${uri}: no media`);
    return faults.list;
  }
  const real = secondsOf(lead);
  if (Math.abs(real - part.duration) > DURATION_TOLERANCE) {
    faults.add('part-duration', `${uri}: ${part.duration} s, its media lasts ${real.toFixed(5)} s`);
  }
  if (real > partTarget + DURATION_TOLERANCE) {
    faults.add('part-duration', `${uri}: media of ${real.toFixed(5)} s exceeds PART-TARGET ${partTarget} s`);
  }
  if (part.independent && lead.keyframes === 0) {
    faults.add('independent', `${uri}: INDEPENDENT=YES without a keyframe`);
  }
  if (!part.independent && lead.keyframes > 0) {
    faults.add('independent', `${uri}: a keyframe, but no INDEPENDENT=YES`, 'should');
  }
  return faults.list;
}

/** What is wrong if the parts of a segment, one after the other, hold `joined` and the segment itself `whole`. */
export function checkPartContent({ uri }: Segment, whole: MeasuredMedia, joined: MeasuredMedia): Fault[] {
  const faults = new Faults();
  const form = ({ tracks }: MeasuredMedia): string =>
    tracks
      .map(
        ({ kind, start, end, samples, digest }) => `${kind} ${start}–${end}, ${samples} samples, ${digest}`,
      )
      .join('; ');
  if (form(whole) !== form(joined)) {
    faults.add('part-content', `${uri}: holds ${form(whole)}; its parts ${form(joined)}`);
  }
  return faults.list;
}

/** What is wrong between the segments of one rendition: gaps, and dates that leave the media. */
export function checkSequence(segments: readonly MeasuredSegment[]): Fault[] {
  const faults = new Faults();
  let before: MeasuredSegment | undefined;
  let anchor: number | undefined;
  for (const item of segments) {
    const { segment, media, msn } = item;
    if (segment.discontinuity || before?.msn !== msn - 1) anchor = undefined;
    else if (media !== undefined && before.media !== undefined)
      checkMeeting(before.media, media, segment.uri, faults);
    before = item;
    const lead = media && leadingTrack(media);
    if (lead === undefined || segment.programDateTime === undefined) continue;
    const origin = originOf(segment.programDateTime, lead);
    anchor ??= origin;
    const off = origin - anchor;
    if (Math.abs(off) > frameMs(lead)) {
      faults.add('date', `${segment.uri}: its date is ${off.toFixed(1)} ms off its media`);
    }
  }
  return faults.list;
}

function checkMeeting(before: MeasuredMedia, after: MeasuredMedia, uri: string, faults: Faults): void {
  for (const track of after.tracks) {
    const last = before.tracks.find(({ kind }) => kind === track.kind);
    if (last === undefined || Math.abs(track.start - last.end) <= track.slack) continue;
    faults.add(
      'continuity',
      `${uri}: ${track.kind} begins ${track.start - last.end} ticks beside the end before`,
    );
  }
}

/** Milliseconds since 1970 of media time 0, by the date of a segment. */
export function originOf(date: number, lead: MeasuredTrack): number {
  return date - (lead.presentation * 1000) / lead.timebase;
}

function startMs({ presentation, timebase }: MeasuredTrack): number {
  return (presentation * 1000) / timebase;
}

/** Milliseconds of one frame of `track`. */
export function frameMs({ frame, timebase }: MeasuredTrack): number {
  return (frame * 1000) / timebase;
}
