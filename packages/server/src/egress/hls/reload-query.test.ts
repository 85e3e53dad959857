import { expect, it } from 'vitest';
import { readReload } from './reload-query.ts';

it.each([
  ['', { wish: undefined, skip: 'no' }],
  ['token=a&x=_HLS_msn=4', { wish: undefined, skip: 'no' }],
  ['_HLS_msn=12', { wish: { msn: 12 }, skip: 'no' }],
  ['a=1&_HLS_msn=12&_HLS_part=0&_HLS_skip=YES', { wish: { msn: 12, part: 0 }, skip: 'segments' }],
  ['_HLS_skip=v2&_HLS_other=%20', { wish: undefined, skip: 'v2' }],
  ['_HLS_skip=2', { wish: undefined, skip: 'no' }],
])('reads %s, as often as it comes', (query, expected) => {
  for (let i = 0; i < 3; i++) expect(readReload(query)).toEqual(expected);
});

it.each([
  '_HLS_part=1',
  '_HLS_msn',
  '_HLS_msn=',
  '_HLS_msn=-1',
  '_HLS_msn=1e3',
  `_HLS_msn=${'9'.repeat(16)}`,
  '_HLS_msn=1&_HLS_msn=1',
])('refuses %s, as often as it comes', (query) => {
  for (let i = 0; i < 3; i++)
    expect(() => readReload(query)).toThrow(expect.objectContaining({ code: 'BAD_REQUEST' }));
});

it('reads what it has forgotten, and what is too long to remember', () => {
  const long = `x=${'y'.repeat(4000)}&_HLS_msn=7`;
  for (let msn = 0; msn < 2000; msn++) expect(readReload(`_HLS_msn=${msn}`).wish).toEqual({ msn });
  expect([readReload('_HLS_msn=0').wish, readReload(long).wish]).toEqual([{ msn: 0 }, { msn: 7 }]);
});
