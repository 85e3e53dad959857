import { afterEach, describe, expect, it } from 'vitest';
import { launchChromium, openPage } from '../kit/chromium.ts';
import { freePort } from '../kit/free-port.ts';
import { slack } from '../kit/load.ts';
import { startNginxRtmp } from '../kit/nginx.ts';
import { startNodeMediaServer } from '../kit/node-media-server.ts';
import { startPublisher } from '../kit/publisher.ts';
import { Scope } from '../kit/scope.ts';
import { startTestServer } from '../kit/server.ts';
import { until } from '../kit/until.ts';

const LONG = process.env.ONAIR_LONG === '1';
const scope = new Scope();
afterEach(() => scope.close());

interface Lane {
  readonly transport: string | undefined;
  readonly position: number;
  readonly delay: string | null | undefined;
}

/** Opens the page on a source of another server; resolves with what looks at both lanes. */
async function watch(url: string): Promise<() => Promise<Lane[]>> {
  const server = await startTestServer(scope, { 'proxy.private': 'true', 'rtmp.enabled': 'false' });
  const browser = await launchChromium(scope);
  const { page } = await openPage(browser, { viewport: { width: 1200, height: 800 } });
  await page.goto(`${server.http}/proxy?url=${encodeURIComponent(url)}`);
  return () =>
    page.evaluate(() =>
      [...document.querySelectorAll<HTMLElement>('.proxy-lane')].map((lane) => ({
        transport: lane.dataset.transport,
        position:
          lane.querySelector<HTMLElement & { video?: HTMLVideoElement }>('onair-player')?.video
            ?.currentTime ?? 0,
        delay: lane.querySelector('.proxy-delay')?.textContent,
      })),
    );
}

/** Waits until both lanes have gone on by so many seconds and say how far they are behind. */
async function plays(lanes: () => Promise<Lane[]>, seconds: number): Promise<Lane[]> {
  let from: Lane[] = [];
  let now: Lane[] = [];
  await until(
    async () => {
      now = await lanes();
      if (from.length < 2) from = now;
      const both = now.length === 2 && from.length === 2;
      return (
        both &&
        now.every(({ position, delay }, i) => {
          return position > from[i]!.position + seconds && /\d/.test(delay ?? '');
        })
      );
    },
    { timeoutMs: 30_000 * Math.min(2, slack()), message: () => JSON.stringify(now) },
  );
  return now;
}

describe('the live proxy', () => {
  it('plays a source in two ways, through a restart of it', { timeout: 180_000 }, async () => {
    const port = String(await freePort());
    const settings = { demo: 'true', 'rtmp.enabled': 'false', 'webrtc.enabled': 'off', 'http.port': port };
    const source = new Scope();
    scope.defer(() => source.close());
    await startTestServer(source, settings);
    const lanes = await watch(`http://127.0.0.1:${port}/live/demo.flv`);
    const first = await plays(lanes, 2);
    expect(first.map(({ transport }) => transport)).toEqual(['ws', 'flv']);
    await source.close();
    const again = new Scope();
    scope.defer(() => again.close());
    await startTestServer(again, settings);
    await plays(lanes, 3);
  });

  it('says why an address of a private network is not fetched', async () => {
    const server = await startTestServer(scope, { 'rtmp.enabled': 'false', 'webrtc.enabled': 'off' });
    const { page } = await openPage(await launchChromium(scope));
    await page.goto(`${server.http}/proxy?url=${encodeURIComponent('http://127.0.0.1/live/feed.flv')}`);
    expect(await page.locator('[role=alert]').textContent()).toMatch(/127\.0\.0\.1.*proxy\.private/);
    expect(await page.locator('.proxy-lane').count()).toBe(0);
  });

  if (LONG) {
    it('plays nginx-rtmp by RTMP, through a restart of its encoder', { timeout: 180_000 }, async () => {
      const nginx = await startNginxRtmp(scope);
      const url = nginx.url('feed');
      const encoder = await startPublisher(scope, { url });
      const lanes = await watch(url);
      await plays(lanes, 2);
      await encoder.kill();
      await startPublisher(scope, { url });
      await plays(lanes, 3);
    });

    it('plays node-media-server by HTTP-FLV, through a restart of its encoder', {
      timeout: 180_000,
    }, async () => {
      const server = await startNodeMediaServer(scope);
      const encoder = await startPublisher(scope, { url: server.rtmp('feed') });
      const lanes = await watch(server.flv('feed'));
      await plays(lanes, 2);
      await encoder.kill();
      await startPublisher(scope, { url: server.rtmp('feed') });
      await plays(lanes, 3);
    });
  }
});
