import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchChromium, openPage } from '../kit/chromium.ts';
import { slack } from '../kit/load.ts';
import { bundlePlayer, PlayerPage } from '../kit/player-page.ts';
import { addPlayer, measureGlass, probe, watchFor } from '../kit/player-probe.ts';
import { startPublisher } from '../kit/publisher.ts';
import { Scope } from '../kit/scope.ts';
import { startTestServer, type TestServer } from '../kit/server.ts';
import { until } from '../kit/until.ts';

/** How long each transport is watched, and how long its glass-to-glass time is measured, in seconds. */
const LONG = process.env.ONAIR_LONG === '1';
const WATCH_SECONDS = LONG ? 180 : 10;
const GLASS_SECONDS = LONG ? 30 : 5;
/** Longest time that a position may stand still on a quiet machine, in ms; over WebSocket 0.3 s are all there is ahead. */
const STALL_MS = { ws: 1500, llhls: 500, hls: 500, flv: 1500 } as const;

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

/** Most seconds between the making of a picture and its showing, in the middle of the measures. */
const GLASS = { ws: 0.5, llhls: 2, hls: 12, flv: 0.6 } as const;

describe('player on a real server', () => {
  it.each(['ws', 'llhls', 'hls', 'flv'] as const)(
    'plays picture and sound by %s, close to the live edge',
    async (transport) => {
      const page = await open({ src: `${server.http}/live/demo`, autoplay: '', transport });
      await playing(page, transport);
      await watchFor(page, 3000);
      const [watched, glass] = await Promise.all([
        watchFor(page, WATCH_SECONDS * 1000),
        measureGlass(page, GLASS_SECONDS * 1000),
      ]);
      const middle = glass[glass.length >> 1]!;
      console.log(
        transport,
        JSON.stringify(watched),
        'glass',
        glass[0]?.toFixed(2),
        middle?.toFixed(2),
        glass.at(-1)?.toFixed(2),
      );
      expect(watched.advanced).toBeGreaterThan((0.9 * WATCH_SECONDS) / slack());
      expect(watched.width).toBe(640);
      expect(watched.decoded).toBeGreaterThan((20 * WATCH_SECONDS) / slack());
      expect(watched.audioBytes).toBeGreaterThan(1_000 * WATCH_SECONDS);
      expect(watched.longestStall).toBeLessThan(STALL_MS[transport] * slack());
      expect(watched.errors).toBe(0);
      expect(middle).toBeLessThan(GLASS[transport] * slack());
      await page.close();
    },
    WATCH_SECONDS * 1000 + 230_000,
  );

  it.each([['ws', 'llhls'] as const, ['hls', 'flv'] as const])(
    'waits for the publisher and for its return, by %s and by %s',
    async (...transports) => {
      await Promise.all(transports.map(outlivesItsPublisher));
    },
  );

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
