import type { Track } from '@onair/media';
import {
  type AdaptationSet,
  type Descriptor,
  type Mpd,
  type Period,
  type Representation,
  type TimelineSegment,
  writeFrameRate,
} from '@onair/media/dash';
import { EVENT_SCHEME, EVENT_VALUE, SCTE35_SCHEME } from '@onair/media/isobmff';
import {
  expectedEnd,
  heldOf,
  lastEnd,
  mediaFile,
  type RunSegments,
  type ShownRun,
  ticksOf,
  timelineOf,
} from './segments.ts';

const LIVE_PROFILE = 'urn:mpeg:dash:profile:isoff-live:2011';
/** Asks for no access point at the start of a segment. ISO/IEC 23009-1 §8.5. */
const MAIN_PROFILE = 'urn:mpeg:dash:profile:isoff-main:2011';
const CMAF_PROFILE = 'urn:mpeg:dash:profile:cmaf:2019';
const LOW_LATENCY_PROFILE = 'http://www.dashif.org/guidelines/low-latency-live-v5';
/** How often low-latency players look for the next segment, in seconds. */
const UPDATE_S = 0.5;
/** Seconds from the beginning of a segment until its first chunk can be fetched, at most. */
const FIRST_CHUNK_S = 0.1;
/** What the chunks of the leading track carry. */
const EVENT_SCHEMES: readonly Descriptor[] = [EVENT_SCHEME, SCTE35_SCHEME].map((schemeIdUri) => ({
  schemeIdUri,
  value: EVENT_VALUE,
}));
/** What a rendition may begin later than its run, in seconds. */
const BEGUN_S = 0.1;
/** Id of the reference that latency counts from. */
const REFERENCE = 0;

/** What a manifest tells beyond the segments. */
export interface ManifestFacts {
  /** availabilityStartTime, ms since the Unix epoch. */
  readonly epochMs: number;
  /** ms since the Unix epoch. */
  readonly publishMs: number;
  /** The stream is over: a static manifest. */
  readonly ended: boolean;
  readonly lowLatency: boolean;
  /** Latency that players aim at, ms. */
  readonly latencyMs: number;
  /** Wished duration of a segment, ms. */
  readonly segmentMs: number;
  /** Seconds that segments stay listed. */
  readonly windowS: number;
  /** In front of each address, e.g. `dash/`. */
  readonly base: string;
  /** Address of the clock, relative to the manifest. */
  readonly clock: string;
  /** Frames per second of a track, if it keeps to a constant rate. */
  frameRate(track: Track): number | undefined;
  /** Bits per second of a rendition in a run. */
  bandwidth(run: ShownRun, segments: RunSegments): number;
}

/** The MPD of a stream as it stands. */
export function manifestOf(runs: readonly ShownRun[], facts: ManifestFacts): Mpd {
  const { ended, lowLatency, latencyMs } = facts;
  const growing = lowLatency && !ended;
  const clocks = clocksOf(facts.clock);
  const lengths = runs.map((shown) => timelinesOf(shown, facts));
  const longest = longestOf(runs, lengths, facts.segmentMs / 1000);
  const periods = runs.map((shown, i) => periodOf(shown, lengths[i]!, runs[i + 1], facts));
  const last = periods.at(-1);
  const delay = 2 * longest + 1;
  const nowS = (facts.publishMs - facts.epochMs) / 1000;
  return {
    type: ended ? 'static' : 'dynamic',
    profiles: [LIVE_PROFILE, MAIN_PROFILE, CMAF_PROFILE, ...(lowLatency ? [LOW_LATENCY_PROFILE] : [])],
    availabilityStartTime: facts.epochMs,
    publishTime: facts.publishMs,
    minimumUpdatePeriod: ended ? undefined : growing ? UPDATE_S : Math.max(UPDATE_S, longest / 2),
    mediaPresentationDuration:
      ended && last !== undefined ? round(last.start + (last.duration ?? 0)) : undefined,
    minBufferTime: round(longest),
    timeShiftBufferDepth: ended
      ? undefined
      : round(Math.max(delay, Math.min(Math.max(facts.windowS, 3 * longest), toldS(runs, lengths, nowS)))),
    suggestedPresentationDelay: ended ? undefined : round(delay),
    maxSegmentDuration: round(longest),
    serviceDescriptions: growing
      ? [
          {
            id: 0,
            latency: {
              referenceId: REFERENCE,
              target: latencyMs,
              min: Math.round(latencyMs / 2),
              max: latencyMs * 3,
            },
            playbackRate: { min: 0.95, max: 1.1 },
          },
        ]
      : [],
    periods,
    utcTimings: ended ? [] : clocks,
  };
}

function clocksOf(clock: string): Descriptor[] {
  return [
    { schemeIdUri: 'urn:mpeg:dash:utc:http-xsdate:2014', value: clock },
    { schemeIdUri: 'urn:mpeg:dash:utc:http-head:2014', value: clock },
  ];
}

function timelinesOf(
  { renditions }: ShownRun,
  { lowLatency, ended, segmentMs }: ManifestFacts,
): TimelineSegment[][] {
  const leader = renditions[0]!;
  return renditions.map((segments) =>
    timelineOf(segments, lowLatency && !ended ? expectedEnd(segments, leader, segmentMs) : undefined),
  );
}

/**
 * Seconds of the presentation that all renditions still tell; infinite while nothing has left.
 * @param nowS seconds since it began.
 */
function toldS(
  runs: readonly ShownRun[],
  timelines: readonly (readonly (readonly TimelineSegment[])[])[],
  nowS: number,
): number {
  const edges = (at: number, edge: (timeline: readonly TimelineSegment[]) => number): number[] => {
    const { run, renditions } = runs[at]!;
    return renditions.map(
      ({ track }, i) => run.start + (edge(timelines[at]![i]!) - ticksOf(track, run.origin)) / track.timebase,
    );
  };
  // Where a rendition does not begin with its run, what was in front has left, or never came.
  const starts = runs.flatMap(({ run }, at) =>
    edges(at, ([first]) => first?.t ?? 0).filter((start) => at === 0 || start > run.start + BEGUN_S),
  );
  if (starts.every((start) => start <= BEGUN_S)) return Number.POSITIVE_INFINITY;
  const ends = edges(runs.length - 1, (timeline) => (timeline.at(-1)?.t ?? 0) + (timeline.at(-1)?.d ?? 0));
  // A clock that jumped ahead may have taken the media beyond what it is.
  return Math.max(0, Math.min(nowS, Math.max(...ends)) - Math.max(...starts));
}

/** Seconds of the longest segment told. */
function longestOf(
  runs: readonly ShownRun[],
  timelines: readonly (readonly (readonly TimelineSegment[])[])[],
  atLeast: number,
): number {
  let longest = atLeast;
  for (const [i, { renditions }] of runs.entries()) {
    for (const [j, { track }] of renditions.entries()) {
      for (const { d } of timelines[i]![j]!) longest = Math.max(longest, d / track.timebase);
    }
  }
  // Whole tenths, so that an audio frame more or less does not change it.
  return Math.ceil(longest * 10 - 0.000_01) / 10;
}

function periodOf(
  shown: ShownRun,
  timelines: readonly (readonly TimelineSegment[])[],
  next: ShownRun | undefined,
  facts: ManifestFacts,
): Period {
  const { run, renditions } = shown;
  const last = lastEnd(renditions);
  const closed = next !== undefined || facts.ended;
  const early = renditions.map(({ track }, i) => {
    const longest = Math.max(...timelines[i]!.map(({ d }) => d)) / track.timebase;
    // Tenths, so that a frame more or less does not change it.
    return Math.max(
      Math.min(FIRST_CHUNK_S, longest / 2),
      Math.floor(longest * 10 + 0.001) / 10 - FIRST_CHUNK_S,
    );
  });
  return {
    id: run.id,
    start: run.start,
    // While it is live the next period's start says it: FFmpeg stays for ever with the period of the longest duration told.
    duration: facts.ended && last !== undefined ? round((last - run.origin) / 1_000_000) : undefined,
    eventStreams: [],
    adaptationSets: renditions.map((segments, i) =>
      adaptationSetOf(
        shown,
        segments,
        timelines[i]!,
        closed ? undefined : Math.min(early[0]!, early[i]!),
        facts,
      ),
    ),
  };
}

/** The colour of the pictures, where it is told beside them. ISO/IEC 23091-1 names the schemes. */
function coloursOf({ parameters }: Track): Descriptor[] {
  if (parameters.kind !== 'video' || parameters.colour === undefined) return [];
  const { primaries, transfer, matrix } = parameters.colour;
  const points = {
    ColourPrimaries: primaries,
    TransferCharacteristics: transfer,
    MatrixCoefficients: matrix,
  };
  return Object.entries(points).map(([name, value]) => ({
    schemeIdUri: `urn:mpeg:mpegB:cicp:${name}`,
    value: String(value),
  }));
}

/** @param early seconds before its end at which a segment can be asked for; undefined for no sooner. */
function adaptationSetOf(
  shown: ShownRun,
  segments: RunSegments,
  timeline: readonly TimelineSegment[],
  early: number | undefined,
  facts: ManifestFacts,
): AdaptationSet {
  const { run } = shown;
  const { track, rendition } = segments;
  const { parameters } = track;
  const kind = parameters.kind === 'audio' ? 'audio' : 'video';
  const origin = ticksOf(track, run.origin);
  const accessible = heldOf(segments).every(({ independent }) => independent);
  return {
    id: track.id,
    contentType: kind,
    mimeType: `${kind}/mp4`,
    lang: languageOf(track),
    segmentAlignment: true,
    // Encoders that set no key frame in time: what the others promise is not true of this set (§8.1).
    ...(accessible ? {} : { profiles: [MAIN_PROFILE] }),
    startWithSAP: accessible ? 1 : 0,
    supplementalProperties: coloursOf(track),
    inbandEventStreams: segments === shown.renditions[0] ? EVENT_SCHEMES : [],
    roles: [{ schemeIdUri: 'urn:mpeg:dash:role:2011', value: 'main' }],
    producerReferenceTimes: facts.lowLatency
      ? [
          {
            id: REFERENCE,
            type: 'encoder',
            wallClockTime: facts.epochMs + run.start * 1000,
            presentationTime: origin,
            inband: false,
            utcTiming: clocksOf(facts.clock)[0],
          },
        ]
      : [],
    representations: [
      {
        id: rendition.name,
        bandwidth: facts.bandwidth(shown, segments),
        ...parametersOf(track, facts),
        segmentTemplate: {
          timescale: track.timebase,
          initialization: `${facts.base}$RepresentationID$/${segments.init}`,
          media: `${facts.base}$RepresentationID$/${mediaFile(segments.init, '$Time$')}`,
          startNumber: 1,
          presentationTimeOffset: origin,
          ...(facts.lowLatency && early !== undefined
            ? { availabilityTimeOffset: round(early), availabilityTimeComplete: false }
            : {}),
          timeline,
        },
      },
    ],
  };
}

function parametersOf(
  track: Track,
  facts: ManifestFacts,
): Pick<
  Representation,
  'codecs' | 'width' | 'height' | 'frameRate' | 'sar' | 'audioSamplingRate' | 'audioChannelConfiguration'
> {
  const { parameters } = track;
  if (parameters.kind === 'audio') {
    return {
      codecs: parameters.codecString,
      audioSamplingRate: parameters.sampleRate,
      audioChannelConfiguration: {
        schemeIdUri: 'urn:mpeg:mpegB:cicp:ChannelConfiguration',
        value: String(channelConfiguration(parameters.channels)),
      },
    };
  }
  if (parameters.kind === 'data') return { codecs: '' };
  const rate = facts.frameRate(track) ?? parameters.frameRate;
  const sized = parameters.width > 0 && parameters.height > 0;
  return {
    codecs: parameters.codecString,
    ...(sized ? { width: parameters.width, height: parameters.height } : {}),
    frameRate: writeFrameRate(rate ?? 30),
    sar: '1:1',
  };
}

/** ISO/IEC 23091-3 table 10: up to 6 the number of channels; 7.1 is 12. */
function channelConfiguration(channels: number): number {
  if (channels === 7) return 11;
  return channels === 8 ? 12 : Math.max(1, channels);
}

/** A BCP 47 tag comes from the publisher: what is none is not passed on. */
function languageOf({ parameters, language }: Track): string | undefined {
  if (parameters.kind !== 'audio') return undefined;
  const valid = language !== undefined && /^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,8}$/.test(language);
  return valid ? language : 'und';
}

function round(seconds: number): number {
  return Math.round(seconds * 1_000_000) / 1_000_000;
}
