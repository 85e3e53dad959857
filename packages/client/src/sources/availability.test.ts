import { afterEach, describe, expect, it, vi } from 'vitest';
import { availabilityOf, playlistAt } from './availability.ts';

afterEach(() => {
  vi.unstubAllGlobals();
});

it.each([
  [200, 'there'],
  [206, 'there'],
  [404, 'waiting'],
  [503, 'waiting'],
  [401, 'denied'],
  [403, 'denied'],
  [500, 'unreachable'],
  [0, 'unreachable'],
])('reads status %d as %s', (status, expected) => {
  expect(availabilityOf(status)).toBe(expected);
});

describe('a playlist', () => {
  const MASTER =
    '#EXTM3U\n#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",URI="hls/a.m3u8"\n#EXT-X-STREAM-INF:BANDWIDTH=1\nhls/v.m3u8\n';
  const WHOLE = '#EXTM3U\r\n#EXTINF:2,\r\n0.m4s\r\n#EXTINF:2,\r\n1.m4s\r\n#EXTINF:2,\r\n2.m4s\r\n';
  const PARTS = '#EXTM3U\n#EXTINF:2,\n1.m4s\n#EXT-X-PART:URI="p"\n';
  const AT = 'http://h/live/a/';

  it.each<[string, Record<string, string | number>, string]>([
    ['with segments', { 'index.m3u8': WHOLE }, 'there'],
    ['with one segment', { 'index.m3u8': PARTS }, 'starting'],
    [
      'whose renditions have segments',
      { 'index.m3u8': MASTER, 'hls/v.m3u8': WHOLE, 'hls/a.m3u8': WHOLE },
      'there',
    ],
    [
      'whose sound has too few',
      { 'index.m3u8': MASTER, 'hls/v.m3u8': WHOLE, 'hls/a.m3u8': PARTS },
      'starting',
    ],
    ['without anything', { 'index.m3u8': '#EXTM3U\n' }, 'starting'],
    ['that is not there', { 'index.m3u8': 404 }, 'waiting'],
    ['whose sound is forbidden', { 'index.m3u8': MASTER, 'hls/v.m3u8': WHOLE, 'hls/a.m3u8': 403 }, 'denied'],
    ['behind no network', {}, 'unreachable'],
  ])('%s', async (_name, answers, expected) => {
    vi.stubGlobal('fetch', async (address: string) => {
      const answer = answers[address.slice(AT.length)];
      if (answer === undefined) throw new TypeError('no network');
      return typeof answer === 'number' ? new Response(null, { status: answer }) : new Response(answer);
    });
    expect(await playlistAt(`${AT}index.m3u8`, new AbortController().signal)).toBe(expected);
  });
});
