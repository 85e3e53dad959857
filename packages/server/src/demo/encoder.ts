import { BitWriter } from './bit-writer.ts';
import { INTER_CBP_CODE } from './cavlc-tables.ts';
import { CHROMA_MODE, chooseIntra, type IntraChoice, predictChroma } from './intra.ts';
import { FRAME_NUM_BITS, INITIAL_QP } from './parameter-sets.ts';
import { createPicture, type Picture } from './picture.ts';
import { ResidualCoder } from './residual-coder.ts';
import type { Plane } from './transform.ts';

/** Below this QP a level may not fit the 12 bits that Baseline gives it (clause 9.2.2.1). */
export const MIN_QP = 12;
/** Largest QP of H.264 with 8 bits. */
export const MAX_QP = 51;

/** Sum of absolute luma differences up to which a macroblock is not tried as intra in a P slice. */
const INTER_IS_CHEAP = 512;
/** What an intra macroblock costs in a P slice besides its residual, in the measure of luma differences. */
const INTRA_OVERHEAD = 96;

const IDR_SLICE = 0x65; // nal_ref_idc 3, nal_unit_type 5
const SLICE = 0x41; // nal_ref_idc 2, nal_unit_type 1
const SLICE_TYPE_P = 5;
const SLICE_TYPE_I = 7;

/**
 * An H.264 encoder for drawn pictures: Constrained Baseline, one slice a picture, CAVLC, no deblocking.
 * I pictures are Intra_16x16; P pictures skip what did not change and code the rest against the same place
 * of the previous picture, or as intra where that is cheaper. With motion vectors always zero one picture
 * serves as reference and as reconstruction.
 */
export class VideoEncoder {
  readonly #bits = new BitWriter();
  readonly #reconstruction: Picture;
  readonly #residual: ResidualCoder;
  readonly #qp: number;
  readonly #prediction: Plane = { samples: new Uint8Array(256), stride: 16 };
  readonly #chromaPrediction: Plane = { samples: new Uint8Array(64), stride: 8 };
  readonly #choice: IntraChoice = { mode: 0, cost: 0 };
  #frameNumber = 0; // frames since the last IDR picture
  #idrId = 0;

  /** @param width visible pixels. @param height visible pixels. @param qp {@link MIN_QP} to {@link MAX_QP}. */
  constructor(width: number, height: number, qp: number) {
    if (!(qp >= MIN_QP && qp <= MAX_QP)) {
      throw new RangeError(`qp must be ${MIN_QP} to ${MAX_QP}, received ${qp}`);
    }
    this.#qp = qp;
    this.#reconstruction = createPicture(width, height);
    this.#residual = new ResidualCoder(qp, this.#reconstruction);
  }

  /** What a decoder shows after the last picture; overwritten by the next. */
  get reconstruction(): Picture {
    return this.#reconstruction;
  }

  /** Codes `source` as an IDR picture. Returns one NAL unit, which is the caller's. */
  encodeIdr(source: Picture): Uint8Array {
    const bits = this.#bits;
    this.#frameNumber = 0;
    this.#idrId ^= 1;
    this.#residual.reset();
    this.#writeSliceHeader(SLICE_TYPE_I);
    const { columns, rows } = source;
    for (let y = 0; y < rows; y++) {
      for (let x = 0; x < columns; x++) {
        this.#predictIntra(source, x, y);
        this.#writeIntra(source, x, y, 0);
      }
    }
    return bits.nalUnit(IDR_SLICE);
  }

  /**
   * Codes `source` as a P picture. Returns one NAL unit, which is the caller's.
   * @param damage one byte a macroblock in raster order: not zero where `source` may have changed.
   */
  encodeP(source: Picture, damage: Uint8Array): Uint8Array {
    const bits = this.#bits;
    this.#frameNumber++;
    this.#residual.reset();
    this.#writeSliceHeader(SLICE_TYPE_P);
    const { columns, rows } = source;
    let skipped = 0;
    for (let y = 0, at = 0; y < rows; y++) {
      for (let x = 0; x < columns; x++, at++) {
        if (damage[at] === 0) {
          skipped++;
          continue;
        }
        const luma = y * 16 * source.luma.stride + x * 16;
        const difference = sumOfDifferences(source.luma, this.#reconstruction.luma, luma);
        if (difference > INTER_IS_CHEAP) {
          this.#predictIntra(source, x, y);
          if (this.#choice.cost + INTRA_OVERHEAD < difference) {
            bits.ue(skipped);
            skipped = 0;
            this.#writeIntra(source, x, y, 5);
            continue;
          }
        }
        const pattern = this.#codeInter(source, x, y);
        if (pattern === 0) {
          skipped++;
          continue;
        }
        bits.ue(skipped);
        skipped = 0;
        bits.ue(0); // mb_type P_L0_16x16
        bits.se(0); // mvd_l0, horizontal
        bits.se(0); // mvd_l0, vertical
        bits.ue(INTER_CBP_CODE[pattern]!);
        bits.se(0); // mb_qp_delta
        this.#residual.writeLuma(bits, x, y, pattern, 0);
        this.#residual.writeChroma(bits, x, y, pattern);
      }
    }
    if (skipped > 0) bits.ue(skipped);
    return bits.nalUnit(SLICE);
  }

  /** slice_header() (clause 7.3.3). */
  #writeSliceHeader(type: number): void {
    const bits = this.#bits;
    bits.ue(0); // first_mb_in_slice
    bits.ue(type);
    bits.ue(0); // pic_parameter_set_id
    bits.u(this.#frameNumber & ((1 << FRAME_NUM_BITS) - 1), FRAME_NUM_BITS);
    if (type === SLICE_TYPE_I) {
      bits.ue(this.#idrId);
      bits.u(0, 1); // no_output_of_prior_pics_flag
      bits.u(0, 1); // long_term_reference_flag
    } else {
      bits.u(0, 1); // num_ref_idx_active_override_flag
      bits.u(0, 1); // ref_pic_list_modification_flag_l0
      bits.u(0, 1); // adaptive_ref_pic_marking_mode_flag
    }
    bits.se(this.#qp - INITIAL_QP);
    bits.ue(1); // disable_deblocking_filter_idc
  }

  #predictIntra(source: Picture, x: number, y: number): void {
    const at = y * 16 * source.luma.stride + x * 16;
    const { luma } = this.#reconstruction;
    chooseIntra(source.luma, luma, at, x > 0, y > 0, this.#prediction, this.#choice);
  }

  /** @param typeOffset what mb_type of I slices is raised by: 5 in P slices (table 7-13). */
  #writeIntra(source: Picture, x: number, y: number, typeOffset: number): void {
    const bits = this.#bits;
    const { mode } = this.#choice;
    const target = this.#reconstruction;
    const at = y * 16 * source.luma.stride + x * 16;
    const luma = this.#residual.codeIntraLuma(source.luma, this.#prediction, target.luma, at);
    const chromaAt = y * 8 * source.cb.stride + x * 8;
    const prediction = this.#chromaPrediction;
    predictChroma(target.cb, chromaAt, mode, x > 0, y > 0, prediction);
    const cb = this.#residual.codeChroma(0, true, source.cb, prediction, 0, target.cb, chromaAt);
    predictChroma(target.cr, chromaAt, mode, x > 0, y > 0, prediction);
    const cr = this.#residual.codeChroma(1, true, source.cr, prediction, 0, target.cr, chromaAt);
    const chroma = Math.max(cb, cr);
    bits.ue(typeOffset + 1 + mode + 4 * (chroma >> 4) + (luma > 0 ? 12 : 0)); // mb_type I_16x16 (table 7-11)
    bits.ue(CHROMA_MODE[mode]!);
    bits.se(0); // mb_qp_delta
    this.#residual.writeLumaDc(bits, x, y);
    this.#residual.writeLuma(bits, x, y, luma, 1);
    this.#residual.writeChroma(bits, x, y, chroma);
  }

  /** @returns coded_block_pattern. */
  #codeInter(source: Picture, x: number, y: number): number {
    const target = this.#reconstruction;
    const luma = this.#residual.codeInterLuma(source.luma, target.luma, y * 16 * source.luma.stride + x * 16);
    const at = y * 8 * source.cb.stride + x * 8;
    const cb = this.#residual.codeChroma(0, false, source.cb, target.cb, at, target.cb, at);
    const cr = this.#residual.codeChroma(1, false, source.cr, target.cr, at, target.cr, at);
    return luma | Math.max(cb, cr);
  }
}

function sumOfDifferences(a: Plane, b: Plane, at: number): number {
  let sum = 0;
  for (let y = 0, row = at; y < 16; y++, row += a.stride) {
    for (let i = row; i < row + 16; i++) {
      const d = a.samples[i]! - b.samples[i]!;
      sum += d < 0 ? -d : d;
    }
  }
  return sum;
}
