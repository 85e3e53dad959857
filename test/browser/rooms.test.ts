import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { launchChromium, openPage } from '../kit/chromium.ts';
import { launchFirefox } from '../kit/firefox.ts';
import { freshRoom } from '../kit/room-rules.ts';
import { Scope } from '../kit/scope.ts';
import { startTestServer, type TestServer } from '../kit/server.ts';
import { until } from '../kit/until.ts';
import { chromiumPages, type WebBrowser, type WebPage } from '../kit/web-page.ts';

const house = new Scope();
const scope = new Scope();
let server: TestServer;
let browser: Browser;
let chromium: WebBrowser;

beforeAll(async () => {
  server = await startTestServer(house, { 'rooms.maxDirect': '2' });
  browser = await launchChromium(house);
  chromium = chromiumPages(browser);
});
afterEach(() => scope.close());
afterAll(() => house.close());

async function open(browser: WebBrowser, path: string): Promise<WebPage> {
  const page = await browser.open(server.http + path);
  scope.defer(() => page.close());
  await until(() => page.run(() => document.querySelector('button[id]') !== null, null), {
    timeoutMs: 30_000,
  });
  return page;
}

const press = (page: WebPage, id: string): Promise<void> =>
  page.run((button) => document.getElementById(button)!.click(), id);
const words = (page: WebPage): Promise<string> =>
  page.run(() => document.getElementById('content')!.innerText, null);

/** Waits until the element's picture has changed some times. */
async function seesMoving(page: WebPage, id: string): Promise<void> {
  const seen = new Set<string>();
  await until(
    async () => {
      seen.add(
        await page.run((video) => {
          const element = document.getElementById(video) as HTMLVideoElement;
          if (element.videoWidth === 0) return '';
          const canvas = document.createElement('canvas');
          [canvas.width, canvas.height] = [64, 36];
          const drawing = canvas.getContext('2d')!;
          drawing.drawImage(element, 0, 0, 64, 36);
          return String(
            drawing
              .getImageData(0, 0, 64, 36)
              .data.reduce((sum, value, at) => (sum * 31 + value * at) % 1e9, 7),
          );
        }, id),
      );
      seen.delete('');
      return seen.size >= 4;
    },
    { timeoutMs: 40_000, everyMs: 150, message: () => `${id} moves, ${seen.size} pictures seen` },
  );
}

/** How many remote descriptions the page's connections were given since it was asked first. */
const descriptions = (page: WebPage): Promise<number> =>
  page.run(() => {
    const counted = RTCPeerConnection.prototype as RTCPeerConnection & { given?: number };
    if (counted.given === undefined) {
      counted.given = 0;
      const set = counted.setRemoteDescription as (description: object) => Promise<void>;
      counted.setRemoteDescription = function (this: RTCPeerConnection, description: object) {
        counted.given!++;
        return set.call(this, description);
      };
    }
    return counted.given;
  }, null);

describe('a room in Chromium', () => {
  it('casts to who waits and to who comes later, also another source, until it stops', async () => {
    const room = freshRoom();
    // A screen is given only to somebody who clicks.
    const { page, errors, context } = await openPage(browser);
    scope.defer(() => context.close());
    await page.goto(`${server.http}/talk.html?${room}`);
    const talk: WebPage = {
      run: (script, argument) => page.evaluate(script as never, argument),
      close: () => context.close(),
    };
    await page.locator('#on-air').click();
    await until(async () => (await words(talk)).includes('Local stream not running yet.'));
    const early = await open(chromium, `/watch.html?${room}`);
    await until(async () => (await words(early)).includes('Nobody talks yet'));
    await press(talk, 'start-video');
    await seesMoving(talk, 'local-video');
    await seesMoving(early, 'remote-video');
    const late = await open(chromium, `/room/${room}`);
    await seesMoving(late, 'remote-video');
    await until(async () => (await words(talk)).includes('2 of 2 watching'));

    const third = await open(chromium, `/room/${room}`);
    await until(async () => (await words(third)).includes('no place for one more'));
    expect(await words(talk)).toContain('1 found no place');

    const before = await descriptions(early);
    const track = (): Promise<string> =>
      talk.run(() => {
        const video = document.getElementById('local-video') as HTMLVideoElement;
        return (video.srcObject as MediaStream).getVideoTracks()[0]!.label;
      }, null);
    const camera = await track();
    await talk.run(() => {
      const video = document.getElementById('local-video') as HTMLVideoElement;
      (window as Window & { camera?: MediaStream }).camera = video.srcObject as MediaStream;
    }, null);
    await page.locator('#start-screen').click();
    await until(async () => (await track()) !== camera, { timeoutMs: 20_000 });
    await until(() =>
      talk.run(() => {
        const old = (window as Window & { camera?: MediaStream }).camera!;
        return old.getVideoTracks().every(({ readyState }) => readyState === 'ended');
      }, null),
    );
    await press(talk, 'start-video');
    await until(async () => (await track()) === camera);
    await seesMoving(early, 'remote-video');
    expect(await descriptions(early)).toBe(before);

    await talk.run(() => {
      const video = document.getElementById('local-video') as HTMLVideoElement;
      (window as Window & { camera?: MediaStream }).camera = video.srcObject as MediaStream;
    }, null);
    await press(talk, 'stop-video');
    for (const page of [early, late]) {
      await until(async () => (await words(page)).includes('Nobody talks yet'));
    }
    const tracks = await talk.run(
      () =>
        (window as Window & { camera?: MediaStream }).camera!.getTracks().map(({ readyState }) => readyState),
      null,
    );
    expect(new Set(tracks)).toEqual(new Set(['ended']));
    expect(errors.filter((error) => /Content Security Policy|TypeError|ReferenceError/.test(error))).toEqual(
      [],
    );
  });
});

describe('rooms between Chromium and Firefox', () => {
  it('show moving pictures both ways', async () => {
    const firefox = await launchFirefox(scope);
    for (const [one, other] of [
      [chromium, firefox],
      [firefox, chromium],
    ] as const) {
      const room = freshRoom();
      const watch = await open(other, `/room/${room}`);
      const talk = await open(one, `/talk/${room}`);
      await press(talk, 'start-video');
      await seesMoving(watch, 'remote-video');
    }
  });
});
