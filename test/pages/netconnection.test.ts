import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { launchChromium, openPage } from '../kit/chromium.ts';
import { bundlePlayer, PlayerPage } from '../kit/player-page.ts';
import { Scope } from '../kit/scope.ts';
import { startTestServer, type TestServer } from '../kit/server.ts';
import { until } from '../kit/until.ts';

type Sdk = typeof import('../../packages/client/src/netconnection/index.ts');
type Shared = ReturnType<Sdk['SharedObject']['getRemote']>;
/** What the page keeps for the test. */
interface Kept {
  readonly onair: Sdk;
  nc: InstanceType<Sdk['NetConnection']>;
  ns: InstanceType<Sdk['NetStream']>;
  readonly codes: string[];
  readonly called: unknown[];
}

const SCRIPT = `export default defineApp({
  methods: {
    doSomething(client, ...args) {
      console.log('doSomething is called', client.transport, args);
      return { done: true, args };
    },
    back: async (client, question) => ({ answer: await client.call('onQuestion', question) }),
    throws() { throw new Error('on purpose'); },
    async note(_client, text) {
      const board = onair.sharedObject('board', true);
      await board.set('note', text);
      await board.send('say', 'noted');
      return await board.get();
    },
  },
});`;

/** Bytes of script, gzip: at once, and when a picture is shown or published. */
const BUDGET = { first: 17_000, all: 56_000 };

const scope = new Scope();
let folder: string;
let server: TestServer;
let address: string;
let browser: Browser;

beforeAll(async () => {
  const bundle = await bundlePlayer('packages/client/src/netconnection/index.ts');
  scope.defer(bundle.remove);
  folder = bundle.dir;
  const pages = new PlayerPage(bundle.dir);
  scope.defer(() => pages.close());
  address = await pages.listen();
  const apps = scope.tempDir('onair-apps');
  writeFileSync(join(apps, 'live.js'), SCRIPT);
  server = await startTestServer(scope, {
    demo: 'true',
    'record.streams': 'all',
    'apps.folder': apps,
    'http.allowedOrigins': JSON.stringify([new URL(address).origin]),
  });
  browser = await launchChromium(scope);
});
afterAll(() => scope.close());

async function connect(url: string): Promise<Page> {
  const { page, errors } = await openPage(browser, { viewport: { width: 640, height: 360 } });
  await page.goto(address);
  await page.waitForFunction(() => 'onair' in window);
  await page.evaluate((to) => {
    const kept = window as unknown as Kept;
    const { NetConnection, NetStatusEvent } = kept.onair;
    Object.assign(kept, { codes: [], called: [], nc: new NetConnection() });
    kept.nc.addEventListener(NetStatusEvent.NET_STATUS, (event) =>
      kept.codes.push((event as InstanceType<Sdk['NetStatusEvent']>).info.code),
    );
    kept.nc.addEventListener('asyncError', (event) =>
      kept.codes.push((event as InstanceType<Sdk['AsyncErrorEvent']>).text),
    );
    kept.nc.client = {
      onQuestion: (question: unknown) => {
        kept.called.push(question);
        return `because ${question}`;
      },
    };
    kept.nc.connect(to);
  }, url);
  await heard(page, 'NetConnection.Connect.Success', errors);
  return page;
}

const codes = (page: Page): Promise<string[]> => page.evaluate(() => (window as unknown as Kept).codes);

function call(page: Page, method: string, ...args: (string | number)[]): Promise<unknown> {
  return page.evaluate(
    ([name, list]) => {
      const { nc, onair } = window as unknown as Kept;
      return new Promise((resolve) => {
        nc.call(name, new onair.Responder(resolve, (status) => resolve({ status })), ...list);
      });
    },
    [method, args] as const,
  );
}

function play(page: Page, name: string, start = -2): Promise<void> {
  return page.evaluate(
    ([what, from]) => {
      const kept = window as unknown as Kept;
      const { NetStream, NetStatusEvent, Video } = kept.onair;
      kept.ns = new NetStream(kept.nc);
      kept.ns.client = {
        onMetaData: (info: unknown) => kept.called.push(info),
        onCuePoint: ({ name, time }: { name: string; time: number }) =>
          kept.called.push({ cue: name, late: kept.ns.time - time }),
      };
      kept.ns.addEventListener(NetStatusEvent.NET_STATUS, (event) =>
        kept.codes.push((event as InstanceType<Sdk['NetStatusEvent']>).info.code),
      );
      const video = new Video(640, 360);
      document.body.append(video.element);
      video.attachNetStream(kept.ns);
      kept.ns.play(what, from);
    },
    [name, start] as const,
  );
}

/** Pictures and bytes of sound that a page has decoded. */
const decoded = (page: Page): Promise<{ frames: number; sound: number; time: number }> =>
  page.evaluate(() => {
    const video = document.querySelector('video');
    const sound = (video as unknown as { webkitAudioDecodedByteCount?: number } | null)
      ?.webkitAudioDecodedByteCount;
    const frames = video?.getVideoPlaybackQuality().totalVideoFrames ?? 0;
    return { frames, sound: sound ?? 0, time: video?.currentTime ?? 0 };
  });

/** Waits until the picture moves on and sound is decoded. */
async function moves(page: Page, frames = 20): Promise<void> {
  let first: number | undefined;
  await until(
    async () => {
      const now = await decoded(page);
      if (now.frames > 0) first ??= now.frames;
      if (first !== undefined && now.frames >= first + frames && now.sound > 0) return true;
      throw new Error(JSON.stringify(now));
    },
    { timeoutMs: 30_000, message: 'the picture moves' },
  );
}

/** Waits until the page was called or told so. */
async function told(page: Page, what: string): Promise<void> {
  await until(
    async () => {
      const all = await page.evaluate(() => (window as unknown as Kept).called);
      if (all.includes(what)) return true;
      throw new Error(JSON.stringify(all));
    },
    { message: what },
  );
}

/** Waits for a status. */
async function heard(page: Page, code: string, errors: readonly string[] = []): Promise<void> {
  await until(
    async () => {
      const all = await codes(page);
      if (all.includes(code)) return true;
      throw new Error([...all, ...errors].join(' '));
    },
    { timeoutMs: 20_000, message: code },
  );
}

it('keeps to its budget of bytes', () => {
  const sizes = readdirSync(folder).map((file) => {
    const { length } = gzipSync(readFileSync(join(folder, file)));
    return [file, length] as const;
  });
  console.log(`bytes of script, gzip: ${sizes.map((one) => one.join(' ')).join(', ')}`);
  expect(sizes.find(([file]) => file === 'onair-player.js')?.[1]).toBeLessThan(BUDGET.first);
  expect(sizes.reduce((sum, [, length]) => sum + length, 0)).toBeLessThan(BUDGET.all);
});

it.each(['rtmp', 'rtmpt'] as const)('%s: plays, calls and is called', async (scheme) => {
  const page = await connect(`${scheme}://127.0.0.1:${server.ports.rtmp}/live`);
  expect(await call(page, 'doSomething', 'a', 1)).toEqual({ done: true, args: ['a', 1] });
  expect(await call(page, 'back', 'why')).toEqual({ answer: 'because why' });
  expect(await call(page, 'throws')).toMatchObject({
    status: { code: 'NetConnection.Call.Failed', description: 'on purpose' },
  });
  await play(page, 'demo');
  await moves(page);
  const called = await page.evaluate(() => (window as unknown as Kept).called);
  expect(called).toEqual(['why', expect.objectContaining({ width: expect.any(Number) })]);
  expect(await codes(page)).toEqual(
    expect.arrayContaining(['NetStream.Play.Reset', 'NetStream.Play.Start', 'NetStream.Buffer.Full']),
  );
  // A cue is told with its picture, not before.
  const fired = await fetch(`${server.http}/api/v1/streams/live/demo/events`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'cm', after: 1, data: { spot: 1 } }),
  });
  expect(fired.status).toBe(201);
  const cue = await until(async () => {
    const all = await page.evaluate(() => (window as unknown as Kept).called);
    return all.find((one): one is { cue: string; late: number } => Object(one).cue === 'cm');
  });
  console.log(`${scheme}: the cue came ${(cue.late * 1000).toFixed(0)} ms after its picture`);
  expect(cue.late).toBeGreaterThan(-0.04);
  // Pause stops the feed; resume goes on at the newest.
  await page.evaluate(() => (window as unknown as Kept).ns.pause());
  await heard(page, 'NetStream.Pause.Notify');
  await page.evaluate(() => (window as unknown as Kept).ns.resume());
  await heard(page, 'NetStream.Unpause.Notify');
  await moves(page);
  await page.evaluate(() => (window as unknown as Kept).nc.close());
  expect((await codes(page)).at(-1)).toBe('NetConnection.Connect.Closed');
  await page.context().close();
});

it('shares objects between pages and the script, and keeps those that are persistent', async () => {
  const pages = [
    await connect(`rtmp://127.0.0.1:${server.ports.rtmp}/live`),
    await connect(`rtmpt://127.0.0.1:${server.ports.http}/live`),
  ] as const;
  for (const page of pages) {
    await page.evaluate(() => {
      const kept = window as unknown as Kept & { so: Shared };
      kept.so = kept.onair.SharedObject.getRemote('board', kept.nc.uri, true);
      kept.so.client = { say: (text: unknown) => kept.called.push(text) };
      kept.so.addEventListener('sync', (event) => {
        for (const { code, name } of (event as InstanceType<Sdk['SyncEvent']>).changeList)
          kept.called.push(`${code} ${name ?? ''}`.trim());
      });
      kept.so.connect(kept.nc);
    });
    await told(page, 'clear');
  }
  const [one, other] = pages;
  await one.evaluate(() => (window as unknown as { so: Shared }).so.setProperty('by', { page: ['one'] }));
  await told(one, 'success by');
  await told(other, 'change by');
  expect(await call(one, 'note', 'hello')).toEqual({ by: { page: ['one'] }, note: 'hello' });
  for (const page of pages) for (const what of ['change note', 'noted']) await told(page, what);
  const data = await other.evaluate(() => {
    const { so } = window as unknown as { so: Shared };
    return { ...so.data };
  });
  expect(data).toEqual({ by: { page: ['one'] }, note: 'hello' });
  for (const page of pages) await page.context().close();
  await until(() => existsSync(join(server.data, 'shared-objects/live')));
});

it('publishes what WebCodecs encodes, and the player of Flash days plays it', async () => {
  const { page: viewer, errors } = await openPage(browser, { viewport: { width: 640, height: 480 } });
  await viewer.goto(`${server.http}/player`);
  const publisher = await connect(`ws://127.0.0.1:${server.ports.http}/live`);
  await publisher.evaluate(async () => {
    const kept = window as unknown as Kept;
    const { NetStream, NetStatusEvent } = kept.onair;
    const media = await navigator.mediaDevices.getUserMedia({
      video: { width: 640, height: 480 },
      audio: true,
    });
    kept.ns = new NetStream(kept.nc);
    kept.ns.addEventListener(NetStatusEvent.NET_STATUS, (event) => {
      const { code, description } = (event as InstanceType<Sdk['NetStatusEvent']>).info;
      kept.codes.push(code === 'NetStream.Publish.Failed' ? `${code} ${description}` : code);
    });
    kept.ns.publish('test');
    await kept.ns.attachMedia(media, { videoBitrate: 500_000 });
  });
  await heard(publisher, 'NetStream.Publish.Start');
  await moves(viewer);
  const stream = server.registry.list().find(({ name }) => name === 'live/test');
  console.log(`published ${stream?.epoch?.tracks.map(({ parameters }) => parameters.codec).join(' and ')}`);
  const answer = await viewer.evaluate(() =>
    (window as unknown as { player: { doSomething(x: number): unknown } }).player.doSomething(5),
  );
  expect(answer).toEqual({ done: true, args: [5] });
  expect(errors).toEqual([]);

  // What was recorded so far, from a place in it, once that is something.
  await until(
    async () => {
      const text = await (await fetch(`${server.http}/live/test/playlist.m3u8`)).text();
      const lengths = [...text.matchAll(/#EXTINF:([\d.]+)/g)].map(([, length]) => Number(length));
      return lengths.reduce((sum, length) => sum + length, 0) > 4;
    },
    { timeoutMs: 30_000, message: 'four seconds are recorded' },
  );
  const late = await connect(`rtmp://127.0.0.1:${server.ports.rtmp}/live`);
  await play(late, 'test', 0);
  await moves(late, 5);
  await late.evaluate(() => (window as unknown as Kept).ns.seek(0));
  await heard(late, 'NetStream.Seek.Notify');
  await moves(late, 5);
});
