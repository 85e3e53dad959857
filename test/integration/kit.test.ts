import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  Child,
  descendants,
  expectNoChildren,
  ffprobeUrl,
  launchChromium,
  makeFile,
  type NginxRtmp,
  openPage,
  type PlayReport,
  playWithFfmpeg,
  playWithGst,
  playWithMpv,
  playWithRtmpdump,
  runningChildren,
  Scope,
  startNginxRtmp,
  startPublisher,
  until,
} from '../kit/index.ts';
import { matrixGroups, restartedGroups } from '../kit/matrix-rows.ts';

const SECONDS = 3;
const FPS = 25;

afterAll(() => expectNoChildren());

describe('players against a known server', () => {
  const scope = new Scope();
  let server: NginxRtmp;

  beforeAll(async () => {
    server = await startNginxRtmp(scope, ['wait_key on;', 'wait_video on;']);
    await startPublisher(scope, { url: server.url('plain'), fps: FPS, gopSeconds: 1 });
    await startPublisher(scope, { url: server.url('bframes'), fps: FPS, gopSeconds: 1, bFrames: 2 });
  });
  afterAll(() => scope.close());

  /** Every player saw nearly all of the time it played, picture and sound, in order and without a pause. */
  function expectSmooth(report: PlayReport): void {
    expect(report).toMatchObject({ errors: [], stalls: 0 });
    expect(report.frames).toBeGreaterThan((SECONDS - 1.5) * FPS);
    expect(report.audioMs).toBeGreaterThan((SECONDS - 1.5) * 1000);
    expect(report.firstMs).toBeGreaterThan(0);
    expect(report.maxGapMs).toBeLessThan(1500);
  }

  it('ffmpeg decodes', async () => {
    const report = await playWithFfmpeg(server.url('plain'), SECONDS);
    expectSmooth(report);
    expect(report.maxStepMs).toBeLessThan(90);
  });

  it('ffmpeg decodes B-frames in order', async () => {
    const report = await playWithFfmpeg(server.url('bframes'), SECONDS);
    expectSmooth(report);
    expect(report.maxStepMs).toBeLessThan(90);
  });

  it('rtmpdump receives', async () => {
    expectSmooth(await playWithRtmpdump(server.url('plain'), SECONDS));
  });

  it('GStreamer decodes', async () => {
    expectSmooth(await playWithGst(server.url('bframes'), SECONDS));
  });

  it('mpv plays', async () => {
    expectSmooth(await playWithMpv(server.url('plain'), SECONDS));
  });

  it('ffprobe tells the tracks', async () => {
    const probe = await ffprobeUrl(server.url('bframes'));
    const video = probe.streams.find((stream) => stream.codec_type === 'video');
    const audio = probe.streams.find((stream) => stream.codec_type === 'audio');
    expect(video).toMatchObject({ codec_name: 'h264', width: 320, height: 180 });
    expect(audio).toMatchObject({ codec_name: 'aac', sample_rate: '44100' });
  });

  it('reports a stream that is not there as an error, not as silence', async () => {
    const report = await playWithFfmpeg(`rtmp://127.0.0.1:1/live/none`, 1);
    expect(report.frames).toBe(0);
    expect(report.errors).not.toEqual([]);
  });
});

describe('owners', () => {
  const scope = new Scope();
  afterEach(() => scope.close());

  it('end what they started, also when it ignores the polite signal', async () => {
    const child = new Child('stubborn', 'bash', [
      '-c',
      "trap '' TERM; echo ready >&2; while :; do sleep 0.05; done",
    ]);
    await until(() => child.errorLines.includes('ready'));
    expect(runningChildren()).toContain(`stubborn ${child.pid}`);
    expect(descendants().length).toBeGreaterThan(0);
    expect(await child.stop('SIGTERM', 100)).toEqual({ code: null, signal: 'SIGKILL' });
    expect(runningChildren()).toEqual([]);
  });

  it('tell a program that does not exist', async () => {
    const child = new Child('ghost', '/nonexistent/program', []);
    expect(await child.exited).toEqual({ code: 127, signal: null });
    expect(child.errorLines.join()).toContain('ENOENT');
  });

  it('end in the reverse order and remove their folders', async () => {
    const order: number[] = [];
    const own = new Scope();
    const folder = own.tempDir();
    own.defer(() => order.push(1));
    own.defer(() => {
      order.push(2);
      throw new Error('second');
    });
    await expect(own.close()).rejects.toThrow('second');
    expect(order).toEqual([2, 1]);
    expect(existsSync(folder)).toBe(false);
  });

  it('make files that ffprobe accepts', async () => {
    const path = join(scope.tempDir(), 'picture.flv');
    await makeFile({ url: path, seconds: 1, bFrames: 2, audio: { sampleRate: 48_000, channels: 1 } });
    const probe = await ffprobeUrl(path);
    expect(probe.errors).toEqual([]);
    expect(probe.streams.map((stream) => stream.codec_name).sort()).toEqual(['aac', 'h264']);
  });

  it('start a browser that decodes H.264 and AAC', async () => {
    const browser = await launchChromium(scope);
    const { page, errors, foreignRequests } = await openPage(browser);
    const types = ['video/mp4; codecs="avc1.4d401f,mp4a.40.2"', 'audio/mp4; codecs="opus"'];
    const supported = await page.evaluate(
      (list) => list.map((type) => MediaSource.isTypeSupported(type)),
      types,
    );
    expect(supported).toEqual([true, true]);
    expect(errors).toEqual([]);
    expect(foreignRequests).toEqual([]);
  });
});

describe('the groups whose encoder comes back', () => {
  const rows = restartedGroups().flatMap((group) => group.rows);
  const played = matrixGroups('chromium').flatMap((group) => group.rows);

  it('have every player and every output of Chromium, and nothing that it does not play', () => {
    for (const part of ['player', 'output'] as const) {
      expect(new Set(rows.map((row) => row[part]))).toEqual(new Set(played.map((row) => row[part])));
    }
    expect(played).toEqual(expect.arrayContaining(rows));
  });

  it('are no larger than those that only play', () => {
    const largest = Math.max(...matrixGroups('chromium').map((group) => group.rows.length));
    for (const group of restartedGroups()) expect(group.rows.length).toBeLessThanOrEqual(largest);
  });
});
