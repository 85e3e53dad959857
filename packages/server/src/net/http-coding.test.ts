import { expect, it } from 'vitest';
import { acceptsCoding, chooseCoding } from './http-coding.ts';

it.each([
  [undefined, 'identity'],
  ['', 'identity'],
  ['gzip', 'gzip'],
  ['x-gzip', 'gzip'],
  ['gzip, deflate, br', 'br'],
  ['gzip, deflate, br, zstd', 'br'],
  ['br;q=0.5, gzip', 'gzip'],
  ['br;q=0, gzip;q=0', 'identity'],
  ['*', 'br'],
  ['*;q=0', 'identity'],
  ['GZIP ; q=0.001', 'gzip'],
  ['identity', 'identity'],
  ['deflate', 'identity'],
  [`${'x,'.repeat(5000)}gzip`, 'identity'],
])('for %s chooses %s', (header, coding) => {
  expect(chooseCoding(header)).toBe(coding);
  expect(chooseCoding(header)).toBe(coding);
});

it('tells whether a coding is taken at all', () => {
  expect(acceptsCoding('br;q=1, gzip;q=0.1', 'gzip')).toBe(true);
  expect(acceptsCoding('gzip;q=0, *', 'gzip')).toBe(false);
  expect(acceptsCoding('gzip;q=0, *', 'br')).toBe(true);
  expect(acceptsCoding(undefined, 'br')).toBe(false);
});
