import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Sample, Track } from '@onair/media/model';
import { dumpElements, WebmDemuxer, WebmMuxer } from '@onair/media/webm';
import { afterAll, describe, expect, it } from 'vitest';
import { probePackets } from '../kit/packets.ts';
import { Scope } from '../kit/scope.ts';
import { demux } from '../kit/webm-files.ts';

const scope = new Scope();
const folder = scope.tempDir('onair-webm-');
afterAll(() => scope.close());

const VIDEO = ['-f', 'lavfi', '-i', 'testsrc2=size=160x90:rate=30'];
const AUDIO = ['-f', 'lavfi', '-i', 'sine=frequency=440:sample_rate=48000'];
/** File name, inputs and encoders; the codec names are ours in the order of the streams. */
const FILES: readonly (readonly [name: string, args: readonly string[], codecs: readonly string[]])[] = [
  [
    'vp8.webm',
    [
      ...VIDEO,
      ...AUDIO,
      '-c:v',
      'libvpx',
      '-deadline',
      'realtime',
      '-cpu-used',
      '8',
      '-g',
      '15',
      '-c:a',
      'libopus',
    ],
    ['vp8', 'opus'],
  ],
  [
    'vp9.webm',
    [
      ...VIDEO,
      ...AUDIO,
      '-c:v',
      'libvpx-vp9',
      '-deadline',
      'realtime',
      '-cpu-used',
      '8',
      '-g',
      '15',
      '-c:a',
      'libopus',
    ],
    ['vp9', 'opus'],
  ],
  ['av1.webm', [...VIDEO, '-c:v', 'libsvtav1', '-preset', '12', '-g', '15'], ['av1']],
  [
    'live.webm',
    [...VIDEO, ...AUDIO, '-c:v', 'libvpx', '-g', '15', '-c:a', 'libopus', '-live', '1'],
    ['vp8', 'opus'],
  ],
  [
    'h264.mkv',
    [...VIDEO, ...AUDIO, '-c:v', 'libx264', '-bf', '2', '-g', '15', '-c:a', 'aac'],
    ['h264', 'aac'],
  ],
  [
    'h264-pyramid.mkv',
    [...VIDEO, '-c:v', 'libx264', '-bf', '4', '-b-pyramid', 'normal', '-g', '30'],
    ['h264'],
  ],
  [
    'hevc.mkv',
    [...VIDEO, ...AUDIO, '-c:v', 'libx265', '-x265-params', 'keyint=15:log-level=none', '-c:a', 'flac'],
    ['hevc', 'flac'],
  ],
  ['mp3.mkv', [...AUDIO, '-ar', '44100', '-c:a', 'libmp3lame'], ['mp3']],
  ['ac3.mkv', [...AUDIO, '-c:a', 'ac3'], ['ac3']],
];

const ffmpeg = (args: readonly string[]): string =>
  execFileSync('ffmpeg', ['-hide_banner', '-nostdin', '-loglevel', 'error', ...args], {
    maxBuffer: 1 << 26,
  }).toString();

/** Digests of the decoded frames of the stream with a codec. */
function frames(file: string, kind: 'v' | 'a'): string[] {
  const lines = ffmpeg(['-i', file, '-map', `0:${kind}`, '-f', 'framemd5', '-']).split('\n');
  return lines.filter((line) => /^\d/.test(line)).map((line) => line.split(',').at(-1)!.trim());
}

/** Writes samples by our muxer; returns the path. */
function write(
  name: string,
  tracks: readonly Track[],
  samples: readonly Sample[],
  mode: 'stream' | 'file',
): string {
  const muxer = new WebmMuxer(tracks, { mode });
  const parts = [muxer.header(), ...samples.map((sample) => muxer.push(sample))];
  const { tail, patches } = muxer.finish();
  const bytes = Buffer.concat([...parts, tail]);
  for (const patch of patches) bytes.set(patch.bytes, patch.offset);
  const path = join(folder, `${mode}-${name}`);
  writeFileSync(path, bytes);
  return path;
}

describe.each(FILES)('%s', (name, args, codecs) => {
  const source = join(folder, name);
  ffmpeg([...args, '-t', '2', '-shortest', '-y', source]);
  const bytes = new Uint8Array(readFileSync(source));
  const probed = probePackets(source);
  const { tracks, samples, faults, inits, demuxer } = demux([bytes]);
  const streams = codecs.map((codec) => tracks.find(({ parameters }) => parameters.codec === codec)!);
  const samplesOf = (track: Track): Sample[] => samples.filter((sample) => sample.track.id === track.id);

  it('reads what ffprobe reads', () => {
    expect(faults).toEqual([]);
    expect(demuxer.dropped).toBe(0);
    expect(tracks).toHaveLength(codecs.length);
    for (const [index, track] of streams.entries()) {
      const theirs = probed.packets.filter(({ stream }) => stream === index);
      const ours = samplesOf(track);
      expect(ours.map(({ data }) => data.length)).toEqual(theirs.map(({ size }) => size));
      expect(ours.map(({ keyframe }) => keyframe)).toEqual(theirs.map(({ keyframe }) => keyframe));
      // They count milliseconds, rounded at every step; we count PCM frames.
      const furthest = ours.map(({ pts }, i) => Math.abs(pts / track.timebase - theirs[i]!.pts));
      expect(Math.max(...furthest)).toBeLessThan(track.parameters.kind === 'video' ? 0.000_02 : 0.001_6);
      const rising = ours.every(({ dts }, i) => i === 0 || dts > ours[i - 1]!.dts);
      expect(rising && ours.every(({ dts, pts }) => dts <= pts)).toBe(true);
      const lengths = ours.map(({ duration }, i) =>
        Math.abs((duration ?? 0) / track.timebase - (theirs[i]!.duration ?? 0)),
      );
      expect(Math.max(...lengths.slice(0, -1))).toBeLessThan(0.001_1);
    }
    const told = inits[0]!.info.duration;
    expect(told === undefined ? undefined : told / 1e9).toBe(
      name === 'live.webm' ? undefined : probed.duration,
    );
  });

  it('is the same in pieces of 1,000 bytes', () => {
    let at = 0;
    const again = new WebmDemuxer({
      onTrack: () => undefined,
      onSample: (sample) => {
        const whole = samples[at++]!;
        expect([sample.dts, sample.pts, sample.data.length]).toEqual([
          whole.dts,
          whole.pts,
          whole.data.length,
        ]);
      },
    });
    for (let from = 0; from < bytes.length; from += 1000) again.push(bytes.subarray(from, from + 1000));
    again.end();
    expect(at).toBe(samples.length);
  });

  it.each(['file', 'stream'] as const)('is read by ffmpeg when written as a %s', (mode) => {
    const ours = write(name, streams, samples, mode);
    const shown = probePackets(ours);
    expect(shown.codecs).toEqual(probed.codecs);
    if (mode === 'file') expect(Math.abs(shown.duration! - (probed.duration ?? 2))).toBeLessThan(0.04);
    for (const [index, track] of streams.entries()) {
      const before = probed.packets.filter(({ stream }) => stream === index);
      const after = shown.packets.filter(({ stream }) => stream === index);
      expect(after.map(({ size }) => size)).toEqual(before.map(({ size }) => size));
      expect(after.map(({ keyframe }) => keyframe)).toEqual(before.map(({ keyframe }) => keyframe));
      const furthest = after.map(({ pts }, i) => Math.abs(pts - before[i]!.pts));
      expect(Math.max(...furthest)).toBeLessThan(0.001_6);
      const kind = track.parameters.kind === 'video' ? 'v' : 'a';
      expect(frames(ours, kind)).toEqual(frames(source, kind));
    }
    expect(dumpElements(new Uint8Array(readFileSync(ours)))).not.toContain('\n!');
  });

  it('can be sought in when written as a file', () => {
    const ours = write(name, streams, samples, 'file');
    const [video] = streams;
    if (video?.parameters.kind !== 'video') return;
    const seek = [
      '-v',
      'error',
      '-read_intervals',
      '1.2%+#1',
      '-select_streams',
      'v',
      '-show_entries',
      'packet=pts_time',
    ];
    const at = Number(
      execFileSync('ffprobe', [...seek, '-of', 'csv=p=0', ours])
        .toString()
        .split(/[,\n]/)[0],
    );
    expect(at).toBeGreaterThan(0.9);
    expect(at).toBeLessThan(1.2);
  });
});
