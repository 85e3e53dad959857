import { once } from 'node:events';
import { copyFileSync, mkdirSync } from 'node:fs';
import { open, readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { basename, join } from 'node:path';
import { BURNT_CLOCK, readBurntClockStrip } from '@onair/contracts/burnt-clock';
import { bytesSource, openSeekable } from '@onair/media/file';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { launchChromium } from '../kit/chromium.ts';
import { COUNTER_FILES, type CounterFilm, counterFileName, makeCounterFilm } from '../kit/counter-film.ts';
import { launchFirefox } from '../kit/firefox.ts';
import { slack } from '../kit/load.ts';
import { Scope } from '../kit/scope.ts';
import { startTestServer, type TestServer } from '../kit/server.ts';
import { until } from '../kit/until.ts';
import { chromiumPages, type WebBrowser, type WebPage } from '../kit/web-page.ts';
import { launchWebKit } from '../kit/webkit.ts';

/** Longer on a busy machine, yet not so long that a fault takes minutes to tell. */
const PATIENCE = Math.min(2, slack());
/** Twelve files, twenty seeks each and every browser; else five files and a few seeks. */
const LONG = process.env.ONAIR_LONG === '1';
/** Milliseconds in which the right picture must be drawn. */
const LATE_PICTURE_MS = 2000;
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
  /** Seconds at which each picture is shown. */
  readonly shown: readonly number[];
}

const scope = new Scope();
/** A case for each file, so that the long form can be run in parts: `-t 'in WebKitGTK plays one.ts'`. */
const NAMES = FILMS.flatMap(({ name }) =>
  COUNTER_FILES.filter((file) => LONG || file !== 'vp8').map((file) => counterFileName(name, file)),
);
const films = new Map<string, Film>();
let server: TestServer;

beforeAll(async () => {
  const ports = { 'echo.compatPort': '0', 'rooms.compatPort': '0', 'upload.compatPort': '0' };
  const off = { 'rtmp.enabled': 'false', 'webrtc.enabled': 'off' };
  server = await startTestServer(scope, { ...off, compat: 'true', ...ports });
  const folder = join(server.data, 'files');
  mkdirSync(folder, { recursive: true });
  const made = scope.tempDir('onair-films-');
  for (const film of FILMS) {
    for (const path of Object.values(makeCounterFilm(made, film))) {
      const name = basename(path);
      if (!NAMES.includes(name)) continue;
      copyFileSync(path, join(folder, name));
      films.set(name, { name, seconds: film.seconds, shown: await timesOf(path) });
    }
  }
}, 120_000);
afterAll(() => scope.close());

async function timesOf(path: string): Promise<number[]> {
  const file = await openSeekable(bytesSource(await readFile(path)));
  const times: number[] = [];
  for await (const batch of file.from(0)) {
    for (const item of batch) {
      if (item.kind === 'sample' && item.sample.track.id === 1) {
        times.push(item.sample.pts / item.sample.track.timebase);
      }
    }
  }
  return times.sort((a, b) => a - b);
}

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

/** Where the media element of a page stands, for people. */
const standing = (page: WebPage): Promise<string> =>
  page.run(() => {
    const { currentTime, readyState, seeking, buffered, error } = document.querySelector('video')!;
    const spans = Array.from({ length: buffered.length }, (_, i) => [buffered.start(i), buffered.end(i)]);
    const wire = document.querySelector('.wire-list')?.textContent?.slice(0, 400);
    return JSON.stringify({ currentTime, readyState, seeking, spans, error: error?.message, wire });
  }, undefined);

/** Goes to a place and reads the number that is burnt into the picture shown there: `picture`, or whatever stays. */
async function pictureAt(page: WebPage, seconds: number, picture: number): Promise<number | undefined> {
  await page.run((to) => {
    const video = document.querySelector('video')!;
    video.pause();
    video.currentTime = to;
  }, seconds);
  const there = (): Promise<boolean> =>
    page.run(() => {
      const { seeking, readyState } = document.querySelector('video')!;
      return !seeking && readyState >= 2;
    }, undefined);
  const state = { text: '' };
  await until(
    async () => {
      if (await there()) return true;
      state.text = await standing(page);
      return false;
    },
    { timeoutMs: 15_000 * PATIENCE, message: () => `${seconds} s is shown: ${state.text}` },
  );
  // Elsewhere than in Chromium the picture may be drawn some time after the place is reached: what counts is the one that stays.
  let found: number | undefined;
  const end = performance.now() + LATE_PICTURE_MS * PATIENCE;
  do {
    found = readBurntClockStrip(Uint8Array.from(await strip(page)), 256, 16)?.ms;
  } while (found !== picture && performance.now() < end);
  return found;
}

/** Pixels of the burnt-in number as it is shown now. */
const strip = (page: WebPage): Promise<number[]> =>
  page.run(async (place) => {
    const video = document.querySelector('video')!;
    // Where the same picture stays no callback comes.
    await new Promise((turn) => setTimeout(turn, 150));
    const canvas = new OffscreenCanvas(256, 16);
    const context = canvas.getContext('2d')!;
    const { videoWidth: width, videoHeight: height } = video;
    const { x, y, width: w, height: h } = place;
    context.drawImage(video, x * width, y * height, w * width, h * height, 0, 0, 256, 16);
    return [...context.getImageData(0, 0, 256, 16).data];
  }, BURNT_CLOCK);

/** The places that are gone to: far ones, near ones, the first and the last second; each in the middle of a picture. */
function places({ shown }: Film): { picture: number; at: number }[] {
  const last = shown.length - 3;
  return Array.from({ length: SEEKS }, (_, index) => {
    const picture = index === 0 ? last : index === 1 ? 5 : (index * 7919) % last;
    return { picture, at: (shown[picture]! + shown[picture + 1]!) / 2 };
  });
}

describe.each(BROWSERS)('files over WebSocket in %s', (_engine, launch) => {
  const own = new Scope();
  let browser: WebBrowser;
  let page: WebPage;
  beforeAll(async () => {
    browser = await launch(own);
    page = await browser.open(`${server.http}/files`);
  }, 90_000);
  afterAll(() => own.close());

  it.each(NAMES)('plays %s, finds the pictures that are asked for, and comes to the end', async (name) => {
    const film = films.get(name)!;
    const wrong: string[] = [];
    await choose(page, film.name);
    // The one before stood at its end.
    const plays = (): Promise<boolean> =>
      page.run(() => {
        const { currentTime, ended } = document.querySelector('video')!;
        return !ended && currentTime > 0.5;
      }, undefined);
    const state = { text: '' };
    await until(
      async () => {
        if (await plays()) return true;
        state.text = await standing(page);
        return false;
      },
      { timeoutMs: 20_000 * PATIENCE, message: () => `${film.name} plays: ${state.text}` },
    );
    for (const { at, picture } of places(film)) {
      const found = await pictureAt(page, at, picture).catch(String);
      if (found !== picture) wrong.push(`${at}: ${picture} expected, ${found} found`);
    }
    if (LONG)
      process.stderr.write(`${film.name}: ${SEEKS - wrong.length} of ${SEEKS}; ${wrong.join('; ')}\n`);
    await page.run((to) => {
      const video = document.querySelector('video')!;
      video.currentTime = to;
      void video.play();
    }, film.seconds - 1);
    await until(() => page.run(() => document.querySelector('video')!.ended, undefined), {
      timeoutMs: 20_000 * PATIENCE,
      message: () => `${film.name} ends`,
    });
    expect(wrong).toEqual([]);
  });

  it.runIf(LONG)('reads nothing while the viewer is paused', { timeout: 120_000 }, async () => {
    const film = films.get('two.mp4')!;
    const handle = await open(join(server.data, 'files', film.name));
    const reads = vi.spyOn(Object.getPrototypeOf(handle) as typeof handle, 'read');
    await handle.close();
    try {
      await choose(page, film.name);
      await until(async () => (await position(page)) > 1, { timeoutMs: 20_000 * PATIENCE });
      expect(reads.mock.calls.length).toBeGreaterThan(0);
      const resting = { at: performance.now(), count: -1, place: await position(page) };
      await page.run(() => document.querySelector('video')!.pause(), undefined);
      // What was asked for before may still be read; from then on ten seconds without a read.
      await until(
        () => {
          const count = reads.mock.calls.length;
          if (count !== resting.count) Object.assign(resting, { count, at: performance.now() });
          return performance.now() - resting.at >= 10_000;
        },
        { timeoutMs: 25_000 * PATIENCE, message: () => `no read for ten seconds, ${resting.count} so far` },
      );
      await page.run(() => void document.querySelector('video')!.play(), undefined);
      await until(() => reads.mock.calls.length > resting.count, {
        timeoutMs: 20_000 * PATIENCE,
        message: 'reads go on',
      });
      await until(async () => (await position(page)) > resting.place + 3, { timeoutMs: 20_000 * PATIENCE });
    } finally {
      reads.mockRestore();
    }
  });

  it('says the three steps of the WebSocket sample: a string, a Blob, an ArrayBuffer', async () => {
    // Our own pages may not connect to other ports, nor a page of nowhere to this machine.
    const site = createServer((_request, response) => response.end('<!doctype html>')).listen(0, '127.0.0.1');
    own.defer(() => site.close());
    await once(site, 'listening');
    const { port: at } = site.address() as AddressInfo;
    const blank = await browser.open(`http://127.0.0.1:${at}`);
    const answers = await blank.run(async (port) => {
      const got: unknown[] = [];
      const ws = new WebSocket(`ws://localhost:${port}`);
      ws.binaryType = 'arraybuffer';
      await new Promise<void>((done, failed) => {
        ws.onerror = () => failed(new Error('no connection'));
        ws.onmessage = ({ data }) => {
          got.push(typeof data === 'string' ? data : [...new Uint8Array(data)]);
          if (got.length === 3) ws.close();
        };
        ws.onclose = () => done();
        ws.onopen = () => {
          ws.send('hello');
          ws.send(new Blob(['hello']));
          ws.send(new Uint8Array([1, 2, 3]).buffer);
        };
      });
      return got;
    }, server.ports.echo!);
    expect(answers).toEqual(['hello', [...Buffer.from('hello')], [1, 2, 3]]);
  });
});
