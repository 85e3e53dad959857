import { expect, it } from 'vitest';
import { playedStreams } from './played-stream.ts';

const seen = (method: string, url: string): string =>
  playedStreams(method, url)
    .map(({ stream, live }) => `${stream}${live ? '' : ' recorded'}`)
    .join();

it.each([
  '/live/a/index.m3u8',
  '/live/a/index.m3u8?_HLS_msn=3',
  '/live/a/hls/video/p12.m4s',
  '/hls/a.m3u8',
  '/hls/live/a.m3u8',
  '/live/a/ts.m3u8',
  '/live/a/ts/s7.ts',
  '/live/a/manifest.mpd',
  '/live/a/dash/video/i7.mp4',
  '/dash/a.mpd',
  '/dash/live/a.mpd',
  '/live/a.flv',
  '/live/a.fmp4',
  '/live/a.relay',
  '/live/a/whep',
  '/l%69ve/%61.flv',
  'http://host.example:8080/live/a.flv',
])('%s plays live/a', (url) => expect(seen('GET', url)).toBe('live/a'));

it.each([
  ['GET', '/live/a/recordings/7/0.m4s', 'live/a recorded'],
  ['GET', '/live/a/playlist.m3u8', 'live/a recorded'],
  ['POST', '/live/a/whep', 'live/a'],
  ['DELETE', '/live/a/whep/7', 'live/a recorded'],
  ['PUT', '/live/a.ts', ''],
  ['POST', '/live/a.ts', ''],
  ['POST', '/live/a/whip', ''],
  ['GET', '/live/a/upload', ''],
  ['OPTIONS', '/live/a.flv', ''],
  ['GET', '/api/v1/streams/live/a', ''],
  ['GET', '/watch/live/a', ''],
  ['GET', '/assets/x.ts', ''],
  ['GET', '/files/media/x.flv', ''],
  ['GET', '/%E0%A4%A/a.flv', ''],
  ['GET', `/live/${'a'.repeat(2000)}.flv`, ''],
  ['GET', '', ''],
])('%s %s plays %j', (method, url, streams) => expect(seen(method, url)).toBe(streams));
