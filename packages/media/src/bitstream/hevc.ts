import { ByteReader, ByteWriter } from '../bytes/index.ts';
import type { VideoParameters } from '../model/codec.ts';
import { ParseError } from '../model/errors.ts';
import { type HevcProfile, parseHevcSps } from './hevc-sps.ts';
import { nalLength } from './nal.ts';

/** nal_unit_type values. ITU-T H.265 Table 7-1. */
export const HEVC_NAL = {
  blaFirst: 16,
  idrWithRadl: 19,
  cra: 21,
  vps: 32,
  sps: 33,
  pps: 34,
  aud: 35,
  prefixSei: 39,
} as const;

/** nal_unit_type of a NAL unit, from its first byte. */
export function hevcNalType(header: number): number {
  return (header >> 1) & 0x3f;
}

/** HEVCDecoderConfigurationRecord, the payload of an `hvcC` box. ISO/IEC 14496-15 §8.3.3.1. */
export interface HevcConfig {
  readonly profile: HevcProfile;
  readonly minSpatialSegmentation: number;
  readonly parallelismType: number;
  readonly chromaFormatIdc: number;
  readonly bitDepthLuma: number;
  readonly bitDepthChroma: number;
  /** Frames per 256 seconds, 0 if not told. */
  readonly averageFrameRate: number;
  readonly constantFrameRate: number;
  readonly temporalLayers: number;
  readonly temporalIdNested: boolean;
  /** Bytes of the length in front of each NAL unit: 1, 2 or 4. */
  readonly lengthSize: number;
  /** Parameter sets and SEI in the order of the record. */
  readonly arrays: readonly HevcNalArray[];
}

/** NAL units of one type in an {@link HevcConfig}. */
export interface HevcNalArray {
  readonly type: number;
  /** True if none of this type comes inside the samples. */
  readonly complete: boolean;
  /** NAL header included. */
  readonly nals: readonly Uint8Array[];
}

const CLAUSE = 'ISO/IEC 14496-15 §8.3.3.1';
/** Position of the byte that ends in lengthSizeMinusOne. */
const LENGTH_SIZE_BYTE = 21;

/**
 * Reads a record. The sets are views into `record`.
 * @throws ParseError `CONFIG_MALFORMED` or `BYTES_OUT_OF_RANGE`
 */
export function parseHevcConfig(record: Uint8Array): HevcConfig {
  const reader = new ByteReader(record, CLAUSE);
  const version = reader.u8();
  // Version 0 was written by encoders that followed the draft; the layout is the same.
  if (version > 1) throw malformed(`configurationVersion is ${version}, 1 expected`);
  const first = reader.u8();
  const profile: HevcProfile = {
    profileSpace: first >> 6,
    tier: (first & 0x20) !== 0,
    profileIdc: first & 0x1f,
    compatibility: reader.u32(),
    constraints: reader.bytes(6),
    levelIdc: reader.u8(),
  };
  const minSpatialSegmentation = reader.u16() & 0x0fff;
  const parallelismType = reader.u8() & 3;
  const chromaFormatIdc = reader.u8() & 3;
  const bitDepthLuma = (reader.u8() & 7) + 8;
  const bitDepthChroma = (reader.u8() & 7) + 8;
  const averageFrameRate = reader.u16();
  const packed = reader.u8();
  const lengthSize = (packed & 3) + 1;
  if (lengthSize === 3) throw malformed('NAL lengths of 3 bytes');
  return {
    profile,
    minSpatialSegmentation,
    parallelismType,
    chromaFormatIdc,
    bitDepthLuma,
    bitDepthChroma,
    averageFrameRate,
    constantFrameRate: packed >> 6,
    temporalLayers: (packed >> 3) & 7,
    temporalIdNested: (packed & 4) !== 0,
    lengthSize,
    arrays: readArrays(reader),
  };
}

function readArrays(reader: ByteReader): HevcNalArray[] {
  const arrays: HevcNalArray[] = [];
  for (let left = reader.u8(); left > 0; left--) {
    const head = reader.u8();
    const nals: Uint8Array[] = [];
    for (let count = reader.u16(); count > 0; count--) nals.push(reader.bytes(reader.u16()));
    arrays.push({ type: head & 0x3f, complete: (head & 0x80) !== 0, nals });
  }
  return arrays;
}

/** Writes a record; the inverse of {@link parseHevcConfig}. */
export function writeHevcConfig(config: HevcConfig): Uint8Array {
  const { profile } = config;
  const writer = new ByteWriter(128);
  writer.u8(1);
  writer.u8((profile.profileSpace << 6) | (profile.tier ? 0x20 : 0) | profile.profileIdc);
  writer.u32(profile.compatibility).bytes(profile.constraints).u8(profile.levelIdc);
  writer.u16(0xf000 | config.minSpatialSegmentation);
  writer.u8(0xfc | config.parallelismType).u8(0xfc | config.chromaFormatIdc);
  writer.u8(0xf8 | (config.bitDepthLuma - 8)).u8(0xf8 | (config.bitDepthChroma - 8));
  writer.u16(config.averageFrameRate);
  writer.u8(
    (config.constantFrameRate << 6) |
      (config.temporalLayers << 3) |
      (config.temporalIdNested ? 4 : 0) |
      (config.lengthSize - 1),
  );
  writer.u8(config.arrays.length);
  for (const { type, complete, nals } of config.arrays) {
    writer.u8((complete ? 0x80 : 0) | type).u16(nals.length);
    for (const nal of nals) writer.u16(nal.length).bytes(nal);
  }
  return writer.finish();
}

/**
 * The record for parameter sets found in a byte stream, with 4-byte NAL lengths.
 * @param sps at least one; the first tells profile and format.
 */
export function buildHevcConfig(
  vps: readonly Uint8Array[],
  sps: readonly Uint8Array[],
  pps: readonly Uint8Array[],
): Uint8Array {
  const first = sps[0];
  if (first === undefined || pps.length === 0) throw malformed('no sequence or no picture parameter set');
  const { profile, chromaFormatIdc, bitDepthLuma, bitDepthChroma, temporalLayers, temporalIdNested } =
    parseHevcSps(first);
  const arrays = [
    { type: HEVC_NAL.vps, nals: vps },
    { type: HEVC_NAL.sps, nals: sps },
    { type: HEVC_NAL.pps, nals: pps },
  ].filter(({ nals }) => nals.length > 0);
  return writeHevcConfig({
    profile,
    minSpatialSegmentation: 0,
    parallelismType: 0,
    chromaFormatIdc,
    bitDepthLuma,
    bitDepthChroma,
    averageFrameRate: 0,
    constantFrameRate: 0,
    temporalLayers,
    temporalIdNested,
    lengthSize: 4,
    arrays: arrays.map((array) => ({ ...array, complete: true })),
  });
}

/**
 * `hvc1.` with profile, compatibility flags in reverse bit order, tier and level, and the constraint bytes
 * without trailing zeros. ISO/IEC 14496-15 Annex E.3.
 */
export function hevcCodecString(profile: HevcProfile): string {
  const space = ['', 'A', 'B', 'C'][profile.profileSpace]!;
  let reversed = 0;
  for (let bit = 0; bit < 32; bit++) if ((profile.compatibility >>> bit) & 1) reversed += 2 ** (31 - bit);
  const parts = [
    `hvc1.${space}${profile.profileIdc}`,
    reversed.toString(16),
    `${profile.tier ? 'H' : 'L'}${profile.levelIdc}`,
  ];
  const constraints = [...profile.constraints];
  while (constraints.at(-1) === 0) constraints.pop();
  return [...parts, ...constraints.map((byte) => byte.toString(16))].join('.');
}

/**
 * Track parameters from an HEVCDecoderConfigurationRecord. The description is a copy with the NAL length
 * set to 4 bytes; all parameter sets stay.
 */
export function hevcParameters(record: Uint8Array): VideoParameters {
  const config = parseHevcConfig(record);
  const sps = config.arrays.find((array) => array.type === HEVC_NAL.sps)?.nals[0];
  if (sps === undefined) throw malformed('no sequence parameter set');
  const { width, height, frameRate = config.averageFrameRate / 256 } = parseHevcSps(sps);
  const description = record.slice();
  description[0] = 1;
  description[LENGTH_SIZE_BYTE] = description[LENGTH_SIZE_BYTE]! | 3;
  return {
    kind: 'video',
    codec: 'hevc',
    description,
    codecString: hevcCodecString(config.profile),
    width,
    height,
    ...(frameRate > 0 ? { frameRate } : {}),
  };
}

/**
 * True for an intra random access point: IDR, BLA or CRA (§3.68). Walks over the whole access unit, so its
 * NAL lengths are known to be sound afterwards.
 * @param unit access unit with 4-byte NAL lengths. @throws ParseError `NAL_MALFORMED`
 */
export function isHevcKeyframe(unit: Uint8Array): boolean {
  let key = false;
  for (let at = 0; at < unit.length; ) {
    const size = nalLength(unit, at);
    at += 4;
    if (size > 0) {
      const type = hevcNalType(unit[at]!);
      if (type >= HEVC_NAL.blaFirst && type <= HEVC_NAL.cra) key = true;
    }
    at += size;
  }
  return key;
}

function malformed(what: string): ParseError {
  return new ParseError('CONFIG_MALFORMED', CLAUSE, what);
}
