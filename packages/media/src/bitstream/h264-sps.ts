import type { Colour } from '../model/codec.ts';
import { ParseError } from '../model/errors.ts';
import { BitReader } from './bit-reader.ts';
import { MAX_PARAMETER_SET_BYTES, unescapeRbsp } from './nal.ts';

/** Largest picture width and height accepted, in pixels (level 6.2 reaches 16,864 in theory only). */
export const MAX_VIDEO_DIMENSION = 8192;

/** What a sequence parameter set tells. ITU-T H.264 §7.3.2.1.1 and Annex E. */
export interface H264Sps {
  readonly profileIdc: number;
  /** constraint_set0_flag (bit 7) to constraint_set5_flag (bit 2). */
  readonly constraints: number;
  readonly levelIdc: number;
  readonly id: number;
  readonly chromaFormatIdc: number;
  readonly bitDepthLuma: number;
  readonly bitDepthChroma: number;
  readonly maxNumRefFrames: number;
  /** True if every picture is a whole frame. */
  readonly frameMbsOnly: boolean;
  /** Pixels after cropping. */
  readonly width: number;
  /** Pixels after cropping. */
  readonly height: number;
  /** Width to height of one pixel, if told. */
  readonly sampleAspectRatio?: { readonly width: number; readonly height: number };
  /** Frames per second, if the VUI has timing. */
  readonly frameRate?: number;
  /** Frames that may precede another in decoding order and follow it in output order, if told. */
  readonly maxNumReorderFrames?: number;
  /** If told. */
  readonly colour?: Colour;
}

const CLAUSE = 'ITU-T H.264 §7.3.2.1.1';

/** Profiles whose parameter sets carry chroma format and bit depth. */
const HIGH_PROFILES = new Set([100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135]);

/** Table E-1, aspect_ratio_idc 1 to 16. */
const ASPECT_RATIOS: readonly (readonly [number, number])[] = [
  [1, 1],
  [12, 11],
  [10, 11],
  [16, 11],
  [40, 33],
  [24, 11],
  [20, 11],
  [32, 11],
  [80, 33],
  [18, 11],
  [15, 11],
  [64, 33],
  [160, 99],
  [4, 3],
  [3, 2],
  [2, 1],
];
const EXTENDED_SAR = 255;

/**
 * Reads a sequence parameter set, NAL header included.
 * @throws ParseError `SPS_UNSUPPORTED` above {@link MAX_VIDEO_DIMENSION} or with impossible fields,
 * `BITS_OUT_OF_RANGE` if it is cut off.
 */
export function parseH264Sps(nal: Uint8Array): H264Sps {
  const bits = new BitReader(unescapeRbsp(nal, MAX_PARAMETER_SET_BYTES), CLAUSE);
  bits.skip(8);
  const profileIdc = bits.u(8);
  const constraints = bits.u(8);
  const levelIdc = bits.u(8);
  const id = within(bits.ue(), 31, 'seq_parameter_set_id');
  const format = HIGH_PROFILES.has(profileIdc) ? readFormat(bits) : DEFAULT_FORMAT;
  within(bits.ue(), 12, 'log2_max_frame_num_minus4');
  readPicOrderCount(bits);
  const maxNumRefFrames = within(bits.ue(), 16, 'max_num_ref_frames');
  bits.skip(1); // gaps_in_frame_num_value_allowed_flag
  const widthInMbs = within(bits.ue(), MAX_VIDEO_DIMENSION / 16 - 1, 'pic_width_in_mbs_minus1') + 1;
  const heightInUnits = within(bits.ue(), MAX_VIDEO_DIMENSION / 16 - 1, 'pic_height_in_map_units_minus1') + 1;
  const frameMbsOnly = bits.flag();
  if (!frameMbsOnly) bits.skip(1); // mb_adaptive_frame_field_flag
  bits.skip(1); // direct_8x8_inference_flag
  const fieldFactor = frameMbsOnly ? 1 : 2;
  const size = crop(
    bits,
    widthInMbs * 16,
    heightInUnits * 16 * fieldFactor,
    format.chromaFormatIdc,
    fieldFactor,
  );
  const vui = bits.flag() ? readVui(bits) : {};
  return {
    profileIdc,
    constraints,
    levelIdc,
    id,
    ...format,
    maxNumRefFrames,
    frameMbsOnly,
    ...size,
    ...vui,
  };
}

/** The limit check every counted field passes; also used by the HEVC reader. */
export function within(value: number, max: number, field: string, clause = CLAUSE): number {
  if (value > max)
    throw new ParseError('SPS_UNSUPPORTED', clause, `${field} is ${value}, at most ${max} allowed`);
  return value;
}

const DEFAULT_FORMAT = { chromaFormatIdc: 1, bitDepthLuma: 8, bitDepthChroma: 8 };

function readFormat(bits: BitReader): typeof DEFAULT_FORMAT {
  const chromaFormatIdc = within(bits.ue(), 3, 'chroma_format_idc');
  if (chromaFormatIdc === 3) bits.skip(1); // separate_colour_plane_flag
  const bitDepthLuma = within(bits.ue(), 6, 'bit_depth_luma_minus8') + 8;
  const bitDepthChroma = within(bits.ue(), 6, 'bit_depth_chroma_minus8') + 8;
  bits.skip(1); // qpprime_y_zero_transform_bypass_flag
  if (bits.flag()) {
    const lists = chromaFormatIdc === 3 ? 12 : 8;
    for (let list = 0; list < lists; list++) if (bits.flag()) skipScalingList(bits, list < 6 ? 16 : 64);
  }
  return { chromaFormatIdc, bitDepthLuma, bitDepthChroma };
}

function skipScalingList(bits: BitReader, size: number): void {
  let last = 8;
  let next = 8;
  for (let i = 0; i < size; i++) {
    if (next !== 0) next = (last + bits.se() + 256) % 256;
    if (next !== 0) last = next;
  }
}

function readPicOrderCount(bits: BitReader): void {
  const type = within(bits.ue(), 2, 'pic_order_cnt_type');
  if (type === 0) within(bits.ue(), 12, 'log2_max_pic_order_cnt_lsb_minus4');
  if (type !== 1) return;
  bits.skip(1); // delta_pic_order_always_zero_flag
  bits.se();
  bits.se();
  const cycle = within(bits.ue(), 255, 'num_ref_frames_in_pic_order_cnt_cycle');
  for (let i = 0; i < cycle; i++) bits.se();
}

function crop(
  bits: BitReader,
  codedWidth: number,
  codedHeight: number,
  chromaFormatIdc: number,
  fieldFactor: number,
): { width: number; height: number } {
  within(codedHeight, MAX_VIDEO_DIMENSION, 'picture height');
  if (!bits.flag()) return { width: codedWidth, height: codedHeight };
  const unitX = chromaFormatIdc === 1 || chromaFormatIdc === 2 ? 2 : 1;
  const unitY = (chromaFormatIdc === 1 ? 2 : 1) * fieldFactor;
  const width = codedWidth - unitX * (bits.ue() + bits.ue());
  const height = codedHeight - unitY * (bits.ue() + bits.ue());
  if (width < 1 || height < 1) {
    throw new ParseError('SPS_UNSUPPORTED', CLAUSE, `cropping leaves ${width}x${height} pixels`);
  }
  return { width, height };
}

type Vui = Pick<H264Sps, 'sampleAspectRatio' | 'frameRate' | 'maxNumReorderFrames' | 'colour'>;

/** Annex E.1.1. A VUI that is cut off keeps what was read: some encoders write it short. */
function readVui(bits: BitReader): Vui {
  const vui: { -readonly [K in keyof Vui]: Vui[K] } = {};
  try {
    if (bits.flag()) {
      const ratio = readAspectRatio(bits);
      if (ratio !== undefined) vui.sampleAspectRatio = ratio;
    }
    if (bits.flag()) bits.skip(1); // overscan
    const colour = bits.flag() ? readColour(bits) : undefined;
    if (colour !== undefined) vui.colour = colour;
    if (bits.flag()) {
      bits.ue(); // chroma sample locations
      bits.ue();
    }
    if (bits.flag()) {
      const unitsInTick = bits.u(32);
      const timeScale = bits.u(32);
      bits.skip(1); // fixed_frame_rate_flag
      const rate = timeScale / (2 * unitsInTick);
      if (rate > 0 && rate <= MAX_FRAME_RATE) vui.frameRate = rate;
    }
    const nalHrd = bits.flag();
    if (nalHrd) skipHrd(bits);
    const vclHrd = bits.flag();
    if (vclHrd) skipHrd(bits);
    if (nalHrd || vclHrd) bits.skip(1); // low_delay_hrd_flag
    bits.skip(1); // pic_struct_present_flag
    if (bits.flag()) {
      bits.skip(1); // motion_vectors_over_pic_boundaries_flag
      for (let i = 0; i < 4; i++) bits.ue();
      const reorder = bits.ue();
      if (reorder <= 16) vui.maxNumReorderFrames = reorder;
    }
  } catch (error) {
    if (!(error instanceof ParseError) || error.code !== 'BITS_OUT_OF_RANGE') throw error;
  }
  return vui;
}

/** Behind video_signal_type_present_flag, which is the same in H.265: undefined without a description. */
export function readColour(bits: BitReader): Colour | undefined {
  bits.skip(3); // video_format
  const fullRange = bits.flag();
  if (!bits.flag()) return undefined;
  return { primaries: bits.u(8), transfer: bits.u(8), matrix: bits.u(8), fullRange };
}

/** Rates above this are taken for nonsense, in frames per second. */
export const MAX_FRAME_RATE = 1000;

function readAspectRatio(bits: BitReader): { width: number; height: number } | undefined {
  const idc = bits.u(8);
  if (idc === EXTENDED_SAR) {
    const width = bits.u(16);
    const height = bits.u(16);
    return width > 0 && height > 0 ? { width, height } : undefined;
  }
  const known = ASPECT_RATIOS[idc - 1];
  return known === undefined ? undefined : { width: known[0], height: known[1] };
}

/** Annex E.1.2. */
function skipHrd(bits: BitReader): void {
  const count = within(bits.ue(), 31, 'cpb_cnt_minus1') + 1;
  bits.skip(8);
  for (let i = 0; i < count; i++) {
    bits.ue();
    bits.ue();
    bits.skip(1);
  }
  bits.skip(20);
}
