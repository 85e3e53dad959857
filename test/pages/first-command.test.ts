import { readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, it } from 'vitest';
import { Child } from '../kit/child.ts';
import { launchChromium, openPage } from '../kit/chromium.ts';
import { probe, watchFor } from '../kit/player-probe.ts';
import { Scope } from '../kit/scope.ts';
import { until } from '../kit/until.ts';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const scope = new Scope();
afterAll(() => scope.close());

/** What `npm start` runs. Run without npm in between, which would not pass a signal on to it. */
function startScript(): string[] {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    scripts: { start: string };
  };
  const [node, ...rest] = scripts.start.split(' ');
  expect(node).toBe('node');
  return rest;
}

/** What the first line of a JSON log tells. */
interface Listening {
  readonly msg: string;
  readonly urls: { readonly demo: string; readonly home: string };
}

it('the first command of the README shows live video with sound at the printed address', async () => {
  const server = scope.own(
    new Child('npm start', process.execPath, startScript(), {
      cwd: root,
      env: {
        ...process.env,
        ONAIR_LOG: 'json',
        ONAIR_DATA: scope.tempDir(),
        ONAIR_HTTP_PORT: '0',
        ONAIR_RTMP_PORT: '0',
      },
    }),
  );
  let printed = '';
  server.stdout.setEncoding('utf8').on('data', (text: string) => {
    printed += text;
  });
  const listening = await until(
    () => {
      const line = printed.split('\n').find((text) => text.includes('"msg":"listening"'));
      return line === undefined ? undefined : (JSON.parse(line) as Listening);
    },
    { timeoutMs: 90_000, message: () => `the server listens: ${printed}` },
  );

  const { page, errors, foreignRequests } = await openPage(await launchChromium(scope));
  await page.goto(listening.urls.demo);
  await until(async () => (await probe(page)).status === 'playing', {
    timeoutMs: 60_000,
    message: 'it plays',
  });
  const watched = await watchFor(page, 8_000);
  expect(watched.advanced).toBeGreaterThan(7);
  expect(watched.decoded).toBeGreaterThan(7 * 25);
  expect(watched.audioBytes).toBeGreaterThan(20_000);
  expect(errors).toEqual([]);
  expect(foreignRequests).toEqual([]);

  await page.goto(listening.urls.home);
  await until(async () => (await page.getByText('demo').count()) > 0, {
    message: 'the home page lists the demo',
  });
  server.signal('SIGINT');
  expect(await server.exited).toEqual({ code: 0, signal: null });
});
