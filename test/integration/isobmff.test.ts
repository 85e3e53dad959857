import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { aacParameters, mp3Parameters, opusParameters, silentUnit } from '@onair/media/bitstream';
import { chunk, type InitTrack, initSegment, parseChunks, parseInit } from '@onair/media/isobmff';
import type { AudioParameters, Sample, Track } from '@onair/media/model';
import { type Ticks, type Timebase, ticks } from '@onair/media/time';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

/** Encoder options by codec of ours; the muxer in front is ffmpeg's, the one behind is ours. */
const ENCODERS: Readonly<Record<string, readonly string[]>> = {
  h264: ['-c:v', 'libx264', '-bf', '2', '-g', '15'],
  hevc: ['-c:v', 'libx265', '-x265-params', 'keyint=15:log-level=none', '-tag:v', 'hvc1'],
  av1: ['-c:v', 'libaom-av1', '-cpu-used', '8', '-g', '15'],
  vp9: ['-c:v', 'libvpx-vp9', '-deadline', 'realtime', '-g', '15'],
  aac: ['-c:a', 'aac'],
  mp3: ['-c:a', 'libmp3lame', '-ar', '44100'],
  opus: ['-c:a', 'libopus', '-strict', '-2'],
  flac: ['-c:a', 'flac', '-strict', '-2'],
  ac3: ['-c:a', 'ac3'],
  eac3: ['-c:a', 'eac3'],
};
const VIDEO = ['-f', 'lavfi', '-i', 'testsrc2=size=160x90:rate=30'];
const AUDIO = ['-f', 'lavfi', '-i', 'sine=frequency=440:sample_rate=48000', '-ac', '2'];
const FRAGMENTS = ['-movflags', 'delay_moov+default_base_moof', '-frag_duration', '100000'];

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'onair-isobmff-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const ffmpeg = (args: readonly string[]): Buffer =>
  execFileSync('ffmpeg', ['-hide_banner', '-nostdin', '-loglevel', 'error', ...args], { maxBuffer: 1 << 26 });

/** A track of the model from what a foreign init segment says. */
function trackOf(read: InitTrack): Track {
  const { timebase, codec, description, width, height, sampleRate, channels } = read;
  const codecString = String(codec);
  switch (codec) {
    case 'h264':
    case 'hevc':
    case 'vvc':
    case 'av1':
    case 'vp8':
    case 'vp9':
      return {
        id: 1,
        timebase,
        parameters: { kind: 'video', codec, description, codecString, width, height },
      };
    case undefined:
      throw new Error(`unknown sample entry ${read.format}`);
    default:
      return {
        id: 1,
        timebase,
        parameters: { kind: 'audio', codec, description, codecString, sampleRate, channels },
      };
  }
}

describe('fragments written again', () => {
  it.each(Object.keys(ENCODERS))('%s: ffmpeg decodes the same frames at the same times', (codec) => {
    const isVideo = ENCODERS[codec]![0] === '-c:v';
    const source = join(folder, `${codec}-source.mp4`);
    const encode = [...(isVideo ? VIDEO : AUDIO), '-t', '1.5', ...ENCODERS[codec]!, ...FRAGMENTS];
    ffmpeg([...encode, '-use_editlist', '0', '-y', source]);
    const bytes = readFileSync(source);

    const init = parseInit(bytes.subarray(0, bytes.indexOf('moof') - 4));
    expect(init.tracks.map((track) => track.codec)).toEqual([codec]);
    const track = trackOf(init.tracks[0]!);
    const read = parseChunks(
      bytes,
      init.tracks.map(({ defaults }) => defaults),
    ).flatMap(({ tracks }) => tracks[0]!.samples);
    expect(read.length).toBeGreaterThan(14);

    const parts: Uint8Array[] = [initSegment(track)];
    for (const [i, item] of read.entries()) {
      const { dts, pts, duration, keyframe, data } = item;
      const sample: Sample = {
        track,
        dts: ticks(dts),
        pts: ticks(pts),
        duration: duration as Ticks,
        keyframe,
        data,
      };
      parts.push(
        chunk({ track, sequence: i + 1, baseDecodeTime: dts, samples: [sample], durations: [duration] }),
      );
    }
    const ours = join(folder, `${codec}-ours.mp4`);
    writeFileSync(ours, Buffer.concat(parts));

    const probe = execFileSync('ffprobe', [
      '-v',
      'error',
      '-show_entries',
      'stream=codec_name',
      '-of',
      'csv',
      ours,
    ]);
    expect(probe.toString()).toMatch(new RegExp(`^stream,${codec}\\b`));
    // The pixel's shape stands in a box that not every codec's track has; the frames are what counts.
    const frames = (file: string): string =>
      ffmpeg(['-i', file, '-f', 'framemd5', '-'])
        .toString()
        .replace(/#sar.*/, '');
    expect(frames(ours)).toBe(frames(source));
  });
});

describe('silent units', () => {
  const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'hex'));
  it.each<[string, AudioParameters]>([
    ['AAC-LC, mono', aacParameters(hex('1188'))],
    ['AAC-LC, stereo', aacParameters(hex('1210'))],
    ['AAC-LC, 5.1', aacParameters(hex('11b0'))],
    ['AAC-LC, 7.1', aacParameters(hex('11b8'))],
    ['AAC-LC, 960 frames', aacParameters(hex('1214'))],
    ['HE-AAC, explicit', aacParameters(hex('2b920800'))],
    ['HE-AAC, compatible', aacParameters(hex('139056e5a0'))],
    ['HE-AAC v2', aacParameters(hex('eb8a0800'))],
    ['Opus, mono', opusParameters(hex('0001000000 00bb80000000'.replaceAll(' ', '')))],
    ['Opus, stereo', opusParameters(hex('0002000000 00bb80000000'.replaceAll(' ', '')))],
    ['MP3, stereo', mp3Parameters(hex('fffb9064'))],
    ['MP3, mono, 22.05 kHz', mp3Parameters(hex('fff390c4'))],
  ])('%s: ffmpeg decodes nothing but zeros, for as long as they say', (name, parameters) => {
    const { data, frames } = silentUnit(parameters)!;
    const track: Track = { id: 1, timebase: parameters.sampleRate as Timebase, parameters };
    const samples: Sample[] = Array.from({ length: 40 }, (_, i) => {
      const at = ticks(i * frames);
      return { track, dts: at, pts: at, duration: ticks(frames), keyframe: true, data };
    });
    const fragment = chunk({
      track,
      sequence: 1,
      baseDecodeTime: ticks(0),
      samples,
      durations: samples.map(() => frames),
    });
    const file = join(folder, `${name}.mp4`);
    writeFileSync(file, Buffer.concat([initSegment(track), fragment]));
    const run = spawnSync('ffmpeg', [
      ...['-hide_banner', '-nostdin', '-loglevel', 'warning', '-i', file],
      ...['-f', 's16le', '-'],
    ]);
    expect(run.stderr.toString()).toBe('');
    expect(run.stdout.length).toBe(40 * frames * parameters.channels * 2);
    expect(run.stdout.every((byte) => byte === 0)).toBe(true);
  });
});
