import { parseMediaPlaylist } from '@onair/media/hls';
import { afterEach, describe, expect, it } from 'vitest';
import { Scope, startPublisher, until } from '../kit/index.ts';
import { startNginxCache } from '../kit/nginx-cache.ts';
import { startTestServer } from '../kit/server.ts';

const scope = new Scope();
afterEach(() => scope.close());

const PLAYERS = 20;

/** A low-latency player as a cache sees it: reloads, and fetches every new part. Returns the parts' addresses. */
async function play(base: string, signal: AbortSignal): Promise<string[]> {
  const parts: string[] = [];
  let query = '';
  while (!signal.aborted) {
    const answer = await fetch(`${base}/hls/video.m3u8${query}`);
    expect(answer.status, query).toBe(200);
    const playlist = parseMediaPlaylist(await answer.text());
    const heads = [...playlist.segments, ...(playlist.pending === undefined ? [] : [playlist.pending])];
    const listed = heads.flatMap((head) => head.parts.map(({ uri }) => uri));
    const fresh = parts.length === 0 ? listed.slice(-1) : listed.slice(listed.indexOf(parts.at(-1)!) + 1);
    for (const uri of fresh) {
      const part = await fetch(`${base}/hls/${uri}`);
      expect(part.status, uri).toBe(200);
      expect((await part.arrayBuffer()).byteLength).toBeGreaterThan(0);
      parts.push(uri);
    }
    const next = playlist.mediaSequence + playlist.segments.length;
    query = `?_HLS_msn=${next}&_HLS_part=${playlist.pending?.parts.length ?? 0}`;
  }
  return parts;
}

describe('an HTTP cache in front', () => {
  it(`asks the origin once for each part and each version, however many play (${PLAYERS})`, async () => {
    const server = await startTestServer(scope);
    await startPublisher(scope, { url: `${server.rtmp}/live/hls`, gopSeconds: 2 });
    const cache = await startNginxCache(scope, server.http);
    const origin = `${server.http}/live/hls`;
    await until(async () => (await (await fetch(`${origin}/hls/video.m3u8`)).text()).includes('#EXTINF'));
    const stop = new AbortController();
    const playing = Array.from({ length: PLAYERS }, () => play(`${cache.http}/live/hls`, stop.signal));
    await until(() => cache.requests().length > PLAYERS * 40, { timeoutMs: 40_000 });
    stop.abort();
    const parts = await Promise.all(playing);
    expect(Math.min(...parts.map((list) => list.length))).toBeGreaterThan(8);

    const asked = new Map<string, number>();
    const answered = new Map<string, number>();
    for (const { path, cache: result, status } of cache.requests()) {
      expect(status, path).toBe(200);
      answered.set(path, (answered.get(path) ?? 0) + 1);
      if (result !== 'HIT') asked.set(path, (asked.get(path) ?? 0) + 1);
    }
    const blocking = [...answered.keys()].filter((path) => path.includes('_HLS_msn'));
    const media = [...answered.keys()].filter((path) => path.endsWith('.m4s'));
    for (const path of [...blocking, ...media]) expect(asked.get(path), path).toBe(1);
    const requests = [...answered.values()].reduce((sum, count) => sum + count, 0);
    const misses = [...asked.values()].reduce((sum, count) => sum + count, 0);
    console.info(`${requests} requests of ${PLAYERS} players, ${misses} of them reached the origin`);
    expect(misses).toBeLessThan(requests / 8);
  });

  it('keeps no error', async () => {
    const server = await startTestServer(scope, { 'hub.reconnectWindowMs': '200', 'hls.endedMs': '200' });
    const cache = await startNginxCache(scope, server.http);
    const url = `${cache.http}/live/hls/index.m3u8`;
    expect((await fetch(url)).status).toBe(404);
    const publisher = await startPublisher(scope, { url: `${server.rtmp}/live/hls` });
    await until(async () => (await fetch(url)).status === 200);
    const far = `${cache.http}/live/hls/hls/video.m3u8?_HLS_msn=999999999999`;
    expect((await fetch(far)).status).toBe(400);
    await publisher.stop();
    await until(async () => [404, 410].includes((await fetch(url)).status), { timeoutMs: 20_000 });
    const late = await fetch(url);
    expect(late.headers.get('cache-control')).toBe('no-store');
    expect(cache.requests().filter((one) => one.status >= 400 && one.cache === 'HIT')).toEqual([]);
  });
});
