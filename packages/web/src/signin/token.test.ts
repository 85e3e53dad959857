import { expect, it } from 'vitest';
import { pageAfter, tokenOfFragment } from './token.ts';

it('takes the token out of a printed address', () => {
  expect(tokenOfFragment('#token=abc-DEF_123')).toBe('abc-DEF_123');
  expect(tokenOfFragment('#token=a%2Bb')).toBe('a+b');
  for (const none of ['', '#', '#token=', '#other=1', `#token=${'x'.repeat(513)}`]) {
    expect(tokenOfFragment(none)).toBeUndefined();
  }
});

it('goes on only to pages of this server', () => {
  expect(pageAfter('?next=/dashboard')).toBe('/dashboard');
  expect(pageAfter('?next=/watch/live/test')).toBe('/watch/live/test');
  for (const bad of [
    '',
    '?next=https://evil',
    '?next=//evil',
    '?next=/\\evil',
    '?next=javascript:alert(1)',
    '?next=/a?b',
  ]) {
    expect(pageAfter(bad)).toBe('/dashboard');
  }
});
