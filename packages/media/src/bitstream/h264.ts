import { BitReader } from './bit-reader.ts';
import { nalLength, unescapeRbsp } from './nal.ts';
import { isRecoveryPoint } from './sei.ts';

/** nal_unit_type values. ITU-T H.264 Table 7-1. */
export const H264_NAL = {
  slice: 1,
  partitionA: 2,
  idr: 5,
  sei: 6,
  sps: 7,
  pps: 8,
  aud: 9,
  endOfSequence: 10,
  endOfStream: 11,
  filler: 12,
  spsExtension: 13,
} as const;

/** nal_unit_type of a NAL unit, from its first byte. */
export function h264NalType(header: number): number {
  return header & 0x1f;
}

/**
 * True where a decoder that has the track's parameter sets can start: an IDR picture, or a recovery point
 * (open GOP, periodic intra refresh), from which the picture becomes right within the announced frames.
 * Walks over the whole access unit, so its NAL lengths are known to be sound afterwards.
 * @param unit access unit with 4-byte NAL lengths.
 * @throws ParseError `NAL_MALFORMED`
 */
export function isH264Keyframe(unit: Uint8Array): boolean {
  let key = false;
  let at = 0;
  while (at < unit.length) {
    const size = nalLength(unit, at);
    at += 4;
    if (size > 0 && !key) {
      const type = unit[at]! & 0x1f;
      if (type === H264_NAL.idr) key = true;
      else if (type === H264_NAL.sei) key = isRecoveryPoint(unit.subarray(at + 1, at + size));
    }
    at += size;
  }
  return key;
}

/** Slice type after §7.4.3, Table 7-6. */
export type H264SliceType = 'P' | 'B' | 'I' | 'SP' | 'SI';
const SLICE_TYPES: readonly H264SliceType[] = ['P', 'B', 'I', 'SP', 'SI'];

/** Slice type of a NAL unit, or undefined if it is no slice. */
export function h264SliceType(nal: Uint8Array): H264SliceType | undefined {
  const type = (nal[0] ?? 0) & 0x1f;
  if (type !== H264_NAL.slice && type !== H264_NAL.partitionA && type !== H264_NAL.idr) return undefined;
  const bits = new BitReader(unescapeRbsp(nal, SLICE_HEADER_BYTES), 'ITU-T H.264 §7.3.3');
  bits.skip(8);
  bits.ue(); // first_mb_in_slice
  return SLICE_TYPES[bits.ue() % 5];
}

/** Two Exp-Golomb codes of 32 bits at most reach this far, emulation prevention included. */
const SLICE_HEADER_BYTES = 24;

/** True if the access unit (4-byte NAL lengths) has a B slice; browsers' WebRTC decoders refuse these. */
export function hasH264BSlice(unit: Uint8Array): boolean {
  let at = 0;
  while (at < unit.length) {
    const size = nalLength(unit, at);
    if (size > 0 && h264SliceType(unit.subarray(at + 4, at + 4 + size)) === 'B') return true;
    at += 4 + size;
  }
  return false;
}
