import { connect, createServer, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { streamName } from '../../packages/media/src/index.ts';
import {
  Child,
  expectNoChildren,
  type PlayReport,
  playWithFfmpeg,
  playWithGst,
  playWithRtmpdump,
  Scope,
  startPublisher,
  startTestServer,
  type TestServer,
  until,
  watchRtmp,
} from '../kit/index.ts';

/** How long each player plays. */
const SECONDS = process.env.ONAIR_LONG === '1' ? 20 : 3;
const FPS = 25;
/** Requests per second that an idle RTMPT viewer may cause. */
const MAX_IDLE_RATE = 20;

type Way = 'rtmp' | 'rtmps' | 'rtmpt' | 'rtmpts' | 'rtmpe' | 'rtmpte';

const scope = new Scope();
let server: TestServer;

beforeAll(async () => {
  server = await startTestServer(scope, { 'rtmp.encrypted': 'true', 'rtmp.rtmpsPort': '0' });
  await startPublisher(scope, { url: url('rtmp', 'source'), fps: FPS });
});

afterAll(async () => {
  const { log } = server;
  await scope.close();
  await expectNoChildren();
  expect(log.filter(({ level }) => level === 'error' || level === 'fatal')).toEqual([]);
});

function url(way: Way, name: string, port = server.ports.rtmp): string {
  return `${way}://127.0.0.1:${port}/live/${name}`;
}

function expectPlayed(report: PlayReport): void {
  expect(report, report.player).toMatchObject({ errors: [], stalls: 0 });
  expect(report.frames, report.player).toBeGreaterThan((SECONDS - 1.5) * FPS);
  expect(report.audioMs, report.player).toBeGreaterThan((SECONDS - 1.5) * 1000);
  process.stderr.write(`      ${report.player}: ${report.frames} frames in ${SECONDS} s\n`);
}

/** librtmp takes options behind the address. */
const librtmp = (address: string): Promise<PlayReport> =>
  playWithGst(`${address} live=1`, SECONDS, { source: ['rtmpsrc'] });
const rtmp2 = (address: string): Promise<PlayReport> =>
  playWithGst(address, SECONDS, { source: ['rtmp2src', 'tls-validation-flags=0'] });
const ffmpeg = (address: string): Promise<PlayReport> => playWithFfmpeg(address, SECONDS);
const rtmpdump = (address: string): Promise<PlayReport> => playWithRtmpdump(address, SECONDS);

describe('players', () => {
  it.each<[Way, ((address: string) => Promise<PlayReport>)[]]>([
    ['rtmp', [rtmpdump, librtmp, rtmp2, ffmpeg]],
    ['rtmps', [rtmpdump, librtmp, rtmp2, ffmpeg]],
    ['rtmpt', [rtmpdump, librtmp, ffmpeg]],
    ['rtmpts', [rtmpdump, librtmp, ffmpeg]],
    ['rtmpe', [rtmpdump, librtmp]],
    ['rtmpte', [rtmpdump, librtmp]],
  ])('%s', async (way, players) => {
    const ours = watchRtmp(scope, url(way, 'source'));
    for (const report of await Promise.all(players.map((play) => play(url(way, 'source'))))) {
      expectPlayed(report);
    }
    expectPlayed(ours.report());
  });

  it.each<[Way, string, () => number | undefined]>([
    ['rtmps', 'the port for it, with TLS 1.3', () => server.ports.rtmps],
    ['rtmpt', 'the HTTP port', () => server.ports.http],
    ['rtmpts', 'the HTTPS port', () => server.ports.tls],
  ])('%s by %s', async (way, _, port) => {
    expectPlayed(await ffmpeg(url(way, 'source', port())));
  });
});

describe('publishers', () => {
  const gst = (sink: string[]): void => {
    const child = new Child('gst-launch', 'gst-launch-1.0', [
      ...['-q', 'flvmux', 'name=m', 'streamable=true', '!', ...sink],
      ...['videotestsrc', 'is-live=true', '!', `video/x-raw,width=320,height=180,framerate=${FPS}/1`, '!'],
      // Debian's librtmp sends no more than 16,384 octets of a message by RTMPTS and goes on with the next request.
      ...['x264enc', 'bitrate=400', `key-int-max=${FPS}`, 'bframes=0', 'tune=zerolatency'],
      ...['speed-preset=ultrafast', '!'],
      ...[
        'h264parse',
        '!',
        'm.',
        'audiotestsrc',
        'is-live=true',
        '!',
        'avenc_aac',
        '!',
        'aacparse',
        '!',
        'm.',
      ],
    ]);
    publishers.own({ stop: () => child.stop('SIGTERM') });
  };
  const publishers = new Scope();
  const ways = {
    ffmpeg: (way: Way, name: string) =>
      void startPublisher(publishers, { url: url(way, name), fps: FPS }).catch(() => undefined),
    rtmpsink: (way: Way, name: string) => gst(['rtmpsink', `location=${url(way, name)} live=1`]),
    rtmp2sink: (way: Way, name: string) =>
      gst(['rtmp2sink', 'tls-validation-flags=0', `location=${url(way, name)}`]),
  };

  it.each<[Way, (keyof typeof ways)[]]>([
    ['rtmp', ['ffmpeg', 'rtmpsink', 'rtmp2sink']],
    ['rtmps', ['ffmpeg', 'rtmpsink', 'rtmp2sink']],
    ['rtmpt', ['ffmpeg', 'rtmpsink']],
    ['rtmpts', ['ffmpeg', 'rtmpsink']],
    ['rtmpe', ['rtmpsink']],
    ['rtmpte', ['rtmpsink']],
  ])('%s', async (way, names) => {
    const streams = names.map((name) => [name, `${way}-${name}`] as const);
    for (const [name, stream] of streams) ways[name](way, stream);
    await Promise.all(
      streams.map(async ([name, stream]) => {
        await until(() => server.registry.find(streamName('live', stream))?.state === 'live', {
          timeoutMs: 30_000,
          message: `${name} publishes by ${way}`,
        });
        const { publication } = server.registry.find(streamName('live', stream))!;
        expect(publication?.publisher.protocol).toBe(way);
        const played = await ffmpeg(url('rtmp', stream));
        const left = server.log.find(
          (line) => line.msg === 'publisher left' && line.stream === `live/${stream}`,
        );
        expectPlayed({
          ...played,
          player: name,
          ...(left === undefined ? {} : { errors: [`left: ${left.reason}`] }),
        });
      }),
    );
    await publishers.close();
  });
});

it('holds the requests of an idle RTMPT viewer', async () => {
  let requests = 0;
  const passed: Socket[] = [];
  const proxy = createServer((client) => {
    const up = connect(server.ports.rtmp!, '127.0.0.1');
    client.on('data', (bytes: Buffer) => {
      requests += bytes.toString('latin1').split('POST ').length - 1;
    });
    for (const socket of [client, up]) socket.on('error', () => undefined);
    passed.push(client.pipe(up), up.pipe(client));
  }).listen(0, '127.0.0.1');
  await until(() => proxy.address() !== null);
  const { port } = proxy.address() as { readonly port: number };
  const viewer = new Child('rtmpdump', 'rtmpdump', [
    '-r',
    url('rtmpt', 'nothing', port),
    '--live',
    '-o',
    '-',
  ]);
  scope.own({ stop: () => viewer.stop('SIGKILL') });
  await until(() => server.registry.find(streamName('live', 'nothing')) !== undefined);
  const [before, sinceMs] = [requests, performance.now()];
  await until(() => performance.now() - sinceMs > 3_000);
  const rate = (requests - before) / ((performance.now() - sinceMs) / 1000);
  process.stderr.write(`      ${rate.toFixed(1)} requests/s\n`);
  expect(rate).toBeGreaterThan(0);
  expect(rate).toBeLessThan(MAX_IDLE_RATE);
  await viewer.stop('SIGKILL');
  for (const socket of passed) socket.destroy();
  proxy.close();
});
