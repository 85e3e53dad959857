import type { InitInfo } from '../../isobmff/index.ts';
import type { MultivariantPlaylist, Variant } from '../model.ts';
import { frameMs, type MeasuredSegment, originOf } from './check-media.ts';
import { leadingTrack, secondsOf } from './measure.ts';
import { type Fault, Faults } from './rule.ts';

/** One media playlist of a presentation with the media behind it. */
export interface MeasuredRendition {
  /** As the multivariant playlist calls it. */
  readonly uri: string;
  readonly version: number;
  /** Seconds. */
  readonly targetDuration: number;
  /** By rising number. */
  readonly segments: readonly MeasuredSegment[];
  /** They begin with the first of the stream; else a peak before them is unknown. */
  readonly whole: boolean;
  /** Number of the first segment that is listed still: BANDWIDTH may have forgotten those before. */
  readonly listedFrom: number;
  /** What the init segment declares; undefined for MPEG-TS. */
  readonly init: InitInfo | undefined;
}

/** Milliseconds that dates lose to rounding, at both ends. */
const DATE_ROUNDING_MS = 1;
/** Share by which a told bit rate may be beside the measured one. */
const BITRATE_TOLERANCE = 0.1;
/** Share by which FRAME-RATE may be beside the measured one. */
const FRAME_RATE_TOLERANCE = 0.01;

/** What is wrong across the renditions of a presentation. */
export function checkPresentation(
  playlist: MultivariantPlaylist,
  renditions: readonly MeasuredRendition[],
): Fault[] {
  const faults = new Faults();
  for (const { uri, version } of renditions) {
    if (version > playlist.version) {
      faults.add('version', `${uri} has version ${version}, the multivariant playlist ${playlist.version}`);
    }
  }
  const [first, ...others] = renditions;
  if (first !== undefined) for (const other of others) checkAgreement(first, other, faults);
  for (const variant of playlist.variants) checkVariant(playlist, variant, renditions, faults);
  return faults.list;
}

/** Segments of one number begin together, and their dates mean one instant. */
function checkAgreement(a: MeasuredRendition, b: MeasuredRendition, faults: Faults): void {
  const byNumber = new Map(a.segments.map((item) => [item.msn, item]));
  for (const { msn, segment, media } of b.segments) {
    const other = byNumber.get(msn);
    const mine = media && leadingTrack(media);
    const theirs = other?.media && leadingTrack(other.media);
    if (other === undefined || mine === undefined || theirs === undefined) continue;
    const sound = [mine, theirs].find(({ kind }) => kind === 'audio') ?? mine;
    const apart = (mine.presentation / mine.timebase - theirs.presentation / theirs.timebase) * 1000;
    if (Math.abs(apart) > frameMs(sound)) {
      faults.add('start-together', `${segment.uri} begins ${apart.toFixed(1)} ms after ${other.segment.uri}`);
    }
    const [date, otherDate] = [segment.programDateTime, other.segment.programDateTime];
    if (date === undefined || otherDate === undefined) continue;
    const off = originOf(date, mine) - originOf(otherDate, theirs);
    if (Math.abs(off) > Math.min(frameMs(mine), frameMs(theirs)) + DATE_ROUNDING_MS) {
      faults.add('date-agreement', `${segment.uri}: ${off.toFixed(1)} ms off the dates of ${a.uri}`);
    }
  }
}

function checkVariant(
  playlist: MultivariantPlaylist,
  variant: Variant,
  renditions: readonly MeasuredRendition[],
  faults: Faults,
): void {
  const { uri } = variant;
  const main = renditions.find((one) => one.uri === uri);
  if (main === undefined) return;
  const group = playlist.renditions
    .filter(({ type, groupId }) => type === 'AUDIO' && groupId === variant.audio)
    .flatMap((one) => renditions.filter((measured) => measured.uri === one.uri));
  const whole = main.whole && group.every((one) => one.whole);
  const most = peakOf(main) + Math.max(0, ...group.map(peakOf));
  const listed = peakOf(listedOf(main)) + Math.max(0, ...group.map((one) => peakOf(listedOf(one))));
  const tooHigh = whole && variant.bandwidth > most * (1 + BITRATE_TOLERANCE);
  if (listed > 0 && (tooHigh || variant.bandwidth < listed * (1 - BITRATE_TOLERANCE))) {
    const peak = `${listed.toFixed(0)} of what is listed, ${most.toFixed(0)} of all`;
    faults.add('bandwidth', `${uri}: BANDWIDTH ${variant.bandwidth}, measured peak ${peak}`);
  }
  const average = averageOf(main) + Math.max(0, ...group.map(averageOf));
  const told = variant.averageBandwidth;
  if (told === undefined || (average > 0 && Math.abs(told / average - 1) > BITRATE_TOLERANCE)) {
    faults.add('bandwidth', `${uri}: AVERAGE-BANDWIDTH ${told}, measured ${average.toFixed(0)}`, 'should');
  }
  checkCodecs(variant, [main, ...group], faults);
  checkPicture(variant, main, faults);
}

function checkCodecs(variant: Variant, used: readonly MeasuredRendition[], faults: Faults): void {
  const told = new Set((variant.codecs ?? '').split(',').map((codec) => codec.trim().slice(0, 4)));
  for (const { init } of used) {
    for (const { format } of init?.tracks ?? []) {
      if (!told.has(format))
        faults.add('variants', `${variant.uri}: ${format} is not in CODECS ${variant.codecs}`);
    }
  }
}

function checkPicture(variant: Variant, main: MeasuredRendition, faults: Faults): void {
  const { uri, resolution, frameRate } = variant;
  const track = main.init?.tracks.find(({ kind }) => kind === 'video');
  if (track !== undefined && resolution !== undefined) {
    if (resolution.width !== track.width || resolution.height !== track.height) {
      faults.add(
        'variants',
        `${uri}: RESOLUTION ${resolution.width}x${resolution.height}, real ${track.width}x${track.height}`,
      );
    }
  }
  let frames = 0;
  let seconds = 0;
  for (const { media } of main.segments) {
    const picture = media?.tracks.find(({ kind }) => kind === 'video');
    if (picture === undefined) continue;
    frames += picture.samples;
    seconds += secondsOf(picture);
  }
  if (frames === 0 || seconds === 0 || frameRate === undefined) return;
  const real = frames / seconds;
  if (Math.abs(frameRate / real - 1) > FRAME_RATE_TOLERANCE) {
    faults.add('variants', `${uri}: FRAME-RATE ${frameRate}, real ${real.toFixed(3)}`);
  }
}

function listedOf(rendition: MeasuredRendition): MeasuredRendition {
  const segments = rendition.segments.filter(({ msn }) => msn >= rendition.listedFrom);
  return { ...rendition, segments };
}

function averageOf(rendition: MeasuredRendition): number {
  return averageBitrate(listedOf(rendition).segments);
}

function peakOf({ segments, targetDuration }: MeasuredRendition): number {
  return peakBitrate(segments, targetDuration);
}

/**
 * Bits per second of the fastest run of segments that lasts 0.5 to 1.5 target durations, RFC 8216bis §4.4.6.2;
 * of the fastest segment if no run does. @param target seconds.
 */
export function peakBitrate(segments: readonly MeasuredSegment[], target: number): number {
  let peak = 0;
  let fallback = 0;
  for (let from = 0; from < segments.length; from++) {
    let seconds = 0;
    let bits = 0;
    for (let at = from; at < segments.length; at++) {
      const { segment, media, msn } = segments[at]!;
      if (media === undefined || (at > from && segments[at - 1]!.msn !== msn - 1)) break;
      seconds += segment.duration;
      bits += media.bytes * 8;
      if (seconds > 1.5 * target) break;
      if (seconds >= 0.5 * target) peak = Math.max(peak, bits / seconds);
      else fallback = Math.max(fallback, bits / seconds);
    }
  }
  return peak > 0 ? peak : fallback;
}

/** Bits per second over all `segments`. */
export function averageBitrate(segments: readonly MeasuredSegment[]): number {
  let seconds = 0;
  let bits = 0;
  for (const { segment, media } of segments) {
    if (media === undefined) continue;
    seconds += segment.duration;
    bits += media.bytes * 8;
  }
  return seconds === 0 ? 0 : bits / seconds;
}
