import { expect, it } from 'vitest';
import { streamAddresses, withQuery } from './address.ts';

const BASE = 'https://tv.example:8443/watch/live/test?x=1';

it.each([
  ['/live/test', 'https://tv.example:8443/live/test', ''],
  ['https://other.example/live/test', 'https://other.example/live/test', ''],
  ['/live/test/index.m3u8', 'https://tv.example:8443/live/test', ''],
  ['/live/test/ts.m3u8', 'https://tv.example:8443/live/test', ''],
  ['/live/test.flv', 'https://tv.example:8443/live/test', ''],
  ['wss://other.example/live/test.fmp4', 'https://other.example/live/test', ''],
  ['/live/test/?token=a%26b', 'https://tv.example:8443/live/test', '?token=a%26b'],
])('finds all transports behind %s', (src, root, query) => {
  expect(streamAddresses(src, BASE)).toEqual({
    name: 'live/test',
    ws: `${root.replace('https', 'wss')}.fmp4${query}`,
    hls: `${root}/index.m3u8${query}`,
    flv: `${root}.flv${query}`,
    relay: `${root.replace('http', 'ws')}.relay${query}`,
    whep: `${root}/whep${query}`,
  });
});

it.each(['', '  ', '/', 'javascript:alert(1)', 'data:text/html,x', 'http://', 'rtmp://h/live/test'])(
  'takes %j for no stream',
  (src) => {
    expect(streamAddresses(src, BASE)).toBeUndefined();
  },
);

it('shows names as people write them', () => {
  expect(streamAddresses('/live/%E6%94%BE%E9%80%81', BASE)?.name).toBe('live/放送');
  expect(streamAddresses('/live/%zz', BASE)?.name).toBe('live/%zz');
});

it('adds to a query and leaves out what is not set', () => {
  expect(withQuery('wss://h/a.fmp4?token=t', { after: '7', epoch: undefined })).toBe(
    'wss://h/a.fmp4?token=t&after=7',
  );
});

it('takes FLV by WebSocket where the address is one', () => {
  expect(streamAddresses('ws://host/live/test', 'http://x/')).toMatchObject({
    ws: 'ws://host/live/test.fmp4',
    flv: 'ws://host/live/test.flv',
    hls: 'http://host/live/test/index.m3u8',
  });
  expect(streamAddresses('wss://host/live/test.flv?token=a', 'http://x/')?.flv).toBe(
    'wss://host/live/test.flv?token=a',
  );
});
