import { expect, it } from 'vitest';
import { parseRtmpUrl, withAppQuery } from './index.ts';

it.each([
  ['rtmp://h/live/test', 'h', 1935, 'live', 'test', '', 'rtmp://h/live'],
  ['rtmp://h:1936/live/test?key=a/b', 'h', 1936, 'live', 'test', 'key=a/b', 'rtmp://h:1936/live'],
  ['rtmp://[::1]:1935/live/t', '::1', 1935, 'live', 't', '', 'rtmp://[::1]/live'],
  ['rtmps://h/live/t', 'h', 443, 'live', 't', '', 'rtmps://h/live'],
  ['rtmpt://h/live/t', 'h', 80, 'live', 't', '', 'rtmpt://h/live'],
  ['rtmpts://h/live/t', 'h', 443, 'live', 't', '', 'rtmpts://h/live'],
  ['rtmpe://h/live/t', 'h', 1935, 'live', 't', '', 'rtmpe://h/live'],
  ['rtmpte://h/live/t', 'h', 80, 'live', 't', '', 'rtmpte://h/live'],
  ['rtmp://h/app/inst/name', 'h', 1935, 'app/inst', 'name', '', 'rtmp://h/app/inst'],
  ['rtmp://h/app/inst/a/b', 'h', 1935, 'app/inst', 'a/b', '', 'rtmp://h/app/inst'],
  ['rtmp://h/app?vhost=x/name', 'h', 1935, 'app?vhost=x', 'name', '', 'rtmp://h/app?vhost=x'],
  ['rtmp://h/app', 'h', 1935, 'app', '', '', 'rtmp://h/app'],
  ['rtmp://h', 'h', 1935, '', '', '', 'rtmp://h/'],
  ['rtmp://例え.jp/live/名前', '例え.jp', 1935, 'live', '名前', '', 'rtmp://例え.jp/live'],
])('takes %s apart', (url, host, port, app, name, query, tcUrl) => {
  const playpath = query === '' ? name : `${name}?${query}`;
  expect(parseRtmpUrl(url)).toEqual({
    scheme: url.slice(0, url.indexOf(':')),
    host,
    port,
    app,
    name,
    query,
    playpath,
    tcUrl,
  });
});

it.each([
  '',
  'http://h/live/t',
  'rtmpx://h/live/t',
  'rtmp:/h/live',
  'rtmp:///live/t',
  'rtmp://h:0/live/t',
  'rtmp://h:65536/live/t',
  'rtmp://h:12ab/live/t',
  'rtmp://user@h/live/t',
  'rtmp://user:pa/ss@h/live/t',
  'rtmp://h/live/a b',
  'rtmp://h/live/a\nb',
  `rtmp://h/live/${'x'.repeat(5000)}`,
])('refuses %j', (url) => {
  expect(() => parseRtmpUrl(url)).toThrow('rtmp://HOST');
});

it('takes name and password apart, and tells neither', () => {
  const url = parseRtmpUrl('rtmp://me:p%40ss@h:1936/live/t');
  expect(url).toMatchObject({
    host: 'h',
    port: 1936,
    tcUrl: 'rtmp://h:1936/live',
    credentials: { user: 'me', password: 'p@ss' },
  });
  expect(withAppQuery(url, 'a=b')).toMatchObject({ app: 'live?a=b', tcUrl: 'rtmp://h:1936/live?a=b' });
  expect(withAppQuery(withAppQuery(url, 'a=b'), 'c=d').app).toBe('live?a=b&c=d');
  expect(() => parseRtmpUrl('rtmp://me:secret@h:0/live')).toThrow(/\*\*\*@h/);
  expect(() => parseRtmpUrl('rtmp://me:secret@h:0/live')).not.toThrow(/secret/);
});
