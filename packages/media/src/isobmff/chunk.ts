import { ParseError } from '../model/errors.ts';
import type { Sample, Track } from '../model/sample.ts';
import { type EventMessage, eventMessage } from './event-message.ts';
import {
  PRFT_SIZE,
  type ProducerReferenceTime,
  putProducerReferenceTime,
} from './producer-reference-time.ts';
import { NON_SYNC_SAMPLE_FLAGS, SYNC_SAMPLE_FLAGS } from './sample-flags.ts';

/** Largest chunk that is written, so that every size fits 32 bits with room to spare. */
export const MAX_CHUNK_BYTES = 0x4000_0000;

const BOX = {
  styp: 0x73747970,
  moof: 0x6d6f6f66,
  mfhd: 0x6d666864,
  traf: 0x74726166,
  tfhd: 0x74666864,
  tfdt: 0x74666474,
  trun: 0x7472756e,
  mdat: 0x6d646174,
  cmfs: 0x636d6673,
  cmfl: 0x636d666c,
  iso6: 0x69736f36,
} as const;

const STYP_SIZE = 24;
const TFHD_SIZE = 16;
const TFDT_SIZE = 20;
/** moof, mfhd, traf, tfhd, tfdt and trun up to its first sample. */
const HEAD_SIZE = 8 + 16 + 8 + TFHD_SIZE + TFDT_SIZE + 20;

const DEFAULT_BASE_IS_MOOF = 0x02_0000;
const RUN_DATA_OFFSET = 0x1;
const RUN_DURATION = 0x100;
const RUN_SIZE = 0x200;
const RUN_FLAGS = 0x400;
const RUN_COMPOSITION = 0x800;

/** What one chunk is made of. */
export interface ChunkInput {
  readonly track: Track;
  /** `mfhd` sequence number; its low 32 bits are written. */
  readonly sequence: number;
  /** Decoding time of the first sample in ticks of `track.timebase`. */
  readonly baseDecodeTime: number;
  /** In decoding order, at least one, all of `track`. */
  readonly samples: readonly Sample[];
  /** Ticks per sample, one for each of `samples`. */
  readonly durations: readonly number[];
  /** Puts a `styp` in front: `segment` (brand cmfs) where a segment starts, `chunk` (cmfl) elsewhere. */
  readonly styp?: 'segment' | 'chunk';
  readonly prft?: ProducerReferenceTime;
  readonly emsg?: readonly EventMessage[];
}

/**
 * One CMAF chunk (ISO/IEC 23000-19 §7.3.2.3): [styp][prft][emsg…] moof mdat, in one allocation that
 * belongs to the caller. Sample bytes are copied once. Composition offsets are `pts - dts`, signed
 * (`trun` version 1). Audio leaves the sample flags to the default in `trex`.
 * @throws ParseError `MP4_CHUNK_TOO_LARGE` above {@link MAX_CHUNK_BYTES}.
 */
export function chunk(input: ChunkInput): Uint8Array {
  return writeChunk(input, true);
}

/** The same in pieces, without copying: what stands before the samples, then each sample's own bytes. @throws as above */
export function chunkPieces(input: ChunkInput): Uint8Array[] {
  return [writeChunk(input, false), ...input.samples.map(({ data }) => data)];
}

/** @param whole with the bytes of the samples, else what stands before them. */
function writeChunk(input: ChunkInput, whole: boolean): Uint8Array {
  const { track, samples, durations, prft } = input;
  const count = samples.length;
  let payload = 0;
  let composition = 0;
  for (let i = 0; i < count; i++) {
    const sample = samples[i]!;
    payload += sample.data.length;
    composition |= sample.pts - sample.dts;
  }
  const video = track.parameters.kind === 'video';
  let entrySize = 8;
  let runFlags = RUN_DATA_OFFSET | RUN_DURATION | RUN_SIZE;
  if (video) {
    entrySize += 4;
    runFlags |= RUN_FLAGS;
  }
  if (composition !== 0) {
    entrySize += 4;
    runFlags |= RUN_COMPOSITION;
  }
  const events = input.emsg === undefined ? undefined : input.emsg.map(eventMessage);
  let eventBytes = 0;
  if (events !== undefined) for (const event of events) eventBytes += event.length;
  const runSize = 20 + count * entrySize;
  const moofSize = HEAD_SIZE + count * entrySize;
  const total =
    (input.styp === undefined ? 0 : STYP_SIZE) +
    (prft === undefined ? 0 : PRFT_SIZE) +
    eventBytes +
    moofSize +
    8 +
    payload;
  if (total > MAX_CHUNK_BYTES) {
    throw new ParseError('MP4_CHUNK_TOO_LARGE', 'ISO/IEC 14496-12 §4.2.2', `a chunk of ${total} bytes`);
  }

  const bytes = new Uint8Array(whole ? total : total - payload);
  const view = new DataView(bytes.buffer);
  let at = 0;
  if (input.styp !== undefined) at = putSegmentType(view, input.styp);
  if (prft !== undefined) at = putProducerReferenceTime(view, at, track.id, prft);
  if (events !== undefined) {
    for (const event of events) {
      bytes.set(event, at);
      at += event.length;
    }
  }

  view.setUint32(at, moofSize);
  view.setUint32(at + 4, BOX.moof);
  view.setUint32(at + 8, 16);
  view.setUint32(at + 12, BOX.mfhd);
  view.setUint32(at + 20, input.sequence >>> 0);
  view.setUint32(at + 24, moofSize - 24);
  view.setUint32(at + 28, BOX.traf);
  view.setUint32(at + 32, TFHD_SIZE);
  view.setUint32(at + 36, BOX.tfhd);
  view.setUint32(at + 40, DEFAULT_BASE_IS_MOOF);
  view.setUint32(at + 44, track.id);
  view.setUint32(at + 48, TFDT_SIZE);
  view.setUint32(at + 52, BOX.tfdt);
  view.setUint32(at + 56, 0x0100_0000);
  view.setUint32(at + 60, Math.floor(input.baseDecodeTime / 0x1_0000_0000));
  view.setUint32(at + 64, input.baseDecodeTime >>> 0);
  view.setUint32(at + 68, runSize);
  view.setUint32(at + 72, BOX.trun);
  view.setUint32(at + 76, 0x0100_0000 | runFlags);
  view.setUint32(at + 80, count);
  view.setUint32(at + 84, moofSize + 8); // data_offset: from the moof's first byte to the mdat's content
  at += HEAD_SIZE;

  let data = at + count * entrySize + 8;
  for (let i = 0; i < count; i++) {
    const sample = samples[i]!;
    view.setUint32(at, durations[i]!);
    view.setUint32(at + 4, sample.data.length);
    at += 8;
    if (video) {
      view.setUint32(at, sample.keyframe ? SYNC_SAMPLE_FLAGS : NON_SYNC_SAMPLE_FLAGS);
      at += 4;
    }
    if (composition !== 0) {
      view.setInt32(at, sample.pts - sample.dts);
      at += 4;
    }
    if (!whole) continue;
    bytes.set(sample.data, data);
    data += sample.data.length;
  }
  view.setUint32(at, payload + 8);
  view.setUint32(at + 4, BOX.mdat);
  return bytes;
}

/** `styp`, ISO/IEC 14496-12 §8.16.2 with the brands of ISO/IEC 23000-19 §7.2. */
function putSegmentType(view: DataView, kind: 'segment' | 'chunk'): number {
  const brand = kind === 'segment' ? BOX.cmfs : BOX.cmfl;
  view.setUint32(0, STYP_SIZE);
  view.setUint32(4, BOX.styp);
  view.setUint32(8, brand);
  view.setUint32(16, brand);
  view.setUint32(20, BOX.iso6);
  return STYP_SIZE;
}
