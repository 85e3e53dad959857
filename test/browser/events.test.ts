import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { BURNT_CLOCK, readBurntClockStrip, readClockSei } from '@onair/contracts/burnt-clock';
import type { TimedEvent } from '@onair/media';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { closePages, launchChromium, openPage } from '../kit/chromium.ts';
import { serveDashPlayers } from '../kit/dash-page.ts';
import { bundlePlayer, PlayerPage } from '../kit/player-page.ts';
import { addPlayer, probe } from '../kit/player-probe.ts';
import { Scope } from '../kit/scope.ts';
import { startTestServer, type TestServer } from '../kit/server.ts';
import { until } from '../kit/until.ts';

/** One picture at 30 frames a second, ms. */
const FRAME_MS = 34;
/** Size of the canvas the clock is drawn into. */
const STRIP = { width: 128, height: 8 };

const scope = new Scope();
let server: TestServer;
let address: string;
let browser: Browser;
/** When each picture of the stream was made, ms since the Unix epoch, by its presentation time in µs. */
const made = new Map<number, number>();

beforeAll(async () => {
  const bundle = await bundlePlayer();
  scope.defer(bundle.remove);
  const pages = new PlayerPage(bundle.dir);
  scope.defer(() => pages.close());
  address = await pages.listen();
  server = await startTestServer(scope, { demo: 'true' });
  const demo = await until(() =>
    server.registry.list().find(({ name, state }) => name === 'live/demo' && state === 'live'),
  );
  const leave = demo.subscribe({
    cut: () => undefined,
    state: () => undefined,
    sample: ({ track, pts, data }) => {
      if (track.parameters.kind !== 'video') return;
      const clock = readClockSei(data);
      if (clock !== undefined) made.set((pts * 1e6) / track.timebase, clock / 1000);
    },
  });
  scope.defer(() => void leave());
  browser = await launchChromium(scope);
});
afterEach(() => closePages(browser));
afterAll(() => scope.close());

/** What a page was told, with the clock of the picture that was to be seen then. */
interface Told {
  readonly id: string;
  readonly name: string;
  readonly exactness: string;
  readonly skew: number;
  readonly strip: readonly number[];
}

/** Keeps in the page what is told, with the strip of the picture that is seen then. */
async function record(page: Page): Promise<void> {
  await page.evaluate(
    ({ x, y, width, height, strip }) => {
      const told: Told[] = [];
      const canvas = document.createElement('canvas');
      Object.assign(canvas, strip);
      const context = canvas.getContext('2d', { willReadFrequently: true, alpha: false })!;
      const keep = ({ id, name, exactness, skew }: Told, video: HTMLVideoElement): void => {
        const [w, h] = [video.videoWidth, video.videoHeight];
        context.drawImage(video, x * w, y * h, width * w, height * h, 0, 0, strip.width, strip.height);
        const pixels = context.getImageData(0, 0, strip.width, strip.height).data;
        told.push({ id, name, exactness, skew, strip: [...pixels] });
      };
      Object.assign(window, { told, keep });
    },
    { ...BURNT_CLOCK, strip: STRIP },
  );
}

interface Globals {
  readonly told: Told[];
  readonly keep: (event: Told, video: HTMLVideoElement) => void;
}

async function listen(page: Page): Promise<void> {
  await record(page);
  await page.evaluate(() => {
    const player = document.querySelector('onair-player')!;
    player.addEventListener('onair-event', (event) => {
      (window as unknown as Globals).keep((event as CustomEvent<Told>).detail, player.video!);
    });
  });
}

type Watch = typeof import('../../packages/client/src/dash-events/index.ts').watchDashEvents;

/** A page in which dash.js plays, and what it receives is told on the picture. */
async function dashPage(): Promise<Page> {
  const bundle = await bundlePlayer('packages/client/src/dash-events/index.ts', 'dash-events');
  const code = readFileSync(join(bundle.dir, 'dash-events.js'), 'utf8');
  bundle.remove();
  const { page } = await openPage(browser, { viewport: { width: 640, height: 360 } });
  await page.goto(await serveDashPlayers(scope));
  await record(page);
  const source = `data:text/javascript;base64,${Buffer.from(code).toString('base64')}`;
  const content = `import { watchDashEvents } from "${source}"; Object.assign(window, { watchDashEvents })`;
  await page.addScriptTag({ type: 'module', content });
  await page.waitForFunction(() => 'watchDashEvents' in window);
  await page.evaluate((url) => {
    const { dashjs, keep, watchDashEvents } = window as unknown as Globals & {
      readonly watchDashEvents: Watch;
      readonly dashjs: {
        MediaPlayer(): {
          create(): Parameters<Watch>[0] & {
            initialize(video: HTMLVideoElement, url: string, autoplay: boolean): void;
          };
        };
      };
    };
    const video = document.createElement('video');
    video.muted = true;
    document.body.append(video);
    const player = dashjs.MediaPlayer().create();
    watchDashEvents(player, video, (event) => keep({ ...event, strip: [] }, video));
    player.initialize(video, url, true);
  }, `${server.http}/live/demo/manifest.mpd`);
  return page;
}

const toldBy = (page: Page): Promise<Told[]> => page.evaluate(() => (window as unknown as Globals).told);

async function fire(request: object): Promise<TimedEvent> {
  const answer = await fetch(`${server.http}/api/v1/streams/live/demo/events`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(request),
  });
  expect(answer.status).toBe(201);
  return (await answer.json()) as TimedEvent;
}

/** Clock of the picture that is on the screen at `time` µs of stream time: the nearest one. */
function clockAt(time: number): number {
  let best = Number.POSITIVE_INFINITY;
  let clock = Number.NaN;
  for (const [pts, ms] of made) {
    if (Math.abs(pts - time) >= best) continue;
    best = Math.abs(pts - time);
    clock = ms;
  }
  return clock;
}

describe('a timed event in the player', () => {
  it('is told once on the picture it belongs to, announced 3 s ahead, by WebSocket, LL-HLS, FLV and DASH', async () => {
    const transports = ['ws', 'llhls', 'flv'] as const;
    const pages: Page[] = [];
    for (const transport of transports) {
      const { page } = await openPage(browser, { viewport: { width: 640, height: 360 } });
      await page.goto(address);
      await addPlayer(page, { src: `${server.http}/live/demo`, autoplay: '', muted: '', transport });
      await listen(page);
      pages.push(page);
    }
    for (const page of pages)
      await until(async () => (await probe(page)).status === 'playing', {
        timeoutMs: 60_000,
        message: 'playing',
      });
    const dash = await dashPage();
    const shown = (): Promise<boolean> =>
      dash.evaluate(() => document.querySelector('video')!.currentTime > 0);
    await until(
      async () =>
        (await shown()) && (await dash.evaluate(() => document.querySelector('video')!.readyState > 2)),
      {
        timeoutMs: 60_000,
        message: 'dash.js plays',
      },
    );
    const ways = [...transports, 'dash'];
    pages.push(dash);

    const now = await fire({ name: 'now' });
    const fired: TimedEvent[] = [];
    for (let i = 0; i < 5; i++) fired.push(await fire({ name: 'cm-in', after: 3 + i * 0.7, data: { i } }));
    for (const [i, page] of pages.entries()) {
      await until(async () => (await toldBy(page)).length >= 6, {
        timeoutMs: 40_000,
        message: `six events by ${ways[i]}`,
      });
    }
    for (const [i, page] of pages.entries()) {
      const told = await toldBy(page);
      expect(told.map(({ id }) => id)).toEqual([now, ...fired].map(({ id }) => id));
      const off: number[] = [];
      for (const [j, { strip, skew, exactness }] of told.slice(1).entries()) {
        const reading = readBurntClockStrip(Uint8Array.from(strip), STRIP.width, STRIP.height);
        const difference = reading!.ms - clockAt(fired[j]!.time);
        off.push(difference);
        // What the player says of its own exactness is true. A page that is slow to draw reads the next picture; one that
        // had no time for seconds may read any that is behind.
        const apart = difference - skew * 1000;
        const who = `${ways[i]} ${exactness} ${skew}`;
        expect(apart, who).toBeGreaterThanOrEqual(-FRAME_MS);
        if (exactness !== 'late') expect(apart, who).toBeLessThanOrEqual(2 * FRAME_MS);
        if (exactness === 'frame') expect(Math.abs(difference), who).toBeLessThanOrEqual(2 * FRAME_MS);
      }
      console.log(
        `${ways[i]}: ${off.join(', ')} ms off the marked picture; ${told.map(({ exactness }) => exactness).join(', ')}`,
      );
      const middle = off.map(Math.abs).sort((a, b) => a - b)[2]!;
      expect(middle, ways[i]).toBeLessThanOrEqual(FRAME_MS);
    }
    for (const page of pages) await page.close();
  }, 180_000);

  it('is told once when the transport changes, the viewer goes back and the page comes late', async () => {
    const { page } = await openPage(browser, { viewport: { width: 640, height: 360 } });
    await fire({ name: 'break', duration: 120 });
    await page.goto(address);
    // What stands is told with the first picture: the page listens before there is one.
    await addPlayer(page, { autoplay: '', muted: '', transport: 'ws' });
    await listen(page);
    await page.evaluate(
      (src) => document.querySelector('onair-player')!.setAttribute('src', src),
      `${server.http}/live/demo`,
    );
    const telling = (name: string): Promise<unknown> =>
      until(async () => (await toldBy(page)).some((one) => one.name === name), {
        timeoutMs: 60_000,
        message: name,
      });
    await telling('break');
    await fire({ name: 'ahead', after: 15 });
    /** Sees an event, goes back in front of it, and sees its picture again. */
    const rewind = async (of: Page): Promise<void> => {
      await fire({ name: 'seen' });
      await telling('seen');
      const position = (): Promise<number> =>
        of.evaluate(() => document.querySelector('onair-player')!.video!.currentTime);
      const [seen, back] = await of.evaluate(() => {
        const video = document.querySelector('onair-player')!.video!;
        const before = video.currentTime;
        video.currentTime = before - 2;
        return [before, video.currentTime] as const;
      });
      expect(back).toBeLessThan(seen - 1);
      await until(async () => (await position()) > seen + 0.2, { timeoutMs: 30_000, message: 'seen again' });
    };
    for (const transport of ['llhls', 'flv', 'ws'] as const) {
      await page.evaluate(
        (value) => document.querySelector('onair-player')!.setAttribute('transport', value),
        transport,
      );
      await until(
        async () => {
          const { status, transport: used } = await probe(page);
          return status === 'playing' && used === transport;
        },
        { timeoutMs: 60_000, message: transport },
      );
      if (transport === 'llhls') await rewind(page);
    }
    await telling('ahead');
    await fire({ name: 'last' });
    await telling('last');
    const names = (await toldBy(page)).map(({ name }) => name);
    expect(names).toEqual(['break', 'seen', 'ahead', 'last']);
    await page.close();
  }, 180_000);
});
