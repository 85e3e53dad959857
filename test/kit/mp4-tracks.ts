import type { AudioParameters, VideoParameters } from '../../packages/media/src/model/codec.ts';
import type { Sample, Track } from '../../packages/media/src/model/sample.ts';
import { type Timebase, ticks } from '../../packages/media/src/time/index.ts';

/** Bytes from hexadecimal digits; spaces are ignored. */
export function hex(digits: string): Uint8Array {
  const clean = digits.replaceAll(' ', '');
  return Uint8Array.from({ length: clean.length / 2 }, (_, i) =>
    Number.parseInt(clean.slice(2 * i, 2 * i + 2), 16),
  );
}

/** avcC of a 320×180 stream by x264, High profile, level 1.3. */
export const AVCC = hex(
  '0164000dffe1001a6764000dacd941416fe11000000300100000030320f14299600100 0668ebe3cb22c0fdf8f800',
);

const video = (part: Partial<VideoParameters>): VideoParameters => ({
  kind: 'video',
  codec: 'h264',
  description: AVCC,
  codecString: 'avc1.64000d',
  width: 320,
  height: 180,
  ...part,
});
const audio = (part: Partial<AudioParameters>): AudioParameters => ({
  kind: 'audio',
  codec: 'aac',
  description: hex('1190'),
  codecString: 'mp4a.40.2',
  sampleRate: 48000,
  channels: 2,
  frameSize: 1024,
  ...part,
});
const track = (parameters: VideoParameters | AudioParameters, timebase: number, id = 1): Track => ({
  id,
  timebase: timebase as Timebase,
  parameters,
});

/** One track per codec, with records whose content only their codec would look into. */
export const TRACKS: Readonly<Record<string, Track>> = {
  h264: track(video({}), 90000),
  hevc: track(
    video({ codec: 'hevc', description: hex('0101600000009000000000005df000fcfdf8f800000f00') }),
    90000,
  ),
  vvc: track(video({ codec: 'vvc', description: hex('ff006f0000') }), 90000),
  av1: track(video({ codec: 'av1', description: hex('81000c00') }), 90000),
  vp8: track(video({ codec: 'vp8', description: hex('') }), 90000),
  vp9: track(video({ codec: 'vp9', description: hex('000a820101010000') }), 90000),
  aac: track(audio({}), 48000, 2),
  mp3: track(audio({ codec: 'mp3', description: hex(''), sampleRate: 44100, frameSize: 1152 }), 44100, 2),
  opus: track(audio({ codec: 'opus', description: hex('00020138 0000bb80 0000 00') }), 48000, 2),
  flac: track(
    audio({
      codec: 'flac',
      description: hex(`80000022 10001000 00000e 0010d4 0bb802f000000000${'00'.repeat(16)}`),
    }),
    48000,
    2,
  ),
  ac3: track(audio({ codec: 'ac3', description: hex('') }), 48000, 2),
  eac3: track(audio({ codec: 'eac3', description: hex(''), channels: 6 }), 48000, 2),
};

/** A sample of `of` whose bytes all have the value `fill`. */
export function sample(
  of: Track,
  dts: number,
  options: { cts?: number; key?: boolean; size?: number; fill?: number } = {},
): Sample {
  return {
    track: of,
    dts: ticks(dts),
    pts: ticks(dts + (options.cts ?? 0)),
    duration: undefined,
    keyframe: options.key ?? true,
    data: new Uint8Array(options.size ?? 5).fill(options.fill ?? 0xab),
  };
}
