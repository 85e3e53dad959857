import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { gunzipSync } from 'node:zlib';
import { streamName, type Track, type VideoParameters } from '@onair/media';
import { parseMediaPlaylist, parseMultivariantPlaylist } from '@onair/media/hls';
import { inspectTs } from '@onair/media/mpegts';
import { afterEach, describe, expect, it } from 'vitest';
import { FakeClock } from '../../../../../test/kit/fake-clock.ts';
import { source, VIDEO } from '../../../../../test/kit/hls-source.ts';
import { hex, TRACKS } from '../../../../../test/kit/mp4-tracks.ts';
import { type Config, loadConfig } from '../../config/index.ts';
import { SessionTable, StreamRegistry } from '../../hub/index.ts';
import { createHttpServer } from '../../net/index.ts';
import { createLog } from '../../observe/index.ts';
import { cmafPackagerKind } from '../../packager/cmaf/index.ts';
import { DEFAULT_HLS_OPTIONS, hlsPackagerKind } from '../../packager/hls/index.ts';
import { tsPackagerKind } from '../../packager/ts/index.ts';
import { registerTsRoutes } from './ts-routes.ts';

const H264: Track = {
  ...VIDEO,
  parameters: {
    ...(VIDEO.parameters as VideoParameters),
    description: hex('0142c01effe10004 6742c01e 010004 68ce3c80'),
  },
};

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  readonly text: string;
}

const open: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of open.splice(0)) await close();
});

async function setUp(video: Track = H264) {
  const clock = new FakeClock();
  const sessions = new SessionTable(
    () => clock.wall(),
    () => String(Math.random()),
  );
  const base = loadConfig({});
  const config: Config = { ...base, http: { ...base.http, host: '127.0.0.1', port: 0 } };
  const { logger } = createLog({ level: 'silent', format: 'json', write: () => {} });
  const server = createHttpServer({ config: () => config, logger, pagesFolder: '/nowhere' });
  const hls = hlsPackagerKind(cmafPackagerKind(), clock, () => DEFAULT_HLS_OPTIONS);
  const kind = tsPackagerKind(hls, clock, () => ({ maxWaiters: 100 }));
  const registry = new StreamRegistry({ clock, eager: [hls] });
  const routes = registerTsRoutes(server, {
    registry,
    sessions,
    log: () => {},
    kindOf: () => kind,
    clock,
    endedMs: () => 60_000,
  });
  const port = await server.listen();
  open.push(async () => {
    routes.close('test over');
    registry.close('test over');
    await server.close(0);
  });
  const stream = registry.open(streamName('live', 'test'));
  stream.attach();
  const get = (path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const request = httpRequest({ host: '127.0.0.1', port, path, method, headers }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => {
          const body = Buffer.concat(chunks);
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body,
            text: body.toString(),
          });
        });
      });
      request.on('error', reject).end();
    });
  const samples = source({ seconds: 60, video, bytes: 500 }).map(({ at, sample }) => {
    const data = sample.data.slice();
    if (sample.track === video) data.set([0, 0, 1, 0xf0, sample.keyframe ? 0x65 : 0x41]);
    return { at, sample: { ...sample, data } };
  });
  const publication = registry.publish(stream.name, { protocol: 'test', revoked: () => {} });
  publication.promise({ audio: true, video: true });
  for (const track of new Set(samples.map(({ sample }) => sample.track))) publication.setTrack(track);
  let next = 0;
  /** Publishes on until `seconds` of media time. */
  const until = (seconds: number): void => {
    for (; next < samples.length && samples[next]!.at < seconds * 1000; next++) {
      clock.advance(Math.max(0, samples[next]!.at + 1000 - clock.now()));
      publication.push(samples[next]!.sample);
    }
  };
  /** Asks until everything that there is has been made. */
  const listed = async (path: string, headers: Record<string, string> = {}): Promise<Answer> => {
    const answer = get(path, headers);
    for (let done = false; !done; ) {
      await Promise.race([answer.then(() => (done = true)), new Promise((resolve) => setImmediate(resolve))]);
      clock.advance(0);
    }
    return answer;
  };
  return { clock, registry, stream, sessions, routes, get, until, listed, publication };
}

describe('HLS with MPEG-TS over HTTP', () => {
  it('tells a media element that asks by itself no dates', async () => {
    const { get, until, listed } = await setUp();
    until(9);
    await listed('/live/test/ts.m3u8');
    const scripted = await get('/live/test/ts/index.m3u8', { 'sec-fetch-dest': 'empty' });
    const own = await get('/live/test/ts/index.m3u8', { 'sec-fetch-dest': 'video' });
    const text = scripted.body.toString();
    expect(text).toContain('#EXT-X-PROGRAM-DATE-TIME');
    expect(own.body.toString()).toBe(text.replaceAll(/#EXT-X-PROGRAM-DATE-TIME.*\n/g, ''));
    expect(own.headers['cache-control']).toBe('private, max-age=1');
    expect(scripted.headers['cache-control']).toBe('public, max-age=1');
    expect(own.headers.etag).not.toBe(scripted.headers.etag);
  });

  it('serves everything from the multivariant playlist down', async () => {
    const { get, until, listed, sessions, routes } = await setUp();
    until(11);
    const master = await listed('/live/test/ts.m3u8');
    expect(master.status).toBe(200);
    expect(master.headers['content-type']).toBe('application/vnd.apple.mpegurl');
    expect(master.headers['access-control-allow-origin']).toBe('*');
    const { variants } = parseMultivariantPlaylist(master.body);
    expect(variants[0]!.uri).toBe('ts/index.m3u8');
    const list = await get(`/live/test/${variants[0]!.uri}`, { 'accept-encoding': 'gzip' });
    expect(list.headers['content-encoding']).toBe('gzip');
    expect(list.headers['cache-control']).toBe('public, max-age=1');
    const playlist = parseMediaPlaylist(gunzipSync(list.body));
    expect(playlist.segments.length).toBeGreaterThanOrEqual(3);
    expect(playlist.endList).toBe(false);
    const address = `/live/test/ts/${playlist.segments[0]!.uri}`;
    const segment = await get(address);
    expect(segment.status).toBe(200);
    expect(segment.headers['content-type']).toBe('video/mp2t');
    expect(segment.headers['cache-control']).toContain('immutable');
    expect(segment.headers['access-control-allow-origin']).toBe('*');
    const report = inspectTs(segment.body);
    expect(report.faults).toEqual([]);
    expect(report.streams.map(({ streamType }) => streamType)).toEqual([0x1b, 0x0f, 0x15]);

    const head = await get(address, {}, 'HEAD');
    expect(head.status).toBe(200);
    expect(head.headers['content-length']).toBe(String(segment.body.length));
    expect(head.body).toHaveLength(0);
    const range = await get(address, { range: 'bytes=188-375' });
    expect(range.status).toBe(206);
    expect(range.headers['content-range']).toBe(`bytes 188-375/${segment.body.length}`);
    expect(range.body).toEqual(segment.body.subarray(188, 376));
    expect((await get(address, { range: 'bytes=99999999-' })).status).toBe(416);
    expect((await get(address, { 'if-none-match': segment.headers.etag! })).status).toBe(304);
    expect((await get('/live/test/ts/index.m3u8', { 'if-none-match': '*' })).status).toBe(304);

    expect(routes.viewers).toBe(1);
    const [viewer] = sessions.list();
    expect(viewer).toMatchObject({ kind: 'viewer', protocol: 'hls' });
  });

  it('answers what is not there as HLS asks for', async () => {
    const { get, until, listed, clock } = await setUp();
    until(8);
    const first = parseMediaPlaylist((await listed('/live/test/ts/index.m3u8')).body);
    const address = `/live/test/ts/${first.segments[0]!.uri}`;
    expect((await get(address)).status).toBe(200);
    for (const path of [
      '/live/test/ts/s99999999999.ts',
      '/live/test/ts/x.ts',
      '/live/test/ts/s1.m4s',
      '/live/no-one/ts.m3u8',
      '/live/no-one/ts/s1.ts',
    ]) {
      const answer = await get(path);
      expect(answer.status, path).toBe(404);
      expect(answer.headers['content-type']).toContain('application/problem+json');
    }
    expect((await get('/live/a.b/ts.m3u8')).status).toBe(400);
    until(55);
    clock.advance(1);
    await listed('/live/test/ts/index.m3u8');
    expect((await get(address)).status).toBe(410);
  });

  it('holds the first request until there is enough to begin with', async () => {
    const { get, until, stream, clock } = await setUp();
    until(0.2);
    const waiting = get('/live/test/ts.m3u8');
    await expect.poll(() => stream.state).toBe('live');
    const early = await Promise.race([waiting, new Promise((resolve) => setTimeout(resolve, 50, 'waits'))]);
    expect(early).toBe('waits');
    until(4);
    clock.advance(1);
    // One segment is not enough to begin with.
    const short = await Promise.race([waiting, new Promise((resolve) => setTimeout(resolve, 50, 'waits'))]);
    expect(short).toBe('waits');
    until(7);
    clock.advance(1);
    expect((await waiting).status).toBe(200);
    expect(parseMediaPlaylist((await get('/live/test/ts/index.m3u8')).body).segments).toHaveLength(3);
  });

  it('gives up after three target durations', async () => {
    const { get, until, clock } = await setUp();
    until(0.2);
    const waiting = get('/live/test/ts/index.m3u8');
    let answer: Answer | undefined;
    void waiting.then((result) => {
      answer = result;
    });
    await expect
      .poll(() => {
        clock.advance(1000);
        return answer?.status;
      })
      .toBe(503);
    expect(answer!.headers['retry-after']).toBe('1');
  });

  it('names a codec that the format has no place for', async () => {
    const { get, until } = await setUp({ ...TRACKS.av1!, id: 1 });
    until(3);
    for (const path of ['/live/test/ts.m3u8', '/live/test/ts/index.m3u8']) {
      const answer = await get(path);
      expect(answer.status).toBe(404);
      expect(JSON.parse(answer.text)).toMatchObject({
        code: 'CODEC_NOT_CARRIED',
        detail: expect.stringContaining('av1'),
      });
    }
  });

  it('ends the list with the stream', async () => {
    const { until, listed, stream, get } = await setUp();
    until(9);
    await listed('/live/test/ts.m3u8');
    stream.end('over');
    const playlist = parseMediaPlaylist((await listed('/live/test/ts/index.m3u8')).body);
    expect(playlist.endList).toBe(true);
    expect((await get(`/live/test/ts/${playlist.segments.at(-1)!.uri}`)).status).toBe(200);
  });

  it('sends away whom the operator sent away', async () => {
    const { until, listed, get, sessions } = await setUp();
    until(9);
    expect((await listed('/live/test/ts.m3u8')).status).toBe(200);
    sessions.list()[0]!.close('by the operator');
    expect((await get('/live/test/ts/index.m3u8')).status).toBe(410);
  });
});
