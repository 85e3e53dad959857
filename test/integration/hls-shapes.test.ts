import { checkMultivariantPlaylist, parseMultivariantPlaylist } from '@onair/media/hls';
import { parseChunks, parseInit } from '@onair/media/isobmff';
import { describe, expect, it, type TestContext } from 'vitest';
import { followHls, type HlsFollower, Scope, startPublisher, until } from '../kit/index.ts';
import { startTestServer } from '../kit/server.ts';

/** What a test started, ended with it; the tests run side by side, since most of their time goes by waiting. */
function scopeOf({ onTestFinished }: TestContext): Scope {
  const scope = new Scope();
  onTestFinished(() => scope.close());
  return scope;
}

async function bytesOf(url: string): Promise<Uint8Array> {
  const answer = await fetch(url);
  expect(answer.status, url).toBe(200);
  return new Uint8Array(await answer.arrayBuffer());
}

/** What the bytes say: durations within 1 ms, no gap between segments, each begins with a keyframe. */
async function checkMedia(base: string, { last }: HlsFollower): Promise<void> {
  let expected: number | undefined;
  for (const segment of last.segments) {
    const { timebase } = parseInit(await bytesOf(`${base}/hls/${segment.map!.uri}`)).tracks[0]!;
    const samples = parseChunks(await bytesOf(`${base}/hls/${segment.uri}`)).flatMap(
      ({ tracks }) => tracks[0]!.samples,
    );
    expect(samples[0]!.keyframe, segment.uri).toBe(true);
    if (expected !== undefined) expect(samples[0]!.dts, segment.uri).toBe(expected);
    const end = samples.at(-1)!;
    expected = end.dts + end.duration;
    const length = (expected - samples[0]!.dts) / timebase;
    expect(Math.abs(length - segment.duration), segment.uri).toBeLessThanOrEqual(0.001);
  }
}

type Shape = Omit<Parameters<typeof startPublisher>[1], 'url'>;

describe.concurrent('HLS of every kind of stream', () => {
  it.for<[string, Shape, { versions?: number; target?: number; rate?: number }]>([
    ['B-frames', { bFrames: 3, gopSeconds: 2 }, { target: 2 }],
    ['sound only', { video: false }, {}],
    ['picture only', { audio: false, gopSeconds: 2 }, { target: 2 }],
    [
      '23.976 frames per second',
      { fps: 24_000 / 1001, gopSeconds: 2.002, extra: ['-r', '24000/1001'] },
      { target: 2, rate: 23.976 },
    ],
    ['60 frames per second', { fps: 60, gopSeconds: 2 }, { target: 2, rate: 60 }],
    ['a keyframe each second', { gopSeconds: 1 }, { target: 2 }],
    ['a keyframe each 10 s', { gopSeconds: 10 }, { target: 10, versions: 90 }],
  ])('%s', async ([_, shape, { versions = 40, target, rate }], context) => {
    const scope = scopeOf(context);
    const server = await startTestServer(scope);
    await startPublisher(scope, { url: `${server.rtmp}/live/shape`, ...shape });
    const base = `${server.http}/live/shape`;
    await until(async () => (await fetch(`${base}/index.m3u8`)).ok);
    const names = [shape.video === false ? [] : ['video'], shape.audio === false ? [] : ['audio']].flat();
    const followers = names.map((name) => followHls(scope, `${base}/hls/${name}.m3u8`));
    await until(() => followers.every((one) => one.versions.length > versions), { timeoutMs: 90_000 });
    for (const follower of followers) {
      await follower.stop();
      expect(follower.faults).toEqual([]);
      await checkMedia(base, follower);
    }
    const multivariant = parseMultivariantPlaylist(await bytesOf(`${base}/index.m3u8`));
    expect(checkMultivariantPlaylist(multivariant)).toEqual([]);
    expect(multivariant.independentSegments).toBe(true);
    if (target !== undefined) expect(followers[0]!.last.targetDuration).toBe(target);
    if (rate !== undefined) expect(multivariant.variants[0]!.frameRate).toBeCloseTo(rate, 2);
    const [picture, sound] = followers;
    if (sound === undefined || picture === undefined) return;
    const dates = new Map(sound.last.segments.map((one, i) => [sound.last.mediaSequence + i, one]));
    for (const [i, segment] of picture.last.segments.entries()) {
      const other = dates.get(picture.last.mediaSequence + i);
      if (other === undefined) continue;
      expect(Math.abs(segment.programDateTime! - other.programDateTime!)).toBeLessThan(24);
    }
  });

  it('a stream of its own parts and segments', async (context) => {
    const scope = scopeOf(context);
    const rule = JSON.stringify([{ match: 'live/fast*', segmentMs: 1000, partMs: 200 }]);
    const server = await startTestServer(scope, { 'hls.streams': rule });
    await startPublisher(scope, { url: `${server.rtmp}/live/fast1`, gopSeconds: 1, audio: false });
    const base = `${server.http}/live/fast1`;
    await until(async () => (await fetch(`${base}/index.m3u8`)).ok);
    const video = followHls(scope, `${base}/hls/video.m3u8`);
    await until(() => video.versions.length > 20, { timeoutMs: 20_000 });
    expect(video.faults).toEqual([]);
    expect([video.last.partTarget, video.last.targetDuration]).toEqual([0.2, 1]);
  });
});
