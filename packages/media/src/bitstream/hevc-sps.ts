import type { Colour } from '../model/codec.ts';
import { ParseError } from '../model/errors.ts';
import { BitReader } from './bit-reader.ts';
import { MAX_FRAME_RATE, MAX_VIDEO_DIMENSION, readColour, within } from './h264-sps.ts';
import { MAX_PARAMETER_SET_BYTES, unescapeRbsp } from './nal.ts';

/** General part of profile_tier_level(). ITU-T H.265 §7.3.3. */
export interface HevcProfile {
  readonly profileSpace: number;
  readonly tier: boolean;
  readonly profileIdc: number;
  /** general_profile_compatibility_flag, flag 0 in the highest of 32 bits. */
  readonly compatibility: number;
  /** The 48 bits from general_progressive_source_flag on, 6 bytes. */
  readonly constraints: Uint8Array;
  /** 30 times the level. */
  readonly levelIdc: number;
}

/** What a sequence parameter set tells. ITU-T H.265 §7.3.2.2. */
export interface HevcSps {
  readonly profile: HevcProfile;
  readonly id: number;
  /** Temporal sub-layers, 1 to 7. */
  readonly temporalLayers: number;
  readonly temporalIdNested: boolean;
  readonly chromaFormatIdc: number;
  readonly bitDepthLuma: number;
  readonly bitDepthChroma: number;
  /** Pixels after cropping. */
  readonly width: number;
  /** Pixels after cropping. */
  readonly height: number;
  /** Pictures that may precede another in decoding order and follow it in output order. */
  readonly maxNumReorder: number;
  /** Frames per second, if the VUI has timing. */
  readonly frameRate?: number;
  /** If the VUI tells. */
  readonly colour?: Colour;
}

type Vui = { -readonly [K in 'frameRate' | 'colour']?: HevcSps[K] };

const CLAUSE = 'ITU-T H.265 §7.3.2.2';
const check = (value: number, max: number, field: string): number => within(value, max, field, CLAUSE);

/**
 * Reads a sequence parameter set, NAL header included.
 * @throws ParseError `SPS_UNSUPPORTED` above 8192 pixels or with impossible fields, `BITS_OUT_OF_RANGE` if
 * it is cut off before the picture size and reordering are known.
 */
export function parseHevcSps(nal: Uint8Array): HevcSps {
  const bits = new BitReader(unescapeRbsp(nal, MAX_PARAMETER_SET_BYTES), CLAUSE);
  bits.skip(16 + 4);
  const subLayers = check(bits.u(3), 6, 'sps_max_sub_layers_minus1');
  const temporalIdNested = bits.flag();
  const profile = readProfile(bits, subLayers);
  const id = check(bits.ue(), 15, 'sps_seq_parameter_set_id');
  const chromaFormatIdc = check(bits.ue(), 3, 'chroma_format_idc');
  if (chromaFormatIdc === 3) bits.skip(1); // separate_colour_plane_flag
  const size = readSize(bits, chromaFormatIdc);
  const bitDepthLuma = check(bits.ue(), 8, 'bit_depth_luma_minus8') + 8;
  const bitDepthChroma = check(bits.ue(), 8, 'bit_depth_chroma_minus8') + 8;
  const pocBits = check(bits.ue(), 12, 'log2_max_pic_order_cnt_lsb_minus4') + 4;
  let maxNumReorder = 0;
  for (let i = bits.flag() ? 0 : subLayers; i <= subLayers; i++) {
    bits.ue();
    maxNumReorder = check(bits.ue(), 15, 'sps_max_num_reorder_pics');
    bits.ue();
  }
  const vui: Vui = {};
  optional(() => readToVui(bits, pocBits, vui));
  return {
    profile,
    id,
    temporalLayers: subLayers + 1,
    temporalIdNested,
    chromaFormatIdc,
    bitDepthLuma,
    bitDepthChroma,
    ...size,
    maxNumReorder,
    ...vui,
  };
}

function readProfile(bits: BitReader, subLayers: number): HevcProfile {
  const profileSpace = bits.u(2);
  const tier = bits.flag();
  const profileIdc = bits.u(5);
  const compatibility = bits.u(32);
  const constraints = new Uint8Array(6);
  for (let i = 0; i < 6; i++) constraints[i] = bits.u(8);
  const levelIdc = bits.u(8);
  const present: [profile: boolean, level: boolean][] = [];
  for (let i = 0; i < subLayers; i++) present.push([bits.flag(), bits.flag()]);
  if (subLayers > 0) bits.skip(2 * (8 - subLayers));
  for (const [hasProfile, hasLevel] of present) bits.skip((hasProfile ? 88 : 0) + (hasLevel ? 8 : 0));
  return { profileSpace, tier, profileIdc, compatibility, constraints, levelIdc };
}

function readSize(bits: BitReader, chromaFormatIdc: number): { width: number; height: number } {
  let width = check(bits.ue(), MAX_VIDEO_DIMENSION, 'pic_width_in_luma_samples');
  let height = check(bits.ue(), MAX_VIDEO_DIMENSION, 'pic_height_in_luma_samples');
  if (bits.flag()) {
    width -= (chromaFormatIdc === 1 || chromaFormatIdc === 2 ? 2 : 1) * (bits.ue() + bits.ue());
    height -= (chromaFormatIdc === 1 ? 2 : 1) * (bits.ue() + bits.ue());
  }
  if (width < 1 || height < 1) {
    throw new ParseError('SPS_UNSUPPORTED', CLAUSE, `cropping leaves ${width}x${height} pixels`);
  }
  return { width, height };
}

/** The VUI is a convenience: a set that goes wrong on the way to it, or in it, still has a picture size. */
function optional(read: () => void): void {
  try {
    read();
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
  }
}

function readToVui(bits: BitReader, pocBits: number, vui: Vui): void {
  for (let i = 0; i < 6; i++) bits.ue(); // coding and transform block sizes and depths
  if (bits.flag() && bits.flag()) skipScalingLists(bits);
  bits.skip(2); // amp_enabled_flag, sample_adaptive_offset_enabled_flag
  if (bits.flag()) {
    bits.skip(8); // pcm sample bit depths
    bits.ue();
    bits.ue();
    bits.skip(1);
  }
  skipShortTermSets(bits);
  if (bits.flag()) bits.skip(check(bits.ue(), 32, 'num_long_term_ref_pics_sps') * (pocBits + 1));
  bits.skip(2); // sps_temporal_mvp_enabled_flag, strong_intra_smoothing_enabled_flag
  if (bits.flag()) readVui(bits, vui);
}

/** §7.3.4. */
function skipScalingLists(bits: BitReader): void {
  for (let sizeId = 0; sizeId < 4; sizeId++) {
    for (let matrix = 0; matrix < 6; matrix += sizeId === 3 ? 3 : 1) {
      if (!bits.flag()) {
        bits.ue();
        continue;
      }
      if (sizeId > 1) bits.se();
      const coefficients = Math.min(64, 1 << (4 + (sizeId << 1)));
      for (let i = 0; i < coefficients; i++) bits.se();
    }
  }
}

/** §7.3.7; the number of pictures of each set is needed to read the next. */
function skipShortTermSets(bits: BitReader): void {
  const sets = check(bits.ue(), 64, 'num_short_term_ref_pic_sets');
  let pictures = 0;
  for (let set = 0; set < sets; set++) {
    if (set > 0 && bits.flag()) {
      bits.skip(1); // delta_rps_sign
      bits.ue();
      let next = 0;
      for (let i = 0; i <= pictures; i++) if (bits.flag() || bits.flag()) next++;
      pictures = next;
      continue;
    }
    const negative = check(bits.ue(), 16, 'num_negative_pics');
    const positive = check(bits.ue(), 16, 'num_positive_pics');
    pictures = negative + positive;
    for (let i = 0; i < pictures; i++) {
      bits.ue();
      bits.skip(1);
    }
  }
}

/** Annex E.2.1. */
function readVui(bits: BitReader, vui: Vui): void {
  if (bits.flag() && bits.u(8) === 255) bits.skip(32); // aspect ratio
  if (bits.flag()) bits.skip(1); // overscan
  const colour = bits.flag() ? readColour(bits) : undefined;
  if (colour !== undefined) vui.colour = colour;
  if (bits.flag()) {
    bits.ue(); // chroma sample locations
    bits.ue();
  }
  bits.skip(3); // neutral chroma, field and frame flags
  if (bits.flag()) for (let i = 0; i < 4; i++) bits.ue(); // default display window
  if (!bits.flag()) return;
  const unitsInTick = bits.u(32);
  const rate = bits.u(32) / unitsInTick;
  if (rate > 0 && rate <= MAX_FRAME_RATE) vui.frameRate = rate;
}
