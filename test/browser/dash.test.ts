import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchChromium } from '../kit/chromium.ts';
import { DashPage, type DashPlayer, type DashReport, serveDashPlayers } from '../kit/dash-page.ts';
import { Scope, startPublisher, until } from '../kit/index.ts';
import { slack } from '../kit/load.ts';
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

/** Both players in one page, once both show pictures. */
async function playing(manifest: string): Promise<DashPage> {
  const page = await DashPage.open(browser, address);
  for (const player of PLAYERS) await page.add(player, manifest, {});
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

describe('dash.js and shaka', () => {
  // Low latency, with the settings that it needs, is looked at beside the other players.
  it('play whole segments with nothing set', async () => {
    const page = await playing(`${url}?ll=0`);
    for (const [player, report] of await watch(page, 8)) {
      expect(report.errors, player).toEqual([]);
      expect(report.advanced, player).toBeGreaterThan(7 / slack());
      expect(report.audioBytes, player).toBeGreaterThan(40_000 / slack());
      expect(report.stallMs, player).toBeLessThan(500 * slack());
    }
    expect(page.errors).toEqual([]);
    await page.page.close();
  });
});
