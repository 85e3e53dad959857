import { expect, it } from 'vitest';
import { roomOfAddress, watchAddress } from './address.ts';

it.each([
  ['/talk.html', '', '_defaultroom'],
  ['/talk.html', '?lesson', 'lesson'],
  ['/watch.html', '?%E4%BC%9A%E8%AD%B0', '会議'],
  ['/talk/lesson', '', 'lesson'],
  ['/room/%E4%BC%9A%E8%AD%B0', '?ignored', '会議'],
  ['/talk.html', '?a=b', undefined],
  ['/room/a%2Fb', '', undefined],
  ['/room/%ff', '', undefined],
])('%s%s is the room %s', (pathname, search, room) => {
  expect(roomOfAddress({ pathname, search })).toBe(room);
});

it('gives an address that leads back', () => {
  const { pathname, search } = new URL(watchAddress('http://h', '会議'));
  expect(roomOfAddress({ pathname, search })).toBe('会議');
});
