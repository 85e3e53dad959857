import { BitWriter } from './bit-writer.ts';

/** What the parameter sets tell about the video. */
export interface VideoFormat {
  /** Visible width in pixels; even. */
  readonly width: number;
  /** Visible height in pixels; even. */
  readonly height: number;
  /** Frames per second; a whole number. */
  readonly frameRate: number;
}

/** Macroblocks needed to cover `pixels`. */
export function macroblocks(pixels: number): number {
  return (pixels + 15) >> 4;
}

/** level_idc with its MaxMBPS and MaxFS (table A-1), lowest first, from level 3 on. */
const LEVELS = [
  [30, 40_500, 1_620],
  [31, 108_000, 3_600],
  [32, 216_000, 5_120],
  [40, 245_760, 8_192],
  [42, 522_240, 8_704],
] as const;

/** The lowest level_idc, 30 at least, that allows this format. @throws RangeError above level 4.2. */
export function levelFor(format: VideoFormat): number {
  const size = macroblocks(format.width) * macroblocks(format.height);
  for (const [level, rate, frame] of LEVELS) {
    if (size <= frame && size * format.frameRate <= rate) return level;
  }
  throw new RangeError(`${format.width}x${format.height} at ${format.frameRate}/s is above level 4.2`);
}

/** profile_idc of Baseline (clause A.2.1). */
const BASELINE = 66;
/** constraint_set0_flag and constraint_set1_flag: Constrained Baseline (clause A.2.1.1). */
const CONSTRAINED = 0xc0;
/** Bits of frame_num in slice headers. */
export const FRAME_NUM_BITS = 8;
/** QP from which slice_qp_delta counts. */
export const INITIAL_QP = 26;

/**
 * seq_parameter_set_rbsp() (clause 7.3.2.1) as a NAL unit: progressive 4:2:0, one reference frame, output in
 * decoding order, BT.709 in limited range, fixed frame rate.
 */
export function sequenceParameterSet(format: VideoFormat): Uint8Array {
  const bits = new BitWriter();
  bits.u(BASELINE, 8);
  bits.u(CONSTRAINED, 8);
  bits.u(levelFor(format), 8);
  bits.ue(0); // seq_parameter_set_id
  bits.ue(FRAME_NUM_BITS - 4); // log2_max_frame_num_minus4
  bits.ue(2); // pic_order_cnt_type: output order is decoding order
  bits.ue(1); // max_num_ref_frames
  bits.u(0, 1); // gaps_in_frame_num_value_allowed_flag
  const columns = macroblocks(format.width);
  const rows = macroblocks(format.height);
  bits.ue(columns - 1);
  bits.ue(rows - 1);
  bits.u(1, 1); // frame_mbs_only_flag
  bits.u(1, 1); // direct_8x8_inference_flag
  const right = columns * 16 - format.width;
  const bottom = rows * 16 - format.height;
  bits.u(right + bottom > 0 ? 1 : 0, 1); // frame_cropping_flag
  if (right + bottom > 0) {
    bits.ue(0);
    bits.ue(right / 2);
    bits.ue(0);
    bits.ue(bottom / 2);
  }
  bits.u(1, 1); // vui_parameters_present_flag
  writeVui(bits, format.frameRate);
  return bits.nalUnit(0x67);
}

/** vui_parameters() (clause E.1.1). */
function writeVui(bits: BitWriter, frameRate: number): void {
  bits.u(1, 1); // aspect_ratio_info_present_flag
  bits.u(1, 8); // square samples
  bits.u(0, 1); // overscan_info_present_flag
  bits.u(1, 1); // video_signal_type_present_flag
  bits.u(5, 3); // video_format: unspecified
  bits.u(0, 1); // video_full_range_flag
  bits.u(1, 1); // colour_description_present_flag
  bits.u(1, 8); // colour_primaries: BT.709
  bits.u(1, 8); // transfer_characteristics: BT.709
  bits.u(1, 8); // matrix_coefficients: BT.709
  bits.u(0, 1); // chroma_loc_info_present_flag
  bits.u(1, 1); // timing_info_present_flag
  bits.u(0, 16);
  bits.u(1, 16); // num_units_in_tick
  bits.u(0, 16);
  bits.u(2 * frameRate, 16); // time_scale counts fields
  bits.u(1, 1); // fixed_frame_rate_flag
  bits.u(0, 1); // nal_hrd_parameters_present_flag
  bits.u(0, 1); // vcl_hrd_parameters_present_flag
  bits.u(0, 1); // pic_struct_present_flag
  bits.u(1, 1); // bitstream_restriction_flag
  bits.u(1, 1); // motion_vectors_over_pic_boundaries_flag
  bits.ue(0); // max_bytes_per_pic_denom: no limit
  bits.ue(0); // max_bits_per_mb_denom: no limit
  bits.ue(0); // log2_max_mv_length_horizontal
  bits.ue(0); // log2_max_mv_length_vertical
  bits.ue(0); // max_num_reorder_frames: a decoder may show each picture at once
  bits.ue(1); // max_dec_frame_buffering
}

/** pic_parameter_set_rbsp() (clause 7.3.2.2) as a NAL unit: CAVLC, deblocking controlled by slice headers. */
export function pictureParameterSet(): Uint8Array {
  const bits = new BitWriter();
  bits.ue(0); // pic_parameter_set_id
  bits.ue(0); // seq_parameter_set_id
  bits.u(0, 1); // entropy_coding_mode_flag
  bits.u(0, 1); // bottom_field_pic_order_in_frame_present_flag
  bits.ue(0); // num_slice_groups_minus1
  bits.ue(0); // num_ref_idx_l0_default_active_minus1
  bits.ue(0); // num_ref_idx_l1_default_active_minus1
  bits.u(0, 1); // weighted_pred_flag
  bits.u(0, 2); // weighted_bipred_idc
  bits.se(INITIAL_QP - 26); // pic_init_qp_minus26
  bits.se(0); // pic_init_qs_minus26
  bits.se(0); // chroma_qp_index_offset
  bits.u(1, 1); // deblocking_filter_control_present_flag
  bits.u(0, 1); // constrained_intra_pred_flag
  bits.u(0, 1); // redundant_pic_cnt_present_flag
  return bits.nalUnit(0x68);
}

/** AVCDecoderConfigurationRecord (ISO/IEC 14496-15 clause 5.3.3.1) with 4-byte NAL lengths. */
export function avcConfiguration(format: VideoFormat): Uint8Array {
  const sps = sequenceParameterSet(format);
  const pps = pictureParameterSet();
  const out = new Uint8Array(6 + 2 + sps.length + 1 + 2 + pps.length);
  out.set([1, sps[1]!, sps[2]!, sps[3]!, 0xff, 0xe1, sps.length >> 8, sps.length & 0xff]);
  out.set(sps, 8);
  let at = 8 + sps.length;
  out.set([1, pps.length >> 8, pps.length & 0xff], at);
  at += 3;
  out.set(pps, at);
  return out;
}
