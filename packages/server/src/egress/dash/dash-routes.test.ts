import { request as httpRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { gunzipSync } from 'node:zlib';
import { streamName } from '@onair/media';
import { checkMpd, fillTemplate, parseMpd } from '@onair/media/dash';
import { parseInit } from '@onair/media/isobmff';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { FakeClock } from '../../../../../test/kit/fake-clock.ts';
import { source } from '../../../../../test/kit/hls-source.ts';
import { type Config, loadConfig } from '../../config/index.ts';
import { SessionTable, StreamRegistry } from '../../hub/index.ts';
import { createHttpServer } from '../../net/index.ts';
import { createLog } from '../../observe/index.ts';
import { cmafPackagerKind } from '../../packager/cmaf/index.ts';
import { DEFAULT_DASH_OPTIONS, dashPackagerKind } from '../../packager/dash/index.ts';
import { DEFAULT_HLS_OPTIONS, hlsPackagerKind } from '../../packager/hls/index.ts';
import { registerDashRoutes } from './dash-routes.ts';

const open: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of open.splice(0)) await close();
});

/** An answer as it comes in. */
interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly chunks: Buffer[];
  /** Resolves with the body, rejects when it is cut. */
  readonly body: Promise<Buffer>;
  readonly message: IncomingMessage;
}

async function setUp(bytes = 500) {
  const clock = new FakeClock();
  const sessions = new SessionTable(
    () => clock.wall(),
    () => String(Math.random()),
  );
  const base = loadConfig({});
  const config: Config = { ...base, http: { ...base.http, host: '127.0.0.1', port: 0 } };
  const { logger } = createLog({ level: 'silent', format: 'json', write: () => {} });
  const server = createHttpServer({ config: () => config, logger, pagesFolder: '/nowhere' });
  const cmaf = cmafPackagerKind();
  const hls = hlsPackagerKind(cmaf, clock, () => DEFAULT_HLS_OPTIONS);
  const kind = dashPackagerKind(hls, cmaf, clock, () => DEFAULT_DASH_OPTIONS);
  const registry = new StreamRegistry({ clock, eager: [hls] });
  const log = () => {};
  const stallMs = (): number => 10_000;
  const routes = registerDashRoutes(server, { registry, sessions, log, kind, clock, stallMs });
  const port = await server.listen();
  open.push(async () => {
    routes.close('test over');
    registry.close('test over');
    await server.close(0);
  });
  const stream = registry.open(streamName('live', 'test'));
  stream.attach();
  const ask = (path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Answer> =>
    new Promise((resolve, reject) => {
      httpRequest({ host: '127.0.0.1', port, path, method, headers }, (message) => {
        const chunks: Buffer[] = [];
        const body = new Promise<Buffer>((whole, cut) => {
          message.on('data', (chunk: Buffer) => chunks.push(chunk));
          message.on('end', () => whole(Buffer.concat(chunks)));
          message.on('error', cut);
        });
        body.catch(() => {});
        resolve({ status: message.statusCode ?? 0, headers: message.headers, chunks, body, message });
      })
        .on('error', reject)
        .end();
    });
  const samples = source({ seconds: 60, bytes });
  let running: ReturnType<typeof registry.publish> | undefined;
  let next = 0;
  /** Publishes on until `seconds` of media time. */
  const until = (seconds: number): void => {
    if (running === undefined) {
      running = registry.publish(stream.name, { protocol: 'test', revoked: () => {} });
      running.promise({ audio: true, video: true });
      for (const track of new Set(samples.map(({ sample }) => sample.track))) running.setTrack(track);
    }
    for (; next < samples.length && samples[next]!.at < seconds * 1000; next++) {
      clock.advance(Math.max(0, samples[next]!.at + 1000 - clock.now()));
      running.push(samples[next]!.sample);
    }
  };
  const manifest = async (path = '/live/test/manifest.mpd') => {
    const mpd = parseMpd((await (await ask(path)).body).toString());
    const template = mpd.periods[0]!.adaptationSets[0]!.representations[0]!.segmentTemplate;
    const { t, d } = template.timeline.at(-1)!;
    /** The address of the newest segment, or of one so many behind it. */
    const segment = (behind = 0): string =>
      new URL(
        fillTemplate(template.media, { representationId: 'video', time: t + behind * d }),
        'http://h/live/test/',
      ).pathname;
    return { mpd, template, segment };
  };
  const packager = () => stream.packager(kind);
  return {
    clock,
    stream,
    sessions,
    routes,
    ask,
    until,
    manifest,
    packager,
    end: () => running?.close('done'),
  };
}

describe('the manifest', () => {
  it('leads to everything, by every address', async () => {
    const { ask, until, manifest } = await setUp();
    until(9);
    for (const path of ['/live/test/manifest.mpd', '/dash/test.mpd', '/dash/live/test.mpd']) {
      const { mpd, template } = await manifest(path);
      expect(checkMpd(mpd)).toEqual([]);
      const at = (address: string): string =>
        new URL(
          fillTemplate(address, { representationId: 'video', time: template.timeline[0]!.t }),
          `http://h${path}`,
        ).pathname;
      const init = await ask(at(template.initialization));
      expect(init.headers['content-type']).toBe('video/mp4');
      expect(parseInit(await init.body).tracks[0]!.timebase).toBe(template.timescale);
      const segment = await ask(at(template.media));
      expect(segment.status).toBe(200);
      expect(segment.headers['cache-control']).toContain('immutable');
      expect((await segment.body).length).toBe(Number(segment.headers['content-length']));
    }
  });

  it('speaks HTTP: type, tags, gzip, HEAD, CORS', async () => {
    const { ask, until } = await setUp();
    until(5);
    const path = '/live/test/manifest.mpd';
    const plain = await ask(path);
    expect(plain.headers['content-type']).toBe('application/dash+xml');
    expect(plain.headers['cache-control']).toBe('public, max-age=0, must-revalidate');
    expect(plain.headers['access-control-allow-origin']).toBe('*');
    const { etag } = plain.headers;
    expect((await ask(path, { 'if-none-match': etag! })).status).toBe(304);
    const packed = await ask(path, { 'accept-encoding': 'gzip' });
    expect(packed.headers.etag).not.toBe(etag);
    expect(gunzipSync(await packed.body)).toEqual(await plain.body);
    const head = await ask(path, {}, 'HEAD');
    expect(head.headers['content-length']).toBe(plain.headers['content-length']);
    expect((await head.body).length).toBe(0);
    expect((await ask(path, {}, 'OPTIONS')).status).toBe(204);
    until(8);
    expect((await ask(path, { 'if-none-match': etag! })).status).toBe(200);
  });

  it('leaves the growing segment out where that is asked for', async () => {
    const { until, manifest } = await setUp();
    until(9);
    const [low, plain] = [await manifest(), await manifest('/live/test/manifest.mpd?ll=0')];
    expect(low.segment()).toBe(plain.segment(1));
    expect(plain.template.availabilityTimeComplete).toBeUndefined();
    expect(plain.mpd.serviceDescriptions).toEqual([]);
    expect(checkMpd(plain.mpd)).toEqual([]);
  });

  it('comes as soon as there is one, and not for streams that are not there', async () => {
    const { ask, until, clock, packager } = await setUp();
    expect((await ask('/live/nobody/manifest.mpd')).status).toBe(404);
    expect((await ask('/live/no%2fbody/manifest.mpd')).status).toBe(400);
    expect((await ask('/live/test/manifest.mpd')).status).toBe(404);
    until(0.05);
    const early = ask('/live/test/manifest.mpd');
    const late = ask('/live/test/manifest.mpd?ll=0');
    await vi.waitFor(() => expect(packager().waiting).toBe(2));
    until(0.5);
    expect((await early).status).toBe(200);
    clock.advance(20_000);
    expect((await late).status).toBe(503);
    expect((await late).headers['retry-after']).toBe('1');
  });

  it('tells the time', async () => {
    const { ask, clock } = await setUp();
    const answer = await ask('/time');
    expect((await answer.body).toString()).toBe(new Date(clock.wall()).toISOString());
    expect(answer.headers['cache-control']).toBe('no-store');
    expect((await ask('/time', {}, 'HEAD')).headers.date).toBeDefined();
  });
});

describe('segments', () => {
  it('sends the growing one chunk by chunk, to who is there and to who comes late', async () => {
    const { ask, until, manifest } = await setUp();
    until(8.5);
    const { segment } = await manifest();
    const first = await ask(segment());
    expect(first.headers['transfer-encoding']).toBe('chunked');
    expect(first.headers['content-length']).toBeUndefined();
    const sizeOf = ({ chunks }: Answer): number => chunks.reduce((sum, { length }) => sum + length, 0);
    await vi.waitFor(() => expect(sizeOf(first)).toBeGreaterThan(15 * 500));
    const before = sizeOf(first);
    until(8.6);
    await vi.waitFor(() => expect(sizeOf(first)).toBeGreaterThanOrEqual(before + 3 * 500));
    const late = await ask(segment());
    await vi.waitFor(() => expect(sizeOf(late)).toBe(sizeOf(first)));
    until(10.1);
    const [one, other] = await Promise.all([first.body, late.body]);
    const whole = await ask(segment());
    expect(whole.headers['content-length']).toBe(String(one.length));
    expect(one.equals(await whole.body)).toBe(true);
    expect(other.equals(one)).toBe(true);
  });

  it('answers HEAD of the growing one at once', async () => {
    const { ask, until, manifest } = await setUp();
    until(8.5);
    const head = await ask((await manifest()).segment(), {}, 'HEAD');
    expect(head.status).toBe(200);
    expect((await head.body).length).toBe(0);
  });

  it('holds a request for the next one until it begins', async () => {
    const { ask, until, manifest, packager } = await setUp();
    until(8.5);
    const { segment } = await manifest();
    const next = ask(segment(1));
    await vi.waitFor(() => expect(packager().waiting).toBe(1));
    until(12.1);
    expect((await (await next).body).length).toBeGreaterThan(60 * 500);
  });

  it('says what is gone and what never was', async () => {
    const { ask, until, manifest, stream } = await setUp();
    until(59);
    const { segment } = await manifest();
    expect((await ask(segment(-28))).status).toBe(410);
    expect((await ask(segment(2))).status).toBe(404);
    expect((await ask('/live/test/dash/video/i1.mp4')).status).toBe(410);
    expect((await ask('/live/test/dash/video/x.m4s')).status).toBe(404);
    expect((await ask('/live/test/dash/subtitles/s1.m4s')).status).toBe(404);
    expect(stream.state).toBe('live');
  });

  it('gives ranges of whole ones', async () => {
    const { ask, until, manifest } = await setUp();
    until(9);
    const path = (await manifest()).segment(-1);
    const whole = await (await ask(path)).body;
    const part = await ask(path, { range: 'bytes=10-19' });
    expect(part.status).toBe(206);
    expect((await part.body).equals(whole.subarray(10, 20))).toBe(true);
  });

  it('keeps little for a viewer that does not read, and cuts it', async () => {
    const { ask, until, manifest, sessions, clock } = await setUp(400_000);
    until(2.05);
    const { segment } = await manifest();
    const slow = await ask(segment());
    slow.message.pause();
    until(3.9);
    const sent = (): number => sessions.list().reduce((sum, session) => sum + session.figures().bytes, 0);
    const counted = sent();
    expect(counted).toBeLessThan(50 * 400_000);
    clock.advance(10_000);
    slow.message.resume();
    await expect(slow.body).rejects.toThrow();
  });

  it('ends with the stream', async () => {
    const { ask, until, manifest, end, clock } = await setUp();
    until(8.5);
    const { segment } = await manifest();
    const last = await ask(segment());
    end();
    expect((await last.body).length).toBeGreaterThan(10 * 500);
    clock.advance(40_000);
    const { mpd } = await manifest();
    expect(mpd.type).toBe('static');
    expect(checkMpd(mpd)).toEqual([]);
    expect((await ask(segment())).status).toBe(200);
    expect((await ask(segment(1))).status).toBe(404);
  });

  it('counts viewers as DASH, and sends away whom the operator ended', async () => {
    const { ask, until, sessions, routes, manifest } = await setUp();
    until(5);
    await manifest();
    expect(sessions.list().map(({ protocol }) => protocol)).toEqual(['dash']);
    expect(routes.viewers).toBe(1);
    sessions.list()[0]!.close('enough');
    expect((await ask('/live/test/manifest.mpd')).status).toBe(410);
  });
});
