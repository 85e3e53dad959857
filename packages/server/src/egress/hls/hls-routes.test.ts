import { request as httpRequest } from 'node:http';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { checkMediaPlaylist, parseMediaPlaylist, parseMultivariantPlaylist } from '@onair/media/hls';
import { parseChunks, parseInit } from '@onair/media/isobmff';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { type Answer, closeHlsServers, hlsServer } from '../../../../../test/kit/hls-server.ts';

afterEach(closeHlsServers);

const media = (answer: Answer) => parseMediaPlaylist(answer.body);

describe('playlists', () => {
  it('serves everything from the multivariant playlist down, by every address', async () => {
    const { get, until } = await hlsServer();
    until(9);
    for (const [path, prefix] of [
      ['/live/test/index.m3u8', 'hls/'],
      ['/hls/test.m3u8', '../live/test/hls/'],
      ['/hls/live/test.m3u8', '../../live/test/hls/'],
    ] as const) {
      const answer = await get(path);
      expect(answer.status).toBe(200);
      expect(answer.headers['content-type']).toBe('application/vnd.apple.mpegurl');
      expect(answer.headers['access-control-allow-origin']).toBe('*');
      const { variants, renditions } = parseMultivariantPlaylist(answer.body);
      expect(variants[0]!.uri).toBe(`${prefix}video.m3u8`);
      for (const uri of [variants[0]!.uri, renditions[0]!.uri!]) {
        const address = new URL(uri, `http://x${path}`);
        const playlist = media(await get(address.pathname));
        expect(checkMediaPlaylist(playlist)).toEqual([]);
        const from = (relative: string) => new URL(relative, address).pathname;
        const segment = playlist.segments.at(-1)!;
        const init = await get(from(segment.map!.uri));
        expect(parseInit(init.body).tracks).toHaveLength(1);
        const bytes = await get(from(segment.uri));
        expect(bytes.headers['content-type']).toBe(uri.includes('video') ? 'video/mp4' : 'audio/mp4');
        expect(bytes.headers['cache-control']).toContain('immutable');
        const parts = await Promise.all(segment.parts.map((part) => get(from(part.uri))));
        expect(Buffer.concat(parts.map((part) => part.body))).toEqual(bytes.body);
        expect(parseChunks(bytes.body).length).toBeGreaterThan(20);
      }
    }
  });

  it('compresses, knows what the client has, and answers HEAD and OPTIONS', async () => {
    const { get, until } = await hlsServer();
    until(5);
    const path = '/live/test/hls/video.m3u8';
    const plain = await get(path);
    for (const [accepted, coding, unpack] of [
      ['gzip', 'gzip', gunzipSync],
      ['br;q=0.5, gzip', 'gzip', gunzipSync],
      ['gzip, deflate, br', 'br', brotliDecompressSync],
    ] as const) {
      const packed = await get(path, { 'accept-encoding': accepted });
      expect(packed.headers['content-encoding']).toBe(coding);
      expect(unpack(packed.body).toString()).toBe(plain.text);
      expect(packed.headers.etag).not.toBe(plain.headers.etag);
      expect(packed.headers.vary).toContain('Accept-Encoding');
      const again = await get(path, {
        'accept-encoding': accepted,
        'if-none-match': packed.headers.etag!,
      });
      expect([again.status, again.headers['content-length']]).toEqual([304, undefined]);
    }
    expect((await get(path, { 'accept-encoding': 'gzip;q=0' })).headers['content-encoding']).toBeUndefined();
    const known = await get(path, { 'if-none-match': `W/"x", ${plain.headers.etag}` });
    expect([known.status, known.body.length]).toEqual([304, 0]);
    const head = await get(path, {}, 'HEAD');
    expect([head.status, head.body.length, head.headers['content-length']]).toEqual([
      200,
      0,
      String(plain.body.length),
    ]);
    const preflight = await get(
      path,
      { origin: 'http://elsewhere', 'access-control-request-method': 'GET' },
      'OPTIONS',
    );
    expect(preflight.status).toBe(204);
    expect(preflight.headers['access-control-allow-origin']).toBe('*');
    const posted = await get(path, {}, 'POST');
    expect([posted.status, posted.headers.allow]).toEqual([405, 'GET, HEAD, OPTIONS']);
  });

  it('refuses what does not exist with a problem document', async () => {
    const { get, until } = await hlsServer();
    expect((await get('/live/test/index.m3u8')).status).toBe(404);
    until(5);
    for (const [path, status] of [
      ['/live/nobody/index.m3u8', 404],
      ['/live/te..st/index.m3u8', 400],
      ['/live/%2e%2e/index.m3u8', 400],
      ['/hls/%E3%81%82.m3u8', 400],
      ['/live/test/hls/other.m3u8', 404],
      ['/live/test/hls/__proto__.m3u8', 404],
      ['/live/test/hls/video/x.m4s', 404],
      ['/live/test/hls/video/..%2f..%2fetc', 404],
      ['/live/test/hls/video/s99999999999999.m4s', 404],
      ['/live/test/hls/video/p99999999999999.m4s', 404],
      ['/live/test/hls/video/s1.m4s', 410],
      ['/live/test/hls/video/i1.mp4', 410],
      ['/live/test/hls/other/p1.m4s', 404],
    ] as const) {
      const answer = await get(path);
      expect(answer.status, path).toBe(status);
      expect(answer.headers['content-type'], path).toContain('application/problem+json');
      expect(JSON.parse(answer.text)).toMatchObject({ status });
    }
  });
});

describe('blocking reloads', () => {
  const path = '/live/test/hls/video.m3u8';

  it('holds a request until the part is there, and gives one body to all', async () => {
    const { get, until, packager } = await hlsServer();
    until(5);
    const now = media(await get(path));
    const msn = now.mediaSequence + now.segments.length;
    const part = now.pending!.parts.length;
    const asked = Array.from({ length: 50 }, () => get(`${path}?_HLS_msn=${msn}&_HLS_part=${part}`));
    const hinted = get(`/live/test/hls/${now.preloadHints[0]!.uri}`);
    await vi.waitFor(() => expect(packager().waiting).toBe(51));
    until(5.5);
    const answers = await Promise.all(asked);
    expect(new Set(answers.map(({ status, text }) => `${status}${text}`)).size).toBe(1);
    const after = media(answers[0]!);
    expect(after.pending!.parts[part]!.uri).toBe(now.preloadHints[0]!.uri);
    expect(answers[0]!.headers['cache-control']).toBe('public, max-age=12');
    expect(parseChunks((await hinted).body).length).toBeGreaterThan(5);
    expect(packager().waiting).toBe(0);
  });

  it('holds for a whole segment, and answers at once for what is past', async () => {
    const { get, until, packager } = await hlsServer();
    until(5);
    const now = media(await get(path));
    const msn = now.mediaSequence + now.segments.length;
    const whole = get(`${path}?_HLS_msn=${msn}`);
    const behind = get(
      `${path}?_HLS_msn=${msn}&_HLS_part=${packager().rendition('video')!.open!.parts.length + 2}`,
    );
    await vi.waitFor(() => expect(packager().waiting).toBe(2));
    until(6.5);
    expect(media(await whole).segments.length).toBe(now.segments.length + 1);
    expect((await behind).status).toBe(200);
    expect((await get(`${path}?_HLS_msn=${msn - 1}`)).status).toBe(200);
    expect((await get(`${path}?_HLS_msn=${msn - 1}&_HLS_part=99`)).status).toBe(200);
    expect((await get(`${path}?_HLS_unknown=1&x=y`)).status).toBe(200);
  });

  it.each([
    ['a part without a segment', () => '_HLS_part=1'],
    ['three segments ahead', (msn: number) => `_HLS_msn=${msn + 2}`],
    ['parts far ahead', (msn: number) => `_HLS_msn=${msn}&_HLS_part=40`],
    ['no number', () => '_HLS_msn=abc'],
    ['a negative number', () => '_HLS_msn=-1'],
    ['two numbers', (msn: number) => `_HLS_msn=${msn}&_HLS_msn=${msn}`],
    ['a number beyond all', () => '_HLS_msn=9999999999999999999'],
  ])('answers 400 to %s', async (_, query) => {
    const { get, until } = await hlsServer();
    until(5);
    const now = media(await get(path));
    const answer = await get(`${path}?${query(now.mediaSequence + now.segments.length)}`);
    expect(answer.status).toBe(400);
  });

  it('answers 503 after three target durations without anything new, playlists and parts alike', async () => {
    const { get, until, packager, clock } = await hlsServer();
    until(5);
    const now = media(await get(path));
    const asked = get(`${path}?_HLS_msn=${now.mediaSequence + now.segments.length}`);
    const hinted = get(`/live/test/hls/${now.preloadHints[0]!.uri}`);
    await vi.waitFor(() => expect(packager().waiting).toBe(2));
    clock.advance(now.targetDuration * 3000 - 100);
    expect(packager().waiting).toBe(2);
    clock.advance(200);
    for (const answer of await Promise.all([asked, hinted])) {
      expect(answer.status).toBe(503);
      expect(answer.headers['retry-after']).toBe('1');
    }
  });

  it('caps those who wait, and forgets those who leave', async () => {
    const { get, until, packager, port } = await hlsServer({ maxWaiters: 3 });
    until(5);
    const now = media(await get(path));
    const url = `${path}?_HLS_msn=${now.mediaSequence + now.segments.length}`;
    const leaving = Array.from({ length: 3 }, () => {
      const request = httpRequest({ host: '127.0.0.1', port, path: url });
      request.on('error', () => {});
      request.end();
      return request;
    });
    await vi.waitFor(() => expect(packager().waiting).toBe(3));
    expect((await get(url)).status).toBe(503);
    for (const request of leaving) request.destroy();
    await vi.waitFor(() => expect(packager().waiting).toBe(0));
  });

  it('gives delta updates', async () => {
    const { get, until } = await hlsServer({ windowSegments: 12 });
    until(40);
    const delta = media(await get(`${path}?_HLS_skip=YES`));
    expect(delta.skip!.skippedSegments).toBeGreaterThan(0);
    expect(delta.skip!.recentlyRemovedDateRanges).toBeUndefined();
    const v2 = media(await get(`${path}?_HLS_skip=v2`)).skip;
    expect(v2).toEqual({ ...delta.skip, recentlyRemovedDateRanges: [] });
    expect(media(await get(`${path}?_HLS_skip=no`)).skip).toBeUndefined();
    expect(checkMediaPlaylist(delta)).toEqual([]);
  });

  it('waits for the first part, or the first whole segment where no part is asked for', async () => {
    const { get, until, packager } = await hlsServer();
    until(0.1);
    const early = [get('/live/test/index.m3u8'), get(`${path}?_HLS_msn=0&_HLS_part=0`)];
    const plain = get(path);
    await vi.waitFor(() => expect(packager().waiting).toBe(3));
    until(0.5);
    for (const answer of await Promise.all(early)) expect(answer.status).toBe(200);
    expect(media((await early[1])!).pending!.parts).toHaveLength(1);
    expect((await early[1])!.headers['cache-control']).toBe('public, max-age=1');
    expect(packager().waiting).toBe(1);
    until(2.5);
    expect(media(await plain).segments).toHaveLength(1);
  });

  it('waits for three segments where a media element asks by itself, for a while', async () => {
    const { get, until, packager } = await hlsServer();
    until(2.5);
    const own = get(path, { 'sec-fetch-dest': 'video' });
    expect(media(await get(path, { 'sec-fetch-dest': 'empty' })).segments).toHaveLength(1);
    await vi.waitFor(() => expect(packager().waiting).toBe(1));
    until(6.5);
    expect(media(await own).segments).toHaveLength(3);
    const another = await hlsServer();
    another.until(2.5);
    const late = another.get(path, { 'sec-fetch-dest': 'audio' });
    await vi.waitFor(() => expect(another.packager().waiting).toBe(1));
    another.clock.advance(9_000);
    expect(media(await late).segments).toHaveLength(1);
  });

  it('shows parts alone rather than nothing if no segment ends for long', async () => {
    const { get, until, packager, clock } = await hlsServer();
    until(0.5);
    const plain = get(path);
    await vi.waitFor(() => expect(packager().waiting).toBe(1));
    clock.advance(9_000);
    const playlist = media(await plain);
    expect([playlist.segments.length, playlist.pending!.parts.length]).toEqual([0, 1]);
  });
});
