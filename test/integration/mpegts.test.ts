import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  audioParameters,
  frameParameters,
  splitLengthPrefixed,
  videoParameters,
} from '@onair/media/bitstream';
import { parseChunks, parseInit } from '@onair/media/isobmff';
import type { Sample, Track } from '@onair/media/model';
import { inspectTs, MAX_CLOCK_STEP, TsMuxer, type TsSample, TsSampleReader } from '@onair/media/mpegts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const VIDEO = ['-f', 'lavfi', '-i'];
const AUDIO = (rate: number): string[] => [
  '-f',
  'lavfi',
  '-i',
  `sine=frequency=440:sample_rate=${rate}`,
  '-ac',
  '2',
];
const H264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-bf', '3', '-g', '50', '-pix_fmt', 'yuv420p'];
const HEVC = ['-c:v', 'libx265', '-preset', 'ultrafast', '-x265-params', 'keyint=48:log-level=none'];

/** What is encoded; ffmpeg writes fragmented MP4, and reads what comes of it. */
const CASES: Readonly<
  Record<string, { readonly args: readonly string[]; readonly types: readonly number[] }>
> = {
  'H.264 with B-frames at 50 fps and AAC': {
    args: [...VIDEO, 'testsrc2=size=160x90:rate=50', ...AUDIO(44_100), ...H264, '-c:a', 'aac'],
    types: [0x1b, 0x0f],
  },
  'HEVC at 23.976 fps and MP3': {
    args: [...VIDEO, 'testsrc2=size=160x90:rate=24000/1001', ...AUDIO(48_000), ...HEVC, '-c:a', 'libmp3lame'],
    types: [0x24, 0x03],
  },
  'H.264 at 5 fps and AC-3': {
    args: [...VIDEO, 'testsrc2=size=160x90:rate=5', ...AUDIO(48_000), ...H264, '-c:a', 'ac3'],
    types: [0x1b, 0x81],
  },
  'Enhanced AC-3 alone': { args: [...AUDIO(48_000), '-c:a', 'eac3'], types: [0x87] },
  'MP3 of a low rate alone': { args: [...AUDIO(22_050), '-c:a', 'libmp3lame'], types: [0x04] },
};

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'onair-mpegts-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const run = (program: string, args: readonly string[]): string =>
  execFileSync(program, args, { encoding: 'utf8', maxBuffer: 1 << 26, stdio: ['ignore', 'pipe', 'pipe'] });
const ffmpeg = (args: readonly string[]): string =>
  run('ffmpeg', ['-hide_banner', '-nostdin', '-loglevel', 'warning', ...args]);
/** MD5 of every decoded frame of a file, by kind. */
const frames = (file: string, kind: 'v' | 'a'): string[] =>
  ffmpeg(['-i', file, '-map', `0:${kind}?`, '-f', 'framemd5', '-'])
    .split('\n')
    .filter((line) => /^\d/.test(line))
    .map((line) => line.split(',').at(-1)!.trim());

interface Lane {
  readonly track: Track;
  readonly samples: readonly TsSample[];
}

/** The tracks of a fragmented MP4 file. */
function read(file: string): { video: Lane | undefined; audio: Lane | undefined } {
  const bytes = new Uint8Array(readFileSync(file));
  const { tracks } = parseInit(bytes);
  const chunks = parseChunks(
    bytes,
    tracks.map(({ defaults }) => defaults),
  );
  const lane = (kind: 'video' | 'audio'): Lane | undefined => {
    const found = tracks.find((track) => track.kind === kind);
    if (found === undefined) return undefined;
    const { trackId: id, timebase, codec, description } = found;
    const samples = chunks.flatMap((one) =>
      one.tracks.filter(({ trackId }) => trackId === id).flatMap((part) => part.samples),
    );
    const parameters =
      kind === 'video'
        ? videoParameters(codec as 'h264', description)
        : (audioParameters(codec as 'aac', description) ?? frameParameters(codec as 'mp3', samples[0]!.data));
    return { track: { id, timebase, parameters: parameters! }, samples };
  };
  return { video: lane('video'), audio: lane('audio') };
}

/** The samples from one keyframe to the next, or of about two seconds. */
function segments({ video, audio }: ReturnType<typeof read>) {
  const starts =
    video === undefined
      ? [0, 2, 4]
      : video.samples.filter(({ keyframe }) => keyframe).map(({ pts }) => pts / video.track.timebase);
  return starts.map((from, i) => {
    const to = starts[i + 1] ?? Number.POSITIVE_INFINITY;
    const inside = (lane: Lane | undefined): TsSample[] => {
      const list = lane?.samples ?? [];
      const index = (time: number): number => {
        const found = list.findIndex(
          ({ pts, keyframe }) => keyframe && pts / (lane?.track.timebase ?? 1) >= time - 0.0001,
        );
        return found < 0 ? list.length : found;
      };
      return list.slice(i === 0 ? 0 : index(from), index(to));
    };
    return { video: inside(video), audio: inside(audio) };
  });
}

describe('transport streams', () => {
  it.each(Object.entries(CASES))('%s: ffmpeg decodes the same frames', (name, { args, types }) => {
    const source = join(folder, `${name}.mp4`);
    const target = join(folder, `${name}.ts`);
    ffmpeg([
      ...args,
      '-t',
      '5',
      '-movflags',
      'delay_moov+default_base_moof',
      '-frag_duration',
      '500000',
      '-y',
      source,
    ]);
    const media = read(source);
    const muxer = new TsMuxer();
    muxer.begin({ video: media.video?.track, audio: media.audio?.track }, false);
    const bytes = Buffer.concat(segments(media).map((segment) => muxer.segment(segment)));
    writeFileSync(target, bytes);
    const report = inspectTs(bytes);
    expect(report.faults).toEqual([]);
    expect(report.streams.map(({ streamType }) => streamType)).toEqual(types);
    expect(report.clock.longestStep).toBeLessThanOrEqual(MAX_CLOCK_STEP * 300);
    expect(report.clock.backwards).toBe(0);
    for (const { margin, backwards } of report.streams) {
      expect(margin).toBeGreaterThan(0);
      expect(backwards).toBe(0);
    }
    for (const kind of ['v', 'a'] as const) {
      const wanted = frames(source, kind);
      const got = frames(target, kind);
      // MP4 tells how much priming a decoder leaves out in front; a transport stream has no word for that.
      const shared = new Set(got);
      const missing = wanted.filter((frame) => !shared.has(frame)).length;
      expect(missing, `${kind} of ${wanted.length}`).toBeLessThanOrEqual(kind === 'v' ? 0 : 2);
      expect(Math.abs(got.length - wanted.length)).toBeLessThanOrEqual(kind === 'v' ? 0 : 2);
    }
    expect(ffmpeg(['-i', target, '-f', 'null', '-'])).toBe('');
    run('gst-launch-1.0', ['-q', 'filesrc', `location=${target}`, '!', 'tsdemux', '!', 'fakesink']);
  });

  it.each(Object.entries(CASES).slice(0, 2))(
    'of ffmpeg give the samples that were put in: %s',
    (name, { args }) => {
      const source = join(folder, 'foreign.mp4');
      const file = join(folder, 'foreign.ts');
      ffmpeg([
        ...args,
        '-t',
        '3',
        '-movflags',
        'delay_moov+default_base_moof',
        '-frag_duration',
        '500000',
        '-y',
        source,
      ]);
      ffmpeg(['-i', source, '-c', 'copy', '-f', 'mpegts', '-y', file]);
      const bytes = new Uint8Array(readFileSync(file));
      const report = inspectTs(bytes);
      expect(report.faults, name).toEqual([]);
      expect(report.packets * 188).toBe(bytes.length);
      const samples: Sample[] = [];
      const faults: string[] = [];
      const reader = new TsSampleReader({
        track: () => {},
        sample: (sample) => samples.push(sample),
        fault: ({ message }) => faults.push(message),
      });
      for (let at = 0; at < bytes.length; at += 7001) reader.push(bytes.subarray(at, at + 7001));
      reader.end();
      expect(faults).toEqual([]);
      const { video, audio } = read(source);
      for (const [kind, lane] of [
        ['video', video],
        ['audio', audio],
      ] as const) {
        const got = samples.filter(({ track }) => track.parameters.kind === kind);
        // In front of the slices ffmpeg puts what the record of HEVC holds, such as SEI.
        const core = (data: Uint8Array): Uint8Array =>
          kind === 'video' ? splitLengthPrefixed(data).at(-1)! : data;
        const digest = ({ data }: { readonly data: Uint8Array }): string =>
          createHash('md5').update(core(data)).digest('hex');
        expect(got.map(digest)).toEqual(lane!.samples.map(digest));
        expect(got.map(({ keyframe }) => keyframe)).toEqual(lane!.samples.map(({ keyframe }) => keyframe));
        const { timebase } = lane!.track;
        for (const [i, { dts, pts, track }] of got.entries()) {
          const { dts: before, pts: shown } = lane!.samples[i]!;
          const late = dts / track.timebase - got[0]!.dts / track.timebase;
          expect(Math.abs(late - (before - lane!.samples[0]!.dts) / timebase)).toBeLessThan(0.0001);
          expect(Math.abs((pts - dts) / track.timebase - (shown - before) / timebase)).toBeLessThan(0.0001);
        }
      }
    },
  );
});
