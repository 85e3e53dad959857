import { afterEach, describe, expect, it } from 'vitest';
import { launchChromium } from '../kit/chromium.ts';
import { DashPage, type DashPlayer, type DashReport, serveDashPlayers } from '../kit/dash-page.ts';
import { Scope, startPublisher, until } from '../kit/index.ts';
import { startTestServer, type TestServer } from '../kit/server.ts';

const scope = new Scope();
afterEach(() => scope.close());

/** What docs/protocols/dash.md tells to set: shaka counts latency from its delayed edge, and guesses that edge. */
const SETTINGS: Readonly<Record<DashPlayer, object>> = {
  'dash.js': {},
  shaka: {
    manifest: {
      defaultPresentationDelay: 1.5,
      dash: { autoCorrectDrift: false, ignoreSuggestedPresentationDelay: true },
    },
    streaming: { liveSync: { enabled: true, targetLatency: 0.3, targetLatencyTolerance: 0.2 } },
  },
};

async function publishing(options: object = {}): Promise<{ server: TestServer; url: string }> {
  const server = await startTestServer(scope, { 'hub.reconnectWindowMs': '60000' });
  await startPublisher(scope, { url: `${server.rtmp}/live/dash`, gopSeconds: 2, bFrames: 2, ...options });
  const url = `${server.http}/live/dash/manifest.mpd`;
  // Where a player starts, there must be something.
  await until(async () => ((await (await fetch(`${url}?ll=0`)).text()).match(/<S /g) ?? []).length > 2, {
    timeoutMs: 20_000,
  });
  return { server, url };
}

async function playing(player: DashPlayer, url: string, settings: object): Promise<DashPage> {
  const page = await DashPage.open(await launchChromium(scope), await serveDashPlayers(scope));
  await page.add(player, url, settings);
  await until(async () => ((await page.reports())[0]?.decoded ?? 0) > 30, {
    timeoutMs: 30_000,
    everyMs: 250,
  });
  return page;
}

/** What the only player of a page does in `seconds`. */
async function watch(page: DashPage, seconds: number): Promise<DashReport> {
  await page.rest();
  await page.page.waitForTimeout(seconds * 1000);
  return (await page.reports())[0]!;
}

const middle = (values: readonly number[], share = 0.5): number =>
  [...values].sort((a, b) => a - b)[Math.floor((values.length - 1) * share)] ?? Number.NaN;

describe.each<DashPlayer>(['dash.js', 'shaka'])('%s', (player) => {
  it('plays low latency: picture, sound, no error, no stop, 2.5 s behind', async () => {
    const { url } = await publishing();
    const page = await playing(player, url, SETTINGS[player]);
    // It starts where its buffer lets it, and catches up at 1.1 times the speed.
    const latency = async (): Promise<number> => middle((await page.reports())[0]!.latencies.slice(-10));
    await until(async () => (await latency()) < 2.3, { timeoutMs: 40_000, everyMs: 500 });
    const report = await watch(page, 12);
    console.info(
      `${player}: latency p50 ${middle(report.latencies).toFixed(2)} s, p95 ${middle(report.latencies, 0.95).toFixed(2)} s, ` +
        `stalls ${report.stalls}, longest ${report.stallMs} ms, dropped ${report.dropped} of ${report.decoded}`,
    );
    expect(report.errors).toEqual([]);
    expect(page.errors).toEqual([]);
    expect(report.width).toBe(320);
    expect(report.advanced).toBeGreaterThan(11);
    expect(report.audioBytes).toBeGreaterThan(60_000);
    expect(report.stallMs).toBeLessThan(500);
    expect(middle(report.latencies)).toBeLessThan(2.5);
  });

  it('plays whole segments', async () => {
    const { url } = await publishing();
    const page = await playing(player, `${url}?ll=0`, {});
    const report = await watch(page, 8);
    expect(report.errors).toEqual([]);
    expect(page.errors).toEqual([]);
    expect(report.advanced).toBeGreaterThan(7);
    expect(report.audioBytes).toBeGreaterThan(40_000);
    expect(report.stallMs).toBeLessThan(500);
  });

  it('goes on when the encoder is killed and comes back, the same or another', async () => {
    const server = await startTestServer(scope, { 'hub.reconnectWindowMs': '60000' });
    const target = `${server.rtmp}/live/dash`;
    const url = `${server.http}/live/dash/manifest.mpd`;
    const first = await startPublisher(scope, { url: target, gopSeconds: 2 });
    await until(async () => (await fetch(`${url}?ll=0`)).ok);
    const page = await playing(player, url, SETTINGS[player]);
    await until(async () => (await page.reports())[0]!.advanced > 3, { timeoutMs: 30_000 });
    let running = first;
    for (const size of ['320x180', '640x360']) {
      await running.kill();
      await until(() => server.registry.list()[0]?.state === 'waiting');
      running = await startPublisher(scope, { url: target, gopSeconds: 2, size });
      const width = Number(size.split('x')[0]);
      await until(
        async () => {
          const [report] = await page.reports();
          return report!.width === width && middle(report!.latencies.slice(-5)) < 12;
        },
        { timeoutMs: 40_000, everyMs: 500 },
      );
      const report = await watch(page, 6);
      expect(report.errors).toEqual([]);
      expect(report.width).toBe(width);
      expect(report.advanced).toBeGreaterThan(4);
      expect(report.decoded).toBeGreaterThan(100);
      expect(report.audioBytes).toBeGreaterThan(20_000);
    }
  });
});
