import { ZIGZAG } from './transform.ts';

/** normAdjust4x4 (clause 8.5.9) by QP % 6: positions with both indices even, both odd, and the others. */
const SCALE = [
  [10, 16, 13],
  [11, 18, 14],
  [13, 20, 16],
  [14, 23, 18],
  [16, 25, 20],
  [18, 29, 23],
] as const;

/** QP of chroma by qPI from 30 on (table 8-15). */
const CHROMA_QP = [
  29, 30, 31, 32, 32, 33, 34, 34, 35, 35, 36, 36, 37, 37, 37, 38, 38, 38, 39, 39, 39, 39,
] as const;

/** QP′c for a luma QP with chroma_qp_index_offset 0. */
export function chromaQp(qp: number): number {
  return qp < 30 ? qp : CHROMA_QP[qp - 30]!;
}

/**
 * Quantisation at one QP and the scaling that a decoder does (clauses 8.5.10 to 8.5.12 with flat scaling
 * lists). The quantiser's own part is free; its multipliers are 2^15 over transform gain and step.
 */
export class Quantizer {
  readonly #multipliers = new Int32Array(16); // raster order
  readonly #scales = new Int32Array(16); // raster order
  readonly #bits: number;
  readonly #rounding: number;
  readonly #shift: number; // QP / 6

  /** @param qp 0 to 51. @param intra rounds a third up instead of a sixth. */
  constructor(qp: number, intra: boolean) {
    this.#shift = Math.floor(qp / 6);
    this.#bits = 15 + this.#shift;
    this.#rounding = Math.floor((1 << this.#bits) / (intra ? 3 : 6));
    // Gain of forward and inverse transform together, over the inverse's division by 64.
    const gains = [16, 25, 20] as const;
    for (let at = 0; at < 16; at++) {
      const odd = (at & 1) + ((at >> 2) & 1);
      const kind = odd === 0 ? 0 : odd === 2 ? 1 : 2;
      const scale = SCALE[qp % 6]![kind];
      this.#scales[at] = scale << this.#shift;
      this.#multipliers[at] = Math.round((64 * 32768) / (gains[kind] * scale));
    }
  }

  /**
   * Quantises a 4x4 block in place: `coefficients` become what a decoder scales them to (raster order),
   * `levels` receive the levels in scan order.
   * @param first 0, or 1 to leave the DC coefficient alone and give it level 0.
   * @returns whether any level is not zero.
   */
  block(coefficients: Int32Array, at: number, levels: Int32Array, levelsAt: number, first: number): boolean {
    const bits = this.#bits;
    const rounding = this.#rounding;
    let any = 0;
    if (first === 1) levels[levelsAt] = 0;
    for (let index = first; index < 16; index++) {
      const position = ZIGZAG[index]!;
      const value = coefficients[at + position]!;
      let level = 0;
      if (value !== 0) {
        const size = value < 0 ? -value : value;
        level = (size * this.#multipliers[position]! + rounding) >> bits;
        if (value < 0) level = -level;
        coefficients[at + position] = level * this.#scales[position]!;
      }
      levels[levelsAt + index] = level;
      any |= level;
    }
    return any !== 0;
  }

  /**
   * Quantises the transformed DC coefficients of an Intra_16x16 macroblock (`dc`, raster order, after
   * {@link hadamard4x4}) into `levels` in scan order and leaves the levels in `dc`.
   */
  lumaDc(dc: Int32Array, levels: Int32Array): boolean {
    const multiplier = this.#multipliers[0]!;
    let any = 0;
    for (let index = 0; index < 16; index++) {
      const position = ZIGZAG[index]!;
      const value = (dc[position]! + 1) >> 1;
      const size = value < 0 ? -value : value;
      let level = (size * multiplier + 2 * this.#rounding) >> (this.#bits + 1);
      if (value < 0) level = -level;
      dc[position] = level;
      levels[index] = level;
      any |= level;
    }
    return any !== 0;
  }

  /** Scaling of an Intra_16x16 DC coefficient after the inverse transform (clause 8.5.10). */
  scaleLumaDc(value: number): number {
    const scaled = value * 16 * (this.#scales[0]! >> this.#shift);
    return this.#shift >= 6
      ? scaled << (this.#shift - 6)
      : (scaled + (1 << (5 - this.#shift))) >> (6 - this.#shift);
  }

  /** Quantises the first four of `dc`, transformed chroma DC coefficients, in place; `levels` get the same. */
  chromaDc(dc: Int32Array, levels: Int32Array): boolean {
    const multiplier = this.#multipliers[0]!;
    let any = 0;
    for (let index = 0; index < 4; index++) {
      const value = dc[index]!;
      const size = value < 0 ? -value : value;
      let level = (size * multiplier + 2 * this.#rounding) >> (this.#bits + 1);
      if (value < 0) level = -level;
      dc[index] = level;
      levels[index] = level;
      any |= level;
    }
    return any !== 0;
  }

  /** Scaling of a chroma DC coefficient after the inverse transform (clause 8.5.11.2). */
  scaleChromaDc(value: number): number {
    return ((value * 16 * (this.#scales[0]! >> this.#shift)) << this.#shift) >> 5;
  }
}
