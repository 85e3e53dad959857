import { ByteReader, ByteWriter } from '../bytes/index.ts';
import type { VideoParameters } from '../model/codec.ts';
import { ParseError } from '../model/errors.ts';
import { BitReader } from './bit-reader.ts';
import { MAX_VIDEO_DIMENSION, within } from './h264-sps.ts';

/** What the uncompressed header of a key frame tells. VP9 §6.2. */
export interface Vp9KeyHeader {
  readonly profile: number;
  readonly bitDepth: 8 | 10 | 12;
  /** 0 or 1: 4:2:0, 2: 4:2:2, 3: 4:4:4, as in {@link VpConfig}; 4:4:0 counts as 4:4:4. */
  readonly chromaSubsampling: number;
  readonly fullRange: boolean;
  readonly width: number;
  readonly height: number;
}

/** VPCodecConfigurationRecord: the payload of a `vpcC` box behind version and flags. VP-ISOBMFF. */
export interface VpConfig {
  readonly profile: number;
  /** Ten times the level; 0 if unknown. */
  readonly level: number;
  readonly bitDepth: number;
  readonly chromaSubsampling: number;
  readonly fullRange: boolean;
  readonly colourPrimaries: number;
  readonly transferCharacteristics: number;
  readonly matrixCoefficients: number;
}

const FRAME_CLAUSE = 'VP9 §6.2';
const CONFIG_CLAUSE = 'VP Codec ISO Media File Format Binding, VPCodecConfigurationRecord';
const SYNC_CODE = 0x498342;
const RGB = 7;
/** Code point for "unspecified" colour. ISO/IEC 23091-2. */
const UNSPECIFIED = 2;

/** True for a key frame. @param unit one frame or superframe. */
export function isVp9Keyframe(unit: Uint8Array): boolean {
  const first = unit[0] ?? 0;
  const profile = ((first >> 5) & 1) | ((first >> 3) & 2);
  const bit = profile === 3 ? 2 : 3;
  const showExisting = (first >> bit) & 1;
  return first >> 6 === 2 && showExisting === 0 && ((first >> (bit - 1)) & 1) === 0;
}

/**
 * Reads the uncompressed header of a key frame; undefined for any other frame.
 * @throws ParseError `FRAME_MALFORMED`, `SPS_UNSUPPORTED` above 8192 pixels, `BITS_OUT_OF_RANGE` if cut off.
 */
export function parseVp9KeyHeader(unit: Uint8Array): Vp9KeyHeader | undefined {
  if (!isVp9Keyframe(unit)) return undefined;
  const bits = new BitReader(unit.subarray(0, 32), FRAME_CLAUSE);
  bits.skip(2);
  const profile = bits.u(1) + 2 * bits.u(1);
  bits.skip((profile === 3 ? 1 : 0) + 4); // reserved; show_existing, frame_type, show_frame, error_resilient
  if (bits.u(24) !== SYNC_CODE) {
    throw new ParseError('FRAME_MALFORMED', FRAME_CLAUSE, 'a key frame without sync code');
  }
  const bitDepth = profile >= 2 ? (bits.flag() ? 12 : 10) : 8;
  let chromaSubsampling = 1;
  let fullRange = true;
  if (bits.u(3) !== RGB) {
    fullRange = bits.flag();
    if (profile === 1 || profile === 3) {
      const [x, y] = [bits.flag(), bits.flag()];
      chromaSubsampling = x && !y ? 2 : x ? 1 : 3;
      bits.skip(1); // reserved
    }
  } else {
    chromaSubsampling = 3;
    if (profile === 1 || profile === 3) bits.skip(1);
  }
  const width = within(bits.u(16) + 1, MAX_VIDEO_DIMENSION, 'frame_width', FRAME_CLAUSE);
  const height = within(bits.u(16) + 1, MAX_VIDEO_DIMENSION, 'frame_height', FRAME_CLAUSE);
  return { profile, bitDepth, chromaSubsampling, fullRange, width, height };
}

/**
 * Reads a record, with or without the version and flags of its box in front.
 * @throws ParseError `CONFIG_MALFORMED` or `BYTES_OUT_OF_RANGE`
 */
export function parseVpConfig(record: Uint8Array): VpConfig {
  const reader = new ByteReader(withoutVersion(record), CONFIG_CLAUSE);
  const profile = reader.u8();
  const level = reader.u8();
  const packed = reader.u8();
  const bitDepth = packed >> 4;
  if (profile > 3 || (bitDepth !== 8 && bitDepth !== 10 && bitDepth !== 12)) {
    throw new ParseError('CONFIG_MALFORMED', CONFIG_CLAUSE, `profile ${profile} with ${bitDepth} bits`);
  }
  return {
    profile,
    level,
    bitDepth,
    chromaSubsampling: (packed >> 1) & 7,
    fullRange: (packed & 1) === 1,
    colourPrimaries: reader.u8(),
    transferCharacteristics: reader.u8(),
    matrixCoefficients: reader.u8(),
  };
}

/** A record that begins with version 1 and no flags has zero bits of depth where the depth belongs. */
function withoutVersion(record: Uint8Array): Uint8Array {
  const versioned = record.length >= 12 && record[0] === 1 && record[1] === 0 && record[2] === 0;
  return versioned ? record.subarray(4) : record;
}

/** Writes a record without version and flags. */
export function writeVpConfig(config: VpConfig): Uint8Array {
  const writer = new ByteWriter(8);
  writer.u8(config.profile).u8(config.level);
  writer.u8((config.bitDepth << 4) | (config.chromaSubsampling << 1) | (config.fullRange ? 1 : 0));
  writer.u8(config.colourPrimaries).u8(config.transferCharacteristics).u8(config.matrixCoefficients);
  return writer.u16(0).finish(); // codecInitializationDataSize
}

/** `vp09.PP.LL.DD`: profile, level, bit depth. VP Codec ISO Media File Format Binding, Codecs parameter. */
export function vp9CodecString(config: Pick<VpConfig, 'profile' | 'level' | 'bitDepth'>): string {
  const two = (value: number): string => `${value}`.padStart(2, '0');
  return `vp09.${two(config.profile)}.${two(config.level)}.${two(config.bitDepth)}`;
}

/** Largest picture of each level in luma samples. VP9 levels. */
const LEVELS: readonly (readonly [samples: number, level: number])[] = [
  [36_864, 10],
  [73_728, 11],
  [122_880, 20],
  [245_760, 21],
  [552_960, 30],
  [983_040, 31],
  [2_228_224, 41],
  [8_912_896, 51],
];

/** A level that allows this picture size at ordinary frame rates. */
export function vpLevelFor(width: number, height: number): number {
  return LEVELS.find(([samples]) => width * height <= samples)?.[1] ?? 62;
}

/**
 * Track parameters from a key frame and, if there is one, the record that came before it; undefined if the
 * frame is no key frame.
 */
export function vp9Parameters(unit: Uint8Array, record?: Uint8Array): VideoParameters | undefined {
  const header = parseVp9KeyHeader(unit);
  if (header === undefined) return undefined;
  const told = record === undefined || record.length === 0 ? undefined : parseVpConfig(record);
  const config: VpConfig = {
    profile: header.profile,
    level: told?.level || vpLevelFor(header.width, header.height),
    bitDepth: header.bitDepth,
    chromaSubsampling: told?.chromaSubsampling ?? header.chromaSubsampling,
    fullRange: header.fullRange,
    colourPrimaries: told?.colourPrimaries ?? UNSPECIFIED,
    transferCharacteristics: told?.transferCharacteristics ?? UNSPECIFIED,
    matrixCoefficients: told?.matrixCoefficients ?? UNSPECIFIED,
  };
  return {
    kind: 'video',
    codec: 'vp9',
    description: writeVpConfig(config),
    codecString: vp9CodecString(config),
    width: header.width,
    height: header.height,
  };
}
