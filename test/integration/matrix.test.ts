import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  expectNoChildren,
  followHls,
  type IngestWatch,
  type PlayReport,
  playWithFfmpeg,
  playWithGst,
  playWithMpv,
  playWithRtmpdump,
  Scope,
  startPublisher,
  startTestServer,
  type TestServer,
  until,
  type Witness,
  watchFlv,
  watchFmp4,
  watchIngest,
  watchRtmp,
} from '../kit/index.ts';

/** How long each player plays. */
const SECONDS = process.env.ONAIR_LONG === '1' ? 30 : 8;
const FPS = 25;
/** Keyframes are far apart, so that a player that begins with anything but the newest one shows it. */
const GOP_SECONDS = 2;
/** How long the stream runs before anybody comes. */
const LATE_MS = 5_000;
/** Longest pause of a player, by the clock, beyond that of the encoder: room for a busy machine. */
const MAX_GAP_MS = 1_500;

const scope = new Scope();
let server: TestServer;
let ingest: IngestWatch;

beforeAll(async () => {
  server = await startTestServer(scope);
  ingest = watchIngest(scope, server, 'matrix');
  const url = `${server.rtmp}/live/matrix`;
  const publisher = await startPublisher(scope, { url, fps: FPS, gopSeconds: GOP_SECONDS, bFrames: 2 });
  await until(() => publisher.sentMs >= LATE_MS, { timeoutMs: 30_000, message: 'the stream runs for 5 s' });
});

afterAll(async () => {
  const { log } = server;
  await scope.close();
  await expectNoChildren();
  expect(log.filter(({ level }) => level === 'error' || level === 'fatal')).toEqual([]);
});

/** Picture and sound all the time, no error, no stall, no lost picture. */
function expectSmooth(report: PlayReport): void {
  const { player } = report;
  expect(report, player).toMatchObject({ errors: [], stalls: 0 });
  expect(report.frames, player).toBeGreaterThanOrEqual((SECONDS - 1) * FPS);
  expect(report.audioMs, player).toBeGreaterThanOrEqual((SECONDS - 1) * 1000);
  expect(report.firstMs, player).toBeGreaterThan(0);
  expect(report.maxGapMs, player).toBeLessThan(ingest.maxGapMs(0) + MAX_GAP_MS);
}

/** The same for a program whose timestamps are those of the stream. */
function expectGapless(report: PlayReport): void {
  expectSmooth(report);
  expect(report.maxStepMs, report.player).toBeLessThan(1.5 * (1000 / FPS));
}

/** A viewer on the wire sees everything from a keyframe on, at once. */
async function expectComplete(witness: Witness): Promise<void> {
  await until(() => witness.spanMs >= SECONDS * 1000 || witness.ended !== undefined, {
    timeoutMs: SECONDS * 1000 + 20_000,
    message: () => `${witness.name} sees ${SECONDS} s: ${JSON.stringify(witness.report())}`,
  });
  expect(witness.ended).toBeUndefined();
  const report = witness.report();
  expectGapless(report);
  expect(report.firstMs).toBeLessThan(1_000);
  expect(witness.lostFrames(FPS)).toBe(0);
  expect(witness.video[0]!.key).toBe(true);
  // The newest keyframe, not an older one: it is at most one group of pictures old.
  const early = witness.video.filter(({ atMs }) => atMs - witness.video[0]!.atMs < 20);
  expect(early.length).toBeLessThanOrEqual((GOP_SECONDS + 1) * FPS);
  expect(witness.setups.map((text) => text.split(' ')[0]).sort()).toEqual(['audio', 'video']);
}

describe.concurrent('late players of H.264 with B-frames and AAC', () => {
  it('ffmpeg over RTMP', async () => {
    expectGapless(await playWithFfmpeg(`${server.rtmp}/live/matrix`, SECONDS));
  });

  it('ffmpeg over HTTP-FLV', async () => {
    expectGapless(await playWithFfmpeg(`${server.http}/live/matrix.flv`, SECONDS));
  });

  it('rtmpdump', async () => {
    expectSmooth(await playWithRtmpdump(`${server.rtmp}/live/matrix`, SECONDS));
  });

  it('GStreamer rtmp2src', async () => {
    expectGapless(await playWithGst(`${server.rtmp}/live/matrix`, SECONDS));
  });

  it('mpv over RTMP', async () => {
    expectSmooth(await playWithMpv(`${server.rtmp}/live/matrix`, SECONDS));
  });

  it('mpv over HTTP-FLV', async () => {
    expectSmooth(await playWithMpv(`${server.http}/live/matrix.flv`, SECONDS));
  });

  it('RTMP on the wire', async () => {
    await expectComplete(watchRtmp(scope, `${server.rtmp}/live/matrix`));
  });

  it('HTTP-FLV on the wire', async () => {
    await expectComplete(watchFlv(scope, `${server.http}/live/matrix.flv`));
  });

  it('WS-FLV on the wire', async () => {
    await expectComplete(watchFlv(scope, `${server.ws}/live/matrix.flv`));
  });

  it('WS-fMP4 on the wire, chunk after chunk without a hole', async () => {
    const witness = watchFmp4(scope, `${server.ws}/live/matrix.fmp4`);
    await expectComplete(witness);
    expect(witness.notes.slice(0, 2)).toEqual(['hello live', 'epoch 1']);
    expect(witness.holes).toEqual([]);
    expect(witness.chunks.every(({ wallClock }) => wallClock > 0)).toBe(true);
  });

  it.each([
    ['ffmpeg', playWithFfmpeg, '/live/matrix/index.m3u8'],
    ['ffmpeg by the old address', playWithFfmpeg, '/hls/matrix.m3u8'],
    ['mpv', playWithMpv, '/hls/live/matrix.m3u8'],
  ])('%s over HLS', async (_name, play, path) => {
    const report = await play(`${server.http}${path}`, SECONDS);
    // Whole segments come at once.
    expectSmooth({ ...report, maxGapMs: 0 });
    expect(report.maxGapMs).toBeLessThan(2 * GOP_SECONDS * 1000 + ingest.maxGapMs(0) + MAX_GAP_MS);
    if (report.player === 'ffmpeg') expectGapless({ ...report, maxGapMs: 0 });
  });

  it('low-latency HLS on the wire keeps every rule', async () => {
    const renditions = ['video', 'audio'].map((name) =>
      followHls(scope, `${server.http}/live/matrix/hls/${name}.m3u8`),
    );
    const begin = performance.now();
    await until(() => performance.now() - begin > SECONDS * 1000, { timeoutMs: SECONDS * 1000 + 1_000 });
    for (const follower of renditions) {
      await follower.stop();
      expect(follower.faults).toEqual([]);
      // About three parts a second.
      expect(follower.versions.length).toBeGreaterThan(2 * SECONDS);
    }
  });

  it('players that accept a merge window', async () => {
    const windows = [50, 200].flatMap((ms) => [
      watchFlv(scope, `${server.http}/live/matrix.flv?latency=${ms}`),
      watchFmp4(scope, `${server.ws}/live/matrix.fmp4?latency=${ms}`),
    ]);
    await Promise.all(windows.map(expectComplete));
  });
});
