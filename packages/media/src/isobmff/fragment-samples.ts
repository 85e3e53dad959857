import { ParseError } from '../model/errors.ts';
import { type Box, boxBudget, readBoxes, requireBox } from './box.ts';
import {
  type RunEntry,
  readDecodeTime,
  readSequence,
  readTrackFragmentHeader,
  readTrackRun,
  type TrackFragmentHeader,
} from './fragment.ts';
import { isSyncSample, SYNC_SAMPLE_FLAGS } from './sample-flags.ts';
import type { SampleDefaults } from './track-extends.ts';

/** Most track fragments in one `moof`. */
export const MAX_TRACK_FRAGMENTS = 16;
/** Most samples in one `moof`. */
export const MAX_CHUNK_SAMPLES = 65_536;
const TRUN = 'ISO/IEC 14496-12 §8.8.8';

/** A sample of a fragment, as its tables tell of it. */
export interface FragmentSample {
  /** Ticks. */
  readonly dts: number;
  /** Ticks; `dts` plus the signed composition offset. */
  readonly pts: number;
  /** Ticks. */
  readonly duration: number;
  /** True if decoding can start here. */
  readonly keyframe: boolean;
  /** Where its bytes begin, counted as the `moof`'s start is. */
  readonly offset: number;
  readonly size: number;
}

/** The samples of one `traf`. */
export interface FragmentTrack {
  readonly trackId: number;
  /** Ticks, from `tfdt`; 0 if the fragment has none. */
  readonly baseDecodeTime: number;
  readonly samples: readonly FragmentSample[];
}

/** Where a fragment stands, and what it may still declare. */
export interface FragmentPlace {
  /** Offset of the `moof`'s first byte. */
  readonly moofStart: number;
  /** Offset of the first byte of media behind it, where a run tells none. */
  readonly firstData: number;
  samplesLeft: number;
}

/** A `moof` as its tables tell of it. */
export interface MovieFragment {
  /** `mfhd` sequence number. */
  readonly sequence: number;
  readonly tracks: readonly FragmentTrack[];
}

/**
 * Reads a whole `moof` without its media.
 * @param moof header included. @param start its offset in the file, from which the samples' offsets count.
 * @param defaults `trex` of the tracks.
 * @throws ParseError for boxes that lie about their size, are missing, or declare more than the limits.
 */
export function readMovieFragment(
  moof: Uint8Array,
  start: number,
  defaults: readonly (SampleDefaults | undefined)[],
): MovieFragment {
  const budget = boxBudget();
  const box = requireBox(readBoxes(moof, budget), 'moof', 'ISO/IEC 14496-12 §8.8.4');
  const inside = readBoxes(box.body, budget);
  const place = { moofStart: start, firstData: start + moof.length + 8, samplesLeft: MAX_CHUNK_SAMPLES };
  return {
    sequence: readSequence(requireBox(inside, 'mfhd', 'ISO/IEC 14496-12 §8.8.5').body),
    tracks: trackFragments(inside).map((traf) =>
      readTrackFragment(readBoxes(traf.body, budget), place, defaults),
    ),
  };
}

/** The `traf` boxes of a `moof`. @throws ParseError `MP4_TRACKS` above {@link MAX_TRACK_FRAGMENTS}. */
export function trackFragments(inside: readonly Box[]): Box[] {
  const trafs = inside.filter((box) => box.type === 'traf');
  if (trafs.length > MAX_TRACK_FRAGMENTS) {
    throw new ParseError('MP4_TRACKS', 'ISO/IEC 14496-12 §8.8.6', `${trafs.length} traf boxes in one moof`);
  }
  return trafs;
}

/** Reads the boxes of a `traf`. @throws ParseError as {@link readMovieFragment}. */
export function readTrackFragment(
  boxes: readonly Box[],
  place: FragmentPlace,
  defaults: readonly (SampleDefaults | undefined)[],
): FragmentTrack {
  const header = readTrackFragmentHeader(requireBox(boxes, 'tfhd', 'ISO/IEC 14496-12 §8.8.7').body);
  const trex = defaults.find((candidate) => candidate?.trackId === header.trackId);
  const tfdt = boxes.find((box) => box.type === 'tfdt');
  const baseDecodeTime = tfdt === undefined ? 0 : readDecodeTime(tfdt.body);
  const base = header.baseDataOffset ?? place.moofStart;
  const samples: FragmentSample[] = [];
  let dts = baseDecodeTime;
  let at = place.firstData;
  for (const box of boxes) {
    if (box.type !== 'trun') continue;
    const run = readTrackRun(box.body);
    if (run.dataOffset !== undefined) at = base + run.dataOffset;
    for (let i = 0; i < run.count; i++) {
      const entry = run.entries[i] ?? NO_ENTRY;
      const { duration, size, flags } = resolve(entry, i === 0 ? run.firstFlags : undefined, header, trex);
      // Samples without bytes of their own or of the table would cost work that the input did not pay for.
      if (size === 0 && run.entries.length === 0) {
        throw new ParseError('MP4_RUN', TRUN, `${run.count} samples of size 0`, box.start);
      }
      if (--place.samplesLeft < 0) {
        throw new ParseError('MP4_RUN', TRUN, `more than ${MAX_CHUNK_SAMPLES} samples in one moof`, at);
      }
      const pts = dts + entry.compositionOffset;
      samples.push({ dts, pts, duration, keyframe: isSyncSample(flags), offset: at, size });
      at += size;
      dts += duration;
    }
  }
  return { trackId: header.trackId, baseDecodeTime, samples };
}

const NO_ENTRY: RunEntry = { duration: undefined, size: undefined, flags: undefined, compositionOffset: 0 };

function resolve(
  entry: RunEntry,
  firstFlags: number | undefined,
  header: TrackFragmentHeader,
  trex: SampleDefaults | undefined,
): { duration: number; size: number; flags: number } {
  return {
    duration: entry.duration ?? header.duration ?? trex?.duration ?? 0,
    size: entry.size ?? header.size ?? trex?.size ?? 0,
    flags: firstFlags ?? entry.flags ?? header.flags ?? trex?.flags ?? SYNC_SAMPLE_FLAGS,
  };
}
