import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { OnairPlayerElement } from '@onair/client';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchChromium, openPage } from '../kit/chromium.ts';
import { makeTestMedia } from '../kit/fmp4-file.ts';
import { bundlePlayer, PlayerPage } from '../kit/player-page.ts';
import { addPlayer, probe } from '../kit/player-probe.ts';
import { Scope } from '../kit/scope.ts';
import { until } from '../kit/until.ts';

const scope = new Scope();
let folder: string;
let server: PlayerPage;
let address: string;
let browser: Browser;
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

beforeAll(async () => {
  const bundle = await bundlePlayer();
  scope.defer(bundle.remove);
  folder = bundle.dir;
  server = new PlayerPage(bundle.dir);
  scope.defer(() => server.close());
  address = await server.listen();
  browser = await launchChromium(scope);
  server.stream('live/test').publish(makeTestMedia({ width: 640, height: 360, sampleRate: 48_000 }));
});
afterAll(() => scope.close());

async function open(attributes: Record<string, string>, size = { width: 640, height: 360 }): Promise<Page> {
  const { page } = await openPage(browser, { viewport: size });
  await page.goto(address);
  await addPlayer(page, attributes);
  return page;
}

const playing = (page: Page): Promise<unknown> =>
  until(async () => (await probe(page)).status === 'playing', { timeoutMs: 20_000, message: 'playing' });
const video = <T>(page: Page, look: (video: HTMLVideoElement) => T): Promise<T> =>
  page.evaluate(`(${String(look)})(document.querySelector('onair-player').video)`) as Promise<T>;

describe('player element', () => {
  it('keeps to its budget of bytes', () => {
    const budget = JSON.parse(readFileSync('packages/client/bundle-budget.json', 'utf8'));
    const part: Readonly<Record<string, string>> = {
      'media-chrome-parts': 'controls',
      i18n: 'controls',
      'flv-source': 'flv',
      'sample-entry': 'flv',
      'relay-source': 'relay',
      'webm-wrapper': 'webm',
      'hls-source': 'llhls',
      'whep-source': 'whep',
      'native-hls-source': 'hls',
      availability: 'hls',
    };
    const sizes: Record<string, number> = {};
    for (const file of readdirSync(folder)) {
      const name = file.replace(/(-[\w-]{8})?\.js$/, '');
      const kind = part[name] ?? 'first';
      sizes[kind] = (sizes[kind] ?? 0) + gzipSync(readFileSync(join(folder, file))).length;
    }
    for (const [kind, limit] of Object.entries(budget))
      expect(sizes[kind], kind).toBeLessThanOrEqual(limit as number);
  });

  it('obeys the keys', async () => {
    const page = await open({ src: '/live/test', autoplay: '' });
    await playing(page);
    await page.focus('onair-player');
    await page.keyboard.press('k');
    expect(await video(page, (v) => v.paused)).toBe(true);
    await until(async () => (await probe(page)).status === 'paused');
    await page.keyboard.press('Space');
    await playing(page);
    await page.keyboard.press('m');
    expect(await video(page, (v) => v.muted)).toBe(true);
    await page.keyboard.press('ArrowUp');
    expect(await video(page, (v) => v.muted)).toBe(false);
    for (let i = 0; i < 4; i++) await page.keyboard.press('ArrowDown');
    expect(await video(page, (v) => v.volume)).toBeCloseTo(0.8);
    await page.keyboard.press('f');
    await until(() => page.evaluate(() => document.fullscreenElement?.localName === 'onair-player'));
    await page.keyboard.press('f');
    await until(() => page.evaluate(() => document.fullscreenElement === null));
    const shown = (name: string): Promise<boolean> => page.locator(`onair-player .${name}`).isVisible();
    await page.keyboard.press('s');
    expect(await shown('stats')).toBe(true);
    await page.keyboard.press('?');
    expect(await shown('keys')).toBe(true);
    await page.keyboard.press('Escape');
    expect([await shown('keys'), await shown('stats')]).toEqual([false, false]);
    await page.close();
  });

  it('steps back within what is buffered and returns to live', async () => {
    const page = await open({ src: '/live/test', autoplay: '' });
    await playing(page);
    await until(async () => video(page, (v) => v.currentTime - v.buffered.start(0) > 8), {
      timeoutMs: 20_000,
    });
    await page.focus('onair-player');
    await page.keyboard.press('ArrowLeft');
    const live = page.locator('onair-player .live');
    await until(async () => (await live.getAttribute('aria-pressed')) === 'false');
    const { latency } = await probe(page);
    expect(latency).toBeGreaterThan(4);
    await live.click();
    await until(async () => ((await probe(page)).latency ?? 9) < 1);
    await until(async () => (await live.getAttribute('aria-pressed')) === 'true');
    await page.keyboard.press('Home');
    await until(async () => ((await probe(page)).latency ?? 0) > 5);
    await page.keyboard.press('End');
    await until(async () => ((await probe(page)).latency ?? 9) < 1);
    await page.close();
  });

  it('plays muted and offers sound where the browser refuses it', async () => {
    const strict = new Scope();
    try {
      const own = await launchChromium(strict, { flags: ['--autoplay-policy=user-gesture-required'] });
      const { page } = await openPage(own, { viewport: { width: 640, height: 360 } });
      // Not by a script of the test: the browser takes that for a person's doing.
      await page.goto(`${address}?src=/live/test&autoplay`);
      const offer = page.locator('onair-player .unmute');
      await offer.waitFor();
      await playing(page);
      expect(await offer.textContent()).toBe('Tap for sound');
      expect(await video(page, (v) => v.muted)).toBe(true);
      await offer.click();
      expect(await video(page, (v) => v.muted)).toBe(false);
      expect(await offer.isVisible()).toBe(false);
      expect(await video(page, (v) => v.paused)).toBe(false);
    } finally {
      await strict.close();
    }
  });

  it('does nothing before a person wants to play, then connects', async () => {
    const before = server.stream('live/test').requests.length;
    const page = await open({ src: '/live/test' });
    await page.locator('onair-player .start').waitFor();
    expect(server.stream('live/test').requests.length).toBe(before);
    await page.locator('onair-player .start').click();
    await playing(page);
    await page.close();
  });

  it('mirrors attributes, speaks Japanese and Chinese, warns of nonsense', async () => {
    const warnings: string[] = [];
    const { page } = await openPage(browser);
    page.on('console', (message) => warnings.push(message.text()));
    await page.goto(address);
    await addPlayer(page, {
      src: '/live/none-yet',
      autoplay: '',
      lang: 'ja',
      transport: 'smoke',
      latency: 'balanced',
    });
    server.stream('live/none-yet');
    await page.evaluate(() => document.querySelector('onair-player')!.setAttribute('src', '/live/none-yet'));
    const title = page.locator('onair-player .card h2');
    await until(async () => (await title.textContent())?.includes('live/none-yet の開始を待っています…'), {
      timeoutMs: 20_000,
    });
    await page.evaluate(() => {
      document.querySelector('onair-player')!.lang = 'zh-CN';
    });
    await until(async () => (await title.textContent())?.includes('正在等待 live/none-yet…'));
    expect(warnings.some((text) => text.includes('transport="smoke"'))).toBe(true);
    expect(
      await page.evaluate(() => {
        const { latency, transport, src, autoplay } = document.querySelector('onair-player')!;
        return { latency, transport, src, autoplay };
      }),
    ).toEqual({ latency: 'balanced', transport: 'auto', src: '/live/none-yet', autoplay: true });
    await page.close();
  });

  it('tells its figures, in events and as text to copy', async () => {
    const page = await open({ src: '/live/test', autoplay: '' });
    const stats = page.evaluate(
      () =>
        new Promise<object>((resolve) => {
          document.querySelector('onair-player')!.addEventListener('onair-stats', (event) => {
            const { detail } = event as CustomEvent<{ latency?: number; bitrate?: number }>;
            if (detail.latency !== undefined && detail.bitrate !== undefined) resolve(detail);
          });
        }),
    );
    expect(await stats).toMatchObject({
      transport: 'ws',
      codecs: expect.stringMatching(/^avc1\.\w+, mp4a\.40\.2$/),
    });
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    await page.focus('onair-player');
    await page.keyboard.press('s');
    await page.locator('onair-player .stats button', { hasText: 'Copy' }).click();
    await page.locator('onair-player .stats button', { hasText: 'Copied' }).waitFor();
    expect(await page.evaluate(() => navigator.clipboard.readText())).toMatch(
      /^Transport: WebSocket\nLatency: \d/,
    );
    await page.close();
  });

  it('leaves nothing behind when taken off the page', async () => {
    const { page } = await openPage(browser);
    await page.addInitScript(countLeftovers);
    await page.goto(address);
    const left = (): Promise<object> =>
      page.evaluate(() => (window as unknown as { left: () => object }).left());
    const before = await left();
    await addPlayer(page, { src: '/live/test', autoplay: '' });
    await playing(page);
    await page.focus('onair-player');
    await page.keyboard.press('s');
    const during = await left();
    expect(during).not.toEqual(before);
    const viewers = server.stream('live/test').viewers;
    await page.evaluate(() => {
      const player = document.querySelector('onair-player')!;
      (window as unknown as { kept: OnairPlayerElement }).kept = player;
      player.remove();
    });
    await until(() => server.stream('live/test').viewers === viewers - 1);
    await until(async () => JSON.stringify(await left()) === JSON.stringify(before));
    await page.evaluate(() => document.body.append((window as unknown as { kept: OnairPlayerElement }).kept));
    await playing(page);
    await page.close();
  });

  it.each([
    ['wide', { width: 960, height: 540 }],
    ['phone', { width: 360, height: 640 }],
  ])('has no fault that axe finds, and targets of 44 pixels (%s)', async (_name, size) => {
    const page = await open({ src: '/live/test', autoplay: '' }, size);
    await playing(page);
    await page.focus('onair-player');
    await page.evaluate(axe);
    for (const panel of [undefined, 's', '?']) {
      if (panel !== undefined) await page.keyboard.press(panel);
      const violations = await page.evaluate(async () => {
        const { axe } = window as unknown as {
          axe: {
            run(
              scope: object,
              options: object,
            ): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }>;
          };
        };
        const { violations } = await axe.run(
          { include: ['onair-player'] },
          { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'] },
        );
        return violations.map(
          ({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 120)).join(' | ')}`,
        );
      });
      expect(violations).toEqual([]);
      const small = await page.evaluate(() => {
        const root = document.querySelector('onair-player')!.shadowRoot!;
        const all = [
          ...root.querySelectorAll(
            'button, media-play-button, media-mute-button, media-fullscreen-button, label',
          ),
        ];
        return all
          .filter((one) => one.checkVisibility())
          .map((one) => ({ html: one.outerHTML.slice(0, 80), box: one.getBoundingClientRect() }))
          .filter(({ box }) => box.width < 44 || box.height < 44)
          .map(({ html, box }) => `${html} ${box.width}x${box.height}`);
      });
      expect(small).toEqual([]);
      expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true);
    }
    await page.close();
  });
});

/** Runs in the page before everything: counts what a page must give back. */
function countLeftovers(): void {
  const intervals = new Set<unknown>();
  const addresses = new Set<string>();
  const sockets = new Set<WebSocket>();
  const { setInterval: start, clearInterval: stop, WebSocket: Socket } = window;
  window.setInterval = ((...args: Parameters<typeof start>) => {
    const id = start(...args);
    intervals.add(id);
    return id;
  }) as typeof start;
  window.clearInterval = (id) => {
    intervals.delete(id);
    stop(id);
  };
  const { createObjectURL, revokeObjectURL } = URL;
  URL.createObjectURL = (thing: Blob | MediaSource) => {
    const url = createObjectURL(thing);
    addresses.add(url);
    return url;
  };
  URL.revokeObjectURL = (url) => {
    addresses.delete(url);
    revokeObjectURL(url);
  };
  window.WebSocket = class extends Socket {
    constructor(...args: ConstructorParameters<typeof Socket>) {
      super(...args);
      sockets.add(this);
    }
  };
  (window as unknown as { left: () => object }).left = () => ({
    intervals: intervals.size,
    addresses: addresses.size,
    sockets: [...sockets].filter((one) => one.readyState <= 1).length,
  });
}
