import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { launchChromium, openPage, type WatchedPage } from '../kit/chromium.ts';
import { fileOf, film, written } from '../kit/film.ts';
import { makeTestMedia } from '../kit/fmp4-file.ts';
import {
  buildPages,
  type MockApi,
  mockConsole,
  mockSession,
  mockStream,
  startMockApi,
} from '../kit/mock-api.ts';
import { Scope } from '../kit/scope.ts';

const scope = new Scope();
const media = makeTestMedia({ width: 640, height: 360, sampleRate: 48_000 });
const folder = scope.tempDir('onair-pages-');
let browser: Browser;
let mock: MockApi;
let watched: WatchedPage;

beforeAll(async () => {
  await buildPages(folder);
  browser = await launchChromium(scope);
});
afterAll(() => scope.close());

beforeEach(async () => {
  mock = await startMockApi(folder);
  watched = await openPage(browser, { viewport: { width: 1280, height: 800 }, locale: 'en-US' });
});
afterEach(async () => {
  const { context, foreignRequests, errors } = watched;
  await context.close();
  await mock.close();
  expect(foreignRequests).toEqual([]);
  // What the policy of the pages forbids is told on the console.
  expect(errors.filter((error) => /Content Security Policy|TypeError|ReferenceError/.test(error))).toEqual(
    [],
  );
});

const open = async (path: string): Promise<WatchedPage['page']> => {
  await watched.page.goto(mock.url + path);
  return watched.page;
};
const textOf = (selector: string): Promise<string> => watched.page.locator(selector).first().innerText();

describe('home', () => {
  it('tells how to go live while nothing is on air, each way with a copy button', async () => {
    mock.state.info = { ...mock.state.info, publishUrl: 'rtmp://192.168.1.5/live' };
    const page = await open('/');
    await expect.poll(() => textOf('h1')).toBe('Nothing is on air');
    const values = page.locator('.copy-text');
    await expect
      .poll(() => values.evaluateAll((all) => all.map((one) => (one as HTMLInputElement).value)))
      .toEqual([
        'rtmp://192.168.1.5/live',
        'test',
        expect.stringMatching(/^ffmpeg .* rtmp:\/\/192\.168\.1\.5\/live\/test$/),
        'npx onair demo',
      ]);
    await page.getByRole('button', { name: 'Copy Stream key' }).click();
    await expect.poll(() => page.locator('.copy-button', { hasText: 'Copied' }).count()).toBe(1);
  });

  it('shows a stream as soon as it is on air, with its picture, and leads to it', async () => {
    mock.media('live/test').publish(media);
    const page = await open('/');
    await expect.poll(() => textOf('h1')).toBe('Nothing is on air');
    mock.state.streams = [mockStream('live/test', { viewers: 1284 })];
    mock.tell();
    await expect.poll(() => textOf('.card-name')).toBe('test live');
    expect(await textOf('.card-viewers')).toContain('1,284');
    expect(await textOf('.card .tally')).toBe('ON AIR');
    await expect.poll(() => page.locator('canvas.preview-shown').count(), { timeout: 20_000 }).toBe(1);
    await expect.poll(() => mock.media('live/test').viewers).toBe(0);
    await page.locator('.card').hover();
    await expect.poll(() => page.locator('video.preview-shown').count(), { timeout: 20_000 }).toBe(1);
    await page.getByRole('link', { name: 'test live' }).click();
    await expect.poll(() => new URL(page.url()).pathname).toBe('/watch/live/test');
  });

  it('asks again and again where events do not come through', async () => {
    mock.state.events = false;
    await open('/');
    await expect.poll(() => textOf('h1')).toBe('Nothing is on air');
    mock.state.streams = [mockStream('live/late')];
    await expect.poll(() => textOf('.card-name'), { timeout: 10_000 }).toBe('late live');
  });

  it('says that the server is away, and goes on by itself', async () => {
    mock.state.streams = [mockStream('live/test')];
    const page = await open('/');
    await expect.poll(() => page.locator('.card').count()).toBe(1);
    mock.away(true);
    await expect.poll(() => page.locator('.link-notice .notice').count(), { timeout: 10_000 }).toBe(1);
    expect(await page.locator('.card').count()).toBe(1);
    mock.away(false);
    await expect.poll(() => page.locator('.link-notice .notice').count(), { timeout: 15_000 }).toBe(0);
  });

  it('speaks three languages and remembers the chosen one', async () => {
    const page = await open('/');
    await expect.poll(() => textOf('h1')).toBe('Nothing is on air');
    await page.locator('.language select').selectOption('ja');
    await expect.poll(() => textOf('h1')).toBe('放送中の番組はありません');
    expect(await page.locator('html').getAttribute('lang')).toBe('ja');
    await page.reload();
    await expect.poll(() => textOf('h1')).toBe('放送中の番組はありません');
    await page.locator('.language select').selectOption('zh');
    await expect.poll(() => textOf('h1')).toBe('目前没有直播');
  });

  it('takes other colours at a press and keeps them over a reload', async () => {
    const page = await open('/');
    const ground = (): Promise<string> =>
      page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
    const toggle = page.locator('.head-end button');
    await toggle.click();
    await expect.poll(ground).toBe('rgb(14, 17, 22)');
    await page.reload();
    await expect.poll(ground).toBe('rgb(14, 17, 22)');
    await toggle.click();
    await expect.poll(ground).toBe('rgb(247, 248, 250)');
  });
});

describe('watch', () => {
  it('waits with instructions and turns into the picture by itself', async () => {
    const page = await open('/watch/live/test');
    await expect.poll(() => textOf('.waiting h2')).toBe('Waiting for live/test');
    expect(await textOf('.waiting p')).toBe('Publish to rtmp://127.0.0.1/live with key test.');
    mock.media('live/test').publish(media);
    mock.state.streams = [mockStream('live/test')];
    mock.tell();
    await expect.poll(() => page.locator('.waiting').count()).toBe(0);
    await expect
      .poll(() => page.evaluate(() => document.querySelector('onair-player')?.video?.currentTime ?? 0), {
        timeout: 20_000,
      })
      .toBeGreaterThan(0);
    await expect.poll(() => textOf('.watch-chips .chip')).toMatch(/ms$|s$/);
  });

  it('lets a person choose delay and transport, by pointer and by keyboard', async () => {
    mock.media('live/test').publish(media);
    mock.state.streams = [mockStream('live/test')];
    const page = await open('/watch/live/test');
    const player = page.locator('onair-player');
    await page.locator('.chip').nth(0).click();
    await page.locator('.choice', { hasText: 'Smoothest' }).click();
    await expect.poll(() => player.getAttribute('latency')).toBe('smoothest');
    await page.keyboard.press('ArrowUp');
    await expect.poll(() => player.getAttribute('latency')).toBe('balanced');
    await page.keyboard.press('Escape');
    await page.locator('.chip').nth(1).click();
    await expect.poll(() => textOf('.sheet-note')).toBe('WebSocket is in use: the best for this browser.');
    await page.locator('.choice', { hasText: 'One endless HTTP answer.' }).click();
    await expect.poll(() => player.getAttribute('transport')).toBe('flv');
  });

  it('gives the player its keys, but not those that are meant for the page', async () => {
    mock.media('live/test').publish(media);
    mock.state.streams = [mockStream('live/test')];
    const page = await open('/watch/live/test');
    const muted = (): Promise<boolean | undefined> =>
      page.evaluate(() => document.querySelector('onair-player')?.video?.muted);
    await expect.poll(muted).toBe(false);
    await page.locator('h1').click();
    await page.keyboard.press('m');
    await expect.poll(muted).toBe(true);
    await page.locator('.language select').focus();
    await page.keyboard.press('m');
    expect(await muted()).toBe(true);
  });

  it('tells how long it waits for a publisher that vanished', async () => {
    mock.state.streams = [
      mockStream('live/test', { state: 'waiting', reconnectDeadline: Date.now() + 25_000 }),
    ];
    await open('/watch/live/test');
    await expect.poll(() => textOf('.watch .tally')).toMatch(/^Reconnecting… 0:2\d$/);
  });

  it('offers link, embed code and the addresses for other programs', async () => {
    mock.state.streams = [mockStream('live/test')];
    const page = await open('/watch/live/test');
    await page.locator('.chip').nth(2).click();
    await page.getByText('Open in another program').click();
    const values = await page
      .locator('.sheet:popover-open .copy-text')
      .evaluateAll((all) => all.map((one) => (one as HTMLInputElement).value));
    expect(values).toContain(`${mock.url}/watch/live/test`);
    expect(values).toContain(`${mock.url}/live/test/index.m3u8`);
    expect(values.some((value) => value.includes(`<iframe src="${mock.url}/embed/live/test"`))).toBe(true);
  });
});

describe('dashboard and sign-in', () => {
  it('signs in by the printed address and takes the token out of it', async () => {
    const page = await open('/signin#token=let-me-in');
    await expect.poll(() => new URL(page.url()).pathname).toBe('/dashboard');
    expect(page.url()).not.toContain('let-me-in');
    await page.goBack().catch(() => null);
    expect(page.url()).not.toContain('let-me-in');
  });

  it('says that a token is wrong', async () => {
    const page = await open('/signin#token=nonsense');
    await expect.poll(() => page.locator('[role=alert] .notice').count()).toBe(1);
    expect(page.url()).not.toContain('nonsense');
    await page.locator('input[name=token]').fill('let-me-in');
    await page.keyboard.press('Enter');
    await expect.poll(() => new URL(page.url()).pathname).toBe('/dashboard');
  });

  it('shows streams to everybody, sessions to the operator only, and ends a session on the second press', async () => {
    mock.state.streams = [mockStream('live/test')];
    mock.state.sessions = [mockSession('one'), mockSession('two', { address: '10.0.0.7' })];
    const page = await open('/dashboard');
    await expect.poll(() => page.locator('table').count()).toBe(1);
    await expect.poll(() => textOf('.dashboard')).toContain('Sign in to see who is connected');
    mock.state.admin = true;
    await page.reload();
    await expect.poll(() => page.locator('.kick').count()).toBe(2);
    await page.locator('.kick').nth(1).click();
    expect(mock.calls.filter((call) => call.startsWith('DELETE'))).toEqual([]);
    await page.locator('.kick').nth(1).click();
    await expect.poll(() => page.locator('.kick').count()).toBe(1);
    expect(mock.calls).toContain('DELETE /api/v1/sessions/two');
  });

  it('puts what needs somebody first', async () => {
    mock.state.streams = [
      mockStream('live/test', { tracks: [{ kind: 'video', codec: 'h264' }] }),
      mockStream('live/gone', { state: 'waiting', reconnectDeadline: Date.now() + 20_000 }),
    ];
    const page = await open('/dashboard');
    await expect
      .poll(() => page.locator('.alerts .notice').allInnerTexts())
      .toEqual(['live/test has no sound.', 'live/gone lost its publisher and waits for it.']);
  });
});

describe('operator', () => {
  it('fires a cue once it is armed, for the moment that is chosen, and takes an event back', async () => {
    mock.state.streams = [mockStream('live/test')];
    mock.state.admin = true;
    mock.state.console = mockConsole();
    const page = await open('/operator');
    const cue = page.getByRole('button', { name: 'Ads begin' });
    await expect.poll(() => cue.isDisabled()).toBe(true);
    await page.keyboard.press('1');
    const done = (): string[] => mock.calls.filter((call) => /^(POST|DELETE) .*(events|schedule)/.test(call));
    expect(done()).toEqual([]);
    await page.locator('.console-arm').click();
    await page.locator('.console-when select').selectOption('3');
    await cue.click();
    await expect.poll(done).toEqual(['POST /api/v1/streams/live/test/events']);
    await page.getByRole('button', { name: /^Cancel: cm-in/ }).click();
    await expect.poll(() => done().at(-1)).toBe('DELETE /api/v1/streams/live/test/schedule/e');
    await expect.poll(() => textOf('.poll')).toContain('Which team scores next?');
  });
});

describe('dashboard of streams that viewers pass on', () => {
  it('plots what the server sends beside what it would without them', async () => {
    const relayed = (bytesRelayed: number): void => {
      mock.state.streams = [mockStream('live/test', { bytesRelayed })];
      mock.tell();
    };
    relayed(0);
    const page = await open('/dashboard');
    const tile = '[data-tile=saved]';
    await expect.poll(() => page.locator(`${tile} canvas`).count(), { timeout: 10_000 }).toBe(1);
    relayed(10_000_000);
    await expect
      .poll(() => textOf(`${tile} .tile-value`), { timeout: 10_000 })
      .toMatch(/^[1-9][\d.]* Mbit\/s · 100/);
  });
});

describe('other pages', () => {
  it('compares transports and says what it measures', async () => {
    mock.media('live/test').publish(media);
    mock.state.streams = [mockStream('live/test')];
    const page = await open('/compare/live/test');
    await expect.poll(() => page.locator('.lane').count()).toBe(4);
    await expect.poll(() => textOf('.lane-delay'), { timeout: 20_000 }).toMatch(/^\d+ ms$/);
    await expect.poll(() => textOf('.compare-by')).toContain('no clock in its picture');
    expect(await page.locator('.bars tr').count()).toBe(4);
  });

  it('embeds only the player, as the address wishes', async () => {
    mock.media('live/test').publish(media);
    const page = await open('/embed/live/test?muted=1&controls=0&latency=balanced');
    const player = page.locator('onair-player');
    await expect.poll(() => player.getAttribute('latency')).toBe('balanced');
    expect(await player.getAttribute('muted')).toBe('');
    expect(await player.getAttribute('controls')).toBe('off');
    expect(await page.locator('.head, .tabs').count()).toBe(0);
    const box = await player.boundingBox();
    expect(box).toMatchObject({ x: 0, y: 0, width: 1280, height: 800 });
  });

  it('says in words that an address has nothing', async () => {
    for (const path of ['/nowhere', '/watch/live/..%2f', '/watch/a/b/c']) {
      await open(path);
      await expect.poll(() => textOf('h1')).toBe('There is nothing at this address');
    }
  });

  it('gives other sites a player that registers itself', async () => {
    const page = await open('/404');
    await page.addScriptTag({ type: 'module', url: '/onair-player.js' });
    await expect.poll(() => page.evaluate(() => customElements.get('onair-player') !== undefined)).toBe(true);
  });
});

describe('inspector', () => {
  it('shows what is inside a file by mouse and keys, and uploads nothing', async () => {
    const page = await open('/inspect');
    const sent: string[] = [];
    page.on('request', (request) => {
      if (request.method() !== 'GET') sent.push(request.url());
    });
    const { tracks, samples } = film(4);
    const buffer = Buffer.from(await written(fileOf(tracks, samples), 'fmp4'));
    await page.setInputFiles('input[type=file]', { name: 'film.mp4', mimeType: 'video/mp4', buffer });
    await expect.poll(() => textOf('.summary-head')).toContain('MP4 · fragmented');
    expect(await textOf('.findings')).toContain('Fragmented: after moov come');
    const strings = page.locator('.track .copy-text');
    expect(await strings.evaluateAll((all) => all.map((one) => (one as HTMLInputElement).value))).toEqual([
      'avc1.64000c',
      'mp4a.40.2',
    ]);
    expect(await page.locator('.course').count()).toBe(3);
    await page.locator('.tree-row').first().click();
    await expect.poll(() => textOf('.detail h3')).toBe('ftyp');
    expect(await textOf('.detail-bytes')).toContain('ftypiso6');
    await page.locator('.tree').focus();
    await page.keyboard.press('ArrowDown');
    await expect.poll(() => textOf('.detail h3')).toBe('moov');
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('ArrowRight');
    await expect.poll(() => textOf('.detail h3')).toBe('mvhd');
    expect(sent).toEqual([]);
  });

  it('leads from a finding to the place in a damaged file', async () => {
    const page = await open('/inspect');
    const { tracks, samples } = film(2);
    const buffer = Buffer.from(await written(fileOf(tracks, samples), 'mp4')).subarray(0, -9);
    await page.setInputFiles('input[type=file]', { name: 'cut.mp4', mimeType: 'video/mp4', buffer });
    await expect.poll(() => textOf('.finding-error')).toContain('Damaged:');
    await page.locator('.finding-error a').first().click();
    await expect.poll(() => textOf('.detail h3')).toMatch(/^\w{4}$/);
  });
});

describe('capabilities', () => {
  it('says which transport is taken and why', async () => {
    const page = await open('/capabilities');
    await expect.poll(() => textOf('.can-first')).toBe('WebSocket');
    await expect.poll(() => page.locator('tbody tr').count()).toBeGreaterThan(10);
    await page.getByRole('button', { name: 'avc1.42E01E' }).first().click();
    await expect.poll(() => page.locator('.copy-button', { hasText: 'Copied' }).count()).toBe(1);
  });
});

it('the page /live sends who may not publish to sign in first', async () => {
  mock.state.info = { ...mock.state.info, keyNeeded: true };
  const page = await open('/live');
  await page.waitForURL('**/login?next=/live');
});

it('the account for trying out is offered where the server has it, and signs in', async () => {
  mock.state.info = { ...mock.state.info, demoAccount: true };
  const page = await open('/signin?next=/live');
  await page.locator('input[name=user]').fill('hoge@example.jp');
  await page.locator('input[name=password]').fill('wrong');
  await page.locator('.sign-in').nth(1).getByRole('button').click();
  await expect.poll(() => textOf('[role=alert]')).toBe('Name or password is not right.');
  await page.locator('input[name=password]').fill('hogehogeunko');
  await page.locator('.sign-in').nth(1).getByRole('button').click();
  await page.waitForURL('**/live');
});
