import { execFileSync } from 'node:child_process';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { publishDemo } from '../../packages/server/src/cli/demo.ts';
import { watchStream } from '../../packages/server/src/cli/play.ts';
import { pushFile } from '../../packages/server/src/cli/push.ts';
import type { StatsReport } from '../../packages/server/src/cli/stream-stats.ts';
import { createLog } from '../../packages/server/src/observe/index.ts';
import { Scope, startNginxRtmp, until } from '../kit/index.ts';
import { startTestServer } from '../kit/server.ts';

const scope = new Scope();
afterEach(() => scope.close());

const VIDEO = ['-f', 'lavfi', '-i', 'testsrc2=size=320x180:rate=25:duration=4'];
const AUDIO = ['-f', 'lavfi', '-i', 'sine=frequency=440:sample_rate=48000:duration=4'];
const CODECS = ['-c:v', 'libx264', '-bf', '2', '-g', '25', '-pix_fmt', 'yuv420p', '-c:a', 'aac'];

/** Log records as they come. */
function recorder(): {
  readonly log: ReturnType<typeof createLog>;
  readonly records: Record<string, unknown>[];
} {
  const records: Record<string, unknown>[] = [];
  const write = (line: string): void => void records.push(JSON.parse(line));
  return { log: createLog({ level: 'info', format: 'json', write }), records };
}

/** Something that runs until the scope closes. */
function running(run: (signal: AbortSignal) => Promise<unknown>): Promise<unknown> {
  const abort = new AbortController();
  const done = run(abort.signal);
  done.catch(() => undefined);
  scope.defer(async () => {
    abort.abort();
    await done.catch(() => undefined);
  });
  return done;
}

async function watch(url: string, duration?: number): Promise<StatsReport> {
  const lines: string[] = [];
  const { signal } = new AbortController();
  const write = (line: string): void => void lines.push(line);
  await watchStream({ url, stats: true, interval: 0.5, duration, write, terminal: false, signal });
  const reports = lines.map((line): StatsReport => JSON.parse(line));
  // The last interval may be too short for a frame.
  const { latencyMs = null } = reports.findLast((report) => report.latencyMs !== null) ?? {};
  return { ...reports.at(-1)!, latencyMs };
}

describe('demo and play', () => {
  it('publish to another server and watch there, by the clock in the frames', async () => {
    const server = await startNginxRtmp(scope);
    const { log, records } = recorder();
    running((signal) => publishDemo({ url: server.url('demo'), logger: log.logger, signal }));
    await until(() => records.some(({ msg }) => msg === 'demo on air'));
    const report = await watch(server.url('demo'), 8);
    expect(report.tracks).toEqual(['video h264 avc1.42c01e 640x360', 'audio aac mp4a.40.2 48000 Hz']);
    expect(report.frames).toBeGreaterThan(60);
    expect(report.keyframes).toBeGreaterThanOrEqual(2);
    expect(report.audioFrames).toBeGreaterThan(90);
    expect([report.gaps, report.stepsBack]).toEqual([0, 0]);
    expect(report.firstFrameMs).toBeLessThan(5000);
    expect(report.latencyMs!.least).toBeLessThan(500);
  });

  it('meet on our own server by every transport', async () => {
    const server = await startTestServer(scope);
    const { log, records } = recorder();
    running((signal) => publishDemo({ url: `${server.rtmp}/live/demo`, logger: log.logger, signal }));
    await until(() => records.some(({ msg }) => msg === 'demo on air'));
    await until(async () => (await fetch(`${server.http}/live/demo.flv`, { method: 'HEAD' })).ok);
    const places = [
      `${server.rtmp}/live/demo`,
      `${server.http}/live/demo.flv`,
      `${server.ws}/live/demo.flv`,
      `${server.ws}/live/demo.fmp4`,
    ];
    const reports = await Promise.all(places.map((url) => watch(url, 8)));
    reports.forEach((report, at) => {
      expect(report.tracks, places[at]).toHaveLength(2);
      expect(report.frames, places[at]).toBeGreaterThan(60);
      expect([report.gaps, report.stepsBack], places[at]).toEqual([0, 0]);
      expect(report.firstFrameMs, places[at]).toBeLessThan(5000);
      expect(report.latencyMs!.least, places[at]).toBeLessThan(500);
    });
  });

  it('come back after every loss, and end at once when told', async () => {
    const refusals = createServer((socket) => void socket.on('error', () => undefined).destroy());
    await new Promise<void>((resolve) => refusals.listen(0, '127.0.0.1', resolve));
    const { port } = refusals.address() as { port: number };
    scope.defer(() => refusals.close());
    const { log, records } = recorder();
    const abort = new AbortController();
    const url = `rtmp://127.0.0.1:${port}/live/demo`;
    const done = publishDemo({ url, logger: log.logger, signal: abort.signal });
    await until(() => records.filter(({ msg }) => msg === 'demo not on air').length >= 2);
    expect(records.map(({ waitMs }) => waitMs).slice(0, 2)).toEqual([500, 1000]);
    abort.abort();
    await done;
    expect(records.at(-1)).toMatchObject({ msg: 'demo ended' });
  });

  it('say why they cannot', async () => {
    const { log } = recorder();
    const { signal } = new AbortController();
    await expect(publishDemo({ url: 'http://x/y', logger: log.logger, signal })).rejects.toThrow(/rtmp:/);
    await expect(watch('gopher://x/')).rejects.toThrow(/is wanted/);
    await expect(watch('http://127.0.0.1:1/live/none.flv')).rejects.toThrow();
  });
});

describe('push', () => {
  it.each([
    ['flv', []],
    ['mp4', []],
    ['mp4', ['-movflags', 'frag_keyframe+empty_moov+default_base_moof']],
    ['mp4', ['-movflags', 'faststart', '-write_tmcd', '0']],
  ])('sends the frames of an %s file (%s) in real time, each once and in order', async (ending, flags) => {
    const server = await startNginxRtmp(scope);
    const file = join(scope.tempDir(), `in.${ending}`);
    execFileSync('ffmpeg', ['-v', 'error', ...VIDEO, ...AUDIO, ...CODECS, ...flags, '-shortest', file]);
    const { log } = recorder();
    const watching = watch(server.url('file'), 12);
    const started = performance.now();
    await running((signal) =>
      pushFile({ file, url: server.url('file'), loop: false, logger: log.logger, signal }),
    );
    expect(performance.now() - started).toBeGreaterThan(3500);
    expect(performance.now() - started).toBeLessThan(11_000);
    const report = await watching;
    expect(report.tracks[0]).toContain('h264 avc1.');
    expect(report.frames).toBeGreaterThanOrEqual(95);
    expect(report.frames).toBeLessThanOrEqual(100);
    expect(report.audioFrames).toBeGreaterThan(175);
    expect([report.gaps, report.stepsBack]).toEqual([0, 0]);
  });

  it('goes round without a gap', async () => {
    const server = await startNginxRtmp(scope);
    const file = join(scope.tempDir(), 'in.mp4');
    execFileSync('ffmpeg', ['-v', 'error', ...VIDEO, ...AUDIO, ...CODECS, '-t', '1.5', '-shortest', file]);
    const { log, records } = recorder();
    running((signal) => pushFile({ file, url: server.url('loop'), loop: true, logger: log.logger, signal }));
    await until(() => records.some(({ msg }) => msg === 'on air'));
    const report = await watch(server.url('loop'), 6);
    expect(report.frames).toBeGreaterThan(60);
    expect([report.gaps, report.stepsBack]).toEqual([0, 0]);
  });

  it('refuses what is no media file', async () => {
    const server = await startNginxRtmp(scope);
    const { log } = recorder();
    const { signal } = new AbortController();
    const options = { url: server.url('no'), loop: false, logger: log.logger, signal };
    await expect(pushFile({ ...options, file: 'package.json' })).rejects.toThrow(
      /neither MP4, WebM, FLV nor MPEG-TS/,
    );
    await expect(pushFile({ ...options, file: '/nonexistent.flv' })).rejects.toThrow(/ENOENT/);
  });
});
