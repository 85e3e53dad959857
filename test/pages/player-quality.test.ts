import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { launchChromium, openPage } from '../kit/chromium.ts';
import { bundlePlayer, PlayerPage } from '../kit/player-page.ts';
import { addPlayer, probe } from '../kit/player-probe.ts';
import { startPublisher } from '../kit/publisher.ts';
import { Scope } from '../kit/scope.ts';
import { startTestServer } from '../kit/server.ts';
import { until } from '../kit/until.ts';

const scope = new Scope();
let page: Page;
/** Where the stream with two qualities is. */
let src: string;
/** Playlists asked for, by quality. */
const asked: string[] = [];
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

beforeAll(async () => {
  const server = await startTestServer(scope);
  const publisher = await startPublisher(scope, { url: `${server.rtmp}/live/two`, fps: 25 });
  await until(() => publisher.sentMs > 5000, { timeoutMs: 60_000, message: 'the stream runs for 5 s' });
  // The same pictures under two names are two qualities on one timeline.
  const multi = createServer((request, response) => {
    const path = request.url ?? '/';
    response.setHeader('access-control-allow-origin', '*');
    if (path.startsWith('/live/two/index.m3u8')) {
      response.setHeader('content-type', 'application/vnd.apple.mpegurl');
      const media = `${server.http}/live/two/hls`;
      const stream = (bandwidth: number, size: string): string =>
        `#EXT-X-STREAM-INF:BANDWIDTH=${bandwidth},CODECS="avc1.4d400c,mp4a.40.2",RESOLUTION=${size},AUDIO="audio"`;
      response.end(
        [
          '#EXTM3U',
          `#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio",NAME="Audio",DEFAULT=YES,URI="${media}/audio.m3u8"`,
          stream(600_000, '640x360'),
          `${media}/video.m3u8?height=360`,
          stream(2_000_000, '1280x720'),
          `${media}/video.m3u8?height=720`,
          '',
        ].join('\n'),
      );
      return;
    }
    response.writeHead(404);
    response.end();
  });
  await new Promise<void>((done) => multi.listen(0, '127.0.0.1', done));
  scope.defer(() => {
    multi.closeAllConnections();
    multi.close();
  });
  src = `http://127.0.0.1:${(multi.address() as AddressInfo).port}/live/two`;
  const bundle = await bundlePlayer();
  scope.defer(bundle.remove);
  const pages = new PlayerPage(bundle.dir);
  scope.defer(() => pages.close());
  ({ page } = await openPage(await launchChromium(scope), { viewport: { width: 640, height: 520 } }));
  page.on('request', (request) => {
    const height = new URL(request.url()).searchParams.get('height');
    if (height !== null) asked.push(height);
  });
  await page.goto(await pages.listen());
  await addPlayer(page, { src, transport: 'llhls', autoplay: '' });
  await until(async () => (await probe(page)).status === 'playing', { timeoutMs: 30_000 });
});
afterAll(() => scope.close());

/** What the choice of a quality says, line by line, the chosen one marked. */
function choice(): Promise<string[]> {
  return page.evaluate(() => {
    const root = document.querySelector('onair-player')!.shadowRoot!;
    return [...root.querySelectorAll<HTMLInputElement>('input[name="quality"]')].map(
      (radio) => `${radio.checked ? '* ' : ''}${radio.closest('label')!.textContent}`,
    );
  });
}

it('offers the qualities of a stream, by keyboard too, and plays the one chosen', async () => {
  await until(async () => /^\* Automatic \(\d+p\)$/.test((await choice())[0] ?? ''), {
    timeoutMs: 20_000,
    message: 'the automatic choice is told',
  });
  expect((await choice()).slice(1)).toEqual(['720p', '360p']);
  await page.evaluate(() => {
    const root = document.querySelector('onair-player')!.shadowRoot!;
    root.querySelector<HTMLElement>('.settings')!.hidden = false;
    root.querySelector<HTMLInputElement>('input[name="quality"]')!.focus();
  });
  for (const [key, height, lines] of [
    ['ArrowDown', '720', ['Automatic', '* 720p', '360p']],
    ['ArrowDown', '360', ['Automatic', '720p', '* 360p']],
  ] as const) {
    asked.length = 0;
    await page.keyboard.press(key);
    await until(() => asked.includes(height), { timeoutMs: 20_000, message: `${height} is loaded` });
    // The other one is asked for no more once the choice is in force.
    await until(() => asked.slice(-4).every((one) => one === height) && asked.length >= 4, {
      timeoutMs: 20_000,
      message: () => `only ${height} is loaded: ${asked.join(' ')}`,
    });
    expect(await choice()).toEqual(lines);
    const { playing, wanted, levels } = await page.evaluate(
      () => document.querySelector('onair-player')!.qualities,
    );
    expect(levels.find(({ id }) => id === wanted)?.height).toBe(Number(height));
    expect(playing).toBeDefined();
  }
  await until(async () => (await probe(page)).status === 'playing', { timeoutMs: 20_000 });
  expect((await probe(page)).errors).toBe(0);
});

it('is labelled for everybody', async () => {
  await page.evaluate(axe);
  const violations = await page.evaluate(async () => {
    const { axe } = window as unknown as {
      axe: { run(): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> };
    };
    const found = await axe.run();
    return found.violations
      .filter(({ id }) => !['landmark-one-main', 'page-has-heading-one', 'region'].includes(id))
      .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
  });
  expect(violations).toEqual([]);
  const shot = process.env.ONAIR_SHOT;
  if (shot !== undefined) await page.screenshot({ path: shot });
});

it('has nothing to choose where there is one quality', async () => {
  const hidden = await page.evaluate(async () => {
    const player = document.querySelector('onair-player')!;
    player.transport = 'ws';
    await new Promise((resolve) => setTimeout(resolve, 1500));
    return player.shadowRoot!.querySelector<HTMLInputElement>('input[name="quality"]')?.closest('fieldset')
      ?.hidden;
  });
  expect(hidden).toBe(true);
});
