import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkMultivariantPlaylist, parseMultivariantPlaylist } from '@onair/media/hls';
import { parseChunks, parseInit } from '@onair/media/isobmff';
import { afterEach, describe, expect, it } from 'vitest';
import {
  ffprobeUrl,
  followHls,
  type Publisher,
  playWithFfmpeg,
  Scope,
  startPublisher,
  until,
} from '../kit/index.ts';
import { startTestServer } from '../kit/server.ts';

const scope = new Scope();
afterEach(() => scope.close());

async function bytesOf(url: string): Promise<Uint8Array> {
  const answer = await fetch(url);
  expect(answer.status, url).toBe(200);
  return new Uint8Array(await answer.arrayBuffer());
}

const publish = (
  url: string,
  options: Partial<Parameters<typeof startPublisher>[1]> = {},
): Promise<Publisher> => startPublisher(scope, { url, gopSeconds: 2, bFrames: 2, ...options });

describe('HLS from RTMP', () => {
  it('keeps every rule for 20 s, aligned and contiguous to the tick', async () => {
    const server = await startTestServer(scope);
    await publish(`${server.rtmp}/live/hls`);
    const base = `${server.http}/live/hls`;
    await until(async () => (await fetch(`${base}/index.m3u8`)).ok);
    const video = followHls(scope, `${base}/hls/video.m3u8`);
    const audio = followHls(scope, `${base}/hls/audio.m3u8`);
    await until(() => video.versions.length > 60 && audio.versions.length > 60, { timeoutMs: 40_000 });
    await video.stop();
    await audio.stop();
    expect(video.faults).toEqual([]);
    expect(audio.faults).toEqual([]);
    const sorted = video.delays.slice(5).sort((a, b) => a - b);
    console.info(
      `part end to playlist: p50 ${sorted[sorted.length >> 1]?.toFixed(0)} ms, max ${sorted.at(-1)?.toFixed(0)} ms`,
    );
    expect(checkMultivariantPlaylist(parseMultivariantPlaylist(await bytesOf(`${base}/index.m3u8`)))).toEqual(
      [],
    );

    for (const { last } of [video, audio]) {
      let expected: number | undefined;
      for (const segment of last.segments) {
        const init = parseInit(await bytesOf(`${base}/hls/${segment.map!.uri}`));
        const { timebase } = init.tracks[0]!;
        const samples = parseChunks(await bytesOf(`${base}/hls/${segment.uri}`)).flatMap(
          ({ tracks }) => tracks[0]!.samples,
        );
        expect(samples[0]!.keyframe).toBe(true);
        for (const sample of samples) {
          if (expected !== undefined) expect(sample.dts).toBe(expected);
          expected = sample.dts + sample.duration;
        }
        const length = samples.reduce((sum, { duration }) => sum + duration, 0) / timebase;
        expect(Math.abs(length - segment.duration)).toBeLessThan(0.0001);
      }
    }
    const sound = new Map(audio.last.segments.map((segment, i) => [audio.last.mediaSequence + i, segment]));
    for (const [i, segment] of video.last.segments.entries()) {
      const other = sound.get(video.last.mediaSequence + i);
      if (other !== undefined)
        expect(Math.abs(segment.programDateTime! - other.programDateTime!)).toBeLessThan(24);
    }
  });

  it('is taken by ffprobe and decoded by ffmpeg without a word, by the old address too', async () => {
    const server = await startTestServer(scope);
    await publish(`${server.rtmp}/live/hls`);
    // Players without low latency need a whole segment.
    await until(async () =>
      (await (await fetch(`${server.http}/live/hls/hls/video.m3u8`)).text()).includes('#EXTINF'),
    );
    const probe = await ffprobeUrl(`${server.http}/hls/hls.m3u8`);
    expect(probe.streams.map(({ codec_name }) => codec_name).sort()).toEqual(['aac', 'h264']);
    expect(probe.errors).toEqual([]);
    const report = await playWithFfmpeg(`${server.http}/live/hls/index.m3u8`, 6);
    expect(report.errors).toEqual([]);
    expect(report.frames).toBeGreaterThan(170);
    expect(report.maxStepMs).toBeLessThan(60);
  });

  it('goes on when the encoder is killed and comes back, the same or another', async () => {
    const server = await startTestServer(scope);
    const first = await publish(`${server.rtmp}/live/hls`);
    const base = `${server.http}/live/hls`;
    await until(async () => (await fetch(`${base}/index.m3u8`)).ok);
    const video = followHls(scope, `${base}/hls/video.m3u8`);
    const audio = followHls(scope, `${base}/hls/audio.m3u8`);
    const discontinuities = () =>
      video.last.discontinuitySequence +
      video.last.segments.filter(({ discontinuity }) => discontinuity).length;
    await until(() => video.versions.length > 12, { timeoutMs: 20_000 });
    const start = discontinuities();
    await first.kill();
    await until(() => server.registry.list()[0]?.state === 'waiting');
    const second = await publish(`${server.rtmp}/live/hls`);
    await until(() => discontinuities() === start + 1, { timeoutMs: 20_000 });
    await second.kill();
    await until(() => server.registry.list()[0]?.state === 'waiting');
    await publish(`${server.rtmp}/live/hls`, { size: '640x360', audio: { sampleRate: 48_000 } });
    await until(() => discontinuities() === start + 2, { timeoutMs: 20_000 });
    const seen = video.versions.length;
    await until(() => video.versions.length > seen + 10, { timeoutMs: 20_000 });
    expect(video.faults).toEqual([]);
    expect(audio.faults).toEqual([]);
    const inits = new Set(video.versions.flatMap(({ segments }) => segments.map(({ map }) => map!.uri)));
    expect(inits.size).toBe(2);
    const widths: number[] = [];
    for (const uri of inits) widths.push(parseInit(await bytesOf(`${base}/hls/${uri}`)).tracks[0]!.width);
    expect(widths).toEqual([320, 640]);
  });

  it('ends properly, and what was fetched is a whole file', async () => {
    const server = await startTestServer(scope, { 'hub.reconnectWindowMs': '500' });
    await publish(`${server.rtmp}/live/hls`, { seconds: 8 });
    const base = `${server.http}/live/hls`;
    await until(async () => (await fetch(`${base}/index.m3u8`)).ok);
    const video = followHls(scope, `${base}/hls/video.m3u8`);
    await until(() => video.versions.at(-1)?.endList === true, { timeoutMs: 30_000 });
    expect(video.faults).toEqual([]);
    const { segments } = video.last;
    const files = [segments[0]!.map!.uri, ...segments.map(({ uri }) => uri)];
    const file = join(scope.tempDir(), 'whole.mp4');
    writeFileSync(file, Buffer.concat(await Promise.all(files.map((uri) => bytesOf(`${base}/hls/${uri}`)))));
    const counted = execFileSync('ffprobe', [
      '-v',
      'error',
      '-count_frames',
      '-show_entries',
      'stream=nb_read_frames',
      '-of',
      'csv=p=0',
      file,
    ]);
    expect(Number(counted.toString())).toBe(240);
  });
});
