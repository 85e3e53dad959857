import { expect, it } from 'vitest';
import {
  COEFF_TOKEN,
  COEFF_TOKEN_CHROMA_DC,
  type CodeTable,
  INTER_CBP_CODE,
  RUN_BEFORE,
  TOTAL_ZEROS,
  TOTAL_ZEROS_CHROMA_DC,
} from './cavlc-tables.ts';

function words(table: CodeTable): string[] {
  return [...table.codes]
    .map((code, at) => code.toString(2).padStart(table.lengths[at]!, '0'))
    .filter((_, at) => table.lengths[at]! > 0);
}

const ALL: [string, CodeTable, number][] = [
  ...COEFF_TOKEN.map((table, nC): [string, CodeTable, number] => [`coeff_token nC ${nC}`, table, 62]),
  ['coeff_token chroma DC', COEFF_TOKEN_CHROMA_DC, 14],
  ...TOTAL_ZEROS.slice(1).map((table, at): [string, CodeTable, number] => [
    `total_zeros ${at + 1}`,
    table,
    16 - at,
  ]),
  ...TOTAL_ZEROS_CHROMA_DC.slice(1).map((table, at): [string, CodeTable, number] => [
    `chroma ${at + 1}`,
    table,
    4 - at,
  ]),
  ...RUN_BEFORE.slice(1).map((table, at): [string, CodeTable, number] => [
    `run_before ${at + 1}`,
    table,
    at < 6 ? at + 2 : 15,
  ]),
];

it.each(ALL)('%s has all its words, none of which begins another', (_, table, count) => {
  const list = words(table);
  expect(list).toHaveLength(count);
  for (const one of list) {
    expect(list.filter((other) => other !== one && other.startsWith(one))).toEqual([]);
  }
  expect(new Set(list).size).toBe(count);
  expect(list.reduce((sum, word) => sum + 2 ** -word.length, 0)).toBeLessThanOrEqual(1);
});

it('every inter coded_block_pattern has its own code', () => {
  expect(INTER_CBP_CODE).toHaveLength(48);
  expect(new Set(INTER_CBP_CODE).size).toBe(48);
  expect([INTER_CBP_CODE[0], INTER_CBP_CODE[15], INTER_CBP_CODE[47]]).toEqual([0, 11, 12]);
});
