import { checkMpd, compareMpds, fillTemplate, isLowLatency, type Mpd, parseMpd } from '@onair/media/dash';
import { parseChunks, parseInit } from '@onair/media/isobmff';
import { afterEach, describe, expect, it } from 'vitest';
import {
  ffprobeUrl,
  type Publisher,
  type PublisherOptions,
  playWithFfmpeg,
  playWithGst,
  Scope,
  startPublisher,
  until,
} from '../kit/index.ts';
import { startTestServer } from '../kit/server.ts';

const scope = new Scope();
afterEach(() => scope.close());

const publish = (url: string, options: Partial<PublisherOptions> = {}): Promise<Publisher> =>
  startPublisher(scope, { url, gopSeconds: 2, bFrames: 2, ...options });

/** What a manifest has been through. */
interface Watched {
  readonly versions: Mpd[];
  readonly faults: Set<string>;
  readonly stop: () => Promise<void>;
}

/** Reloads a manifest as a player does, and gathers what breaks a rule. */
function watchMpd(url: string): Watched {
  const versions: Mpd[] = [];
  const faults = new Set<string>();
  const done = new AbortController();
  let tag = '';
  const look = async (): Promise<void> => {
    const answer = await fetch(url, { signal: done.signal, headers: { 'if-none-match': tag } });
    if (answer.status === 304) return;
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${answer.status} ${text}`);
    tag = answer.headers.get('etag') ?? '';
    const mpd = parseMpd(text);
    const before = versions.at(-1);
    for (const { clause, message } of [...checkMpd(mpd), ...(before ? compareMpds(before, mpd) : [])]) {
      faults.add(`${message} (${clause})`);
    }
    versions.push(mpd);
  };
  const running = (async () => {
    while (!done.signal.aborted) {
      await look().catch((error) => done.signal.aborted || faults.add(String(error)));
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
  })();
  const stop = async (): Promise<void> => {
    done.abort();
    await running;
  };
  scope.defer(stop);
  return { versions, faults, stop };
}

async function bytesOf(url: string): Promise<Uint8Array> {
  const answer = await fetch(url);
  expect(answer.status, url).toBe(200);
  return new Uint8Array(await answer.arrayBuffer());
}

/**
 * Fetches every whole segment that a manifest tells and compares it with what is told.
 * @param holes whether there may be media missing. @returns how many segments were compared.
 */
async function proveMedia(url: string, mpd: Mpd, holes = false): Promise<number> {
  let count = 0;
  for (const { adaptationSets } of mpd.periods) {
    for (const { id, bandwidth, segmentTemplate } of adaptationSets.flatMap((set) => set.representations)) {
      const { timeline, timescale, initialization, media } = segmentTemplate;
      const at = (template: string, time: number): string =>
        new URL(fillTemplate(template, { representationId: id, time }), url).href;
      const init = parseInit(await bytesOf(at(initialization, 0)));
      expect(init.tracks[0]!.timebase).toBe(timescale);
      const whole =
        isLowLatency(mpd) && mpd.periods.at(-1)!.adaptationSets === adaptationSets ? -1 : undefined;
      let end: number | undefined;
      for (const { t, d } of timeline.slice(0, whole)) {
        const bytes = await bytesOf(at(media, t));
        const samples = parseChunks(bytes).flatMap(({ tracks }) => tracks[0]!.samples);
        expect(samples[0]!.keyframe).toBe(true);
        expect(Math.min(...samples.map(({ pts }) => pts))).toBe(t);
        const length = samples.reduce((sum, { duration }) => sum + duration, 0);
        // A publisher that was cut off or has just begun may leave a hole; that belongs to the segment before it.
        if (holes) expect(length).toBeLessThanOrEqual(d);
        else expect(length).toBe(d);
        if (end !== undefined && !holes) expect(samples[0]!.dts).toBe(end);
        end = samples.at(-1)!.dts + samples.at(-1)!.duration;
        expect((bytes.length * 8 * timescale) / d).toBeLessThanOrEqual(bandwidth);
        count++;
      }
    }
  }
  return count;
}

describe('DASH from RTMP', () => {
  it.each<[string, Partial<PublisherOptions>]>([
    ['B-frames', {}],
    ['23.976 frames per second', { fps: 24_000 / 1001 }],
    ['60 frames per second and keyframes every second', { fps: 60, gopSeconds: 1, bFrames: 0 }],
    ['audio alone', { video: false }],
  ])('keeps every rule and is exact to the tick with %s', async (_, options) => {
    const server = await startTestServer(scope);
    await publish(`${server.rtmp}/live/dash`, options);
    const url = `${server.http}/live/dash/manifest.mpd`;
    await until(async () => (await fetch(url)).ok);
    const low = watchMpd(url);
    const plain = watchMpd(`${url}?ll=0`);
    await until(() => low.versions.length > 5 && plain.versions.length > 4, { timeoutMs: 40_000 });
    await low.stop();
    await plain.stop();
    expect([...low.faults]).toEqual([]);
    expect([...plain.faults]).toEqual([]);
    expect(await proveMedia(url, plain.versions.at(-1)!)).toBeGreaterThanOrEqual(3);
    expect(await proveMedia(url, low.versions.at(-1)!)).toBeGreaterThanOrEqual(3);
  });

  it('is taken by ffprobe and decoded by ffmpeg and GStreamer for 15 s without a word', async () => {
    const server = await startTestServer(scope);
    await publish(`${server.rtmp}/live/dash`);
    const url = `${server.http}/live/dash/manifest.mpd`;
    await until(async () => (await fetch(`${url}?ll=0`)).ok);
    const probe = await ffprobeUrl(`${server.http}/dash/dash.mpd`);
    expect(probe.streams.map(({ codec_name }) => codec_name).sort()).toEqual(['aac', 'h264']);
    expect(probe.errors).toEqual([]);
    const [ffmpeg, gst] = await Promise.all([playWithFfmpeg(url, 15), playWithGst(url, 15, { dash: true })]);
    expect(ffmpeg.errors).toEqual([]);
    expect(ffmpeg.frames).toBeGreaterThan(440);
    expect(ffmpeg.maxStepMs).toBeLessThan(60);
    expect(ffmpeg.audioMs).toBeGreaterThan(14_500);
    expect(gst.errors).toEqual([]);
    expect(gst.frames).toBeGreaterThan(350);
    expect(gst.maxStepMs).toBeLessThan(60);
    expect(gst.audioMs).toBeGreaterThan(12_000);
  });

  it('begins periods when the encoder is killed and comes back, the same or another, and becomes static', async () => {
    const server = await startTestServer(scope, { 'hub.reconnectWindowMs': '8000' });
    const url = `${server.http}/live/dash/manifest.mpd`;
    const first = await publish(`${server.rtmp}/live/dash`);
    await until(async () => (await fetch(url)).ok);
    const { versions, faults } = watchMpd(url);
    const periods = (): number => versions.at(-1)!.periods.length;
    await until(
      () =>
        (versions.at(-1)?.periods[0]?.adaptationSets[0]?.representations[0]?.segmentTemplate.timeline
          .length ?? 0) > 2,
      { timeoutMs: 20_000 },
    );
    await first.kill();
    await until(() => server.registry.list()[0]?.state === 'waiting');
    const second = await publish(`${server.rtmp}/live/dash`);
    await until(() => periods() === 2, { timeoutMs: 20_000 });
    await second.kill();
    await until(() => server.registry.list()[0]?.state === 'waiting');
    const third = await publish(`${server.rtmp}/live/dash`, {
      size: '640x360',
      audio: { sampleRate: 48_000 },
    });
    await until(() => periods() === 3, { timeoutMs: 20_000 });
    const last = versions.at(-1)!;
    expect(last.periods.map(({ adaptationSets }) => adaptationSets[0]!.representations[0]!.width)).toEqual([
      320, 320, 640,
    ]);
    expect(await proveMedia(url, last, true)).toBeGreaterThan(4);
    await third.kill();
    await until(() => versions.at(-1)!.type === 'static', { timeoutMs: 30_000 });
    expect([...faults]).toEqual([]);
    const over = versions.at(-1)!;
    const end = over.periods.at(-1)!;
    expect(over.mediaPresentationDuration).toBeCloseTo(end.start + end.duration!, 3);
    expect(await proveMedia(url, over, true)).toBeGreaterThan(4);
    const probe = await ffprobeUrl(url);
    expect(probe.streams.length).toBeGreaterThanOrEqual(2);
  });
});
