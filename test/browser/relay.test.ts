import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchChromium, openPage } from '../kit/chromium.ts';
import { slack } from '../kit/load.ts';
import { bundlePlayer, PlayerPage } from '../kit/player-page.ts';
import { Scope } from '../kit/scope.ts';
import { startTestServer, type TestServer } from '../kit/server.ts';
import { until } from '../kit/until.ts';

const scope = new Scope();
let server: TestServer;
let pages: PlayerPage;
let address: string;
let browser: Browser;

beforeAll(async () => {
  server = await startTestServer(scope, {
    demo: 'true',
    'relay.enabled': 'true',
    'relay.maxChildren': '2',
    'relay.silentMs': '500',
  });
  const bundle = await bundlePlayer();
  scope.defer(bundle.remove);
  pages = new PlayerPage(bundle.dir);
  scope.defer(() => pages.close());
  address = await pages.listen();
  browser = await launchChromium(scope);
});
afterAll(() => scope.close());

interface Seen {
  readonly transport: string;
  readonly status: string;
  readonly share: number;
  readonly sent: number;
  readonly stalls: number;
  readonly decoded: number;
  readonly position: number;
  readonly latency: number;
}

function look(page: Page): Promise<Seen> {
  return page.evaluate(() => {
    const player = document.querySelector('onair-player')!;
    const { transport, peerShare, peerBytesSent, stalls, decoded, latency } = player.figures!;
    return {
      transport: transport ?? '',
      status: player.status.kind,
      share: peerShare ?? 0,
      sent: peerBytesSent ?? 0,
      stalls,
      decoded,
      position: player.video!.currentTime,
      latency: latency ?? 0,
    };
  });
}

async function watch(attributes: Record<string, string> = {}): Promise<Page> {
  const { page } = await openPage(browser, { viewport: { width: 320, height: 180 } });
  const query = new URLSearchParams({
    src: `${server.http}/live/demo`,
    autoplay: '',
    muted: '',
    ...attributes,
  });
  await page.goto(`${address}?${query}`);
  return page;
}

describe('the relay tree between browsers', () => {
  it('is taken where the server offers it, carries most of the stream, and outlives one in the middle', async () => {
    const audience: Page[] = [];
    for (let n = 0; n < 4; n++) audience.push(await watch());
    const loner = await watch({ relay: 'off' });
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
    console.log('relay in browsers', JSON.stringify(after));
    // A busy machine stalls players by itself: judged by what the one without relay has.
    const alone = await look(loner);
    expect(alone.transport).toBe('ws');
    for (const [at, { stalls }] of after.entries()) {
      expect(stalls - kept[at]!.stalls).toBeLessThanOrEqual(alone.stalls > 0 ? 2 : 0);
    }
    for (const page of [...rest, loner]) await page.close();
  });
});
