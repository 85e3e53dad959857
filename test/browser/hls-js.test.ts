import { afterEach, describe, expect, it } from 'vitest';
import { launchChromium } from '../kit/chromium.ts';
import { Scope, startPublisher, until } from '../kit/index.ts';
import { slack } from '../kit/load.ts';
import { PeerPage, type PeerReport, servePeers } from '../kit/peer-page.ts';
import { startTestServer } from '../kit/server.ts';

const scope = new Scope();
afterEach(() => scope.close());

describe('hls.js with nothing set', () => {
  it('plays low latency and MPEG-TS, that of 2017 MPEG-TS, and goes on when another encoder takes over', async () => {
    const server = await startTestServer(scope);
    const url = `${server.rtmp}/live/ts`;
    const encoder = await startPublisher(scope, { url, gopSeconds: 1, bFrames: 2 });
    await until(async () => (await fetch(`${server.http}/live/ts/ts.m3u8`)).ok, { timeoutMs: 20_000 });
    const browser = await launchChromium(scope);
    const page = await PeerPage.open(browser, await servePeers(scope));
    await page.add({ player: 'hls.js' }, server.http, 'live/ts');
    await page.add({ player: 'hls.js', playlist: 'ts.m3u8' }, server.http, 'live/ts');
    // The one that could not play what the first recorders of 2017 made.
    await page.add({ player: 'hls.js', playlist: 'ts.m3u8', old: true }, server.http, 'live/ts');
    let reports: PeerReport[] = [];
    const advanced = (seconds: number) =>
      until(
        async () => {
          reports = await page.reports();
          return reports.every((report) => report.advanced > seconds);
        },
        { timeoutMs: 40_000 * slack(), message: () => JSON.stringify(reports) },
      );
    await advanced(0.5);
    await page.rest();
    await advanced(8);
    for (const { errors, decoded, audioBytes, stallMs } of reports) {
      expect(errors).toEqual([]);
      expect(decoded).toBeGreaterThan(200);
      expect(audioBytes).toBeGreaterThan(20_000);
      expect(stallMs).toBeLessThan(1000);
    }
    await encoder.kill();
    await until(() => server.registry.list()[0]?.state === 'waiting');
    await startPublisher(scope, {
      url,
      gopSeconds: 1,
      bFrames: 2,
      size: '640x360',
      audio: { sampleRate: 48_000 },
    });
    await until(async () => (await page.reports())[0]!.width === 640, { timeoutMs: 40_000 });
    await page.rest();
    await until(async () => (await page.reports())[0]!.advanced > 4, { timeoutMs: 40_000 });
    expect((await page.reports())[0]!.errors).toEqual([]);
    expect(page.errors).toEqual([]);
  });
});
