// Takes a picture of every page in every state, at 360 and 1440 pixels, dark and light, into docs/screenshots.
// Needs a build and Chromium (ONAIR_CHROMIUM names another than /usr/bin/chromium).
//   node scripts/screenshots.mjs            all
//   node scripts/screenshots.mjs watch      those whose name has this in it
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { chromium } from 'playwright-core';
import { root } from './sources.mjs';

const CLI = join(root, 'packages/server/bin/onair.js');
const OUT = join(root, 'docs/screenshots');
const MAX_BYTES = 6_400_000;
const SIZES = [
  { width: 1440, height: 900 },
  { width: 360, height: 740 },
];
const SCHEMES = ['dark', 'light'];
const LOCALES = { en: 'en-US', ja: 'ja-JP', zh: 'zh-CN' };

const wanted = process.argv[2] ?? '';
const data = mkdtempSync(join(tmpdir(), 'onair-screenshots-'));
const children = new Set();

function start(...args) {
  const env = { ...process.env, ONAIR__proxy__private: 'true' };
  const child = spawn(process.execPath, [CLI, ...args], { stdio: ['ignore', 'pipe', 'pipe'], env });
  children.add(child);
  child.once('exit', () => children.delete(child));
  return child;
}

async function stop(child) {
  if (child.exitCode !== null) return;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  await gone;
}

/** The first line of `stream` that `read` makes something of. */
function lineOf(stream, read) {
  return new Promise((resolve, reject) => {
    const lines = createInterface({ input: stream });
    lines.on('line', (line) => {
      const found = read(line);
      if (found !== undefined) resolve(found);
    });
    lines.once('close', () => reject(new Error('the program ended before it said what was awaited')));
  });
}

async function startServer() {
  const args = ['--http-port', '0', '--rtmp-port', '0', '--log', 'json', '--data', data];
  const child = start('serve', '--host', '127.0.0.1', ...args);
  const [ports, token] = await Promise.all([
    lineOf(child.stdout, (line) => JSON.parse(line).ports),
    lineOf(child.stderr, (line) => /#token=(\S+)/.exec(line)?.[1]),
  ]);
  return { child, url: `http://127.0.0.1:${ports.http}`, rtmp: `rtmp://127.0.0.1:${ports.rtmp}`, token };
}

async function onAir(server, names, wish) {
  for (;;) {
    const { streams } = await (await fetch(`${server.url}/api/v1/streams`)).json();
    if (names.every((name) => streams.some((one) => one.name === name && one.state === wish))) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

const playing = (page, count = 1) =>
  page.waitForFunction(
    (least) =>
      [...document.querySelectorAll('onair-player')].filter((one) => (one.video?.currentTime ?? 0) > 1)
        .length >= least,
    count,
    { timeout: 180_000 },
  );
const shown = (selector) => (page) => page.locator(selector).first().waitFor();
const openChip = (at) => async (page) => {
  await playing(page);
  await page.locator('.chip').nth(at).click();
};
/** The operator's browser, with a second window that watches, so that there is something to see. */
const operator = (server) => async (context) => {
  await context.request.post(`${server.url}/api/v1/session`, { data: { token: server.token } });
  const viewer = await context.newPage();
  await viewer.goto(`${server.url}/watch/live/test`);
};

/** Asks the viewers of `live/test` something. */
async function ask(server) {
  await fetch(`${server.url}/api/v1/streams/live/test/events`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${server.token}` },
    body: JSON.stringify({
      name: 'poll',
      duration: 20,
      data: { question: 'Who scores next?', choices: ['Blue', 'Red', 'Nobody'] },
    }),
  });
}

let recording;
/** The first `bytes` of an endless answer. */
async function record(url, bytes) {
  const answer = await fetch(url);
  const parts = [];
  let length = 0;
  for await (const part of answer.body) {
    parts.push(part);
    length += part.length;
    if (length >= bytes) break;
  }
  return Buffer.concat(parts);
}

let filed;
/** Two files on the shelf of the server. */
async function fileAway(server) {
  const film = await record(`${server.url}/live/test.flv`, 4_000_000);
  for (const name of ['court-3.flv', 'lesson.flv']) {
    const answer = await fetch(`${server.url}/files/media/${name}`, { method: 'PUT', body: film });
    if (!answer.ok) throw new Error(`${name}: ${answer.status}`);
  }
}

const browser = await chromium.launch({
  executablePath: process.env.ONAIR_CHROMIUM ?? '/usr/bin/chromium',
  args: [
    '--no-sandbox',
    '--disable-gpu',
    '--disable-background-networking',
    '--autoplay-policy=no-user-gesture-required',
    '--use-fake-ui-for-media-stream',
    '--use-fake-device-for-media-stream',
  ],
});

/** Opens one state in every look, `few` in dark on a desktop and light on a phone only; `each` is given the pages once all are ready. */
async function shoot(
  server,
  { name, path, ready, before, after, picture = false, few = false, langs = ['en'] },
) {
  if (!name.includes(wanted)) return;
  for (const lang of langs) {
    const pages = [];
    for (const viewport of SIZES) {
      for (const colorScheme of SCHEMES) {
        if ((few || lang !== 'en') && (colorScheme !== 'dark') === viewport.width > 720) continue;
        const context = await browser.newContext({ viewport, colorScheme, locale: LOCALES[lang] });
        await before?.(context);
        const page = await context.newPage();
        await page.goto(server.url + path);
        await ready(page);
        const look = `${lang === 'en' ? '' : `${lang}-`}${viewport.width}-${colorScheme}`;
        if (after === undefined) await take(page, `${name}-${look}`, picture);
        pages.push({ page, look });
        if (after === undefined) await context.close();
      }
    }
    if (after !== undefined) {
      await after(pages.map(({ page }) => page));
      for (const { page, look } of pages) {
        await take(page, `${name}-${look}`, picture);
        await page.context().close();
      }
    }
  }
}

async function take(page, name, picture) {
  await page.waitForTimeout(400); // transitions and the first frames after them
  await page.screenshot({
    path: join(OUT, `${name}.${picture ? 'jpg' : 'png'}`),
    ...(picture ? { type: 'jpeg', quality: 72 } : {}),
  });
  console.log(name);
}

try {
  mkdirSync(OUT, { recursive: true });
  const server = await startServer();
  const calm = [
    { name: 'home-empty', path: '/', ready: shown('.ways'), langs: ['en', 'ja', 'zh'] },
    { name: 'watch-waiting', path: '/watch/live/test', ready: shown('.waiting') },
    { name: 'room-waiting', path: '/room/lesson', ready: shown('#request') },
    {
      name: 'talk',
      path: '/talk/lesson',
      ready: async (page) => {
        await page.locator('#start-video').click();
        await page.waitForFunction(() => document.querySelector('#local-video').currentTime > 1);
      },
      picture: true,
      langs: ['en', 'ja', 'zh'],
    },
    {
      name: 'rooms',
      path: '/rooms',
      before: async (context) => (await context.newPage()).goto(`${server.url}/room/lesson`),
      ready: shown('#rooms li'),
      few: true,
    },
    { name: 'recorder', path: '/recorder', ready: shown('.studio-devices'), few: true },
    { name: 'studio', path: '/studio', ready: shown('.studio-devices'), langs: ['en', 'ja', 'zh'] },
    { name: 'reporter', path: '/reporter', ready: shown('.studio-devices') },
    { name: 'sign-in', path: '/signin', ready: shown('.sign-in') },
    { name: 'sign-in-error', path: '/signin#token=wrong', ready: shown('[role=alert] .notice') },
    { name: 'capabilities', path: '/capabilities', ready: shown('.can-yes'), picture: true },
    { name: 'nothing-here', path: '/nowhere', ready: shown('.missing') },
  ];
  for (const state of calm) await shoot(server, state);

  const demo = start('demo', `${server.rtmp}/live/test`);
  const other = start('demo', `${server.rtmp}/sport/court-3`);
  await onAir(server, ['live/test', 'sport/court-3'], 'live');
  const live = [
    {
      name: 'home',
      path: '/',
      ready: (page) =>
        page.waitForFunction(() => document.querySelectorAll('canvas.preview-shown').length >= 2),
      picture: true,
      langs: ['en', 'ja', 'zh'],
    },
    { name: 'watch', path: '/watch/live/test', ready: playing, picture: true, langs: ['en', 'ja', 'zh'] },
    { name: 'watch-delay', path: '/watch/live/test', ready: openChip(0), picture: true },
    { name: 'watch-transport', path: '/watch/live/test', ready: openChip(1), picture: true },
    { name: 'watch-share', path: '/watch/live/test', ready: openChip(2), picture: true },
    { name: 'embed', path: '/embed/live/test', ready: playing, picture: true },
    {
      name: 'compare',
      path: '/compare/live/test',
      ready: async (page) => {
        await playing(page, 3); // the fourth is the browser's own HLS, which not every browser has
        await page.waitForTimeout(20_000); // a course worth looking at
      },
      picture: true,
    },
    {
      name: 'dashboard',
      path: '/dashboard',
      before: operator(server),
      ready: async (page) => {
        await shown('.kick')(page);
        await page.waitForTimeout(15_000); // a course worth looking at
      },
      langs: ['en', 'ja', 'zh'],
    },
    {
      name: 'inspect-file',
      path: '/inspect',
      ready: async (page) => {
        recording ??= await record(`${server.url}/live/test.flv`, 1_500_000);
        const file = { name: 'court-3.flv', mimeType: 'video/x-flv', buffer: recording };
        await page.setInputFiles('input[type=file]', file);
        await page.locator('.tree-row').nth(1).click();
        await shown('.detail-bytes')(page);
      },
      picture: true,
    },
    {
      name: 'operator',
      path: '/operator',
      before: operator(server),
      ready: async (page) => {
        await playing(page, 2);
        await page.locator('.console-arm').click();
      },
      picture: true,
      langs: ['en', 'ja', 'zh'],
    },
    {
      name: 'watch-question',
      path: '/watch/live/test',
      ready: async (page) => {
        await playing(page);
        await ask(server);
        await shown('.overlay-choice')(page);
      },
      picture: true,
    },
    {
      name: 'files',
      path: '/files',
      before: () => {
        filed ??= fileAway(server);
        return filed;
      },
      ready: async (page) => {
        await page.locator('.files-play').first().click();
        await page.waitForFunction(() => document.querySelector('video').currentTime > 1);
      },
      picture: true,
      few: true,
    },
    {
      name: 'files-list',
      path: '/files',
      before: () => {
        filed ??= fileAway(server);
        return filed;
      },
      ready: shown('.files-play'),
      few: true,
    },
    {
      name: 'live',
      path: '/live',
      ready: async (page) => {
        await page.locator('#video-start').click();
        await page.waitForFunction(() => (document.querySelector('video')?.currentTime ?? 0) > 1);
      },
      picture: true,
      few: true,
    },
    {
      name: 'player',
      path: '/player?name=test',
      ready: (page) => page.waitForFunction(() => (document.querySelector('video')?.currentTime ?? 0) > 1),
      picture: true,
      few: true,
    },
    {
      name: 'proxy',
      path: `/proxy?url=${encodeURIComponent(`${server.url}/live/test.flv`)}`,
      ready: async (page) => {
        await playing(page, 2);
        // Both less than a second behind, and for a while: lanes that begin say other things first.
        await page.waitForFunction(
          () => {
            const near = [...document.querySelectorAll('.proxy-delay')].every((one) =>
              /^\d+ ms/.test(one.textContent),
            );
            globalThis.near = near ? (globalThis.near ?? performance.now()) : undefined;
            return near && performance.now() - globalThis.near > 3000;
          },
          undefined,
          { timeout: 120_000 },
        );
      },
      picture: true,
      few: true,
    },
    { name: 'dashboard-visitor', path: '/dashboard', ready: shown('.table') },
    {
      name: 'watch-lost',
      path: '/watch/live/test',
      ready: playing,
      after: async (pages) => {
        await stop(demo);
        await onAir(server, ['live/test'], 'waiting');
        for (const page of pages) await page.locator('.tally-waiting').first().waitFor();
      },
      picture: true,
    },
    {
      name: 'dashboard-alert',
      path: '/dashboard',
      before: operator(server),
      ready: shown('.alerts .notice'),
    },
    {
      name: 'home-server-away',
      path: '/',
      ready: shown('.card'),
      after: async (pages) => {
        await stop(other);
        await stop(server.child);
        for (const page of pages) await page.locator('.link-notice .notice').waitFor();
      },
      picture: true,
    },
  ];
  for (const state of live) await shoot(server, state);
} finally {
  await browser.close();
  await Promise.all([...children].map(stop));
  rmSync(data, { recursive: true, force: true });
}

const total = readdirSync(OUT).reduce((sum, file) => sum + statSync(join(OUT, file)).size, 0);
console.log(`${Math.round(total / 1000)} kB in docs/screenshots`);
if (total > MAX_BYTES) {
  console.error(`more than ${MAX_BYTES / 1000} kB`);
  process.exitCode = 1;
}
