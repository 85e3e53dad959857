import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchChromium } from '../kit/chromium.ts';
import { DashPage, type DashPlayer, type DashReport, serveDashPlayers } from '../kit/dash-page.ts';
import { Scope, startPublisher, until } from '../kit/index.ts';
import { startTestServer } from '../kit/server.ts';

const scope = new Scope();
let browser: Browser;
let address: string;
/** The manifest of a stream that is on air. */
let url: string;

beforeAll(async () => {
  const server = await startTestServer(scope);
  await startPublisher(scope, { url: `${server.rtmp}/live/dash`, gopSeconds: 2, bFrames: 2 });
  url = `${server.http}/live/dash/manifest.mpd`;
  browser = await launchChromium(scope);
  address = await serveDashPlayers(scope);
  // Where a player starts, there must be something.
  await until(async () => ((await (await fetch(`${url}?ll=0`)).text()).match(/<S /g) ?? []).length > 2, {
    timeoutMs: 20_000,
  });
});
afterAll(() => scope.close());

const PLAYERS: readonly DashPlayer[] = ['dash.js', 'shaka'];

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

/** Both players in one page, each with the address that its settings belong to, once both show pictures. */
async function playing(manifest: string, settings: (player: DashPlayer) => object): Promise<DashPage> {
  const page = await DashPage.open(browser, address);
  for (const player of PLAYERS) await page.add(player, manifest, settings(player));
  await until(async () => (await page.reports()).every(({ decoded }) => decoded > 30), {
    timeoutMs: 30_000,
    everyMs: 250,
  });
  return page;
}

/** What each player does in `seconds`, by its name. */
async function watch(page: DashPage, seconds: number): Promise<[DashPlayer, DashReport][]> {
  await page.rest();
  await page.page.waitForTimeout(seconds * 1000);
  const reports = await page.reports();
  return PLAYERS.map((player, at) => [player, reports[at]!]);
}

const middle = (values: readonly number[], share = 0.5): number =>
  [...values].sort((a, b) => a - b)[Math.floor((values.length - 1) * share)] ?? Number.NaN;

describe('dash.js and shaka', () => {
  it('play low latency: picture, sound, no error, no stop, 2.5 s behind', async () => {
    const page = await playing(url, (player) => SETTINGS[player]);
    // They start where their buffer lets them, and catch up at 1.1 times the speed.
    const near = async (): Promise<boolean> =>
      (await page.reports()).every(({ latencies }) => middle(latencies.slice(-10)) < 2.3);
    await until(near, { timeoutMs: 40_000, everyMs: 500 });
    for (const [player, report] of await watch(page, 12)) {
      console.info(
        `${player}: latency p50 ${middle(report.latencies).toFixed(2)} s, p95 ${middle(report.latencies, 0.95).toFixed(2)} s, ` +
          `stalls ${report.stalls}, longest ${report.stallMs} ms, dropped ${report.dropped} of ${report.decoded}`,
      );
      expect(report.errors, player).toEqual([]);
      expect(report.width, player).toBe(320);
      expect(report.advanced, player).toBeGreaterThan(11);
      expect(report.audioBytes, player).toBeGreaterThan(60_000);
      expect(report.stallMs, player).toBeLessThan(500);
      expect(middle(report.latencies), player).toBeLessThan(2.5);
    }
    expect(page.errors).toEqual([]);
    await page.page.close();
  });

  it('play whole segments with nothing set', async () => {
    const page = await playing(`${url}?ll=0`, () => ({}));
    for (const [player, report] of await watch(page, 8)) {
      expect(report.errors, player).toEqual([]);
      expect(report.advanced, player).toBeGreaterThan(7);
      expect(report.audioBytes, player).toBeGreaterThan(40_000);
      expect(report.stallMs, player).toBeLessThan(500);
    }
    expect(page.errors).toEqual([]);
    await page.page.close();
  });
});
