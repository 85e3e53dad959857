import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { closePages, launchChromium, openPage } from '../kit/chromium.ts';
import { slack } from '../kit/load.ts';
import { bundlePlayer, PlayerPage } from '../kit/player-page.ts';
import { addPlayer, probe, watchFor } from '../kit/player-probe.ts';
import { startPublisher } from '../kit/publisher.ts';
import { Scope } from '../kit/scope.ts';
import { startTestServer, type TestServer } from '../kit/server.ts';
import { until } from '../kit/until.ts';

const scope = new Scope();
let server: TestServer;
let address: string;
let browser: Browser;

beforeAll(async () => {
  const bundle = await bundlePlayer();
  scope.defer(bundle.remove);
  const pages = new PlayerPage(bundle.dir);
  scope.defer(() => pages.close());
  address = await pages.listen();
  server = await startTestServer(scope, { demo: 'true' });
  browser = await launchChromium(scope);
});
afterEach(() => closePages(browser));
afterAll(() => scope.close());

async function open(
  attributes: Record<string, string>,
  prepare?: (page: Page) => Promise<void>,
): Promise<Page> {
  const { page } = await openPage(browser, { viewport: { width: 640, height: 360 } });
  await prepare?.(page);
  await page.goto(address);
  await addPlayer(page, attributes);
  return page;
}

const playing = (page: Page, transport: string): Promise<unknown> =>
  until(
    async () => {
      const now = await probe(page);
      return now.status === 'playing' && now.transport === transport;
    },
    { timeoutMs: 60_000, message: `playing by ${transport}` },
  );

/** A page waits for its publisher, loses it, and goes on with another. */
async function outlivesItsPublisher(transport: 'ws' | 'llhls' | 'hls' | 'flv'): Promise<void> {
  const name = `live/back-${transport}`;
  const own = new Scope();
  try {
    const url = `${server.rtmp}/${name}`;
    const page = await open({ src: `${server.http}/${name}`, autoplay: '', transport });
    await until(async () => (await probe(page)).status === 'waiting', { message: 'waiting' });
    const first = await startPublisher(own, { url, size: '640x360', audio: { sampleRate: 48_000 } });
    await playing(page, transport);
    await first.kill();
    await until(async () => (await probe(page)).status !== 'playing', {
      timeoutMs: 20_000,
      message: 'standing still',
    });
    const gone = await probe(page);
    const begin = performance.now();
    await startPublisher(own, { url, size: '320x180', audio: { sampleRate: 44_100 } });
    await until(async () => (await probe(page)).width === 320, {
      timeoutMs: 30_000,
      message: 'the new picture',
    });
    await playing(page, transport);
    console.log(transport, gone.status, 'back after', Math.round(performance.now() - begin), 'ms');
    const watched = await watchFor(page, 5000);
    console.log(JSON.stringify(watched));
    expect(watched.advanced).toBeGreaterThan(4 / slack());
    expect(watched.audioBytes).toBeGreaterThan(3000);
    expect(watched.errors).toBe(0);
    await page.close();
  } finally {
    await own.close();
  }
}

describe('player on a real server', () => {
  // How they play, and how late, is looked at beside the other players.
  it('waits for the publisher and for its return, by every transport', async () => {
    const transports = ['ws', 'llhls', 'hls', 'flv'] as const;
    await Promise.all(transports.map((transport) => outlivesItsPublisher(transport)));
  });

  it('falls back from WebSocket to HLS to FLV without a reload, and tells why', async () => {
    const page = await open({ src: `${server.http}/live/demo`, autoplay: '' }, async (blocked) => {
      await blocked.routeWebSocket(/\.fmp4/, (socket) => socket.close({ code: 1011 }));
      await blocked.route(/\.m3u8/, (route) => route.abort());
      await blocked.addInitScript(() => {
        const told: unknown[] = [];
        (window as unknown as { told: unknown[] }).told = told;
        document.addEventListener('onair-transport', (event) => told.push((event as CustomEvent).detail));
      });
    });
    await until(async () => (await probe(page)).status === 'playing', {
      timeoutMs: 60_000,
      message: 'playing',
    });
    expect((await probe(page)).transport).toBe('flv');
    const told = await page.evaluate(
      () => (window as unknown as { told: { transport: string; why: string }[] }).told,
    );
    expect(told.map(({ transport, why }) => `${transport} ${why}`)).toEqual([
      'ws first',
      'llhls fallback',
      'hls fallback',
      'flv fallback',
    ]);
    await page.locator('onair-player button[title="Settings"]').click();
    expect(await page.locator('onair-player .note').textContent()).toContain('HLS (browser) did not work: ');
    await page.close();
  });

  it('changes the transport when a person chooses one', async () => {
    const page = await open({ src: `${server.http}/live/demo`, autoplay: '' });
    await playing(page, 'ws');
    await page.focus('onair-player');
    await page.locator('onair-player button[title="Settings"]').click();
    await page.locator('onair-player input[value="llhls"]').check();
    await playing(page, 'llhls');
    await page.locator('onair-player input[value="flv"]').check();
    await playing(page, 'flv');
    await page.locator('onair-player input[name="transport"][value="auto"]').check();
    await playing(page, 'ws');
    expect(await page.evaluate(() => document.querySelector('onair-player')!.transport)).toBe('auto');
    await page.close();
  });
});
