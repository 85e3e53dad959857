import { type InitInfo, type InitTrack, parseChunks } from '../../isobmff/index.ts';

/** What a segment or part really holds of one track, whatever its container. Times are ticks of `timebase`. */
export interface MeasuredTrack {
  readonly kind: 'video' | 'audio' | 'other';
  /** Ticks per second. */
  readonly timebase: number;
  /** Decoding time of the first sample. */
  readonly start: number;
  /** Decoding time at which the last sample ends. */
  readonly end: number;
  /** Earliest presentation time. */
  readonly presentation: number;
  /** Longest duration of a sample. */
  readonly frame: number;
  readonly samples: number;
  /** Samples at which decoding can start; every audio sample is one. */
  readonly keyframes: number;
  /** The first sample is one of them. */
  readonly startsWithKeyframe: boolean;
  /** Where a sample does not begin at the end of the one before: at `at`, `ticks` later (negative: overlap). */
  readonly holes: readonly { readonly at: number; readonly ticks: number }[];
  /** Ticks by which the container rounds times: 0 for fMP4. */
  readonly slack: number;
  /** All bytes of the samples, to tell two of equal length apart: FNV-1a, 32 bits. */
  readonly digest: number;
}

/** What a segment or part really holds. */
export interface MeasuredMedia {
  /** Bytes of the resource. */
  readonly bytes: number;
  readonly tracks: readonly MeasuredTrack[];
}

/**
 * What `bytes`, CMAF chunks one after the other, hold of the tracks that `init` declares.
 * @throws ParseError if they are no chunks.
 */
export function measureFmp4(bytes: Uint8Array, init: InitInfo): MeasuredMedia {
  const chunks = parseChunks(
    bytes,
    init.tracks.map(({ defaults }) => defaults),
  );
  const tracks = init.tracks.flatMap((declared) => {
    const samples = chunks.flatMap(({ tracks: inside }) =>
      inside.filter(({ trackId }) => trackId === declared.trackId).flatMap((one) => one.samples),
    );
    return samples.length === 0 ? [] : [measureTrack(declared, samples)];
  });
  return { bytes: bytes.length, tracks };
}

/** One access unit, as far as it is measured. Ticks. */
export interface MeasuredSample {
  readonly dts: number;
  readonly pts: number;
  readonly duration: number;
  readonly keyframe: boolean;
  readonly data: Uint8Array;
}

/**
 * What `samples`, in decoding order and at least one, make of a track.
 * @param slack ticks by which the container rounds times.
 */
export function measureTrack(
  { kind, timebase }: Pick<InitTrack, 'kind' | 'timebase'>,
  samples: readonly MeasuredSample[],
  slack = 0,
): MeasuredTrack {
  const first = samples[0]!;
  const holes: { at: number; ticks: number }[] = [];
  let end = first.dts;
  let presentation = Number.POSITIVE_INFINITY;
  let frame = 0;
  let keyframes = 0;
  let digest = 0x811c9dc5;
  for (const { dts, pts, duration, keyframe, data } of samples) {
    if (Math.abs(dts - end) > slack) holes.push({ at: end, ticks: dts - end });
    end = dts + duration;
    presentation = Math.min(presentation, pts);
    frame = Math.max(frame, duration);
    if (keyframe) keyframes++;
    for (const byte of data) digest = Math.imul(digest ^ byte, 0x01000193);
  }
  return {
    kind,
    timebase,
    start: first.dts,
    end,
    presentation,
    frame,
    samples: samples.length,
    keyframes,
    startsWithKeyframe: first.keyframe,
    holes,
    slack,
    digest: digest >>> 0,
  };
}

/** The track that paces a segment: the picture if there is one. */
export function leadingTrack({ tracks }: MeasuredMedia): MeasuredTrack | undefined {
  return (
    tracks.find(({ kind }) => kind === 'video') ?? tracks.find(({ kind }) => kind === 'audio') ?? tracks[0]
  );
}

/** Seconds from the first sample of `track` to the end of its last. */
export function secondsOf(track: MeasuredTrack): number {
  return (track.end - track.start) / track.timebase;
}
