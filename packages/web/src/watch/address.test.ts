import { expect, it } from 'vitest';
import { publishTarget } from '../parts/publish-ways.ts';
import { elementCode, embedCode, outsideAddresses, streamOfPath } from './address.ts';

it('reads the stream out of an address', () => {
  expect(streamOfPath('/watch/sport/court-3')).toEqual({
    app: 'sport',
    name: 'court-3',
    full: 'sport/court-3',
  });
  expect(streamOfPath('/watch/live/test/')).toMatchObject({ full: 'live/test' });
  expect(streamOfPath('/embed/test')).toMatchObject({ app: 'live', name: 'test' });
});

it.each([
  '/watch',
  '/watch/',
  '/watch/a/b/c',
  '/watch/a/..',
  '/watch/%2e/x',
  '/watch/a/<b>',
  `/watch/a/${'x'.repeat(65)}`,
])('finds no stream in %s', (path) => {
  expect(streamOfPath(path)).toBeUndefined();
});

it('names where to publish as the visitor reached the server', () => {
  expect(publishTarget('live', 'test', '192.168.1.5', undefined)).toEqual({
    server: 'rtmp://192.168.1.5/live',
    key: 'test',
    url: 'rtmp://192.168.1.5/live/test',
  });
  expect(
    publishTarget('live', 'test', '[::1]', { ports: { http: 80, rtmp: 21935 }, keyNeeded: false }).server,
  ).toBe('rtmp://[::1]:21935/live');
  const told = { ports: { http: 80, rtmp: 1935 }, publishUrl: 'rtmp://tv.example.org/live', keyNeeded: true };
  expect(publishTarget('sport', 'court', '127.0.0.1', told).url).toBe(
    'rtmp://tv.example.org/sport/court?key=KEY',
  );
});

it('gives addresses and code for elsewhere', () => {
  const stream = { app: 'live', name: 'test', full: 'live/test' };
  expect(outsideAddresses(stream, 'https://h', 'rtmp://h/live/test').map(({ url }) => url)).toEqual([
    'rtmp://h/live/test',
    'https://h/live/test.flv',
    'wss://h/live/test.flv',
    'wss://h/live/test.fmp4',
    'https://h/live/test/whep',
    'https://h/live/test/index.m3u8',
    'https://h/live/test/ts.m3u8',
    'https://h/live/test/manifest.mpd',
  ]);
  expect(embedCode(stream, 'https://h')).toContain('src="https://h/embed/live/test"');
  expect(elementCode(stream, 'https://h')).toContain('https://h/onair-player.js');
});
