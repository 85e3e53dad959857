import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchChromium, openPage } from '../kit/chromium.ts';
import { fileOf, film, written } from '../kit/film.ts';
import {
  buildPages,
  type MockApi,
  mockConsole,
  mockSession,
  mockStream,
  startMockApi,
} from '../kit/mock-api.ts';
import { Scope } from '../kit/scope.ts';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
/** Least side of what a finger must hit, pixels. */
const TARGET = 44;

const scope = new Scope();
let browser: Browser;
let mock: MockApi;

beforeAll(async () => {
  const folder = scope.tempDir('onair-pages-');
  await buildPages(folder);
  browser = await launchChromium(scope);
  mock = await startMockApi(folder);
  scope.defer(() => mock.close());
});
afterAll(() => scope.close());

interface Case {
  readonly name: string;
  readonly path: string;
  readonly set?: () => void;
  readonly ready: string;
  readonly act?: (page: Page) => Promise<void>;
}

const onAir = (): void => {
  mock.state.streams = [
    mockStream('live/test'),
    mockStream('live/gone', { state: 'waiting', reconnectDeadline: Date.now() + 25_000 }),
    mockStream('live/a-rather-long-name-that-needs-most-of-the-width-of-a-phone', {
      tracks: [{ kind: 'audio', codec: 'opus', sampleRate: 48_000 }],
    }),
  ];
};
const nothing = (): void => {
  mock.state.streams = [];
};
const openChip =
  (at: number) =>
  async (page: Page): Promise<void> => {
    await page.locator('.chip').nth(at).click();
    await page.locator('.sheet:popover-open').waitFor();
  };

const CASES: readonly Case[] = [
  { name: 'home, nothing on air', path: '/', set: nothing, ready: '.ways' },
  { name: 'home, on air', path: '/', set: onAir, ready: '.card' },
  { name: 'watch', path: '/watch/live/test', set: onAir, ready: '.facts' },
  { name: 'watch, delay', path: '/watch/live/test', set: onAir, ready: '.facts', act: openChip(0) },
  { name: 'watch, transport', path: '/watch/live/test', set: onAir, ready: '.facts', act: openChip(1) },
  { name: 'watch, share', path: '/watch/live/test', set: onAir, ready: '.facts', act: openChip(2) },
  { name: 'watch, waiting', path: '/watch/live/nobody', set: onAir, ready: '.waiting' },
  { name: 'watch, publisher lost', path: '/watch/live/gone', set: onAir, ready: '.watch .tally' },
  { name: 'embed', path: '/embed/live/test', ready: 'onair-player' },
  { name: 'compare', path: '/compare/live/test', set: onAir, ready: '.bars' },
  { name: 'dashboard, visitor', path: '/dashboard', set: onAir, ready: '.table' },
  {
    name: 'dashboard, operator',
    path: '/dashboard',
    set: () => {
      onAir();
      mock.state.admin = true;
      mock.state.sessions = [
        mockSession('one', { skips: 2 }),
        mockSession('two', { agent: 'x'.repeat(200) }),
      ];
    },
    ready: '.kick',
  },
  {
    name: 'operator, visitor',
    path: '/operator',
    set: () => {
      onAir();
      mock.state.admin = false;
    },
    ready: '.console-sign',
  },
  {
    name: 'operator',
    path: '/operator',
    set: () => {
      onAir();
      mock.state.admin = true;
      mock.state.console = mockConsole();
    },
    ready: '.poll',
    act: async (page) => {
      await page.locator('.console-arm').click();
      await page.keyboard.press('5');
      await page.locator('.cue-form').waitFor();
    },
  },
  { name: 'studio', path: '/studio', ready: '.studio-devices' },
  { name: 'recorder', path: '/recorder', ready: '.studio-devices' },
  { name: 'player', path: '/player', ready: 'video' },
  { name: 'relay', path: '/relay/live/test', set: onAir, ready: 'main' },
  { name: 'reporter', path: '/reporter', ready: '.studio-devices' },
  { name: 'viewer', path: '/viewer', ready: '.viewer-form' },
  { name: 'live cast', path: '/live', ready: '#video-start' },
  { name: 'files', path: '/files', ready: '.files-door' },
  { name: 'proxy', path: '/proxy', ready: '.proxy-form' },
  { name: 'inspector', path: '/inspect', ready: '.door' },
  {
    name: 'inspector, a file',
    path: '/inspect',
    ready: '.door',
    act: async (page) => {
      const { tracks, samples } = film(2);
      const buffer = Buffer.from(await written(fileOf(tracks, samples), 'mp4')).subarray(0, -9);
      await page.setInputFiles('input[type=file]', { name: 'film.mp4', mimeType: 'video/mp4', buffer });
      await page.locator('.tree-row').nth(1).click();
      await page.locator('.detail h3').waitFor();
    },
  },
  { name: 'capabilities', path: '/capabilities', ready: '.can-yes' },
  { name: 'talk', path: '/talk/lesson', ready: '#on-air' },
  { name: 'room', path: '/room/lesson', ready: '#request' },
  { name: 'rooms', path: '/rooms', ready: '.rooms-open' },
  { name: 'sign-in', path: '/signin', ready: '.sign-in' },
  {
    name: 'sign-in, wrong token',
    path: '/signin#token=wrong',
    ready: '[role=alert] .notice',
  },
  { name: 'about', path: '/about', ready: '.about' },
  { name: 'nothing here', path: '/nowhere', ready: '.missing' },
];

/** Both sets of colours, both layouts, each language; the third has nothing new for axe but its words. */
const LOOKS = [
  { width: 1440, colorScheme: 'dark', locale: 'en-US', judged: true },
  { width: 360, colorScheme: 'light', locale: 'ja-JP', judged: true },
  { width: 360, colorScheme: 'dark', locale: 'zh-CN', judged: false },
] as const;

/** What is wrong in a page that has {@link AXE}. */
function violations(page: Page): Promise<string[]> {
  return page.evaluate(async () => {
    const { axe } = window as unknown as {
      axe: {
        run(
          options: unknown,
        ): Promise<{ violations: { id: string; nodes: { html: string; failureSummary: string }[] }[] }>;
      };
    };
    const result = await axe.run({ resultTypes: ['violations'] });
    return result.violations.flatMap(({ id, nodes }) =>
      nodes.map(({ html, failureSummary }) => `${id}: ${html.slice(0, 160)}\n${failureSummary}`),
    );
  });
}

/** What is too small for a finger: buttons, fields and links that are not inside a sentence. */
function smallTargets(page: Page): Promise<string[]> {
  return page.evaluate((least) => {
    const all = document.querySelectorAll<HTMLElement>(
      'button, select, input:not([type=radio]), summary, nav a, .chip, .choice, td a',
    );
    return [...all]
      .filter((one) => one.checkVisibility({ visibilityProperty: true }))
      .map((one) => ({ one, box: one.getBoundingClientRect() }))
      .filter(({ box }) => box.height < least || box.width < least)
      .map(
        ({ one, box }) => `${one.outerHTML.slice(0, 120)} ${Math.round(box.width)}×${Math.round(box.height)}`,
      );
  }, TARGET);
}

describe.each(LOOKS)('$width px, $colorScheme, $locale', ({ width, colorScheme, locale, judged }) => {
  let page: Page;
  beforeAll(async () => {
    const viewport = { width, height: 800 };
    ({ page } = await openPage(browser, { viewport, colorScheme, locale, reducedMotion: 'reduce' }));
    // The page's policy keeps foreign scripts out; this one is not the page's, and the browser is sent it once.
    if (judged) await page.addInitScript(AXE);
  });
  afterAll(() => page.context().close());

  it.each(CASES)('$name', async ({ path, set, ready, act }) => {
    mock.state.admin = false;
    set?.();
    // The same page with another fragment would not be loaded anew.
    if (path.includes('#')) await page.goto('about:blank');
    await page.goto(mock.url + path);
    await page.locator(ready).first().waitFor();
    await act?.(page);
    if (judged) expect(await violations(page)).toEqual([]);
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    expect(overflow, 'horizontal scroll').toBeLessThanOrEqual(0);
    if (width < 720) expect(await smallTargets(page), 'targets for fingers').toEqual([]);
  });
});
