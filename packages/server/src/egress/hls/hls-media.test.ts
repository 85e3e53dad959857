import { parseMediaPlaylist } from '@onair/media/hls';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { type Answer, closeHlsServers, hlsServer } from '../../../../../test/kit/hls-server.ts';

afterEach(closeHlsServers);

const media = (answer: Answer) => parseMediaPlaylist(answer.body);

describe('media', () => {
  it('serves ranges', async () => {
    const { get, until } = await hlsServer();
    until(5);
    const playlist = media(await get('/live/test/hls/video.m3u8'));
    const path = `/live/test/hls/${playlist.segments[0]!.uri}`;
    const whole = await get(path);
    const size = whole.body.length;
    for (const [range, status, from, to] of [
      ['bytes=0-9', 206, 0, 10],
      ['bytes=10-', 206, 10, size],
      ['bytes=-5', 206, size - 5, size],
      [`bytes=5-${size + 100}`, 206, 5, size],
      ['bytes=0-1,4-5', 200, 0, size],
      ['bytes=9-5', 200, 0, size],
      ['lines=0-9', 200, 0, size],
    ] as const) {
      const answer = await get(path, { range });
      expect(answer.status, range).toBe(status);
      expect(answer.body, range).toEqual(whole.body.subarray(from, to));
      if (status === 206) expect(answer.headers['content-range']).toBe(`bytes ${from}-${to - 1}/${size}`);
    }
    const outside = await get(path, { range: `bytes=${size}-` });
    expect([outside.status, outside.headers['content-range']]).toEqual([416, `bytes */${size}`]);
    expect((await get(path, { range: 'bytes=0-9', 'if-range': '"other"' })).status).toBe(200);
    expect((await get(path, { 'if-none-match': whole.headers.etag! })).status).toBe(304);
  });

  it('serves what has left the playlist on for a while, then says it is gone', async () => {
    const { get, until } = await hlsServer();
    until(5);
    const first = media(await get('/live/test/hls/video.m3u8')).segments[0]!;
    const path = `/live/test/hls/${first.uri}`;
    until(20);
    expect(media(await get('/live/test/hls/video.m3u8')).segments.map(({ uri }) => uri)).not.toContain(
      first.uri,
    );
    expect((await get(path)).status).toBe(200);
    until(50);
    expect((await get(path)).status).toBe(410);
  });
});

describe('viewers', () => {
  it('counts requests of one program as one viewer until it stays away', async () => {
    const { get, until, sessions, clock, routes, lines, stream } = await hlsServer();
    until(5);
    await get('/live/test/index.m3u8', { 'user-agent': 'a' });
    await get('/live/test/hls/video.m3u8', { 'user-agent': 'a' });
    const answer = await get('/live/test/hls/video.m3u8', { 'user-agent': 'b' });
    expect(sessions.viewers(stream.name)).toBe(2);
    expect(sessions.list().map(({ protocol }) => protocol)).toEqual(['hls', 'hls']);
    expect(sessions.list()[1]!.figures().bytes).toBe(answer.body.length);
    clock.advance(15_000);
    await get('/live/test/hls/audio.m3u8', { 'user-agent': 'b' });
    clock.advance(15_000);
    expect(routes.viewers).toBe(1);
    clock.advance(40_000);
    expect(routes.viewers).toBe(0);
    expect(sessions.viewers(stream.name)).toBe(0);
    expect(lines.filter(({ message }) => message === 'viewer left')).toHaveLength(2);
  });

  it('sends away whom the operator ended', async () => {
    const { get, until, sessions } = await hlsServer();
    until(5);
    await get('/live/test/index.m3u8');
    sessions.list()[0]!.close('kicked');
    expect(sessions.list()).toHaveLength(0);
    expect((await get('/live/test/index.m3u8')).status).toBe(410);
  });
});

describe('the end', () => {
  const path = '/live/test/hls/video.m3u8';

  it('shows the ended playlist for as long as is set, then says it is gone', async () => {
    const { get, until, stream, clock, registry, detach } = await hlsServer({}, 40_000);
    until(9);
    stream.publication!.close('over');
    detach();
    expect(media(await get(path)).endList).toBe(false);
    clock.advance(31_000);
    const over = media(await get(path));
    expect(over.endList).toBe(true);
    const again = await get(`${path}?_HLS_msn=${over.mediaSequence + 50}`);
    expect(again.status).toBe(200);
    // The stream itself would be forgotten long before.
    clock.advance(35_000);
    expect(media(await get(path)).endList).toBe(true);
    const last = over.segments.at(-1)!.uri;
    expect((await get(`/live/test/hls/${last}`)).status).toBe(200);
    expect((await get('/live/test/index.m3u8')).status).toBe(200);
    clock.advance(30_000);
    expect([404, 410]).toContain((await get(path)).status);
    clock.advance(60_000);
    expect(registry.find(stream.name)).toBeUndefined();
    expect((await get(path)).status).toBe(404);
  });

  it('gives those who wait the old playlist while the publisher is away, for no longer than 1 s', async () => {
    const { get, until, stream, clock, packager } = await hlsServer();
    until(9);
    const before = media(await get(path));
    stream.publication!.close('gone');
    const shown = media(await get(path));
    const asked = get(`${path}?_HLS_msn=${shown.mediaSequence + shown.segments.length}&_HLS_part=0`);
    await vi.waitFor(() => expect(packager().waiting).toBe(1));
    clock.advance(before.targetDuration * 3000 + 1);
    const answer = await asked;
    expect([answer.status, answer.headers['cache-control']]).toEqual([200, 'public, max-age=1']);
    expect(media(answer)).toEqual(shown);
  });

  it('goes on with rising numbers when the stream comes back after its end', async () => {
    const { get, until, stream, clock } = await hlsServer({}, 100_000);
    until(9);
    const before = media(await get(path));
    stream.publication!.close('over');
    clock.advance(35_000);
    expect(media(await get(path)).endList).toBe(true);
    until(20, true);
    const after = media(await get(path));
    expect(after.endList).toBe(false);
    expect(after.mediaSequence).toBeGreaterThan(before.mediaSequence + before.segments.length - 1);
    clock.advance(70_000);
    expect((await get('/live/test/index.m3u8')).status).toBe(200);
  });
});
