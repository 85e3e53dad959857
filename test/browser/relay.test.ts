import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { decodeRelayTree, RELAY_ROOT, type RelayTreeNode } from '../../packages/contracts/src/relay/index.ts';
import { closePages, launchChromium } from '../kit/chromium.ts';
import { launchFirefox } from '../kit/firefox.ts';
import { slack } from '../kit/load.ts';
import { bundlePlayer, PlayerPage } from '../kit/player-page.ts';
import { Scope } from '../kit/scope.ts';
import { startTestServer, type TestServer } from '../kit/server.ts';
import { until } from '../kit/until.ts';
import { chromiumPages, type WebBrowser, type WebPage } from '../kit/web-page.ts';

const scope = new Scope();
let pages: PlayerPage;
let address: string;
let browser: Browser;
let chromium: WebBrowser;

const serve = (maxChildren: number): Promise<TestServer> =>
  startTestServer(scope, {
    demo: 'true',
    'relay.enabled': 'true',
    'relay.maxChildren': String(maxChildren),
    'relay.silentMs': '500',
  });

beforeAll(async () => {
  const bundle = await bundlePlayer();
  scope.defer(bundle.remove);
  pages = new PlayerPage(bundle.dir);
  scope.defer(() => pages.close());
  address = await pages.listen();
  browser = await launchChromium(scope);
  chromium = chromiumPages(browser);
});
afterEach(() => closePages(browser));
afterAll(() => scope.close());

interface Seen {
  readonly transport: string;
  readonly status: string;
  readonly share: number;
  readonly sent: number;
  readonly stalls: number;
  readonly position: number;
}

const look = (page: WebPage): Promise<Seen> =>
  page.run(() => {
    const player = document.querySelector('onair-player')!;
    const { transport, peerShare, peerBytesSent, stalls } = player.figures!;
    return {
      transport: transport ?? '',
      status: player.status.kind,
      share: peerShare ?? 0,
      sent: peerBytesSent ?? 0,
      stalls,
      position: player.video!.currentTime,
    };
  }, null);

function watch(browser: WebBrowser, { http }: TestServer, attributes: object = {}): Promise<WebPage> {
  const query = new URLSearchParams({ src: `${http}/live/demo`, autoplay: '', muted: '', ...attributes });
  return browser.open(`${address}?${query}`);
}

async function nodesOf({ http, freshToken }: TestServer): Promise<readonly RelayTreeNode[]> {
  const headers = { authorization: `Bearer ${freshToken}` };
  const answer = await fetch(`${http}/api/v1/streams/live/demo/relay`, { headers });
  return decodeRelayTree(await answer.json()).nodes;
}

describe('the relay tree between browsers', () => {
  it('is taken where the server offers it, carries most of the stream, and outlives one in the middle', async () => {
    const server = await serve(2);
    const audience: WebPage[] = [];
    for (let n = 0; n < 4; n++) audience.push(await watch(chromium, server));
    const loner = await watch(chromium, server, { relay: 'off' });
    const options = { timeoutMs: 40_000 * slack(), everyMs: 250 };
    await until(
      async () => {
        const seen = await Promise.all(audience.map(look));
        const served = seen.filter(({ share }) => share > 0.1).length;
        return (
          seen.every(({ status, transport }) => status === 'playing' && transport === 'relay') && served >= 2
        );
      },
      { ...options, message: 'blocks from other pages' },
    );
    const before = await Promise.all(audience.map(look));
    const untouched = await look(loner);
    const giver = before.reduce((best, { sent }, at) => (sent > before[best]!.sent ? at : best), 0);
    expect(before[giver]!.sent).toBeGreaterThan(100_000);
    await audience[giver]!.close();
    const rest = audience.filter((_, at) => at !== giver);
    const kept = before.filter((_, at) => at !== giver);
    await until(
      async () =>
        (await Promise.all(rest.map(look))).every(({ position }, at) => position > kept[at]!.position + 4),
      { ...options, message: 'play after the middle one went' },
    );
    const after = await Promise.all(rest.map(look));
    const alone = await look(loner);
    expect(alone.transport).toBe('ws');
    const stalls = after.map((seen, at) => seen.stalls - kept[at]!.stalls);
    const without = alone.stalls - untouched.stalls;
    console.log(`relay in browsers: stalls after the middle one went ${stalls}, without relay ${without}`);
    // A machine too busy to play at all stalls those without relay as well.
    for (const count of stalls) expect(count).toBeLessThanOrEqual(without);
    for (const page of [...rest, loner]) await page.close();
  });

  // Three windows of Firefox on a screen in memory beside Chromium need both cores for themselves.
  it.runIf(process.env.ONAIR_LONG === '1')(
    'joins Chromium below Firefox and Firefox below Chromium',
    async () => {
      const server = await serve(1);
      // A page in the background would serve nobody.
      const firefox = await launchFirefox(scope, 'window');
      const names = new Map<string, string>();
      const opened: WebPage[] = [];
      // The server feeds two, each of those one, and so on.
      for (const row of [[firefox, firefox], [chromium, chromium], [firefox]]) {
        opened.push(...(await Promise.all(row.map((browser) => watch(browser, server)))));
        const fresh = await until(
          async () => {
            const found = (await nodesOf(server)).filter(({ uuid }) => !names.has(uuid));
            const fed = found.every((one) => (names.size === 0 ? one.serverBytes : one.peerBytes) > 0);
            return found.length === row.length && fed && found;
          },
          { timeoutMs: 30_000 * slack(), everyMs: 100, message: `${opened.length} pages in their places` },
        );
        for (const { uuid } of fresh) names.set(uuid, row[0]!.engine);
      }
      const nodes = await nodesOf(server);
      const below = nodes.filter(({ parent_uuid }) => parent_uuid !== RELAY_ROOT);
      const links = below.map(({ uuid, parent_uuid }) => `${names.get(parent_uuid)} to ${names.get(uuid)}`);
      expect(links).toEqual(['firefox to chromium', 'firefox to chromium', 'chromium to firefox']);
      const before = await Promise.all(opened.map(look));
      await until(
        async () =>
          (await Promise.all(opened.map(look))).every(
            ({ position }, at) => position > before[at]!.position + 1,
          ),
        { timeoutMs: 20_000 * slack(), everyMs: 250, message: 'play in both browsers' },
      );
      const seen = await Promise.all(opened.map(look));
      console.log(
        `relay across browsers: ${links.join(', ')}; shares ${seen.map(({ share }) => share.toFixed(2))}`,
      );
      expect(seen.every(({ status, transport }) => status === 'playing' && transport === 'relay')).toBe(true);
    },
  );
});
