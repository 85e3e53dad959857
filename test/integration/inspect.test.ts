import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bytesSource, type OutputFormat } from '@onair/media/file';
import { inspect, type Report } from '@onair/media/inspect';
import { createFile, type Movie, MP4BoxBuffer } from 'mp4box';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inspectInput } from '../../packages/server/src/cli/inspect-run.ts';
import { remuxFile } from '../../packages/server/src/cli/remux-run.ts';
import { launchChromium, openPage } from '../kit/chromium.ts';
import { ALL_EDGES, checkCuts, checkMutations } from '../kit/damage.ts';
import { fileOf, film, written } from '../kit/film.ts';
import { Scope } from '../kit/scope.ts';

const LONG = process.env.ONAIR_LONG === '1';
/** Damaged copies in all, in the long form of the test. */
const MUTATIONS = 10_000;
const scope = new Scope();
let folder = '';
afterAll(() => scope.close());

/** Encoded once each; every file below is one of these in some container. */
const SOURCES: Readonly<Record<string, readonly string[]>> = {
  h264: ['-c:v', 'libx264', '-preset', 'veryfast', '-bf', '2', '-g', '25', '-c:a', 'aac'],
  base: ['-c:v', 'libx264', '-profile:v', 'baseline', '-g', '10', '-c:a', 'libmp3lame', '-ar', '44100'],
  hevc: [
    '-c:v',
    'libx265',
    '-preset',
    'ultrafast',
    '-x265-params',
    'keyint=25:log-level=none',
    '-c:a',
    'aac',
  ],
  vp8: ['-c:v', 'libvpx', '-deadline', 'realtime', '-cpu-used', '8', '-g', '20', '-c:a', 'libopus'],
  vp9: ['-c:v', 'libvpx-vp9', '-deadline', 'realtime', '-cpu-used', '8', '-g', '20', '-c:a', 'libopus'],
  av1: ['-c:v', 'libsvtav1', '-preset', '12', '-g', '25', '-c:a', 'libopus'],
  ac3: ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '25', '-c:a', 'ac3'],
  flac: ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '25', '-c:a', 'flac'],
};
const FRAGMENTS = ['-movflags', 'frag_keyframe+empty_moov+default_base_moof'];

/** Name, source and how it is packed. */
const FILES: readonly (readonly [name: string, source: string, options?: readonly string[]])[] = [
  ['plain.mp4', 'h264'],
  ['fast.mp4', 'h264', ['-movflags', '+faststart']],
  ['frag.mp4', 'h264', FRAGMENTS],
  ['delay.mp4', 'h264', ['-movflags', 'frag_keyframe+delay_moov+default_base_moof']],
  ['short.mp4', 'h264', ['-movflags', 'empty_moov+default_base_moof', '-frag_duration', '300000']],
  ['old.mp4', 'h264', ['-movflags', 'frag_keyframe+empty_moov']],
  ['sound.m4a', 'h264', ['-vn']],
  ['picture.mp4', 'h264', ['-an']],
  ['quicktime.mov', 'h264'],
  ['mp3.mp4', 'base'],
  ['hevc.mp4', 'hevc', ['-tag:v', 'hvc1']],
  ['hev1.mp4', 'hevc', ['-tag:v', 'hev1', ...FRAGMENTS]],
  ['vp9.mp4', 'vp9', ['-strict', '-2']],
  ['vp9f.mp4', 'vp9', ['-strict', '-2', ...FRAGMENTS]],
  ['av1.mp4', 'av1', ['-strict', '-2']],
  ['ac3.mp4', 'ac3'],
  ['flac.mp4', 'flac', ['-strict', '-2']],
  ['h264.mkv', 'h264'],
  ['hevc.mkv', 'hevc'],
  ['mp3.mkv', 'base'],
  ['flac.mkv', 'flac'],
  ['vp8.webm', 'vp8'],
  ['vp9.webm', 'vp9'],
  ['live.webm', 'vp9', ['-live', '1']],
  ['av1.webm', 'av1'],
  ['h264.flv', 'h264'],
  ['base.flv', 'base'],
  ['picture.flv', 'h264', ['-an']],
  ['h264.ts', 'h264'],
  ['hevc.ts', 'hevc'],
  ['mp3.ts', 'base'],
  ['sound.ts', 'h264', ['-vn']],
  ['cbr.ts', 'h264', ['-muxrate', '1500k']],
];

const ffmpeg = (args: readonly string[]): Buffer =>
  execFileSync('ffmpeg', ['-hide_banner', '-nostdin', '-loglevel', 'error', '-y', ...args], {
    maxBuffer: 1 << 28,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
const file = (name: string): string => join(folder, name);

beforeAll(() => {
  folder = scope.tempDir('onair-inspect-');
  const inputs = ['-f', 'lavfi', '-i', 'testsrc2=size=160x90:rate=25:duration=2'];
  inputs.push('-f', 'lavfi', '-i', 'sine=frequency=440:sample_rate=48000:duration=2');
  for (const [name, codecs] of Object.entries(SOURCES)) {
    ffmpeg([...inputs, '-pix_fmt', 'yuv420p', ...codecs, file(`${name}.nut`)]);
  }
  for (const [name, source, options = []] of FILES) {
    ffmpeg(['-i', file(`${source}.nut`), '-c', 'copy', ...options, file(name)]);
  }
}, 120_000);

interface Packet {
  readonly stream_index: number;
  readonly pts_time?: string;
  readonly duration_time?: string;
  readonly size: string;
  readonly flags: string;
}

/** What ffprobe sees of each stream. */
function probe(path: string) {
  // Else it leaves out what lies behind the end of an edit list, which the tables do have.
  const all = /\.(?:mp4|m4a|mov)$/.test(path) ? ['-advanced_editlist', '0'] : [];
  const args = ['-v', 'error', ...all, '-show_streams', '-show_packets', '-of', 'json', path];
  const { streams, packets } = JSON.parse(String(execFileSync('ffprobe', args, { maxBuffer: 1 << 28 }))) as {
    streams: { index: number; codec_type: string; codec_name: string }[];
    packets: Packet[];
  };
  return streams.map(({ index, codec_type: kind, codec_name: codec }) => {
    const own = packets.filter(({ stream_index: of }) => of === index);
    const starts = own.map(({ pts_time: pts }) => Number(pts));
    const ends = own.map(({ pts_time: pts, duration_time: length = '0' }) => Number(pts) + Number(length));
    return {
      kind,
      codec,
      samples: own.length,
      keyframes: own.filter(({ flags }) => flags.startsWith('K')).length,
      bytes: own.reduce((sum, { size }) => sum + Number(size), 0),
      first: Math.min(...starts),
      last: Math.max(...starts),
      end: Math.max(...ends),
    };
  });
}

const report = (name: string): Promise<Report> =>
  inspect(bytesSource(new Uint8Array(readFileSync(file(name)))));

describe('the inspector agrees', () => {
  it.each(FILES.map(([name]) => name))('with ffprobe on %s', async (name) => {
    const found = await report(name);
    expect(found.findings.filter(({ severity }) => severity === 'error')).toEqual([]);
    for (const theirs of probe(file(name))) {
      const ours = found.tracks.find(({ kind }) => kind === theirs.kind)!;
      expect([ours.samples, ours.keyframes]).toEqual([theirs.samples, theirs.keyframes]);
      expect(ours.firstPts).toBeCloseTo(theirs.first, 2);
      expect(ours.lastPts).toBeCloseTo(theirs.last, 2);
      // ffprobe does not tell by how much the last frame of a WebM or a fragment is cut.
      expect(Math.abs(ours.firstPts! + ours.duration - theirs.end)).toBeLessThan(0.045);
      // In a transport stream frames carry delimiters and headers that our framing does not.
      if (found.format !== 'mpegts') expect(ours.bytes).toBe(theirs.bytes);
      expect(ours.codec).toBe(theirs.codec);
      expect(ours.codecString).toMatch(
        /^(avc1\.|hvc1\.|vp8$|vp09\.|av01\.|mp4a\.40\.2$|mp3$|opus$|ac-3$|flac$)/,
      );
    }
  });

  it.each(FILES.map(([name]) => name).filter((name) => name.endsWith('.mp4')))(
    'with mp4box on %s',
    async (name) => {
      const found = await report(name);
      const theirs = await mp4box(file(name));
      expect(found.fragmented).toBe(theirs.isFragmented);
      expect(found.tracks.map(({ samples }) => samples)).toEqual(
        theirs.tracks.map((track) => track.nb_samples),
      );
      for (const [index, { codecString, duration }] of found.tracks.entries()) {
        const track = theirs.tracks[index]!;
        // Of HEVC with parameters in its frames we name the form that is written here; of MP3 what browsers take.
        const codec = track.codec.replace('hev1', 'hvc1').replace(/^mp4a\.6b$/, 'mp3');
        expect(codecString!.toLowerCase()).toBe(codec.toLowerCase());
        expect(Math.abs(duration - track.samples_duration / track.timescale)).toBeLessThan(0.09);
      }
    },
  );
});

function mp4box(path: string): Promise<Movie> {
  return new Promise((resolve, reject) => {
    const reader = createFile();
    reader.onReady = resolve;
    reader.onError = (_module, message) => reject(new Error(message));
    const bytes = readFileSync(path);
    reader.appendBuffer(MP4BoxBuffer.fromArrayBuffer(new Uint8Array(bytes).buffer, 0));
    reader.flush();
  });
}

/** Checksums of the decoded pictures, shown time left out. */
function pictures(path: string): string {
  return String(ffmpeg(['-i', path, '-map', '0:v:0', '-fps_mode', 'passthrough', '-f', 'md5', '-']));
}

const TARGETS: readonly OutputFormat[] = ['mp4', 'fmp4', 'mkv', 'flv', 'ts'];
const { signal } = new AbortController();

describe('remuxing', () => {
  it.each(['fast.mp4', 'frag.mp4', 'h264.mkv', 'h264.flv', 'h264.ts'])('%s into everything', async (name) => {
    const pixels = pictures(file(name));
    const [video] = probe(file(name)).filter(({ kind }) => kind === 'video');
    for (const format of TARGETS) {
      const output = file(`out.${format === 'fmp4' ? 'mp4' : format}`);
      expect(await remuxFile({ input: file(name), output, format, signal })).toContain(
        'samples of h264 and aac',
      );
      expect(pictures(output)).toBe(pixels);
      const [again] = probe(output).filter(({ kind }) => kind === 'video');
      expect([again!.samples, again!.keyframes]).toEqual([video!.samples, video!.keyframes]);
      const found = await report(output.slice(folder.length + 1));
      expect(found.findings.filter(({ severity }) => severity === 'error')).toEqual([]);
      expect(found.tracks.find(({ kind }) => kind === 'video')!.duration).toBeCloseTo(2, 2);
    }
  });

  it.each(['hevc.ts', 'vp9.webm', 'av1.webm', 'vp8.webm', 'mp3.ts'])('%s into fragments', async (name) => {
    const output = file('out.mp4');
    await remuxFile({ input: file(name), output, format: 'fmp4', signal });
    expect(pictures(output)).toBe(pictures(file(name)));
    expect((await mp4box(output)).isFragmented).toBe(true);
  });

  it('is accepted by Chromium, by itself and through Media Source Extensions', async () => {
    const browser = await launchChromium(scope);
    const { page } = await openPage(browser);
    await page.goto('about:blank');
    for (const [format, type] of [
      ['mp4', undefined],
      ['fmp4', undefined],
      ['fmp4', 'video/mp4; codecs="avc1.64000a, mp4a.40.2"'],
    ] as const) {
      const output = file(`chromium-${format}.mp4`);
      await remuxFile({ input: file('h264.ts'), output, format, signal });
      const played = await page.evaluate(play, { base64: readFileSync(output).toString('base64'), type });
      expect(played.error).toBe('');
      expect(played.at).toBeGreaterThan(1.9);
      expect(played.duration).toBeCloseTo(2, 0);
    }
  });
});

/** Runs in the page: plays a file to its end. */
async function play({ base64, type }: { base64: string; type: string | undefined }) {
  const bytes = Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
  const video = document.createElement('video');
  document.body.append(video);
  video.muted = true;
  video.playbackRate = 2;
  if (type === undefined) video.src = URL.createObjectURL(new Blob([bytes], { type: 'video/mp4' }));
  else {
    const media = new MediaSource();
    video.src = URL.createObjectURL(media);
    await new Promise((resolve) => media.addEventListener('sourceopen', resolve, { once: true }));
    const buffer = media.addSourceBuffer(type);
    const done = new Promise((resolve) => buffer.addEventListener('updateend', resolve, { once: true }));
    buffer.appendBuffer(bytes);
    await done;
    media.endOfStream();
  }
  const ended = new Promise((resolve) => {
    for (const name of ['ended', 'error']) video.addEventListener(name, resolve, { once: true });
  });
  await video.play().catch(() => undefined);
  await ended;
  const error = video.error === null ? '' : `${video.error.code} ${video.error.message}`;
  return { at: video.currentTime, duration: video.duration, error };
}

describe('onair inspect', () => {
  it('writes text, boxes and JSON, and tells damage by its answer', async () => {
    const run = async (input: string, flags: { json?: boolean; boxes?: boolean } = {}) => {
      let text = '';
      const write = (more: string): Promise<void> => {
        text += more;
        return Promise.resolve();
      };
      const sound = await inspectInput({
        input,
        json: false,
        boxes: false,
        ...flags,
        watch: undefined,
        write,
        signal,
      });
      return { sound, text };
    };
    const plain = await run(file('fast.mp4'), { boxes: true });
    expect(plain.sound).toBe(true);
    expect(plain.text).toMatch(/^\[moov\] size=8\+/m);
    expect(plain.text).toMatch(/^ {2}Codecs String: avc1\.6400\w\w$/m);
    const json = JSON.parse((await run(file('frag.mp4'), { json: true })).text);
    expect(json).toMatchObject({ format: 'mp4', fragmented: true });
    writeFileSync(file('cut.mp4'), readFileSync(file('fast.mp4')).subarray(0, 5000));
    const cut = await run(file('cut.mp4'));
    expect(cut.sound).toBe(false);
    expect(cut.text).toMatch(/^error +at byte \d+: /m);
  });

  it.each(['mp4', 'fmp4', 'mkv', 'flv', 'ts'] as const)(
    'ends in a report for 2,000 damaged and 500 cut copies of %s',
    async (format) => {
      const { tracks, samples } = film(1.2, 24);
      const bytes = await written(fileOf(tracks, samples), format);
      await checkCuts(bytes, 500);
      await checkMutations(bytes, 2000);
    },
  );

  if (LONG) {
    it.each(FILES.map(([name]) => name))(
      'ends in a report for every cut and damage of %s',
      {
        timeout: 300_000,
      },
      async (name) => {
        const bytes = new Uint8Array(readFileSync(file(name)));
        await checkCuts(bytes, 500, ALL_EDGES);
        await checkMutations(bytes, Math.ceil(MUTATIONS / FILES.length));
      },
    );
  }
});
