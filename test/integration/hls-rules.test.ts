import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  checkHlsRules,
  checkStalledReload,
  expectNoChildren,
  type HlsRulesReport,
  type Publisher,
  type PublisherOptions,
  Scope,
  startPublisher,
  until,
} from '../kit/index.ts';
import { isBusy, slackMs } from '../kit/load.ts';
import { startTestServer, type TestServer } from '../kit/server.ts';

/** `ONAIR_LONG=1` follows each stream long enough for segments to leave and to be forgotten. */
const SECONDS = process.env.ONAIR_LONG === '1' ? 120 : 14;

/** What is published, by the stream's name. */
const STREAMS = {
  'b-frames': { gopSeconds: 2, bFrames: 2 },
  'audio-only': { video: false, audio: { sampleRate: 48_000 } },
  'video-only': { audio: false, gopSeconds: 2 },
  'fps-23-976': { fps: 24_000 / 1001, gopSeconds: 2, bFrames: 2 },
  'fps-60': { fps: 60, gopSeconds: 2 },
  'gop-1': { gopSeconds: 1 },
  'gop-10': { gopSeconds: 10 },
} as const satisfies Record<string, Omit<PublisherOptions, 'url'>>;
type Name = keyof typeof STREAMS;

/** The servers that cut them: one as it comes, one with parts of 200 ms and segments of a second. */
const SERVERS: readonly { readonly settings: Record<string, string>; readonly names: readonly Name[] }[] = [
  { settings: {}, names: Object.keys(STREAMS) as Name[] },
  {
    settings: { 'hls.partMs': '200', 'hls.segmentMs': '1000' },
    names: ['audio-only', 'fps-23-976', 'gop-1'],
  },
];
const CASES = SERVERS.flatMap(({ settings, names }, at) =>
  names.map((name) => ({ at, name, title: [name, ...Object.values(settings)].join(' ') })),
);
/** Streams of the first server that are watched as MPEG-TS too. */
const TS_CASES: readonly Name[] = ['b-frames', 'audio-only', 'video-only', 'fps-23-976', 'gop-1'];

const scope = new Scope();
const servers: TestServer[] = [];
const publishers = new Map<string, Publisher>();
const reports = new Map<string, Promise<HlsRulesReport>>();

/**
 * All are watched at the same time; the 10-s GOP later, when its length can be known, and longer, so that several of its
 * segments end.
 */
beforeAll(async () => {
  for (const { settings } of SERVERS) servers.push(await startTestServer(scope, settings));
  for (const { at, name, title } of CASES) {
    const server = servers[at]!;
    const path = `live/${name}`;
    const publisher = await startPublisher(scope, {
      url: `${server.rtmp}/${path}`,
      size: '160x90',
      bitrate: 200_000,
      ...STREAMS[name],
    });
    publishers.set(title, publisher);
    const url = `${server.http}/${path}/index.m3u8`;
    const { tls: tlsPort } = server.ports as { readonly tls?: number };
    const long = name === 'gop-10';
    const ready = async (): Promise<boolean> => (await fetch(url)).ok && (!long || publisher.sentMs > 11_000);
    const seconds = long ? SECONDS + 10 : SECONDS;
    reports.set(
      title,
      until(ready, { timeoutMs: 30_000 }).then(() => checkHlsRules(url, { seconds, slackMs, tlsPort })),
    );
    if (at > 0 || !TS_CASES.includes(name)) continue;
    const ts = `${server.http}/${path}/ts.m3u8`;
    reports.set(
      `${title} ts`,
      until(async () => (await fetch(ts)).ok, { timeoutMs: 30_000 }).then(() =>
        checkHlsRules(ts, { seconds, slackMs, container: 'mpegts' }),
      ),
    );
  }
});

afterAll(async () => {
  await scope.close();
  await expectNoChildren();
});

describe('every rule of HLS and LL-HLS, against the running server', () => {
  it.each(CASES)('$title breaks none', { timeout: 60_000 + SECONDS * 2000 }, async ({ name, title }) => {
    const { findings, looked } = await reports.get(title)!;
    console.info(title, JSON.stringify(looked));
    expect(findings).toEqual([]);
    const lists = name === 'audio-only' || name === 'video-only' ? 1 : 2;
    expect(looked.playlists).toBe(lists);
    const least = isBusy() ? lists : SECONDS * lists;
    expect(looked.versions).toBeGreaterThan(least);
    expect(looked.hints).toBeGreaterThan(least);
    expect(looked.segments).toBeGreaterThan(lists);
  });

  it.each(TS_CASES)('%s as MPEG-TS breaks none', { timeout: 60_000 + SECONDS * 2000 }, async (name) => {
    const { findings, looked } = await reports.get(`${name} ts`)!;
    console.info(name, JSON.stringify(looked));
    expect(findings).toEqual([]);
    expect(looked.playlists).toBe(1);
    expect(looked.segments).toBeGreaterThan(2);
  });

  it('answers 503 after three target durations when nothing comes', async () => {
    await Promise.all(reports.values());
    const { pid } = publishers.get('gop-1')!.child;
    process.kill(pid, 'SIGSTOP');
    try {
      expect(await checkStalledReload(`${servers[0]!.http}/live/gop-1/hls/video.m3u8`, slackMs())).toEqual(
        [],
      );
    } finally {
      process.kill(pid, 'SIGCONT');
    }
  });
});
