import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkMultivariantPlaylist, parseMultivariantPlaylist } from '@onair/media/hls';
import { clockDistance, inspectTs, MAX_CLOCK_STEP, STREAM_TYPE } from '@onair/media/mpegts';
import { afterEach, describe, expect, it } from 'vitest';
import { ffprobeUrl, type Publisher, playWithFfmpeg, Scope, startPublisher, until } from '../kit/index.ts';
import { playUriWithGst } from '../kit/play-gst-uri.ts';
import { startTestServer } from '../kit/server.ts';
import { type FetchedTs, followTs } from '../kit/ts-follower.ts';

const scope = new Scope();
afterEach(() => scope.close());

const publish = (
  url: string,
  options: Partial<Parameters<typeof startPublisher>[1]> = {},
): Promise<Publisher> => startPublisher(scope, { url, gopSeconds: 2, bFrames: 2, ...options });

/** Times of the units of one kind, 90 kHz. */
const times = ({ units }: FetchedTs, type: number): { pts: number; dts: number }[] =>
  units
    .filter(({ streamType }) => streamType === type)
    .map(({ header: { pts = 0, dts = pts } }) => ({ pts, dts }));

describe('HLS with MPEG-TS from RTMP', () => {
  it('keeps every rule of playlist, clock and counters over 10 segments', async () => {
    const server = await startTestServer(scope);
    await publish(`${server.rtmp}/live/ts`);
    const base = `${server.http}/live/ts`;
    await until(async () => (await fetch(`${base}/ts.m3u8`)).ok, { timeoutMs: 20_000 });
    const master = await (await fetch(`${base}/ts.m3u8`)).text();
    const { variants } = parseMultivariantPlaylist(master);
    expect(checkMultivariantPlaylist(parseMultivariantPlaylist(master))).toEqual([]);
    expect(variants).toHaveLength(1);
    expect(variants[0]!.codecs).toMatch(/^avc1\.[0-9a-f]{6},mp4a\.40\.2$/);
    const follower = followTs(scope, new URL(variants[0]!.uri, `${base}/`).href);
    await until(() => follower.segments.length >= 10 || follower.faults.length > 0, { timeoutMs: 60_000 });
    const report = await follower.stop();
    expect(follower.faults).toEqual([]);
    expect(follower.last.version).toBe(3);

    expect(report.faults).toEqual([]);
    expect(report.programs).toHaveLength(1);
    expect(report.clock).toMatchObject({ backwards: 0, discontinuities: 0 });
    expect(report.clock.longestStep).toBeLessThanOrEqual(MAX_CLOCK_STEP * 300);
    for (const { damaged, backwards, margin } of report.streams) {
      expect({ damaged, backwards }).toEqual({ damaged: 0, backwards: 0 });
      expect(margin).toBeGreaterThan(0);
    }
    let video: number | undefined;
    for (const segment of follower.segments) {
      const pictures = times(segment, STREAM_TYPE.h264);
      const sound = times(segment, STREAM_TYPE.adts);
      const length = Math.round(segment.duration * 90_000);
      // No hole and no overlap from one segment to the next, and EXTINF is what is in it.
      if (video !== undefined) expect(clockDistance(video, pictures[0]!.dts)).toBe(0);
      video = pictures[0]!.dts + length;
      expect(pictures).toHaveLength(60);
      expect(pictures.some(({ pts, dts }) => pts > dts)).toBe(true);
      const starts = clockDistance(Math.min(...pictures.map(({ pts }) => pts)), sound[0]!.pts);
      expect(Math.abs(starts)).toBeLessThanOrEqual((1024 * 90_000) / 44_100);
      expect(segment.units.filter(({ streamType }) => streamType === STREAM_TYPE.metadata)).toHaveLength(1);
      const alone = inspectTs(segment.bytes);
      expect(alone.faults).toEqual([]);
      expect(alone.streams[0]!.randomAccess).toBe(1);
    }
    // The same numbers and dates as the fragmented MP4 has.
    const other = followTs(scope, `${base}/hls/video.m3u8`);
    await until(() => other.versions.length > 0);
    for (const [i, { programDateTime, duration }] of other.last.segments.entries()) {
      const at = other.last.mediaSequence + i - follower.last.mediaSequence;
      const same = follower.last.segments[at];
      if (same === undefined) continue;
      expect(same.programDateTime).toBe(programDateTime);
      expect(same.duration).toBe(duration);
    }
  });

  it('is taken by ffprobe, each segment alone too, and decoded by ffmpeg for 20 s without a word', async () => {
    const server = await startTestServer(scope);
    await publish(`${server.rtmp}/live/ts`);
    const base = `${server.http}/live/ts`;
    await until(async () => (await fetch(`${base}/ts.m3u8`)).ok, { timeoutMs: 20_000 });
    const probe = await ffprobeUrl(`${base}/ts.m3u8`);
    expect(probe.errors).toEqual([]);
    expect(probe.streams.map(({ codec_name }) => codec_name).sort()).toEqual(['aac', 'h264', 'timed_id3']);
    expect(probe.streams.find(({ codec_name }) => codec_name === 'h264')?.has_b_frames).toBeGreaterThan(0);
    const report = await playWithFfmpeg(`${base}/ts.m3u8`, 20, { timeoutMs: 60_000 });
    expect(report.errors).toEqual([]);
    expect(report.frames).toBeGreaterThan(590);
    expect(report.maxStepMs).toBeLessThan(60);
    expect(report.audioMs).toBeGreaterThan(19_800);
    const follower = followTs(scope, `${base}/ts/index.m3u8`);
    await until(() => follower.segments.length >= 3);
    await follower.stop();
    for (const { msn, bytes } of follower.segments.slice(0, 3)) {
      const file = join(scope.tempDir(), `s${msn}.ts`);
      writeFileSync(file, bytes);
      const { streams, errors } = await ffprobeUrl(file);
      expect(errors).toEqual([]);
      expect(streams.map(({ codec_name }) => codec_name).sort()).toEqual(['aac', 'h264', 'timed_id3']);
    }
  });

  it('is played by GStreamer', async () => {
    const server = await startTestServer(scope);
    await publish(`${server.rtmp}/live/ts`);
    const url = `${server.http}/live/ts/ts.m3u8`;
    await until(async () => (await fetch(url)).ok, { timeoutMs: 20_000 });
    const report = await playUriWithGst(url, 10);
    expect(report.errors).toEqual([]);
    expect(report.frames).toBeGreaterThan(270);
    expect(report.maxStepMs).toBeLessThan(60);
    expect(report.audioMs).toBeGreaterThan(9_000);
  });

  it('goes on when the encoder is killed and comes back, the same or another', async () => {
    const server = await startTestServer(scope);
    const first = await publish(`${server.rtmp}/live/ts`);
    const base = `${server.http}/live/ts`;
    const follower = followTs(scope, `${base}/ts/index.m3u8`);
    const discontinuities = () =>
      follower.last.discontinuitySequence +
      follower.last.segments.filter(({ discontinuity }) => discontinuity).length;
    await until(() => follower.segments.length > 2, { timeoutMs: 30_000 });
    const start = discontinuities();
    await first.kill();
    await until(() => server.registry.list()[0]?.state === 'waiting');
    const second = await publish(`${server.rtmp}/live/ts`);
    await until(() => discontinuities() === start + 1, { timeoutMs: 20_000 });
    await second.kill();
    await until(() => server.registry.list()[0]?.state === 'waiting');
    await publish(`${server.rtmp}/live/ts`, { size: '640x360', audio: { sampleRate: 48_000 } });
    await until(() => discontinuities() === start + 2, { timeoutMs: 20_000 });
    const seen = follower.segments.length;
    await until(() => follower.segments.length > seen + 1, { timeoutMs: 20_000 });
    const report = await follower.stop();
    expect(follower.faults).toEqual([]);
    expect(report.faults).toEqual([]);
    expect(report.clock).toMatchObject({ backwards: 0, discontinuities: 2 });
    const breaks = follower.segments.filter(({ discontinuity }) => discontinuity);
    expect(breaks).toHaveLength(2);
    const probes: (number | undefined)[] = [];
    for (const { msn, bytes } of [follower.segments[0]!, ...breaks]) {
      const file = join(scope.tempDir(), `s${msn}.ts`);
      writeFileSync(file, bytes);
      const { streams } = await ffprobeUrl(file);
      probes.push(streams.find(({ codec_type }) => codec_type === 'video')?.width);
    }
    expect(probes).toEqual([320, 320, 640]);
  });
});
