import { ByteReader, ByteWriter } from '../bytes/index.ts';
import type { VideoParameters } from '../model/codec.ts';
import { ParseError } from '../model/errors.ts';
import { type H264Sps, parseH264Sps } from './h264-sps.ts';

/** AVCDecoderConfigurationRecord, the payload of an `avcC` box. ISO/IEC 14496-15 §5.3.3.1. */
export interface AvcConfig {
  readonly profileIdc: number;
  readonly constraints: number;
  readonly levelIdc: number;
  /** Bytes of the length in front of each NAL unit: 1, 2 or 4. */
  readonly lengthSize: number;
  /** Sequence parameter sets, NAL header included; at most 31. */
  readonly sps: readonly Uint8Array[];
  /** Picture parameter sets, NAL header included; at most 255. */
  readonly pps: readonly Uint8Array[];
  /** What follows the parameter sets: chroma format, bit depths and SPS extensions of High profiles. */
  readonly extension: Uint8Array;
}

const CLAUSE = 'ISO/IEC 14496-15 §5.3.3.1';

/**
 * Reads a record. The sets are views into `record`.
 * @throws ParseError `CONFIG_MALFORMED` for another version or without parameter sets, `BYTES_OUT_OF_RANGE`
 * if it is cut off.
 */
export function parseAvcConfig(record: Uint8Array): AvcConfig {
  const reader = new ByteReader(record, CLAUSE);
  const version = reader.u8();
  if (version !== 1) throw malformed(`configurationVersion is ${version}, 1 expected`);
  const profileIdc = reader.u8();
  const constraints = reader.u8();
  const levelIdc = reader.u8();
  const lengthSize = (reader.u8() & 3) + 1;
  if (lengthSize === 3) throw malformed('NAL lengths of 3 bytes');
  const sps = readSets(reader, reader.u8() & 0x1f);
  const pps = readSets(reader, reader.u8());
  if (sps.length === 0 || pps.length === 0) throw malformed('no sequence or no picture parameter set');
  return { profileIdc, constraints, levelIdc, lengthSize, sps, pps, extension: reader.rest() };
}

/** Writes a record; the inverse of {@link parseAvcConfig}. */
export function writeAvcConfig(config: AvcConfig): Uint8Array {
  const writer = new ByteWriter(64);
  writer.u8(1).u8(config.profileIdc).u8(config.constraints).u8(config.levelIdc);
  writer.u8(0xfc | (config.lengthSize - 1));
  writer.u8(0xe0 | config.sps.length);
  for (const nal of config.sps) writer.u16(nal.length).bytes(nal);
  writer.u8(config.pps.length);
  for (const nal of config.pps) writer.u16(nal.length).bytes(nal);
  return writer.bytes(config.extension).finish();
}

/** Profiles whose record ends after the picture parameter sets. */
const PLAIN_PROFILES = new Set([66, 77, 88]);

/**
 * The record for parameter sets found in a byte stream, with 4-byte NAL lengths.
 * @param sps at least one, at most 31. @param pps at least one, at most 255.
 */
export function buildAvcConfig(sps: readonly Uint8Array[], pps: readonly Uint8Array[]): Uint8Array {
  const first = sps[0];
  if (first === undefined || pps.length === 0) throw malformed('no sequence or no picture parameter set');
  if (sps.length > 31 || pps.length > 255) throw malformed(`${sps.length} SPS and ${pps.length} PPS`);
  for (const nal of [...sps, ...pps]) {
    if (nal.length > 0xffff) throw malformed(`a parameter set of ${nal.length} bytes`);
  }
  const { profileIdc, constraints, levelIdc, ...format } = parseH264Sps(first);
  const extension = PLAIN_PROFILES.has(profileIdc)
    ? new Uint8Array(0)
    : Uint8Array.of(
        0xfc | format.chromaFormatIdc,
        0xf8 | (format.bitDepthLuma - 8),
        0xf8 | (format.bitDepthChroma - 8),
        0,
      );
  return writeAvcConfig({ profileIdc, constraints, levelIdc, lengthSize: 4, sps, pps, extension });
}

/** `avc1.PPCCLL` (RFC 6381 §3.3): profile, constraint flags and level in hexadecimal. */
export function avcCodecString(of: Pick<H264Sps, 'profileIdc' | 'constraints' | 'levelIdc'>): string {
  return `avc1.${hex2(of.profileIdc)}${hex2(of.constraints)}${hex2(of.levelIdc)}`;
}

/** Two lower-case hexadecimal digits. */
function hex2(byte: number): string {
  return byte.toString(16).padStart(2, '0');
}

/**
 * Track parameters from an AVCDecoderConfigurationRecord. The description is a copy with the NAL length
 * set to 4 bytes, as the canonical framing wants it; all parameter sets stay.
 */
export function avcParameters(record: Uint8Array): VideoParameters {
  const config = parseAvcConfig(record);
  const sps = parseH264Sps(config.sps[0]!);
  const description = record.slice();
  description[4] = description[4]! | 3;
  return {
    kind: 'video',
    codec: 'h264',
    description,
    codecString: avcCodecString(config),
    width: sps.width,
    height: sps.height,
    ...(sps.frameRate === undefined ? {} : { frameRate: sps.frameRate }),
  };
}

function readSets(reader: ByteReader, count: number): Uint8Array[] {
  const sets: Uint8Array[] = [];
  for (let i = 0; i < count; i++) sets.push(reader.bytes(reader.u16()));
  return sets;
}

function malformed(what: string): ParseError {
  return new ParseError('CONFIG_MALFORMED', CLAUSE, what);
}
