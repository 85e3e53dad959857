import { ByteReader } from '../bytes/index.ts';
import { ParseError } from '../model/errors.ts';

const RUN_CLAUSE = 'ISO/IEC 14496-12 §8.8.8';
/** Most samples one `trun` may declare. */
export const MAX_RUN_SAMPLES = 65_536;

/** Content of `tfhd`: undefined where the fragment leaves a value to `trex`. */
export interface TrackFragmentHeader {
  readonly trackId: number;
  /** Offset in the file that data offsets count from; undefined with default-base-is-moof. */
  readonly baseDataOffset: number | undefined;
  /** Ticks. */
  readonly duration: number | undefined;
  /** Bytes. */
  readonly size: number | undefined;
  readonly flags: number | undefined;
}

/** Columns of `trun`; a column that the box leaves out is undefined. */
export interface TrackRun {
  readonly count: number;
  /** Bytes from the base to the first sample. */
  readonly dataOffset: number | undefined;
  readonly firstFlags: number | undefined;
  readonly entries: readonly RunEntry[];
}

/** One row of `trun`. */
export interface RunEntry {
  readonly duration: number | undefined;
  readonly size: number | undefined;
  readonly flags: number | undefined;
  /** `pts - dts` in ticks. */
  readonly compositionOffset: number;
}

/** Reads the sequence number from the body of `mfhd`, ISO/IEC 14496-12 §8.8.5. */
export function readSequence(body: Uint8Array): number {
  const r = new ByteReader(body, 'ISO/IEC 14496-12 §8.8.5');
  r.skip(4);
  return r.u32();
}

/** Reads the body of `tfhd`, ISO/IEC 14496-12 §8.8.7. */
export function readTrackFragmentHeader(body: Uint8Array): TrackFragmentHeader {
  const r = new ByteReader(body, 'ISO/IEC 14496-12 §8.8.7');
  r.skip(1);
  const flags = r.u24();
  const trackId = r.u32();
  const baseDataOffset = flags & 0x1 ? r.u64() : undefined;
  if (flags & 0x2) r.skip(4); // sample_description_index
  return {
    trackId,
    baseDataOffset,
    duration: flags & 0x8 ? r.u32() : undefined,
    size: flags & 0x10 ? r.u32() : undefined,
    flags: flags & 0x20 ? r.u32() : undefined,
  };
}

/** Reads the decoding time in ticks from the body of `tfdt`, version 0 or 1. ISO/IEC 14496-12 §8.8.12. */
export function readDecodeTime(body: Uint8Array): number {
  const r = new ByteReader(body, 'ISO/IEC 14496-12 §8.8.12');
  const version = r.u8();
  r.skip(3);
  return version === 0 ? r.u32() : r.u64();
}

/**
 * Reads the body of `trun`, ISO/IEC 14496-12 §8.8.8; version 0 has unsigned composition offsets.
 * @throws ParseError `MP4_RUN` if it declares more samples than its bytes hold or than we take.
 */
export function readTrackRun(body: Uint8Array): TrackRun {
  const r = new ByteReader(body, RUN_CLAUSE);
  const version = r.u8();
  const flags = r.u24();
  const count = r.u32();
  const dataOffset = flags & 0x1 ? r.i32() : undefined;
  const firstFlags = flags & 0x4 ? r.u32() : undefined;
  const columns = [0x100, 0x200, 0x400, 0x800].filter((bit) => flags & bit).length;
  if (count > MAX_RUN_SAMPLES || count * columns * 4 > r.remaining) {
    throw new ParseError('MP4_RUN', RUN_CLAUSE, `${count} samples in a trun of ${body.length} bytes`);
  }
  const entries: RunEntry[] = [];
  if (columns > 0) {
    for (let i = 0; i < count; i++) {
      entries.push({
        duration: flags & 0x100 ? r.u32() : undefined,
        size: flags & 0x200 ? r.u32() : undefined,
        flags: flags & 0x400 ? r.u32() : undefined,
        compositionOffset: flags & 0x800 ? (version === 0 ? r.u32() : r.i32()) : 0,
      });
    }
  }
  return { count, dataOffset, firstFlags, entries };
}
