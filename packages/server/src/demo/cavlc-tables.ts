/** A table of variable-length codes: entry `i` is the low `lengths[i]` bits of `codes[i]`. */
export interface CodeTable {
  readonly codes: Uint16Array;
  readonly lengths: Uint8Array;
}

function table(codes: readonly string[]): CodeTable {
  return {
    codes: Uint16Array.from(codes, (code) => (code === '' ? 0 : Number.parseInt(code, 2))),
    lengths: Uint8Array.from(codes, (code) => code.length),
  };
}

const words = (text: string): string[] => text.trim().split(/\s+/);

/** Lays out rows of coeff_token, one row per TotalCoeff with the codes for TrailingOnes 0 to 3. */
function tokens(rows: readonly string[]): CodeTable {
  const codes: string[] = new Array(rows.length * 4).fill('');
  rows.forEach((row, total) => {
    words(row).forEach((code, ones) => {
      codes[total * 4 + ones] = code;
    });
  });
  return table(codes);
}

/** The code of 6 fixed bits for nC ≥ 8. */
function fixedTokens(): CodeTable {
  const codes: string[] = new Array(17 * 4).fill('');
  codes[0] = '000011';
  for (let total = 1; total <= 16; total++) {
    for (let ones = 0; ones <= Math.min(3, total); ones++) {
      codes[total * 4 + ones] = (((total - 1) << 2) | ones).toString(2).padStart(6, '0');
    }
  }
  return table(codes);
}

const TOKENS_0 = tokens([
  '1',
  '000101 01',
  '00000111 000100 001',
  '000000111 00000110 0000101 00011',
  '0000000111 000000110 00000101 000011',
  '00000000111 0000000110 000000101 0000100',
  '0000000001111 00000000110 0000000101 00000100',
  '0000000001011 0000000001110 00000000101 000000100',
  '0000000001000 0000000001010 0000000001101 0000000100',
  '00000000001111 00000000001110 0000000001001 00000000100',
  '00000000001011 00000000001010 00000000001101 0000000001100',
  '000000000001111 000000000001110 00000000001001 00000000001100',
  '000000000001011 000000000001010 000000000001101 00000000001000',
  '0000000000001111 000000000000001 000000000001001 000000000001100',
  '0000000000001011 0000000000001110 0000000000001101 000000000001000',
  '0000000000000111 0000000000001010 0000000000001001 0000000000001100',
  '0000000000000100 0000000000000110 0000000000000101 0000000000001000',
]);
const TOKENS_2 = tokens([
  '11',
  '001011 10',
  '000111 00111 011',
  '0000111 001010 001001 0101',
  '00000111 000110 000101 0100',
  '00000100 0000110 0000101 00110',
  '000000111 00000110 00000101 001000',
  '00000001111 000000110 000000101 000100',
  '00000001011 00000001110 00000001101 0000100',
  '000000001111 00000001010 00000001001 000000100',
  '000000001011 000000001110 000000001101 00000001100',
  '000000001000 000000001010 000000001001 00000001000',
  '0000000001111 0000000001110 0000000001101 000000001100',
  '0000000001011 0000000001010 0000000001001 0000000001100',
  '0000000000111 00000000001011 0000000000110 0000000001000',
  '00000000001001 00000000001000 00000000001010 0000000000001',
  '00000000000111 00000000000110 00000000000101 00000000000100',
]);
const TOKENS_4 = tokens([
  '1111',
  '001111 1110',
  '001011 01111 1101',
  '001000 01100 01110 1100',
  '0001111 01010 01011 1011',
  '0001011 01000 01001 1010',
  '0001001 001110 001101 1001',
  '0001000 001010 001001 1000',
  '00001111 0001110 0001101 01101',
  '00001011 00001110 0001010 001100',
  '000001111 00001010 00001101 0001100',
  '000001011 000001110 00001001 00001100',
  '000001000 000001010 000001101 00001000',
  '0000001101 000000111 000001001 000001100',
  '0000001001 0000001100 0000001011 0000001010',
  '0000000101 0000001000 0000000111 0000000110',
  '0000000001 0000000100 0000000011 0000000010',
]);
const TOKENS_8 = fixedTokens();

/** coeff_token for luma and chroma AC by nC 0 to 16 (table 9-5); index TotalCoeff × 4 + TrailingOnes. */
export const COEFF_TOKEN: readonly CodeTable[] = Array.from({ length: 17 }, (_, nC) =>
  nC < 2 ? TOKENS_0 : nC < 4 ? TOKENS_2 : nC < 8 ? TOKENS_4 : TOKENS_8,
);

/** coeff_token for chroma DC of 4:2:0 (table 9-5, nC = −1). */
export const COEFF_TOKEN_CHROMA_DC: CodeTable = tokens([
  '01',
  '000111 1',
  '000100 000110 001',
  '000011 0000011 0000010 000101',
  '000010 00000011 00000010 0000000',
]);

/** total_zeros of 4x4 blocks (tables 9-7 and 9-8) by TotalCoeff; entry 0 is unused. */
export const TOTAL_ZEROS: readonly CodeTable[] = [
  '',
  '1 011 010 0011 0010 00011 00010 000011 000010 0000011 0000010 00000011 00000010 000000011 000000010 000000001',
  '111 110 101 100 011 0101 0100 0011 0010 00011 00010 000011 000010 000001 000000',
  '0101 111 110 101 0100 0011 100 011 0010 00011 00010 000001 00001 000000',
  '00011 111 0101 0100 110 101 100 0011 011 0010 00010 00001 00000',
  '0101 0100 0011 111 110 101 100 011 0010 00001 0001 00000',
  '000001 00001 111 110 101 100 011 010 0001 001 000000',
  '000001 00001 101 100 011 11 010 0001 001 000000',
  '000001 0001 00001 011 11 10 010 001 000000',
  '000001 000000 0001 11 10 001 01 00001',
  '00001 00000 001 11 10 01 0001',
  '0000 0001 001 010 1 011',
  '0000 0001 01 1 001',
  '000 001 1 01',
  '00 01 1',
  '0 1',
].map((row) => table(words(row)));

/** total_zeros of chroma DC in 4:2:0 (table 9-9 a) by TotalCoeff; entry 0 is unused. */
export const TOTAL_ZEROS_CHROMA_DC: readonly CodeTable[] = ['', '1 01 001 000', '1 01 00', '1 0'].map((row) =>
  table(words(row)),
);

const RUNS_7 =
  '111 110 101 100 011 010 001 0001 00001 000001 0000001 00000001 000000001 0000000001 00000000001';

/** run_before (table 9-10) by zerosLeft 1 to 14; entry 0 is unused. */
export const RUN_BEFORE: readonly CodeTable[] = [
  '',
  '1 0',
  '1 01 00',
  '11 10 01 00',
  '11 10 01 001 000',
  '11 10 011 010 001 000',
  '11 000 001 011 010 101 100',
  ...new Array<string>(8).fill(RUNS_7),
].map((row) => table(words(row)));

/** codeNum of coded_block_pattern in inter macroblocks of 4:2:0 (table 9-4 a), by coded_block_pattern. */
export const INTER_CBP_CODE: Uint8Array = invert([
  0, 16, 1, 2, 4, 8, 32, 3, 5, 10, 12, 15, 47, 7, 11, 13, 14, 6, 9, 31, 35, 37, 42, 44, 33, 34, 36, 40, 39,
  43, 45, 46, 17, 18, 20, 24, 19, 21, 26, 28, 23, 27, 29, 30, 22, 25, 38, 41,
]);

function invert(patterns: readonly number[]): Uint8Array {
  const codes = new Uint8Array(patterns.length);
  patterns.forEach((pattern, code) => {
    codes[pattern] = code;
  });
  return codes;
}
