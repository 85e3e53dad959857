import { ByteReader } from '../bytes/index.ts';
import { type Box, type BoxBudget, findBox, readBoxes, requireBox } from '../isobmff/index.ts';
import { ParseError } from '../model/index.ts';

/** Most samples a track of a file may have: 46 hours of video at 60 frames per second. */
export const MAX_TABLE_SAMPLES = 10_000_000;

/** Where one sample of a file lies and when it is due. */
export interface TableEntry {
  /** Ticks of the track, from 0. */
  readonly dts: number;
  /** Ticks of the track. */
  readonly pts: number;
  readonly duration: number;
  readonly keyframe: boolean;
  /** Bytes from the start of the file. */
  readonly offset: number;
  readonly size: number;
}

/**
 * Walks the sample table of a track (ISO/IEC 14496-12 §8.5 to §8.7) in decoding order, without unfolding it.
 * @param stbl content of the `stbl` box. @param budget boxes that may still be read.
 * @throws ParseError for tables that are missing or do not agree.
 */
export function* sampleTable(stbl: Uint8Array, budget: BoxBudget): Generator<TableEntry, undefined> {
  const boxes = readBoxes(stbl, budget);
  const sizes = readSizes(boxes);
  const durations = readRuns(requireBox(boxes, 'stts', '§8.6.1.2'), false);
  const ctts = findBox(boxes, 'ctts');
  const compositions = ctts === undefined ? undefined : readRuns(ctts, true);
  const offsets = readOffsets(boxes);
  const perChunk = samplesPerChunk(requireBox(boxes, 'stsc', '§8.7.4'), offsets.count);
  const stss = findBox(boxes, 'stss');
  const keyframes = stss === undefined ? undefined : readKeyframes(stss);
  let dts = 0;
  let nextKey = keyframes?.next().value;
  let index = 0;
  for (let chunk = 0; chunk < offsets.count && index < sizes.count; chunk++) {
    let offset = offsets.at(chunk);
    for (let left = perChunk.next().value ?? 0; left > 0 && index < sizes.count; left--, index++) {
      const size = sizes.at(index);
      const duration = durations.next().value;
      if (duration === undefined) throw disagree('stts', index);
      const keyframe = keyframes === undefined || nextKey === index + 1;
      if (keyframe) nextKey = keyframes?.next().value;
      const composition = compositions === undefined ? 0 : (compositions.next().value ?? 0);
      yield { dts, pts: dts + composition, duration, keyframe, offset, size };
      dts += duration;
      offset += size;
    }
  }
  if (index < sizes.count) throw disagree('stsc', index);
  return undefined;
}

interface List {
  readonly count: number;
  at(index: number): number;
}

/** `stsz` (§8.7.3.2). */
function readSizes(boxes: readonly Box[]): List {
  const reader = new ByteReader(requireBox(boxes, 'stsz', '§8.7.3').body, '§8.7.3.2');
  reader.skip(4);
  const same = reader.u32();
  const count = reader.u32();
  if (count > MAX_TABLE_SAMPLES) throw new ParseError('MP4_RUN', '§8.7.3.2', `${count} samples in a track`);
  if (same !== 0) return { count, at: () => same };
  const table = view(reader, count * 4);
  return { count, at: (index) => table.getUint32(index * 4) };
}

/** `stco` or `co64` (§8.7.5). */
function readOffsets(boxes: readonly Box[]): List {
  const short = findBox(boxes, 'stco');
  const reader = new ByteReader((short ?? requireBox(boxes, 'co64', '§8.7.5')).body, '§8.7.5');
  reader.skip(4);
  const count = reader.u32();
  if (short !== undefined) {
    const table = view(reader, count * 4);
    return { count, at: (index) => table.getUint32(index * 4) };
  }
  const table = view(reader, count * 8);
  return {
    count,
    at: (index) => table.getUint32(index * 8) * 0x1_0000_0000 + table.getUint32(index * 8 + 4),
  };
}

/** The values of `stts` (§8.6.1.2) or `ctts` (§8.6.1.3), one for each sample. */
function* readRuns(box: Box, signed: boolean): Generator<number, undefined> {
  const reader = new ByteReader(box.body, signed ? '§8.6.1.3' : '§8.6.1.2');
  reader.skip(4);
  for (let runs = reader.u32(); runs > 0; runs--) {
    const count = reader.u32();
    // Version 0 of ctts is unsigned by the text, yet writers put signed offsets into it.
    const value = signed ? reader.i32() : reader.u32();
    for (let left = Math.min(count, MAX_TABLE_SAMPLES); left > 0; left--) yield value;
  }
  return undefined;
}

/** Samples in each chunk, from `stsc` (§8.7.4). */
function* samplesPerChunk(box: Box, chunks: number): Generator<number, undefined> {
  const reader = new ByteReader(box.body, '§8.7.4');
  reader.skip(4);
  const runs = reader.u32();
  let first = runs > 0 ? reader.u32() : 1;
  for (let run = 0; run < runs; run++) {
    const samples = reader.u32();
    reader.skip(4); // sample_description_index
    const next = run + 1 < runs ? reader.u32() : chunks + 1;
    if (next <= first && run + 1 < runs) throw disagree('stsc', run);
    for (; first < next && first <= chunks; first++) yield samples;
  }
  return undefined;
}

/** Sample numbers from 1, from `stss` (§8.6.2). */
function* readKeyframes(box: Box): Generator<number, undefined> {
  const reader = new ByteReader(box.body, '§8.6.2');
  reader.skip(4);
  for (let left = reader.u32(); left > 0; left--) yield reader.u32();
  return undefined;
}

function view(reader: ByteReader, length: number): DataView {
  const bytes = reader.bytes(length);
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function disagree(box: string, at: number): ParseError {
  return new ParseError('MP4_RUN', 'ISO/IEC 14496-12 §8.7', `${box} does not agree with stsz at ${at}`);
}
