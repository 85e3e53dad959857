import type { BitWriter } from './bit-writer.ts';
import { CHROMA_DC, writeResidualBlock } from './cavlc.ts';
import type { Picture } from './picture.ts';
import { chromaQp, Quantizer } from './quantizer.ts';
import {
  copyBlock,
  DC_AND_AC,
  forward4x4,
  hadamard2x2,
  hadamard4x4,
  NONE,
  type Plane,
  reconstruct4x4,
  reconstructDc,
} from './transform.ts';

/** Chroma part of coded_block_pattern: DC and AC levels. */
const CHROMA_AC = 0x20;
/** Chroma part of coded_block_pattern: DC levels alone. */
const CHROMA_DC_ALONE = 0x10;

/**
 * Residual of one macroblock at a time: `code…` transforms, quantises and reconstructs it, `write…` then
 * writes what is not zero. It remembers how many coefficients each block of the picture had, from which the
 * contexts of CAVLC follow (clause 9.2.1).
 */
export class ResidualCoder {
  readonly #columns: number;
  readonly #lumaTotals: Uint8Array; // by 4x4 block of the picture
  readonly #chromaTotals: readonly Uint8Array[];
  readonly #coefficients = new Int32Array(256); // 16 blocks in raster order
  readonly #levels = new Int32Array(256); // 16 luma blocks in raster order, each in scan order
  readonly #dc = new Int32Array(16);
  readonly #dcLevels = new Int32Array(16);
  readonly #chromaLevels = new Int32Array(128); // Cb then Cr, 4 blocks each
  readonly #chromaDcLevels = [new Int32Array(4), new Int32Array(4)] as const;
  readonly #kinds = new Uint8Array(16); // what forward4x4 said of each block
  readonly #luma: { readonly intra: Quantizer; readonly inter: Quantizer };
  readonly #chroma: { readonly intra: Quantizer; readonly inter: Quantizer };

  /** @param qp QP of every macroblock. @param picture tells the size only. */
  constructor(qp: number, picture: Picture) {
    const { columns, rows } = picture;
    this.#columns = columns;
    this.#lumaTotals = new Uint8Array(columns * rows * 16);
    this.#chromaTotals = [new Uint8Array(columns * rows * 4), new Uint8Array(columns * rows * 4)];
    this.#luma = { intra: new Quantizer(qp, true), inter: new Quantizer(qp, false) };
    this.#chroma = { intra: new Quantizer(chromaQp(qp), true), inter: new Quantizer(chromaQp(qp), false) };
  }

  /** Starts a picture: no block has coefficients yet. */
  reset(): void {
    this.#lumaTotals.fill(0);
    for (const totals of this.#chromaTotals) totals.fill(0);
  }

  /**
   * Luma of an inter macroblock whose prediction stands in `reference` already; the result replaces it.
   * @returns the four luma bits of coded_block_pattern.
   */
  codeInterLuma(source: Plane, reference: Plane, at: number): number {
    let pattern = 0;
    for (let block = 0; block < 16; block++) {
      const from = at + (block >> 2) * 4 * source.stride + (block & 3) * 4;
      const levels = block * 16;
      if (
        forward4x4(source, from, reference, from, this.#coefficients, 0) !== NONE &&
        this.#luma.inter.block(this.#coefficients, 0, this.#levels, levels, 0)
      ) {
        pattern |= 1 << (((block >> 3) << 1) | ((block >> 1) & 1));
        reconstruct4x4(this.#coefficients, 0, reference, from, reference, from);
      } else this.#levels.fill(0, levels, levels + 16);
    }
    return pattern;
  }

  /**
   * Luma of an Intra_16x16 macroblock.
   * @param prediction 16x16, stride 16. @returns the luma bits of coded_block_pattern: 0 or 15.
   */
  codeIntraLuma(source: Plane, prediction: Plane, target: Plane, at: number): number {
    const coefficients = this.#coefficients;
    let differs = NONE;
    for (let block = 0; block < 16; block++) {
      const from = at + (block >> 2) * 4 * source.stride + (block & 3) * 4;
      const predictionAt = (block >> 2) * 64 + (block & 3) * 4;
      const kind = forward4x4(source, from, prediction, predictionAt, coefficients, block * 16);
      differs |= kind;
      this.#kinds[block] = kind;
      this.#dc[block] = coefficients[block * 16]!;
    }
    this.#dcLevels.fill(0);
    if (differs === NONE) {
      copyBlock(prediction, 0, target, at, 16);
      return 0;
    }
    hadamard4x4(this.#dc);
    this.#luma.intra.lumaDc(this.#dc, this.#dcLevels);
    hadamard4x4(this.#dc);
    let pattern = 0;
    for (let block = 0; block < 16; block++) {
      const dc = this.#luma.intra.scaleLumaDc(this.#dc[block]!);
      const predictionAt = (block >> 2) * 64 + (block & 3) * 4;
      const to = at + (block >> 2) * 4 * target.stride + (block & 3) * 4;
      if (this.#quantizeAc(this.#luma.intra, block, this.#levels, block * 16)) {
        pattern = 15;
        coefficients[block * 16] = dc;
        reconstruct4x4(coefficients, block * 16, prediction, predictionAt, target, to);
      } else reconstructDc(dc, prediction, predictionAt, target, to);
    }
    return pattern;
  }

  /** Quantises the AC coefficients of a block as its kind demands. @returns whether any level is not zero. */
  #quantizeAc(quantizer: Quantizer, block: number, levels: Int32Array, at: number): boolean {
    if (this.#kinds[block] === DC_AND_AC) {
      return quantizer.block(this.#coefficients, block * 16, levels, at, 1);
    }
    levels.fill(0, at, at + 16);
    return false;
  }

  /**
   * One chroma plane of a macroblock.
   * @param plane 0 for Cb, 1 for Cr. @param prediction may be `target` itself (inter).
   * @returns the chroma part of coded_block_pattern, in its place: 0, 16 or 32.
   */
  codeChroma(
    plane: 0 | 1,
    intra: boolean,
    source: Plane,
    prediction: Plane,
    predictionAt: number,
    target: Plane,
    at: number,
  ): number {
    const quantizer = intra ? this.#chroma.intra : this.#chroma.inter;
    const coefficients = this.#coefficients;
    const levels = plane * 64;
    let differs = NONE;
    for (let block = 0; block < 4; block++) {
      const from = at + (block >> 1) * 4 * source.stride + (block & 1) * 4;
      const offset = predictionAt + (block >> 1) * 4 * prediction.stride + (block & 1) * 4;
      const kind = forward4x4(source, from, prediction, offset, coefficients, block * 16);
      differs |= kind;
      this.#kinds[block] = kind;
      this.#dc[block] = coefficients[block * 16]!;
    }
    const dcLevels = this.#chromaDcLevels[plane];
    if (differs === NONE) {
      dcLevels.fill(0);
      this.#chromaLevels.fill(0, levels, levels + 64);
      if (intra) copyBlock(prediction, predictionAt, target, at, 8);
      return 0;
    }
    hadamard2x2(this.#dc);
    let pattern = quantizer.chromaDc(this.#dc, dcLevels) ? CHROMA_DC_ALONE : 0;
    hadamard2x2(this.#dc);
    for (let block = 0; block < 4; block++) {
      const dc = quantizer.scaleChromaDc(this.#dc[block]!);
      const offset = predictionAt + (block >> 1) * 4 * prediction.stride + (block & 1) * 4;
      const to = at + (block >> 1) * 4 * target.stride + (block & 1) * 4;
      if (this.#quantizeAc(quantizer, block, this.#chromaLevels, levels + block * 16)) {
        pattern = CHROMA_AC;
        coefficients[block * 16] = dc;
        reconstruct4x4(coefficients, block * 16, prediction, offset, target, to);
      } else reconstructDc(dc, prediction, offset, target, to);
    }
    return pattern;
  }

  /** Intra16x16DCLevel of the macroblock at column `x`, row `y`. */
  writeLumaDc(bits: BitWriter, x: number, y: number): void {
    writeResidualBlock(
      bits,
      this.#dcLevels,
      0,
      16,
      context(this.#lumaTotals, this.#columns * 4, x * 4, y * 4),
    );
  }

  /**
   * Luma blocks of the 8x8 quarters that `pattern` names.
   * @param first 0, or 1 for the AC blocks of Intra_16x16.
   */
  writeLuma(bits: BitWriter, x: number, y: number, pattern: number, first: 0 | 1): void {
    const width = this.#columns * 4;
    for (let index = 0; index < 16; index++) {
      if (((pattern >> (index >> 2)) & 1) === 0) continue;
      const column = ((index >> 1) & 2) | (index & 1);
      const row = ((index >> 2) & 2) | ((index >> 1) & 1);
      const nC = context(this.#lumaTotals, width, x * 4 + column, y * 4 + row);
      const from = (row * 4 + column) * 16 + first;
      const total = writeResidualBlock(bits, this.#levels, from, 16 - first, nC);
      this.#lumaTotals[(y * 4 + row) * width + x * 4 + column] = total;
    }
  }

  /** Chroma blocks as the chroma part of `pattern` tells. */
  writeChroma(bits: BitWriter, x: number, y: number, pattern: number): void {
    if (pattern < CHROMA_DC_ALONE) return;
    writeResidualBlock(bits, this.#chromaDcLevels[0], 0, 4, CHROMA_DC);
    writeResidualBlock(bits, this.#chromaDcLevels[1], 0, 4, CHROMA_DC);
    if (pattern < CHROMA_AC) return;
    const width = this.#columns * 2;
    for (let index = 0; index < 8; index++) {
      const totals = this.#chromaTotals[index >> 2]!;
      const column = x * 2 + (index & 1);
      const row = y * 2 + ((index >> 1) & 1);
      const nC = context(totals, width, column, row);
      totals[row * width + column] = writeResidualBlock(bits, this.#chromaLevels, index * 16 + 1, 15, nC);
    }
  }
}

/** nC of a block (clause 9.2.1): the mean of its left and upper neighbours where they are in the picture. */
function context(totals: Uint8Array, width: number, column: number, row: number): number {
  const at = row * width + column;
  if (column === 0) return row === 0 ? 0 : totals[at - width]!;
  if (row === 0) return totals[at - 1]!;
  return (totals[at - 1]! + totals[at - width]! + 1) >> 1;
}
