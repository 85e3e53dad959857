import type { Track, VideoParameters } from '@onair/media';
import { isVp8Keyframe, vp8Parameters } from '@onair/media/bitstream';
import { FlvReader, TagDemuxer } from '@onair/media/flv';
import { IvfReader } from './ivf-reader.ts';

/** What pictures are turned into. */
export type PictureTarget = 'h264' | 'vp8';

/** A picture as the program gives it. */
export interface ReadPicture {
  readonly parameters: VideoParameters;
  readonly keyframe: boolean;
  /** Milliseconds. */
  readonly ms: number;
  readonly data: Uint8Array;
}

/** Most bits per second, and bits of the buffer that evens them out. */
const MAX_BITRATE = '6M';
/** Pictures from one key frame to the next at most: browsers that record set one in ten seconds, HLS wants one in two. */
const MAX_GROUP = '60';

/**
 * Arguments of ffmpeg for a track whose pictures come as Matroska on its standard input.
 * @param fromMs pictures in front of this time are decoded only, in milliseconds of what goes in.
 */
export function argumentsFor({ parameters }: Track, target: PictureTarget, fromMs = 0): string[] {
  const { width, height } = parameters as VideoParameters;
  // A picture that changes its size keeps the first one's for the viewers; halves of colour need even numbers.
  const size = width > 1 && height > 1 ? `${width & ~1}:${height & ~1}` : 'trunc(iw/2)*2:trunc(ih/2)*2';
  const wanted = fromMs > 0 ? `select=gte(t\\,${(fromMs - 0.5) / 1000}),` : '';
  return [
    ...['-v', 'error', '-nostdin', '-protocol_whitelist', 'pipe'],
    // Nothing is to be looked at in advance, and no thread may hold pictures back.
    ...[
      '-probesize',
      '32',
      '-analyzeduration',
      '0',
      '-threads',
      '1',
      '-copyts',
      '-f',
      'matroska',
      '-i',
      'pipe:0',
    ],
    ...['-map', '0:v:0', '-vf', `${wanted}scale=${size},format=yuv420p`, '-fps_mode', 'passthrough'],
    ...['-enc_time_base', '1:1000', '-g', MAX_GROUP, '-force_key_frames', 'source'],
    ...(target === 'h264' ? H264 : VP8),
    ...['-flush_packets', '1', 'pipe:1'],
  ];
}

const H264 = [
  ...['-c:v', 'libx264', '-preset', 'veryfast', '-tune', 'zerolatency', '-profile:v', 'baseline', '-bf', '0'],
  ...['-crf', '24', '-maxrate', MAX_BITRATE, '-bufsize', MAX_BITRATE],
  ...['-flvflags', 'no_duration_filesize', '-f', 'flv'],
];
const VP8 = [
  ...[
    '-c:v',
    'libvpx',
    '-deadline',
    'realtime',
    '-cpu-used',
    '8',
    '-lag-in-frames',
    '0',
    '-auto-alt-ref',
    '0',
  ],
  ...['-crf', '20', '-b:v', '3M', '-maxrate', MAX_BITRATE, '-bufsize', MAX_BITRATE, '-f', 'ivf'],
];

/** Takes what the program writes, however it is cut. @returns what to push into; it throws what cannot be read. */
export function pictureReader(
  target: PictureTarget,
  take: (picture: ReadPicture) => void,
): (chunk: Uint8Array) => void {
  if (target === 'h264') return flvReader(take);
  const ivf = new IvfReader();
  let parameters: VideoParameters | undefined;
  return (chunk) => {
    for (const { time, data } of ivf.push(chunk)) {
      parameters = vp8Parameters(data) ?? parameters;
      if (parameters !== undefined) take({ parameters, keyframe: isVp8Keyframe(data), ms: time, data });
    }
  };
}

function flvReader(take: (picture: ReadPicture) => void): (chunk: Uint8Array) => void {
  const reader = new FlvReader();
  const tags = new TagDemuxer({
    onTrack: () => undefined,
    onSample: ({ track: { parameters, timebase }, pts, keyframe, data }) => {
      if (parameters.kind !== 'video') return;
      take({ parameters, keyframe, ms: Math.round((pts * 1000) / timebase), data });
    },
    onMetadata: () => undefined,
    onDataEvent: () => undefined,
  });
  return (chunk) => {
    reader.push(chunk);
    for (let item = reader.next(); item !== undefined; item = reader.next())
      if (item.kind === 'tag') tags.push(item.tag);
  };
}
