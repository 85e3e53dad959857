import { mkdirSync, writeFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { publishDemo } from '../../packages/server/src/cli/demo.ts';
import { createLog } from '../../packages/server/src/observe/index.ts';
import { launchChromium } from '../kit/chromium.ts';
import { launchFirefox } from '../kit/firefox.ts';
import { slack } from '../kit/load.ts';
import { MatrixPage, serveMatrix } from '../kit/matrix-page.ts';
import {
  briefGroups,
  type Engine,
  type Group,
  goesOn,
  latencyGoal,
  matrixGroups,
  measuredGroups,
  type Row,
  restartedGroups,
  rowName,
} from '../kit/matrix-rows.ts';
import { matrixTable, pageResult, programResult, quantile, type Result } from '../kit/matrix-table.ts';
import { type Choice, PATHS } from '../kit/page/outputs.ts';
import type { PlayedReport } from '../kit/page/players.ts';
import { playWithMpv } from '../kit/play-mpv.ts';
import { playWithPlaybin } from '../kit/play-playbin.ts';
import { type Publisher, startPublisher } from '../kit/publisher.ts';
import type { PlayReport } from '../kit/report.ts';
import { Scope } from '../kit/scope.ts';
import { startTestServer, type TestServer } from '../kit/server.ts';
import { until } from '../kit/until.ts';
import { chromiumPages, type WebBrowser } from '../kit/web-page.ts';
import { launchWebKit } from '../kit/webkit.ts';

/** How long each group plays; nightly for 10 minutes. */
const SECONDS = Number(process.env.ONAIR_MATRIX_SECONDS ?? 12);
/** True: the goals on latency, rebuffers and dropped pictures decide too, however busy the machine is. */
const STRICT = process.env.ONAIR_MATRIX_STRICT === '1';
/**
 * How much further behind a player may be where the goals do not decide: six decode side by side on two cores and
 * have had little time to catch up with what they lost at their start.
 */
const LATENCY_ROOM = 2;
/** Time in which players come to their distance from the live edge, seconds of media behind their first picture. */
const SETTLE = 4;
/** The same for mpegts.js, which begins up to two seconds late and catches up at 1.2 times the speed. */
const SETTLE_MPEGTS = 10;
const FPS = 25;
/** How long the stream runs before anybody comes, ms: browsers' own players want three segments. */
const LATE_MS = 8_000;
/** Longest time that a position may stand on a quiet machine, ms. */
const STALL_MS = 500;
/** How long players play before their encoder is killed, seconds. */
const UNDISTURBED = 6;
const MAX_DROPPED = 0.005;
/** How long a program plays while its encoder comes back thrice: for what it holds by then, and for what comes after. */
const PROGRAM_SECONDS = 50;
/** The command plays everything, a run of all tests only what Chromium plays. */
const ALL = process.env.ONAIR_MATRIX_ALL === '1';
const ROWS = process.env.ONAIR_MATRIX_ROWS;
/** Only the players with goals, while nothing else runs. */
const MEASURED = process.env.ONAIR_MATRIX_MEASURED === '1';
const GROUPS = ALL ? matrixGroups(ROWS) : MEASURED ? measuredGroups(ROWS) : briefGroups(ROWS);
const NAMED = GROUPS.map((group, i) => [groupName(group), group, i] as const);
/** The encoder is restarted for every group by the command, else for few in which every player and output is. */
const RESTARTED = (ALL ? GROUPS : restartedGroups(ROWS))
  .map(({ engine, rows }) => ({ engine, rows: rows.filter((row) => goesOn(engine, row)) }))
  .map((group, i) => [groupName(group), group, i] as const);
const TIMEOUT_MS = Math.max(SECONDS, 60) * 1000 + 300_000;

function groupName({ engine, rows }: Group): string {
  return `${engine}: ${rows.map(({ player, output }) => `${player} ${output}`).join(', ')}`;
}

const scope = new Scope();
const results: Result[] = [];
const browsers = new Map<Engine, Promise<WebBrowser>>();
/** The page in which players play now. */
let opened: MatrixPage | undefined;
let server: TestServer;
let address: string;

function browserOf(engine: Engine): Promise<WebBrowser> {
  let browser = browsers.get(engine);
  if (browser === undefined) {
    browser =
      engine === 'firefox'
        ? launchFirefox(scope)
        : engine === 'webkit'
          ? launchWebKit(scope)
          : launchChromium(scope).then(chromiumPages);
    browsers.set(engine, browser);
  }
  return browser;
}

beforeAll(async () => {
  server = await startTestServer(scope);
  address = await serveMatrix(scope);
});

// One that a failed test left would play on, and take from the next what that needs.
afterEach(async () => {
  await opened?.page.close();
  opened = undefined;
});

afterAll(async () => {
  const table = matrixTable(results);
  mkdirSync('test/.cache', { recursive: true });
  writeFileSync('test/.cache/matrix.md', `${table}\n`);
  console.info(table);
  await scope.close();
});

/**
 * Where a player finds the server: under a name of its own, since browsers open six connections to a host at most and each
 * player of low-latency HLS asks for two playlists and two parts at a time, as if it were alone.
 */
function originFor(engine: Engine, player: number): string {
  if (engine === 'webkit') return server.http;
  const { port } = new URL(server.http);
  return `http://player-${player}.localhost:${port}`;
}

/** Opens a page with the group's players and waits until each has played for some seconds from where it began. */
async function open({ engine, rows }: Group, stream: string, seconds: number): Promise<MatrixPage> {
  const page = await MatrixPage.open(await browserOf(engine), address);
  opened = page;
  for (const [i, row] of rows.entries()) await page.add(row as Choice, originFor(engine, i), stream);
  // The first position is that of the live edge, which nobody has played.
  await moved(page, rows, Number.MIN_VALUE);
  await page.rest();
  await moved(page, rows, seconds);
  return page;
}

/** Waits until each player has moved on by so many seconds since the last rest. */
async function moved(page: MatrixPage, rows: readonly Row[], seconds: number): Promise<PlayedReport[]> {
  let reports: PlayedReport[] = [];
  await until(
    async () => {
      reports = await page.reports();
      return reports.every(({ advanced }) => advanced >= seconds);
    },
    {
      timeoutMs: (seconds + 40) * 1000 * slack(),
      everyMs: 500,
      message: () => told(rows, reports),
    },
  );
  return reports;
}

function told(rows: readonly Row[], reports: readonly PlayedReport[]): string {
  return reports
    .map((report, i) => {
      const { player, output } = rows[i]!;
      return `${player} ${output} ${JSON.stringify({ ...report, latencies: report.latencies.length })}`;
    })
    .join('\n');
}

/** It plays at the speed of the clock, pictures and sound, without a fault. */
function expectPlays(result: Result): void {
  const { engine, row, seconds, played, latencies } = result;
  const name = rowName(engine, row);
  const room = STRICT ? 1 : slack();
  expect(result.errors, name).toEqual([]);
  expect(result.sound, `${name}: sound`).toBe(true);
  expect(result.fps, `${name}: pictures per second`).toBeGreaterThan((0.8 * FPS) / room);
  // A program's clock begins with its first picture, which it holds until it has sound too.
  const slowest = engine === 'programs' ? 0.8 : 0.95;
  expect(played / seconds, `${name}: speed`).toBeGreaterThan(1 - (1 - slowest) * room);
  expect(played / seconds, `${name}: speed`).toBeLessThan(1 + 0.12 * room);
  if (engine !== 'programs') expect(result.stallMs, `${name}: longest stall`).toBeLessThan(STALL_MS * room);
  if (engine !== 'programs' || STRICT) expect(result.rebuffers, `${name}: rebuffers`).toBeLessThan(room);
  if (STRICT && result.dropped !== undefined) {
    expect(result.dropped, `${name}: dropped pictures`).toBeLessThanOrEqual(MAX_DROPPED);
  }
  const latency = quantile(latencies, 0.95);
  if (latency !== undefined) {
    expect(latency, `${name}: latency`).toBeLessThan(
      latencyGoal(engine, row) * (STRICT ? 1 : LATENCY_ROOM * room),
    );
  }
}

/** Lets a program play for `seconds`. */
async function runProgram(row: Row, stream: string, seconds: number): Promise<Result> {
  const url = `${server.http}/${stream}${PATHS[row.output]}`;
  return programResult(row, await runPlayer(row.player, url, seconds), seconds, FPS);
}

function runPlayer(player: Row['player'], url: string, seconds: number): Promise<PlayReport> {
  const timeoutMs = (seconds + 60) * 1000;
  if (player === 'mpv') return playWithMpv(url, seconds, timeoutMs);
  return playWithPlaybin(url, seconds, timeoutMs);
}

describe('players at the test picture', () => {
  const stream = 'live/matrix';
  beforeAll(async () => {
    const abort = new AbortController();
    const { logger } = createLog({ level: 'warn', format: 'json', write: () => {} });
    const demo = { frameRate: FPS, width: 320, height: 180 };
    const done = publishDemo({ url: `${server.rtmp}/${stream}`, logger, signal: abort.signal, demo });
    scope.defer(() => {
      abort.abort();
      return done;
    });
    const begun = performance.now();
    await until(() => performance.now() - begun > LATE_MS, { timeoutMs: 2 * LATE_MS });
  });

  it.each(NAMED)(
    '%s',
    async (_name, group) => {
      const { engine, rows } = group;
      const seconds = Math.max(SECONDS, group.seconds ?? 0);
      const own: Result[] = [];
      if (engine === 'programs') {
        own.push(...(await Promise.all(rows.map((row) => runProgram(row, stream, seconds)))));
      } else {
        const slow = rows.some(({ player }) => player === 'mpegts.js');
        const page = await open(group, stream, slow ? SETTLE_MPEGTS : SETTLE);
        await page.rest();
        const reports = await moved(page, rows, seconds);
        own.push(...reports.map((report, i) => pageResult(engine, rows[i]!, report)));
        expect(await page.faults()).toEqual([]);
      }
      results.push(...own);
      console.info(matrixTable(own));
      for (const result of own) expectPlays(result);
    },
    TIMEOUT_MS,
  );
});

function returns(): void {
  const silent = ALL ? ([{ audio: false }] as const) : [];
  const changes = [{}, { size: '480x270', audio: { sampleRate: 48_000 } }, ...silent] as const;

  function publish(own: Scope, stream: string, more: object): Promise<Publisher> {
    const url = `${server.rtmp}/${stream}`;
    return startPublisher(own, { url, fps: FPS, gopSeconds: 2, bFrames: 2, ...more });
  }

  async function comeBack(own: Scope, stream: string, before: Publisher, more: object): Promise<Publisher> {
    await before.kill();
    await until(async () => (await stateOf(stream)) === 'waiting', { timeoutMs: 20_000 });
    return publish(own, stream, more);
  }

  it.each(RESTARTED)(
    'does not end %s',
    async (_name, group, i) => {
      const stream = `live/back${i}`;
      const own = new Scope();
      try {
        let publisher = await publish(own, stream, {});
        await until(() => publisher.sentMs >= LATE_MS, { timeoutMs: 60_000 });
        if (group.engine === 'programs') {
          const playing = group.rows.map((row) => runProgram(row, stream, PROGRAM_SECONDS));
          for (const more of changes) {
            publisher = await comeBack(own, stream, publisher, more);
            await until(() => publisher.sentMs >= LATE_MS, { timeoutMs: 60_000 });
          }
          for (const { row, seconds, played, errors } of await Promise.all(playing)) {
            const name = `${rowName('programs', row)} ${errors.slice(0, 5).join('; ')}`;
            // What they say of damaged pictures is theirs; they must not end, nor stop to show pictures.
            expect(errors.filter((error) => /ended with|in time|not within/.test(error))).toEqual([]);
            expect(played / seconds, name).toBeGreaterThan(0.6);
          }
          return;
        }
        const page = await open(group, stream, 2);
        // The pictures of this encoder are not shown in the order in which they come.
        await page.rest();
        for (const [at, report] of (await moved(page, group.rows, UNDISTURBED)).entries()) {
          const { errors, stallMs } = pageResult(group.engine, group.rows[at]!, report);
          const name = rowName(group.engine, group.rows[at]!);
          expect(errors, name).toEqual([]);
          expect(stallMs, `${name}: longest stall`).toBeLessThan(STALL_MS * slack());
        }
        for (const more of changes) {
          publisher = await comeBack(own, stream, publisher, more);
          // Who is close to the live edge has shown all there was, and jumps to what comes now: that is not play.
          await page.rest();
          let reports: PlayedReport[] = [];
          await until(
            async () => {
              reports = await page.reports();
              const wide = 'size' in more ? 480 : 320;
              return reports.every(({ width, decoded }) => width === wide && decoded > FPS);
            },
            { timeoutMs: 40_000 * slack(), everyMs: 200, message: () => told(group.rows, reports) },
          );
          await page.rest();
          reports = await moved(page, group.rows, 8);
          for (const [at, report] of reports.entries()) {
            const { sound, fps, errors } = pageResult(group.engine, group.rows[at]!, report);
            const name = `${rowName(group.engine, group.rows[at]!)} ${JSON.stringify(more)}`;
            expect(errors, name).toEqual([]);
            // Without its sound there is silence, which takes hardly a byte and which nobody hears.
            const audible = !('audio' in more) || more.audio !== false;
            const found = JSON.stringify({ ...report, latencies: [] });
            if (audible) expect(sound, `${name}: sound ${found}`).toBe(true);
            expect(fps, `${name}: pictures per second`).toBeGreaterThan((0.5 * FPS) / slack());
          }
        }
      } finally {
        await own.close();
      }
    },
    300_000,
  );
}

if (!MEASURED) describe('an encoder that is killed and comes back', returns);

async function stateOf(stream: string): Promise<string> {
  const response = await fetch(`${server.http}/api/v1/streams/${stream}`);
  return ((await response.json()) as { state: string }).state;
}
