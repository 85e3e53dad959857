import { type StreamName, splitStreamName, streamName, type Track, ticks } from '@onair/media';
import type { Tag } from '@onair/media/flv';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  Child,
  expectNoChildren,
  followHls,
  makeTags,
  Publisher,
  playWithFfmpeg,
  playWithGst,
  playWithRtmpdump,
  Replay,
  Scope,
  seams,
  seenFurther,
  startPublisher,
  startTestServer,
  type TestServer,
  until,
  type Viewers,
  watchAll,
  witnesses,
} from '../kit/index.ts';
import { sampleAt, videoTrack } from '../kit/samples.ts';

const FPS = 25;
/** Where the extended timestamp begins (RTMP 1.0 §5.3.1.3), and where 24 bits of FLV end. */
const EXTENDED = 0xff_ffff;
/** Where 31 bits end, which is all that some writers use, and where 32 bits do. */
const SIGNED = 2 ** 31;
const WRAP = 2 ** 32;
/** How long in front of the edge a timeline begins. */
const RUN_UP_MS = 3_000;
const AAC_RATE = 44_100;

const files = new Scope();
let tags: Tag[];
beforeAll(async () => {
  tags = await makeTags(files, {
    seconds: 14,
    fps: FPS,
    gopSeconds: 1,
    bFrames: 2,
    audio: { sampleRate: AAC_RATE },
  });
});

let scope = new Scope();
afterEach(async () => {
  const closing = scope;
  scope = new Scope();
  await closing.close();
});
afterAll(async () => {
  await files.close();
  await expectNoChildren();
});

/** Nothing missing, nothing doubled, and sound that is counted, not guessed from milliseconds. */
function expectUnbroken(viewers: Viewers): void {
  for (const witness of witnesses(viewers)) {
    expect(witness.faults, witness.name).toEqual([]);
    expect(seams(witness, FPS), witness.name).toEqual([]);
    // Rounded to milliseconds in FLV and RTMP: no error of one piles up on that of another.
    const first = witness.audio[0]!.ms;
    for (const [i, { ms }] of witness.audio.entries()) {
      const off = Math.abs(ms - first - (i * 1_024_000) / AAC_RATE);
      if (off > 1.01) throw new Error(`${witness.name}: sound ${i} is off by ${off} ms`);
    }
  }
  // A publisher with B-frames joins on where the last picture was shown, so that it is decoded up to a frame early.
  const frameUs = 1_000_000 / FPS;
  const joins = ({ us, discontinuity }: { us: number; discontinuity: boolean }): boolean =>
    discontinuity && us < 0 && us > -frameUs;
  expect(viewers.fmp4.holes.filter((hole) => !joins(hole))).toEqual([]);
}

describe('a publisher whose clock passes', () => {
  it.each([
    ['0xFFFFFF ms', EXTENDED],
    ['2^31 ms', SIGNED],
    ['2^32 ms', WRAP],
  ])('%s is followed without a break', async (_name, edge) => {
    const server = await startTestServer(scope);
    const viewers = watchAll(scope, server, 'live/wrap');
    scope.own(new Replay(`${server.rtmp}/live/wrap`, tags, { offsetMs: edge - RUN_UP_MS }));
    await seenFurther(witnesses(viewers), 6_000);
    expectUnbroken(viewers);
    expect(viewers.fmp4.epochs).toEqual([1]);
    expect(viewers.fmp4.chunks.filter(({ discontinuity }) => discontinuity)).toHaveLength(2);
  });

  it('0xFFFFFF ms may be ffmpeg', async () => {
    const server = await startTestServer(scope);
    const viewers = watchAll(scope, server, 'live/wrap');
    const extra = ['-output_ts_offset', String((EXTENDED - RUN_UP_MS) / 1000)];
    await startPublisher(scope, { url: `${server.rtmp}/live/wrap`, fps: FPS, gopSeconds: 1, extra });
    await seenFurther(witnesses(viewers), 6_000);
    expectUnbroken(viewers);
  });

  it('2^31 ms may be ffmpeg, which begins again at 0 there', async () => {
    const server = await startTestServer(scope);
    const viewers = watchAll(scope, server, 'live/wrap');
    const extra = ['-output_ts_offset', String((SIGNED - RUN_UP_MS) / 1000)];
    const options = { url: `${server.rtmp}/live/wrap`, fps: FPS, gopSeconds: 1, extra };
    // Its own counters stand still with such times, so it is the viewers who tell that it runs.
    scope.own(new Publisher(options));
    await seenFurther(witnesses(viewers), 6_000);
    for (const witness of witnesses(viewers)) {
      expect(witness.faults, witness.name).toEqual([]);
      expect(
        seams(witness, FPS).filter((step) => step > 200),
        witness.name,
      ).toEqual([]);
    }
  });

  it('0xFFFFFF and 2^32 ms may be GStreamer', async () => {
    const server = await startTestServer(scope);
    for (const [name, edge] of [
      ['extended', EXTENDED],
      ['wrap', WRAP],
    ] as const) {
      const viewers = watchAll(scope, server, `live/${name}`);
      const offset = `timestamp-offset=${(edge - RUN_UP_MS) * 1_000_000}`;
      scope.own(
        new Child('gst-launch', 'gst-launch-1.0', [
          ...[
            'videotestsrc',
            'is-live=true',
            offset,
            '!',
            `video/x-raw,framerate=${FPS}/1,width=160,height=90`,
          ],
          ...[
            '!',
            'x264enc',
            'tune=zerolatency',
            'speed-preset=ultrafast',
            `key-int-max=${FPS}`,
            '!',
            'queue',
          ],
          ...['!', 'flvmux', 'streamable=true', 'name=mux', '!', 'rtmp2sink'],
          ...[`location=${server.rtmp}/live/${name}`, 'audiotestsrc', 'is-live=true', offset, '!'],
          ...[`audio/x-raw,rate=${AAC_RATE}`, '!', 'avenc_aac', '!', 'aacparse', '!', 'queue', '!', 'mux.'],
        ]),
      );
      await seenFurther(witnesses(viewers), 6_000);
      for (const witness of witnesses(viewers)) {
        expect(witness.faults, witness.name).toEqual([]);
        // Its muxer moves timestamps of late pictures a little.
        expect(
          seams(witness, FPS).filter((step) => step > 100),
          witness.name,
        ).toEqual([]);
      }
      expect(viewers.fmp4.epochs, name).toHaveLength(1);
    }
  });
});

describe('a publisher whose clock jumps', () => {
  it('back, ahead, by a day or to the edges gives one timeline, and no segment of absurd length', async () => {
    const server = await startTestServer(scope);
    const jumps = [0, -5_000, 86_400_000, EXTENDED, SIGNED, WRAP - 1_500, 20_000];
    const viewers = watchAll(scope, server, 'live/wrap');
    scope.own(
      new Replay(`${server.rtmp}/live/wrap`, tags, {
        shift: ({ timestampMs }) => jumps[Math.floor(timestampMs / 2_000)] ?? 0,
        speed: 2,
      }),
    );
    const base = `${server.http}/live/wrap`;
    await until(async () => (await fetch(`${base}/index.m3u8`)).ok);
    const video = followHls(scope, `${base}/hls/video.m3u8`);
    await until(() => viewers.fmp4.spanMs > 13_500, {
      timeoutMs: 20_000,
      message: () => `${viewers.fmp4.spanMs} ms`,
    });
    for (const witness of witnesses(viewers)) {
      expect(witness.faults, witness.name).toEqual([]);
      expect(Math.max(...seams(witness, FPS)), witness.name).toBeLessThan(1_100);
    }
    expect(viewers.fmp4.epochs).toEqual([1]);
    await video.stop();
    expect(video.faults).toEqual([]);
    for (const { duration } of video.last.segments) expect(duration).toBeLessThan(8);
  });
});

/** Steps that still count as the publisher's own pace, in milliseconds. */
const STRIDE_MS = 9_900;

/** Runs the stream's own timeline on to `ms` milliseconds, with frames that lie far apart. */
function runTo(server: TestServer, name: StreamName, ms: number): void {
  const publication = server.registry.publish(name, { protocol: 'test', revoked: () => undefined });
  const track: Track = videoTrack();
  publication.promise({ video: true });
  publication.setTrack(track);
  const frame = sampleAt(track, 0);
  const push = (at: number): void => {
    const dts = ticks(at * 90);
    publication.push({ ...frame, dts, pts: dts });
  };
  for (let at = 0; at < ms - 1_000; at += STRIDE_MS) push(at);
  for (let at = ms - 1_000; at < ms; at += 1_000 / FPS) push(at);
  publication.close('run up');
}

describe('a stream that has run for', () => {
  it.each([
    ['0xFFFFFF ms', 'live/extended', EXTENDED],
    ['2^32 ms', 'live/wrap', WRAP],
  ])('%s plays on, for those who watch and those who come', async (_name, full, edge) => {
    const server = await startTestServer(scope);
    const name = streamName(...(Object.values(splitStreamName(full as StreamName)) as [string, string]));
    runTo(server, name, edge - RUN_UP_MS - 1_000);
    const viewers = watchAll(scope, server, full);
    scope.own(new Replay(`${server.rtmp}/${full}`, tags));
    await seenFurther([viewers.rtmp], 500);
    const rtmp = `${server.rtmp}/${full}`;
    const players = [
      playWithFfmpeg(rtmp, 6),
      playWithFfmpeg(`${server.http}/${full}.flv`, 6),
      playWithGst(rtmp, 6),
      playWithRtmpdump(rtmp, 6),
    ];
    const all = witnesses(viewers);
    const passed = (): boolean => all.every(({ video }) => (video.at(-1)?.ms ?? 0) % WRAP > edge % WRAP);
    await until(() => passed() && viewers.fmp4.spanMs > RUN_UP_MS + 2_000, { timeoutMs: 20_000 });
    const late = watchAll(scope, server, full);
    await seenFurther(witnesses(late), 2_000);
    expectUnbroken(viewers);
    expectUnbroken(late);
    expect([viewers.fmp4.epochs, late.fmp4.epochs]).toEqual([[1, 2], [2]]);
    const chunk = viewers.fmp4.chunks.at(-1)!;
    expect(chunk.time / 1000).toBeGreaterThan(edge);
    for (const report of await Promise.all(players)) {
      expect(report.errors, report.player).toEqual([]);
      expect(report.frames, report.player).toBeGreaterThan(5 * FPS);
      // GStreamer's sound decoders wait for the old time to come back when the clock begins again at 0.
      if (report.player === 'gst' && edge === WRAP) continue;
      expect(report.audioMs, report.player).toBeGreaterThan(5_000);
    }
  });
});
