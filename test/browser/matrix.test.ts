import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchChromium } from '../kit/chromium.ts';
import { slack } from '../kit/load.ts';
import { PeerPage, type PeerPlayer, type PeerReport, servePeers } from '../kit/peer-page.ts';
import { type Publisher, startPublisher } from '../kit/publisher.ts';
import { Scope } from '../kit/scope.ts';
import { startTestServer, type TestServer } from '../kit/server.ts';
import { until } from '../kit/until.ts';

/** How long each player plays. */
const SECONDS = process.env.ONAIR_LONG === '1' ? 30 : 8;
const FPS = 25;
/** How long the stream runs before anybody comes, in milliseconds: Chromium's own player errs without three segments. */
const LATE_MS = 8_000;
/** Longest time that a position may stand still on a quiet machine, in milliseconds. */
const STALL_MS = 500;

const GROUPS: readonly (readonly PeerPlayer[])[] = [
  [
    { player: 'onair', transport: 'ws' },
    { player: 'onair', transport: 'llhls' },
    { player: 'onair', transport: 'hls' },
    { player: 'onair', transport: 'flv' },
  ],
  [
    { player: 'hls.js' },
    { player: 'mpegts.js', socket: false },
    { player: 'mpegts.js', socket: true },
    { player: 'native' },
  ],
];

const nameOf = (peer: PeerPlayer): string => Object.values(peer).join(' ');

const scope = new Scope();
let server: TestServer;
let browser: Browser;
let address: string;

beforeAll(async () => {
  server = await startTestServer(scope);
  address = await servePeers(scope);
  browser = await launchChromium(scope);
});
afterAll(() => scope.close());

function publish(owner: Scope, name: string, more: object = {}): Promise<Publisher> {
  const url = `${server.rtmp}/live/${name}`;
  return startPublisher(owner, { url, fps: FPS, gopSeconds: 1, bFrames: 2, ...more });
}

/** Opens a page with a group of players and waits until each of them plays. */
async function play(group: readonly PeerPlayer[], name: string): Promise<PeerPage> {
  const page = await PeerPage.open(browser, address);
  for (const peer of group) await page.add(peer, server.http, `live/${name}`);
  await moved(page, group, 1);
  return page;
}

/** Waits until each player has moved on by so many seconds since the last rest. */
async function moved(page: PeerPage, group: readonly PeerPlayer[], seconds: number): Promise<PeerReport[]> {
  let reports: PeerReport[] = [];
  await until(
    async () => {
      reports = await page.reports();
      return reports.every(({ advanced }) => advanced >= seconds);
    },
    {
      timeoutMs: (seconds + 25) * 1000 * slack(),
      everyMs: 100,
      message: () => reports.map((report, i) => `${nameOf(group[i]!)} ${JSON.stringify(report)}`).join('; '),
    },
  );
  return reports;
}

describe('late players of H.264 with B-frames and AAC', () => {
  beforeAll(async () => {
    const publisher = await publish(scope, 'matrix');
    await until(() => publisher.sentMs >= LATE_MS, { timeoutMs: 60_000, message: 'the stream runs for 5 s' });
  });

  it.each(GROUPS.map((group) => [group.map(nameOf).join(', '), group] as const))(
    '%s',
    async (_name, group) => {
      const page = await play(group, 'matrix');
      await page.rest();
      const reports = await moved(page, group, SECONDS);
      for (const [i, report] of reports.entries()) {
        const name = nameOf(group[i]!);
        expect(report.errors, name).toEqual([]);
        expect(report.width, name).toBe(320);
        expect(report.decoded, name).toBeGreaterThan((0.8 * SECONDS * FPS) / slack());
        expect(report.audioBytes, name).toBeGreaterThan(SECONDS * 1_000);
        expect(report.stallMs, name).toBeLessThan(STALL_MS * slack());
      }
      expect(page.errors).toEqual([]);
      console.info(reports.map((report, i) => `${nameOf(group[i]!)} ${JSON.stringify(report)}`).join('\n'));
      await page.page.close();
    },
  );
});

describe('an encoder that is killed and comes back within the window', () => {
  it.each(GROUPS.map((group, i) => [group.map(nameOf).join(', '), group, `back${i}`] as const))(
    'does not end %s',
    async (_name, group, stream) => {
      const own = new Scope();
      try {
        let publisher = await publish(own, stream);
        await until(() => publisher.sentMs >= LATE_MS, { timeoutMs: 60_000 });
        const page = await play(group, stream);
        for (const changes of [{}, { size: '480x270', audio: { sampleRate: 48_000 } }]) {
          await publisher.kill();
          await until(async () => (await state(stream)) === 'waiting');
          publisher = await publish(own, stream, changes);
          const width = 'size' in changes ? 480 : 320;
          let reports: PeerReport[] = [];
          await until(
            async () => {
              reports = await page.reports();
              return reports.every((report) => report.width === width);
            },
            { timeoutMs: 30_000 * slack(), message: () => JSON.stringify(reports) },
          );
          await page.rest();
          await moved(page, group, 6);
          // A jump over the time without a publisher moves the position too: pictures count.
          await until(
            async () => {
              reports = await page.reports();
              return reports.every(({ decoded }) => decoded > 4 * FPS);
            },
            { timeoutMs: 10_000 * slack(), everyMs: 250, message: () => JSON.stringify(reports) },
          );
          for (const [i, report] of reports.entries()) {
            const name = nameOf(group[i]!);
            expect(report.errors, name).toEqual([]);
            expect(report.audioBytes, name).toBeGreaterThan(3_000);
          }
        }
        await page.page.close();
      } finally {
        await own.close();
      }
    },
  );
});

async function state(name: string): Promise<string> {
  const response = await fetch(`${server.http}/api/v1/streams/live/${name}`);
  return ((await response.json()) as { state: string }).state;
}
