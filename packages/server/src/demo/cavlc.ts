import type { BitWriter } from './bit-writer.ts';
import {
  COEFF_TOKEN,
  COEFF_TOKEN_CHROMA_DC,
  RUN_BEFORE,
  TOTAL_ZEROS,
  TOTAL_ZEROS_CHROMA_DC,
} from './cavlc-tables.ts';

/** nC of chroma DC blocks (clause 9.2.1). */
export const CHROMA_DC = -1;

// Non-zero levels of the block being written and the zeros before each, highest frequency first.
const found = new Int32Array(16);
const runs = new Int32Array(16);

/**
 * Writes residual_block_cavlc() (clause 7.3.5.3.2).
 * @param levels transform coefficient levels in scan order, each of at most ±2063; only read.
 * @param at index of the first level of the block.
 * @param count maxNumCoeff: 16, 15 (AC) or 4 (chroma DC).
 * @param nC context from the neighbouring blocks, or {@link CHROMA_DC}.
 * @returns TotalCoeff.
 */
export function writeResidualBlock(
  bits: BitWriter,
  levels: Int32Array,
  at: number,
  count: number,
  nC: number,
): number {
  let total = 0;
  let zeros = 0; // zeros below the highest non-zero level
  let run = 0;
  for (let index = at + count - 1; index >= at; index--) {
    const level = levels[index]!;
    if (level === 0) {
      if (total > 0) run++;
      continue;
    }
    if (total > 0) runs[total - 1] = run;
    zeros += run;
    run = 0;
    found[total++] = level;
  }
  const tokens = nC < 0 ? COEFF_TOKEN_CHROMA_DC : COEFF_TOKEN[nC]!;
  if (total === 0) {
    bits.u(tokens.codes[0]!, tokens.lengths[0]!);
    return 0;
  }
  runs[total - 1] = run;
  zeros += run;

  let ones = 0;
  let signs = 0;
  while (ones < 3 && ones < total) {
    const level = found[ones]!;
    if (level !== 1 && level !== -1) break;
    signs = (signs << 1) | (level < 0 ? 1 : 0);
    ones++;
  }
  const token = total * 4 + ones;
  bits.u(tokens.codes[token]!, tokens.lengths[token]!);
  bits.u(signs, ones);
  writeLevels(bits, total, ones);

  if (total < count) {
    const row = (nC < 0 ? TOTAL_ZEROS_CHROMA_DC : TOTAL_ZEROS)[total]!;
    bits.u(row.codes[zeros]!, row.lengths[zeros]!);
  }
  for (let index = 0; index < total - 1 && zeros > 0; index++) {
    const row = RUN_BEFORE[zeros]!;
    const before = runs[index]!;
    bits.u(row.codes[before]!, row.lengths[before]!);
    zeros -= before;
  }
  return total;
}

/** level_prefix and level_suffix of all levels after the trailing ones (clause 9.2.2.1). */
function writeLevels(bits: BitWriter, total: number, ones: number): void {
  let suffixLength = total > 10 && ones < 3 ? 1 : 0;
  for (let index = ones; index < total; index++) {
    const level = found[index]!;
    const size = level < 0 ? -level : level;
    let code = level < 0 ? 2 * size - 1 : 2 * size - 2;
    if (index === ones && ones < 3) code -= 2; // it cannot be ±1: that would be a trailing one
    if (suffixLength === 0) {
      if (code < 14) bits.u(1, code + 1);
      else if (code < 30) {
        bits.u(1, 15);
        bits.u(code - 14, 4);
      } else {
        bits.u(1, 16);
        bits.u(code - 30, 12);
      }
    } else if (code < 15 << suffixLength) {
      bits.u(1, (code >> suffixLength) + 1);
      bits.u(code & ((1 << suffixLength) - 1), suffixLength);
    } else {
      bits.u(1, 16);
      bits.u(code - (15 << suffixLength), 12);
    }
    if (suffixLength === 0) suffixLength = 1;
    if (size > 3 << (suffixLength - 1) && suffixLength < 6) suffixLength++;
  }
}
