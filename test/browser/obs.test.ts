import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { streamName } from '../../packages/media/src/index.ts';
import { launchChromium, openPage } from '../kit/chromium.ts';
import { slack } from '../kit/load.ts';
import { OBS, startObs } from '../kit/obs.ts';
import { probe, watchFor } from '../kit/player-probe.ts';
import { lastLines } from '../kit/report.ts';
import { expectNoChildren, Scope } from '../kit/scope.ts';
import { startTestServer, type TestServer } from '../kit/server.ts';
import { until } from '../kit/until.ts';

/** How long the page is watched. */
const SECONDS = process.env.ONAIR_LONG === '1' ? 20 : 4;
const FPS = 30;

const scope = new Scope();
let server: TestServer;
beforeAll(async () => {
  server = await startTestServer(scope);
});
afterAll(async () => {
  const { log } = server;
  await scope.close();
  await expectNoChildren();
  expect(log.filter(({ level }) => level === 'error' || level === 'fatal')).toEqual([]);
});

describe.skipIf(OBS === undefined)(`OBS Studio${OBS === undefined ? ': not installed here' : ''}`, () => {
  it('publishes with the key `test`, and the page plays it', async () => {
    const begin = performance.now();
    const sinceBegin = (): string => ((performance.now() - begin) / 1000).toFixed(1);
    const [obs, browser] = await Promise.all([
      startObs(scope, { server: `${server.rtmp}/live`, key: 'test', width: 640, height: 360, fps: FPS }),
      launchChromium(scope),
    ]);
    const { page, errors } = await openPage(browser);
    await page.goto(`${server.http}/embed/live/test`);
    const name = streamName('live', 'test');
    await until(() => server.registry.find(name)?.state === 'live' || obs.exit !== undefined, {
      timeoutMs: 30_000 * slack(),
      message: () => `OBS publishes: ${lastLines(obs)}`,
    });
    expect(obs.exit, lastLines(obs)).toBeUndefined();
    const live = sinceBegin();
    await until(async () => (await probe(page)).status === 'playing', {
      timeoutMs: 30_000 * slack(),
      message: 'the page plays',
    });
    const playing = sinceBegin();
    const before = await probe(page);
    const watched = await watchFor(page, SECONDS * 1000);
    const after = await probe(page);
    const stalls = after.stalls - before.stalls;
    process.stderr.write(
      `      OBS live after ${live} s, page plays after ${playing} s; ${watched.decoded - watched.dropped} frames shown ` +
        `in ${SECONDS} s, ${stalls} stalls, longest stand ${Math.round(watched.longestStall)} ms, ` +
        `latency ${watched.latencyP50.toFixed(2)} s\n`,
    );
    expect(watched.width).toBe(640);
    expect(watched.advanced).toBeGreaterThan((0.8 * SECONDS) / slack());
    expect(watched.decoded).toBeGreaterThan((0.6 * FPS * SECONDS) / slack());
    expect(watched.audioBytes).toBeGreaterThan(1_000 * SECONDS);
    expect(errors).toEqual([]);
    const epoch = server.registry.find(name)?.epoch;
    expect(epoch?.tracks.map(({ parameters }) => parameters.codec).sort()).toEqual(['aac', 'h264']);
    // As a person closes it: it unpublishes first.
    await obs.stop('SIGINT', 5_000);
    await until(() => server.registry.find(name)?.state !== 'live', { timeoutMs: 10_000 });
  }, 120_000);
});
