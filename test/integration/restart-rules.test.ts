import { parseMediaPlaylist } from '@onair/media/hls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  checkHlsRules,
  expectNoChildren,
  type HlsRulesReport,
  type PublisherOptions,
  Scope,
  startPublisher,
  until,
} from '../kit/index.ts';
import { slackMs } from '../kit/load.ts';
import { startTestServer } from '../kit/server.ts';

/** How long a stream's lists are followed, over two kills. */
const SECONDS = 12;

/** What comes back, and how many ms of it are sent before it is killed: in the middle of things. */
const STREAMS = {
  'same parameters': { ms: 2930, lives: [{}, {}] },
  'other parameters': {
    ms: 2870,
    lives: [{ size: '480x270', audio: { sampleRate: 48_000 } }, { size: '160x90' }],
  },
} as const satisfies Record<string, { ms: number; lives: readonly Partial<PublisherOptions>[] }>;

const scope = new Scope();
const reports = new Map<string, HlsRulesReport & { readonly returns: number }>();

beforeAll(async () => {
  const server = await startTestServer(scope);
  const told = Object.entries(STREAMS).map(async ([name, { ms, lives }], i) => {
    const common = { url: `${server.rtmp}/live/s${i}`, fps: 25, gopSeconds: 1, bFrames: 2, bitrate: 200_000 };
    let publisher = await startPublisher(scope, common);
    const url = (file: string): string => `${server.http}/live/s${i}/${file}.m3u8`;
    for (const file of ['index', 'ts'])
      await until(async () => (await fetch(url(file))).ok, { timeoutMs: 30_000 });
    const breaks = async (): Promise<number> => {
      const text = await (await fetch(url('hls/video'))).text();
      const { discontinuitySequence, segments } = parseMediaPlaylist(text);
      return discontinuitySequence + segments.filter(({ discontinuity }) => discontinuity).length;
    };
    const before = await breaks();
    const rules = { seconds: SECONDS, slackMs };
    const found = [
      checkHlsRules(url('index'), rules),
      checkHlsRules(url('ts'), { ...rules, container: 'mpegts' }),
    ];
    for (const more of lives) {
      await until(() => publisher.sentMs >= ms, { timeoutMs: 60_000 });
      await publisher.kill();
      publisher = await startPublisher(scope, { ...common, ...more });
    }
    const done = await Promise.all(found);
    const returns = (await breaks()) - before;
    for (const [at, report] of done.entries())
      reports.set(`${name} ${['fMP4', 'TS'][at]}`, { ...report, returns });
  });
  await Promise.all(told);
}, 120_000);

afterAll(async () => {
  await scope.close();
  await expectNoChildren();
});

describe('lists over the return of an encoder', () => {
  it.each(Object.keys(STREAMS).flatMap((name) => [`${name} fMP4`, `${name} TS`]))(
    'keep every rule: %s',
    (title) => {
      const { findings, looked, returns } = reports.get(title)!;
      expect(returns).toBe(2);
      expect(findings).toEqual([]);
      expect(looked.segments).toBeGreaterThan(6);
    },
  );
});
