import { copyFileSync, mkdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { BURNT_CLOCK, readBurntClockStrip } from '@onair/contracts/burnt-clock';
import { bytesSource, openSeekable } from '@onair/media/file';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchChromium } from '../kit/chromium.ts';
import { COUNTER_FPS, type CounterFilm, makeCounterFilm } from '../kit/counter-film.ts';
import { launchFirefox } from '../kit/firefox.ts';
import { slack } from '../kit/load.ts';
import { Scope } from '../kit/scope.ts';
import { startTestServer, type TestServer } from '../kit/server.ts';
import { until } from '../kit/until.ts';
import { chromiumPages, type WebBrowser, type WebPage } from '../kit/web-page.ts';
import { launchWebKit } from '../kit/webkit.ts';

/** Ten files, twenty seeks each and every browser; else five files and a few seeks. */
const LONG = process.env.ONAIR_LONG === '1';
const SEEKS = LONG ? 20 : 3;
const FILMS: readonly CounterFilm[] = [
  { name: 'one', seconds: 16, gop: 50, bFrames: 2 },
  ...(LONG ? [{ name: 'two', seconds: 40, gop: 125, bFrames: 0 }] : []),
];
const BROWSERS: readonly [string, (scope: Scope) => Promise<WebBrowser>][] = [
  ['Chromium', async (scope) => chromiumPages(await launchChromium(scope))],
  ['Firefox', launchFirefox],
  ...(LONG ? [['WebKitGTK', launchWebKit] as [string, typeof launchWebKit]] : []),
];

interface Film {
  readonly name: string;
  readonly seconds: number;
  /** Seconds of the first picture. */
  readonly start: number;
}

const scope = new Scope();
const films: Film[] = [];
let server: TestServer;

beforeAll(async () => {
  server = await startTestServer(scope, { 'rtmp.enabled': 'false', 'webrtc.enabled': 'off' });
  const folder = join(server.data, 'files');
  mkdirSync(folder, { recursive: true });
  const made = scope.tempDir('onair-films-');
  for (const film of FILMS) {
    for (const path of Object.values(makeCounterFilm(made, film))) {
      copyFileSync(path, join(folder, basename(path)));
      const file = await openSeekable(bytesSource(await readFile(path)));
      let start: number | undefined;
      for await (const batch of file.from(0)) {
        for (const item of batch) {
          if (item.kind === 'sample' && item.sample.track.id === 1) {
            start ??= item.sample.pts / item.sample.track.timebase;
          }
        }
        if (start !== undefined) break;
      }
      films.push({ name: basename(path), seconds: film.seconds, start: start ?? 0 });
    }
  }
}, 120_000);
afterAll(() => scope.close());

const position = (page: WebPage): Promise<number> =>
  page.run(() => document.querySelector('video')!.currentTime, undefined);

/** Chooses a file of the list. */
const choose = (page: WebPage, name: string): Promise<void> =>
  page.run(async (wanted) => {
    const video = document.querySelector('video')!;
    video.muted = true;
    for (;;) {
      const button = [...document.querySelectorAll('.files-play')].find((one) => one.textContent === wanted);
      if (button instanceof HTMLElement) {
        button.click();
        return;
      }
      await new Promise((turn) => setTimeout(turn, 50));
    }
  }, name);

/** Goes to a place and reads the number that is burnt into the picture shown there. */
async function pictureAt(page: WebPage, seconds: number): Promise<number | undefined> {
  const pixels = await page.run(
    async ({ seconds: to, strip }) => {
      const video = document.querySelector('video')!;
      video.pause();
      const seeked = new Promise((done) => video.addEventListener('seeked', done, { once: true }));
      const shown =
        'requestVideoFrameCallback' in video
          ? new Promise((done) => video.requestVideoFrameCallback(done))
          : undefined;
      video.currentTime = to;
      await seeked;
      // No callback comes where the same picture stays.
      await Promise.race([shown, new Promise((turn) => setTimeout(turn, 300))]);
      const canvas = new OffscreenCanvas(256, 16);
      const context = canvas.getContext('2d')!;
      const { videoWidth: width, videoHeight: height } = video;
      const { x, y, width: w, height: h } = strip;
      context.drawImage(video, x * width, y * height, w * width, h * height, 0, 0, 256, 16);
      return [...context.getImageData(0, 0, 256, 16).data];
    },
    { seconds, strip: BURNT_CLOCK },
  );
  return readBurntClockStrip(Uint8Array.from(pixels), 256, 16)?.ms;
}

/** The places that are gone to: far ones, near ones, the first and the last second. */
function places({ seconds, start }: Film): { picture: number; at: number }[] {
  const last = seconds * COUNTER_FPS - 3;
  return Array.from({ length: SEEKS }, (_, index) => {
    const picture = index === 0 ? last : index === 1 ? 5 : (index * 7919) % last;
    return { picture, at: start + (picture + 0.5) / COUNTER_FPS };
  });
}

describe.each(BROWSERS)('files over WebSocket in %s', (_name, launch) => {
  const own = new Scope();
  let page: WebPage;
  beforeAll(async () => {
    page = await (await launch(own)).open(`${server.http}/files`);
  }, 90_000);
  afterAll(() => own.close());

  it('plays, finds the picture that is asked for, and comes to the end', { timeout: 600_000 }, async () => {
    for (const film of films) {
      await choose(page, film.name);
      await until(async () => (await position(page)) > 0.5, {
        timeoutMs: 20_000 * slack(),
        message: () => `${film.name} plays`,
      });
      const found: (number | undefined)[] = [];
      const expected = places(film);
      for (const { at } of expected) found.push(await pictureAt(page, at));
      expect({ film: film.name, found }).toEqual({
        film: film.name,
        found: expected.map(({ picture }) => picture),
      });
      await page.run((to) => {
        const video = document.querySelector('video')!;
        video.currentTime = to;
        return video.play();
      }, film.seconds - 1);
      await until(() => page.run(() => document.querySelector('video')!.ended, undefined), {
        timeoutMs: 20_000 * slack(),
        message: () => `${film.name} ends`,
      });
    }
  });
});
