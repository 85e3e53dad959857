import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { launchChromium, openPage } from '../kit/chromium.ts';
import { startCoturn } from '../kit/coturn.ts';
import { launchFirefox } from '../kit/firefox.ts';
import { slack } from '../kit/load.ts';
import {
  candidateTypes,
  gaps,
  hears,
  keepConnections,
  offerFile,
  press,
  say,
  seesMoving,
  takeFile,
  watchGaps,
  way,
  words,
} from '../kit/room-page.ts';
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

async function open(browser: WebBrowser, path: string, { http } = server): Promise<WebPage> {
  const page = await browser.open(http + path);
  scope.defer(() => page.close());
  await until(() => page.run(() => document.querySelector('button[id]') !== null, null), {
    timeoutMs: 30_000,
  });
  return page;
}

/** How many sessions there are on the stream of a room. */
async function sessionsOf(
  { http }: TestServer,
  room: string,
): Promise<{ publisher: boolean; viewers: number }> {
  const answer = await fetch(`${http}/api/v1/streams/rooms/${room}`);
  const stream = (await answer.json()) as { publisher?: object; viewers?: number };
  return { publisher: stream.publisher !== undefined, viewers: stream.viewers ?? 0 };
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

describe('a room with more watchers than its talker has places for, over TURN alone', () => {
  it('shows the rest the picture from the server, and lets none of them see a change of the way', async () => {
    const secret = 'a secret of coturn';
    const own = await startTestServer(scope, {
      'rooms.maxDirect': '1',
      'ice.turnUrls': JSON.stringify([await startCoturn(scope, secret)]),
      'ice.turnSecret': secret,
      'ice.relayOnly': 'true',
    });
    const room = freshRoom();
    const talk = await open(chromium, `/talk/${room}`, own);
    await keepConnections(talk);
    await press(talk, 'start-video');
    const direct = await open(chromium, `/room/${room}`, own);
    await seesMoving(direct, 'remote-video');
    expect(await words(talk)).not.toContain('over the server');
    const spilled = await Promise.all([1, 2].map(() => open(chromium, `/room/${room}`, own)));
    for (const page of spilled) await seesMoving(page, 'remote-video');
    expect(await Promise.all([direct, ...spilled].map(way))).toEqual(['talker', 'server', 'server']);
    await until(async () => (await words(talk)).includes('2 over the server'));
    expect(await sessionsOf(own, room)).toEqual({ publisher: true, viewers: 2 });
    expect(await candidateTypes(talk)).toEqual(['relay', 'relay']);

    for (const page of spilled) {
      await watchGaps(page);
      await keepConnections(page);
    }
    await direct.close();
    await until(async () => (await Promise.all(spilled.map(way))).includes('talker'), { timeoutMs: 30_000 });
    await until(async () => (await sessionsOf(own, room)).viewers === 1);
    const moved = spilled[(await Promise.all(spilled.map(way))).indexOf('talker')]!;
    await seesMoving(moved, 'remote-video');
    const { gap, emptied } = await gaps(moved);
    console.log(
      `rooms: 1 direct + 2 over the server by coturn, longest gap at a change of the way ${gap} ms`,
    );
    expect([emptied, await candidateTypes(moved)]).toEqual([0, ['relay']]);
    expect(gap).toBeLessThan(700 * slack());
    for (const page of spilled) await page.close();
    // Nobody is left who needs it.
    await until(async () => !(await sessionsOf(own, room)).publisher, { timeoutMs: 15_000 });
  });
});

/** A crowd takes a minute: in the long form only. */
const CROWD = process.env.ONAIR_LONG === '1' ? 30 : 0;
/** Watchers that the talker sends to itself. */
const DIRECT = 4;
/** Watchers that come in the same moment. */
const AT_ONCE = 5;

describe.runIf(CROWD > 0)('a crowd', () => {
  it('of 30 sees moving pictures of one talker', { timeout: 210_000 }, async () => {
    const own = await startTestServer(scope, { 'rooms.maxDirect': String(DIRECT) });
    // Three small pictures a second, so that two cores decode what 30 watch.
    const flags = [
      '--use-fake-device-for-media-stream=fps=3',
      // No second process for each watcher in store.
      '--disable-features=Translate,MediaRouter,OptimizationHints,SpareRendererForSitePerProcess',
    ];
    const slow = chromiumPages(await launchChromium(scope, { flags }));
    const room = freshRoom();
    const talk = await open(slow, `/talk/${room}`, own);
    await talk.run(() => {
      const devices = navigator.mediaDevices;
      const ask = devices.getUserMedia.bind(devices);
      devices.getUserMedia = (wish) => ask({ ...wish, video: { width: 320, height: 180 } });
    }, null);
    await press(talk, 'start-video');
    await seesMoving(talk, 'local-video');
    const since = performance.now();
    const watchers: WebPage[] = [];
    while (watchers.length < CROWD) {
      const some = Array.from({ length: AT_ONCE }, () => open(slow, `/room/${room}`, own));
      const pages = await Promise.all(some);
      await Promise.all(pages.map((page) => seesMoving(page, 'remote-video', 60_000)));
      watchers.push(...pages);
    }
    // Everybody still does when all are there.
    await Promise.all(watchers.map((page) => seesMoving(page, 'remote-video', 60_000)));
    const ways = await Promise.all(watchers.map(way));
    const direct = ways.filter((one) => one === 'talker').length;
    const seconds = ((performance.now() - since) / 1000).toFixed(0);
    console.log(
      `rooms: ${CROWD} watchers see moving pictures after ${seconds} s, ${direct} from the talker, the rest from the server`,
    );
    expect([direct, ways.filter((one) => one === 'server').length]).toEqual([DIRECT, CROWD - DIRECT]);
  });
});

describe('a room whose watchers hand the picture on', () => {
  it('goes on below one that leaves, without a new connection there', async () => {
    const own = await startTestServer(scope, {
      'rooms.maxDirect': '1',
      'rooms.maxHandOn': '1',
      'rooms.spill': 'false',
    });
    const room = freshRoom();
    const talk = await open(chromium, `/talk/${room}`, own);
    await press(talk, 'start-video');
    await seesMoving(talk, 'local-video');
    const chain: WebPage[] = [];
    for (let n = 0; n < 3; n++) {
      const page = await open(chromium, `/room/${room}`, own);
      await seesMoving(page, 'remote-video');
      chain.push(page);
    }
    const [first, second, third] = chain as [WebPage, WebPage, WebPage];
    expect(await Promise.all(chain.map(way))).toEqual(['talker', 'watcher', 'watcher']);
    const before = await descriptions(third);
    await Promise.all([second, third].map(watchGaps));
    await first.close();
    await until(async () => (await way(second)) === 'talker', { timeoutMs: 30_000 });
    for (const page of [second, third]) await seesMoving(page, 'remote-video');
    const [near, below] = [await gaps(second), await gaps(third)];
    console.log(`rooms: longest gap when the parent leaves ${near.gap} ms, below it ${below.gap} ms`);
    expect([near.emptied, below.emptied, await descriptions(third)]).toEqual([0, 0, before]);
    expect(Math.max(near.gap, below.gap)).toBeLessThan(5000 * slack());
  });
});

describe('rooms between Chromium and Firefox', () => {
  let firefox: WebBrowser;
  beforeAll(async () => {
    firefox = await launchFirefox(house);
  });

  it('carry the picture, chat, signs and files, also over the server, and are recorded', async () => {
    const own = await startTestServer(scope, { 'rooms.maxDirect': '1' });
    const room = freshRoom();
    const talk = await open(chromium, `/talk/${room}`, own);
    await press(talk, 'start-video');
    await seesMoving(talk, 'local-video');
    const fox = await open(firefox, `/room/${room}`, own);
    await seesMoving(fox, 'remote-video');
    const far = await open(chromium, `/room/${room}`, own);
    await seesMoving(far, 'remote-video');
    expect(await Promise.all([fox, far].map(way))).toEqual(['talker', 'server']);

    const everybody = [talk, fox, far];
    const texts = ['from the talker', 'from Firefox', 'from far away'];
    for (const [i, page] of everybody.entries()) await say(page, texts[i]!);
    for (const page of everybody) await hears(page, texts);
    const floats = (page: WebPage): Promise<boolean> =>
      page.run(() => document.querySelector('.beside-signs span')?.textContent === '🎉', null);
    const seen = Promise.all(everybody.map((page) => until(() => floats(page), { everyMs: 50 })));
    await fox.run(
      () => document.querySelector<HTMLButtonElement>('.beside-reactions button:last-child')!.click(),
      null,
    );
    await seen;

    await offerFile(talk, 'slides.bin', 300_000, 'timed');
    expect(await Promise.all([fox, far].map((page) => takeFile(page, 'slides.bin')))).toEqual([
      300_000, 300_000,
    ]);
    await offerFile(fox, 'answer.bin', 2_000_000, 'unordered');
    expect(await takeFile(talk, 'answer.bin')).toBe(2_000_000);
    await offerFile(far, 'note.bin', 50_000, 'once');
    expect(await takeFile(talk, 'note.bin')).toBe(50_000);

    await press(talk, 'record');
    for (const page of [fox, far]) {
      await until(async () => (await words(page)).includes('This talk is being recorded.'));
    }
    const playlist = `${own.http}/rooms/${room}/playlist.m3u8`;
    const recorded = async (): Promise<number> => {
      const text = await (await fetch(playlist)).text();
      return [...text.matchAll(/^#EXTINF:([\d.]+)/gm)].reduce((sum, [, seconds]) => sum + Number(seconds), 0);
    };
    await until(async () => (await recorded()) > 1, { timeoutMs: 30_000 });
    const live = await fetch(`${own.http}/rooms/${room}/index.m3u8`);
    expect([live.status, await live.text()]).toEqual([200, expect.stringContaining('#EXT-X-STREAM-INF')]);
    const list = (await (await fetch(`${own.http}/api/v1/rooms`)).json()) as { rooms: object[] };
    expect(list.rooms).toContainEqual({
      room,
      members: 3,
      talking: true,
      locked: false,
      stage: { stream: true, record: true },
      stream: `rooms/${room}`,
    });
    await press(talk, 'record');
    await until(async () => (await (await fetch(playlist)).text()).includes('#EXT-X-ENDLIST'), {
      timeoutMs: 30_000,
    });
    console.log(`rooms: ${(await recorded()).toFixed(1)} s of the talk are recorded`);
  });

  it('carry the picture and the chat the other way, too', async () => {
    const room = freshRoom();
    const watch = await open(chromium, `/room/${room}`);
    const talk = await open(firefox, `/talk/${room}`);
    await press(talk, 'start-video');
    await seesMoving(watch, 'remote-video');
    await say(talk, 'one way');
    await say(watch, 'and back');
    for (const page of [talk, watch]) await hears(page, ['one way', 'and back']);
  });
});
