import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { closePages, launchChromium, openPage } from '../kit/chromium.ts';
import { type FileTrack, makeTestMedia } from '../kit/fmp4-file.ts';
import { slack } from '../kit/load.ts';
import { bundlePlayer, PlayerPage } from '../kit/player-page.ts';
import { addPlayer, probe, watchFor } from '../kit/player-probe.ts';
import { Scope } from '../kit/scope.ts';
import { until } from '../kit/until.ts';

const scope = new Scope();
let server: PlayerPage;
let address: string;
let browser: Browser;
let media: readonly FileTrack[];

beforeAll(async () => {
  const bundle = await bundlePlayer();
  scope.defer(bundle.remove);
  server = new PlayerPage(bundle.dir);
  scope.defer(() => server.close());
  address = await server.listen();
  browser = await launchChromium(scope);
  media = makeTestMedia({ width: 640, height: 360, sampleRate: 48_000 });
});
afterEach(() => closePages(browser));
afterAll(() => scope.close());

async function open(attributes: Record<string, string>): Promise<Page> {
  const { page, errors } = await openPage(browser, { viewport: { width: 640, height: 360 } });
  await page.goto(address);
  await addPlayer(page, attributes);
  page.once('close', () => expect(errors.filter((line) => !/WebSocket connection/.test(line))).toEqual([]));
  return page;
}

async function untilPlaying(page: Page, timeoutMs = 15_000): Promise<void> {
  await until(async () => (await probe(page)).status === 'playing', { timeoutMs, message: 'playing' });
}

describe('player over fMP4 WebSocket', () => {
  it('waits for a stream, then plays picture and sound by itself within half a second of the server', async () => {
    const stream = server.stream('live/late');
    const page = await open({ src: '/live/late', autoplay: '' });
    await until(async () => (await probe(page)).status === 'waiting');
    expect(await page.locator('onair-player .card h2').textContent()).toBe('Waiting for live/late…');
    stream.publish(media);
    await untilPlaying(page);
    const figures = await watchFor(page, 15_000);
    console.log('late start', JSON.stringify(figures));
    expect(figures.width).toBe(640);
    expect(figures.advanced).toBeGreaterThan(13 / slack());
    expect(figures.decoded).toBeGreaterThan((15 * 30 * 0.8) / slack());
    expect(figures.audioBytes).toBeGreaterThan(10_000);
    expect(figures.errors).toBe(0);
    expect(figures.longestStall).toBeLessThan(500 * slack());
    expect(figures.latencyP50).toBeLessThanOrEqual(0.5 * slack());
    await page.close();
  });

  it('joins a running stream at once', async () => {
    const stream = server.stream('live/running');
    stream.publish(media);
    await until(() => stream.seconds > 3);
    const page = await open({ src: '/live/running', autoplay: '' });
    const first = await until(async () => {
      const { firstPicture } = await probe(page);
      return firstPicture;
    });
    await untilPlaying(page);
    console.log('first picture after', Math.round(first), 'ms');
    expect(first).toBeLessThan(2000 * slack());
    const { latency } = await probe(page);
    expect(latency).toBeLessThan(1 * slack());
    await page.close();
  });

  it.each([
    ['the same parameters', { width: 640, height: 360, sampleRate: 48_000 }, true],
    ['another resolution and audio rate', { width: 320, height: 180, sampleRate: 44_100 }, false],
    ['B-frames and another level', { width: 1280, height: 720, sampleRate: 48_000, bFrames: 2 }, false],
  ])(
    'dims the last picture while the publisher is gone and goes on when it is back with %s',
    async (name, next, same) => {
      const stream = server.stream(`live/back${name.length}`);
      stream.publish(media);
      const page = await open({ src: `/live/back${name.length}`, autoplay: '' });
      await untilPlaying(page);
      stream.vanish(20_000);
      await until(async () => (await probe(page)).status === 'absent');
      expect(await page.locator('onair-player .card h2').textContent()).toBe('Reconnecting…');
      expect(await page.locator('onair-player .left').textContent()).toMatch(/^(1\d|20) s left$/);
      const other = makeTestMedia(next);
      const before = (await probe(page)).decoded;
      const at = performance.now();
      stream.publish(other, same);
      await until(async () => {
        const now = await probe(page);
        return now.status === 'playing' && now.decoded > before && now.width === next.width;
      });
      console.log(name, 'back after', Math.round(performance.now() - at), 'ms');
      const figures = await watchFor(page, 6000);
      console.log(JSON.stringify(figures));
      expect(figures.advanced).toBeGreaterThan(5 / slack());
      expect(figures.audioBytes).toBeGreaterThan(4000);
      expect(figures.errors).toBe(0);
      await page.close();
    },
  );

  it('plays sound alone and picture alone, one after the other', async () => {
    const stream = server.stream('live/kinds');
    stream.publish(media.slice(1));
    const page = await open({ src: '/live/kinds', autoplay: '' });
    await untilPlaying(page);
    await page.locator('onair-player .card', { hasText: 'Sound only' }).waitFor();
    expect((await probe(page)).audioBytes).toBeGreaterThan(0);
    stream.vanish();
    stream.publish(media.slice(0, 1));
    await until(async () => (await probe(page)).width === 640);
    await untilPlaying(page);
    expect((await watchFor(page, 3000)).advanced).toBeGreaterThan(2 / slack());
    expect(await page.locator('onair-player .card', { hasText: 'Sound only' }).isVisible()).toBe(false);
    await page.close();
  });

  it('goes on without a gap when the connection is cut', async () => {
    const stream = server.stream('live/cut');
    stream.publish(media);
    const page = await open({ src: '/live/cut', autoplay: '', latency: 'balanced' });
    await untilPlaying(page);
    await watchFor(page, 3000);
    stream.cut();
    const figures = await watchFor(page, 4000);
    console.log('cut', JSON.stringify(figures));
    expect(stream.requests.at(-1)).toMatch(/after=\d+/);
    expect((await probe(page)).reconnects).toBe(1);
    expect(figures.advanced).toBeGreaterThan(3.5 / slack());
    expect(figures.longestStall).toBeLessThan(500 * slack());
    await page.close();
  });

  it('is live again soon after the page was frozen', async () => {
    const stream = server.stream('live/frozen');
    stream.publish(media);
    const page = await open({ src: '/live/frozen', autoplay: '' });
    await untilPlaying(page);
    const session = await page.context().newCDPSession(page);
    await session.send('Page.setWebLifecycleState', { state: 'frozen' });
    const at = stream.seconds;
    await until(() => stream.seconds - at > 6, { timeoutMs: 10_000 });
    await session.send('Page.setWebLifecycleState', { state: 'active' });
    await until(async () => ((await probe(page)).latency ?? 9) < 1 * slack(), { timeoutMs: 10_000 });
    await untilPlaying(page);
    expect((await watchFor(page, 3000)).advanced).toBeGreaterThan(2.5 / slack());
    await page.close();
  });
});
