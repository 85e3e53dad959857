import { spawnSync } from 'node:child_process';
import { readBurntClock, readBurntClockStrip, readClockSei } from '@onair/contracts/burnt-clock';
import { configTag, encodeFlvTag, encodeSampleAsFlvTag, flvFileHeader } from '@onair/media/flv';
import { chunk, initSegment } from '@onair/media/isobmff';
import type { Sample, Track } from '@onair/media/model';
import { afterEach, describe, expect, it } from 'vitest';
import { DemoSource } from '../../packages/server/src/demo/demo-source.ts';
import { VideoEncoder } from '../../packages/server/src/demo/encoder.ts';
import { pictureParameterSet, sequenceParameterSet } from '../../packages/server/src/demo/parameter-sets.ts';
import { createPicture, type Picture } from '../../packages/server/src/demo/picture.ts';
import type { Plane } from '../../packages/server/src/demo/transform.ts';
import { launchChromium, openPage, Scope } from '../kit/index.ts';

const NOW = 1_795_000_036_500;
const START_CODE = Uint8Array.of(0, 0, 0, 1);
const scope = new Scope();
afterEach(() => scope.close());

function ffmpeg(input: Uint8Array, ...args: readonly string[]): Buffer {
  const result = spawnSync('ffmpeg', ['-hide_banner', '-nostdin', '-v', 'warning', ...args], {
    input,
    maxBuffer: 1 << 29,
  });
  expect(result.stderr.toString()).toBe('');
  expect(result.status).toBe(0);
  return result.stdout;
}

const decodeH264 = (stream: Uint8Array): Buffer =>
  ffmpeg(
    stream,
    '-f',
    'h264',
    '-i',
    'pipe:0',
    '-fps_mode',
    'passthrough',
    '-f',
    'rawvideo',
    '-pix_fmt',
    'yuv420p',
    'pipe:1',
  );

/** What ffmpeg gives for a picture: the visible part of each plane. */
function visible(picture: Picture, width: number, height: number): Buffer {
  const crop = (plane: Plane, columns: number, rows: number): Uint8Array[] =>
    Array.from({ length: rows }, (_, row) =>
      plane.samples.slice(row * plane.stride, row * plane.stride + columns),
    );
  return Buffer.concat([
    ...crop(picture.luma, width, height),
    ...crop(picture.cb, width / 2, height / 2),
    ...crop(picture.cr, width / 2, height / 2),
  ]);
}

/** An access unit with start codes in place of lengths. */
function annexB(accessUnit: Uint8Array): Uint8Array {
  const out = accessUnit.slice();
  const view = new DataView(out.buffer);
  for (let at = 0; at < out.length; ) {
    const length = view.getUint32(at);
    out.set(START_CODE, at);
    at += 4 + length;
  }
  return out;
}

/** Samples of `ms` milliseconds, with what the decoder should show for each video sample. */
function record(
  demo: DemoSource,
  clock: { now: number },
  ms: number,
): { samples: Sample[]; shown: Picture[] } {
  const samples: Sample[] = [];
  const shown: Picture[] = [];
  for (const end = clock.now + ms; clock.now < end; clock.now += 5) {
    for (const sample of demo.next()) {
      samples.push(sample);
      if (sample.track.id === 1) shown.push(structuredClone(demo.reconstruction));
    }
  }
  return { samples, shown };
}

function recorded(ms: number, options: { width?: number; height?: number; frameRate?: number } = {}) {
  const clock = { now: NOW };
  const demo = new DemoSource({ clock: () => clock.now, ...options });
  return { demo, ...record(demo, clock, ms) };
}

const ofTrack = (samples: readonly Sample[], track: Track): Sample[] =>
  samples.filter((sample) => sample.track === track);

describe('video', () => {
  it.each([
    { width: 640, height: 360, frameRate: 30 },
    { width: 426, height: 240, frameRate: 25 },
  ])('is decoded by ffmpeg to exactly what the encoder holds: $width x $height', (format) => {
    const { demo, samples, shown } = recorded(6000, format);
    const video = ofTrack(samples, demo.tracks[0]);
    expect(video.length).toBeGreaterThanOrEqual(format.frameRate * 6 - 1);
    const decoded = decodeH264(
      Buffer.concat([
        ...[START_CODE, sequenceParameterSet(format), START_CODE, pictureParameterSet()],
        ...video.map((sample) => annexB(sample.data)),
      ]),
    );
    const size = (format.width * format.height * 3) / 2;
    expect(decoded.length).toBe(size * video.length);
    const differing = shown.filter(
      (picture, at) =>
        !visible(picture, format.width, format.height).equals(decoded.subarray(at * size, (at + 1) * size)),
    );
    expect(differing.length).toBe(0);
  });

  it('holds for pictures of every kind at every step of quality', () => {
    const [width, height] = [176, 144];
    for (const qp of [12, 15, 20, 25, 29, 33, 38, 44, 51]) {
      const { stream, expected } = encodeNoise(width, height, qp);
      expect(decodeH264(stream).equals(expected), `qp ${qp}`).toBe(true);
    }
  });

  it('keeps within its budget of bits', () => {
    const { demo, samples } = recorded(10_000);
    const video = ofTrack(samples, demo.tracks[0]);
    const bytes = video.reduce((sum, sample) => sum + sample.data.length, 0);
    expect((bytes * 8) / 10_000).toBeGreaterThan(400); // kbit/s
    expect((bytes * 8) / 10_000).toBeLessThan(1500);
    for (const sample of video) expect(sample.data.length).toBeLessThan(sample.keyframe ? 60_000 : 8000);
  });
});

/** A stream of pictures made of flats, ramps, dots and noise, changing in patches. */
function encodeNoise(width: number, height: number, qp: number): { stream: Buffer; expected: Buffer } {
  let seed = qp;
  const random = (): number => {
    seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
    return seed / 2 ** 31;
  };
  const encoder = new VideoEncoder(width, height, qp);
  const picture = createPicture(width, height);
  const damage = new Uint8Array(picture.columns * picture.rows);
  const patch = (plane: Plane, unit: number, column: number, row: number): void => {
    const kind = Math.floor(random() * 5);
    const base = random() * 255;
    const range = random() * random() * 300;
    for (let y = row * unit; y < (row + 1) * unit; y++) {
      for (let x = column * unit; x < (column + 1) * unit; x++) {
        const at = y * plane.stride + x;
        const old = plane.samples[at]!;
        const noise = (random() - 0.5) * range;
        const value = [base, base + noise, random() < 0.06 ? base : old, (x * 7 + base) % 256, old + noise];
        plane.samples[at] = Math.min(Math.max(value[kind]!, 0), 255);
      }
    }
  };
  const stream = [
    START_CODE,
    sequenceParameterSet({ width, height, frameRate: 30 }),
    START_CODE,
    pictureParameterSet(),
  ];
  const expected: Buffer[] = [];
  for (let frame = 0; frame < 16; frame++) {
    damage.fill(0);
    for (let at = 0; at < damage.length; at++) {
      if (frame > 0 && random() < 0.4) continue;
      damage[at] = 1;
      const column = at % picture.columns;
      const row = Math.floor(at / picture.columns);
      patch(picture.luma, 16, column, row);
      patch(picture.cb, 8, column, row);
      patch(picture.cr, 8, column, row);
    }
    stream.push(START_CODE, frame % 8 === 0 ? encoder.encodeIdr(picture) : encoder.encodeP(picture, damage));
    expected.push(visible(encoder.reconstruction, width, height));
  }
  return { stream: Buffer.concat(stream), expected: Buffer.concat(expected) };
}

/** One FLV file of the samples. */
function flv(demo: DemoSource, samples: readonly Sample[]): Buffer {
  const configs = demo.tracks.map((track) => encodeFlvTag({ ...configTag(track)!, timestampMs: 0 }));
  return Buffer.concat([
    flvFileHeader({ audio: true, video: true }),
    ...configs,
    ...samples.map(encodeSampleAsFlvTag),
  ]);
}

describe('as a file', () => {
  it('is described by ffprobe as it is', () => {
    const { demo, samples } = recorded(4000);
    const result = spawnSync(
      'ffprobe',
      ['-v', 'warning', '-show_streams', '-of', 'json', '-f', 'flv', 'pipe:0'],
      { input: flv(demo, samples) },
    );
    expect(result.stderr.toString()).toBe('');
    const { streams } = JSON.parse(result.stdout.toString()) as { streams: Record<string, unknown>[] };
    expect(streams[0]).toMatchObject({
      ...{ codec_name: 'h264', profile: 'Constrained Baseline', level: 30, width: 640, height: 360 },
      ...{ pix_fmt: 'yuv420p', color_range: 'tv', color_space: 'bt709', color_primaries: 'bt709' },
      ...{ color_transfer: 'bt709', has_b_frames: 0, r_frame_rate: '30/1', field_order: 'progressive' },
    });
    expect(streams[1]).toMatchObject({ codec_name: 'aac', profile: 'LC', sample_rate: '48000', channels: 2 });
  });

  it('beeps on each full second of its picture, higher on each tenth', () => {
    const { demo, samples } = recorded(8000);
    const file = flv(demo, samples);
    const first = readClockSei(ofTrack(samples, demo.tracks[0])[0]!.data)!;
    const rate = 48_000;
    // The first frame of a decoder has no predecessor to overlap with, so sound begins at its timestamp.
    const lead = ofTrack(samples, demo.tracks[1])[0]!.dts;
    const pcm = ffmpeg(file, '-f', 'flv', '-i', 'pipe:0', '-vn', '-f', 's16le', '-ac', '1', 'pipe:1');
    const levels = new Int16Array(pcm.buffer, pcm.byteOffset, pcm.length >> 1);
    const at = (seconds: number): number => Math.round((seconds - first / 1e6) * rate) - lead;
    const second = Math.ceil(first / 1e6 + 0.5);
    for (let time = second; time < second + 7; time++) {
      const onset = levels
        .subarray(at(time) - 2400, at(time) + 2400)
        .findIndex((value) => Math.abs(value) > 3000);
      expect(Math.abs(onset - 2400) / rate, `second ${time}`).toBeLessThan(0.006);
      const beep = levels.subarray(at(time) + 480, at(time) + 4320); // 80 ms of it
      let crossings = 0;
      for (let n = 1; n < beep.length; n++) if (beep[n - 1]! < 0 && beep[n]! >= 0) crossings++;
      expect(Math.round(crossings / 0.08 / 50) * 50).toBe(time % 10 === 0 ? 1500 : 1000);
      const rest = levels.subarray(at(time) + 9600, at(time) + 43_200);
      expect(rest.reduce((peak, value) => Math.max(peak, Math.abs(value)), 0)).toBeLessThan(2000);
    }
  });

  it('sounds as it is meant to, over the end of its period and into other beeps', () => {
    const { demo, samples } = recorded(20_000, { width: 320, height: 180 });
    const rate = 48_000;
    const first = readClockSei(ofTrack(samples, demo.tracks[0])[0]!.data)! / 1e6;
    const lead = ofTrack(samples, demo.tracks[1])[0]!.dts / rate;
    const pcm = ffmpeg(
      flv(demo, samples),
      ...['-f', 'flv', '-i', 'pipe:0', '-vn', '-f', 's16le', '-ac', '2', 'pipe:1'],
    );
    const levels = new Int16Array(pcm.buffer, pcm.byteOffset, pcm.length >> 1);
    const left = (time: number): number => {
      const within = time % 1;
      const edge = Math.min(within, 0.1 - within) / 0.005;
      const envelope = edge < 1 ? 0.5 - 0.5 * Math.cos(Math.PI * Math.max(edge, 0)) : 1;
      const hertz = Math.floor(time) % 10 === 0 ? 1500 : 1000;
      return 0.25 * envelope * Math.sin(2 * Math.PI * hertz * within) + 0.02 * Math.sin(440 * Math.PI * time);
    };
    let worst = 0;
    for (let from = 4096; from + 480 <= levels.length / 2; from += 480) {
      let power = 0;
      for (let n = from; n < from + 480; n++) {
        // A whole number of periods off, so that the sines keep their precision.
        const time = ((first + lead) % 40) + n / rate;
        power += (levels[2 * n]! / 32768 - left(time)) ** 2;
      }
      worst = Math.max(worst, Math.sqrt(power / 480));
    }
    expect(worst).toBeLessThan(0.004);
  });

  it('shows a clock that is read off the decoded picture at any size', () => {
    const { demo, samples } = recorded(2000);
    const video = ofTrack(samples, demo.tracks[0]);
    for (const [width, height] of [
      [640, 360],
      [214, 120],
      [1280, 720],
    ] as const) {
      const size = width * height * 4;
      const scaled = [
        '-vf',
        `scale=${width}:${height}`,
        '-fps_mode',
        'passthrough',
        '-f',
        'rawvideo',
        '-pix_fmt',
        'rgba',
      ];
      const pixels = ffmpeg(flv(demo, video), '-f', 'flv', '-i', 'pipe:0', '-an', ...scaled, 'pipe:1');
      expect(pixels.length).toBe(size * video.length);
      video.forEach((sample, index) => {
        const read = readBurntClock(pixels.subarray(index * size, (index + 1) * size), width, height);
        expect(read?.ms).toBe(Math.floor(readClockSei(sample.data)! / 1000));
      });
    }
  });
});

describe('in Chromium', () => {
  it('plays, and a page reads the clock of each frame off a canvas', async () => {
    const { demo, samples } = recorded(6000);
    const files = demo.tracks.map((track) => {
      const own = ofTrack(samples, track);
      const durations = own.map((sample) => sample.duration!);
      const whole = { track, sequence: 1, baseDecodeTime: own[0]!.dts, samples: own, durations };
      const bytes = Buffer.concat([initSegment(track), chunk(whole)]);
      return {
        type: `${track.parameters.kind}/mp4; codecs="${codecString(track)}"`,
        base64: bytes.toString('base64'),
      };
    });
    const video = ofTrack(samples, demo.tracks[0]);
    const { page, errors } = await openPage(await launchChromium(scope));
    const frames = await page.evaluate(playAndRead, files);
    expect(errors).toEqual([]);
    expect(frames.length).toBeGreaterThan(20);
    const times = video.map((sample) => Math.floor(readClockSei(sample.data)! / 1000));
    for (const { mediaTime, strip } of frames) {
      const read = readBurntClockStrip(Uint8Array.from(strip), 128, 8);
      // On a busy machine the element may have moved on to a later frame when the callback runs.
      const behind = times.indexOf(read?.ms ?? Number.NaN) - Math.round(mediaTime * 30);
      expect(behind, `at ${mediaTime} s`).toBeGreaterThanOrEqual(0);
      expect(behind, `at ${mediaTime} s`).toBeLessThanOrEqual(3);
    }
  });
});

function codecString(track: Track): string {
  return track.parameters.kind === 'data' ? '' : track.parameters.codecString;
}

/** Runs in the page: plays the files by MSE and returns the clock strip of each frame shown. */
async function playAndRead(
  files: { type: string; base64: string }[],
): Promise<{ mediaTime: number; strip: number[] }[]> {
  const video = document.createElement('video');
  video.muted = false;
  document.body.append(video);
  const source = new MediaSource();
  video.src = URL.createObjectURL(source);
  await new Promise((resolve) => source.addEventListener('sourceopen', resolve, { once: true }));
  const buffers = files.map(({ type }) => source.addSourceBuffer(type));
  for (const [index, { base64 }] of files.entries()) {
    const buffer = buffers[index]!;
    buffer.appendBuffer(Uint8Array.from(atob(base64), (char) => char.charCodeAt(0)));
    await new Promise((resolve) => buffer.addEventListener('updateend', resolve, { once: true }));
  }
  source.endOfStream();
  const canvas = new OffscreenCanvas(128, 8);
  const context = canvas.getContext('2d', { willReadFrequently: true })!;
  const frames: { mediaTime: number; strip: number[] }[] = [];
  const look = (_: number, { mediaTime }: { mediaTime: number }): void => {
    context.drawImage(video, 64, 304, 512, 32, 0, 0, 128, 8);
    frames.push({ mediaTime, strip: [...context.getImageData(0, 0, 128, 8).data] });
    video.requestVideoFrameCallback(look);
  };
  video.requestVideoFrameCallback(look);
  await video.play();
  await new Promise((resolve, reject) => {
    video.addEventListener('ended', resolve, { once: true });
    video.addEventListener('error', () => reject(new Error(video.error?.message)), { once: true });
  });
  return frames;
}
