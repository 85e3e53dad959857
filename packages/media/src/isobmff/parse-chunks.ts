import { ParseError } from '../model/errors.ts';
import { type Box, type BoxBudget, boxBudget, readBoxes, requireBox } from './box.ts';
import { type EventMessage, readEventMessage } from './event-message.ts';
import { type FileType, readFileType } from './file-type.ts';
import { readSequence } from './fragment.ts';
import {
  type FragmentPlace,
  MAX_CHUNK_SAMPLES,
  readTrackFragment,
  trackFragments,
} from './fragment-samples.ts';
import { type ProducerReferenceTime, readProducerReferenceTime } from './producer-reference-time.ts';
import type { SampleDefaults } from './track-extends.ts';

/** Most `mdat` boxes that follow one `moof`. */
const MAX_MEDIA_DATA = 16;
const TRUN = 'ISO/IEC 14496-12 §8.8.8';

/** One sample of a chunk. */
export interface ChunkSample {
  /** Ticks. */
  readonly dts: number;
  /** Ticks; `dts` plus the signed composition offset. */
  readonly pts: number;
  /** Ticks. */
  readonly duration: number;
  /** True if decoding can start here. */
  readonly keyframe: boolean;
  /** A view into the bytes that were parsed. */
  readonly data: Uint8Array;
}

/** The samples one `traf` brings. */
export interface ChunkTrack {
  readonly trackId: number;
  /** Ticks, from `tfdt`; 0 if the fragment has none. */
  readonly baseDecodeTime: number;
  readonly samples: readonly ChunkSample[];
}

/** One `moof` with its `mdat` and what stood in front of it. */
export interface ParsedChunk {
  /** `mfhd` sequence number. */
  readonly sequence: number;
  readonly styp: FileType | undefined;
  readonly prft: ProducerReferenceTime | undefined;
  readonly events: readonly EventMessage[];
  readonly tracks: readonly ChunkTrack[];
  /** Where its first box starts and its last one ends in the parsed bytes. */
  readonly start: number;
  readonly end: number;
}

/**
 * Reads chunks that lie one after another, whoever wrote them; other boxes (`sidx`, `free`, `ftyp`,
 * `moov`) are passed over. Sample data are views into `bytes`.
 * @param defaults `trex` of the init segment's tracks; none are needed for chunks of our own.
 * @throws ParseError if a box lies about its size, a required one is missing, or a sample lies outside
 * of the `mdat` boxes of its chunk.
 */
export function parseChunks(
  bytes: Uint8Array,
  defaults: readonly (SampleDefaults | undefined)[] = [],
): ParsedChunk[] {
  const budget = boxBudget();
  const chunks: ParsedChunk[] = [];
  const top = readBoxes(bytes, budget);
  let before: Box[] = [];
  for (let i = 0; i < top.length; i++) {
    const box = top[i]!;
    if (box.type === 'styp' || box.type === 'prft' || box.type === 'emsg') before.push(box);
    if (box.type !== 'moof') continue;
    const mdats: Box[] = [];
    let end = box.start + box.size;
    for (
      let next = i + 1;
      next < top.length && top[next]!.type === 'mdat' && mdats.length < MAX_MEDIA_DATA;
      next++
    ) {
      mdats.push(top[next]!);
      end = top[next]!.start + top[next]!.size;
    }
    chunks.push(readChunk(bytes, before, box, mdats, end, defaults, budget));
    before = [];
  }
  return chunks;
}

function readChunk(
  bytes: Uint8Array,
  before: readonly Box[],
  moof: Box,
  mdats: readonly Box[],
  end: number,
  defaults: readonly (SampleDefaults | undefined)[],
  budget: BoxBudget,
): ParsedChunk {
  const inside = readBoxes(moof.body, budget);
  const sequence = readSequence(requireBox(inside, 'mfhd', 'ISO/IEC 14496-12 §8.8.5').body);
  let bytesLeft = 0;
  for (const mdat of mdats) bytesLeft += mdat.body.length;
  const source: Source = {
    bytes,
    moofStart: moof.start,
    firstData: firstData(mdats, moof.start),
    mdats,
    bytesLeft,
    samplesLeft: MAX_CHUNK_SAMPLES,
  };
  const tracks = trackFragments(inside).map((traf) =>
    readTraf(readBoxes(traf.body, budget), source, defaults),
  );
  const styp = before.find((box) => box.type === 'styp');
  const prft = before.find((box) => box.type === 'prft');
  return {
    sequence,
    styp: styp === undefined ? undefined : readFileType(styp.body),
    prft: prft === undefined ? undefined : readProducerReferenceTime(prft.body),
    events: before.filter((box) => box.type === 'emsg').map((box) => readEventMessage(box.body)),
    tracks,
    start: (before[0] ?? moof).start,
    end,
  };
}

/** Where a chunk's sample data lie, and how much of it may still be claimed. */
interface Source extends FragmentPlace {
  readonly bytes: Uint8Array;
  readonly mdats: readonly Box[];
  /** Bytes of `mdats` that no sample has claimed; so overlapping samples cannot multiply the input. */
  bytesLeft: number;
}

function readTraf(
  boxes: readonly Box[],
  source: Source,
  defaults: readonly (SampleDefaults | undefined)[],
): ChunkTrack {
  const { trackId, baseDecodeTime, samples } = readTrackFragment(boxes, source, defaults);
  return {
    trackId,
    baseDecodeTime,
    samples: samples.map(({ dts, pts, duration, keyframe, offset, size }) => {
      return { dts, pts, duration, keyframe, data: view(source, offset, size) };
    }),
  };
}

function firstData(mdats: readonly Box[], moofStart: number): number {
  const first = mdats[0];
  return first === undefined ? moofStart : first.start + first.size - first.body.length;
}

function view(source: Source, at: number, size: number): Uint8Array {
  source.bytesLeft -= size;
  if (source.bytesLeft >= 0) {
    for (const mdat of source.mdats) {
      const end = mdat.start + mdat.size;
      if (at >= end - mdat.body.length && at + size <= end) return source.bytes.subarray(at, at + size);
    }
  }
  throw new ParseError('MP4_RUN', TRUN, `a sample of ${size} bytes lies outside of the mdat`, at);
}
