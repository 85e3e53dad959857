import { buildAvcConfig } from '../../packages/media/src/bitstream/index.ts';
import type { Track, VideoParameters } from '../../packages/media/src/index.ts';
import {
  crc32,
  MUX_PID,
  retimedSplice,
  TS_TIME_OFFSET,
  TsMuxer,
  type TsTracks,
} from '../../packages/media/src/mpegts/index.ts';
import { hex, TRACKS } from './mp4-tracks.ts';

/** A `splice_insert` out of the network for 60.294 s, event 0x4800008f. SCTE 35 §14.2. */
export const SPLICE_OUT = hex(
  'fc302f000000000000fffff014054800008f7feffe7369c02efe0052ccf500000000000a0008435545490000013562dba30a',
);
/** Number of the event of {@link SPLICE_OUT}. */
export const SPLICE_EVENT = 0x4800008f;

/** The other end of {@link SPLICE_OUT}. */
export function spliceIn(): Uint8Array {
  const section = SPLICE_OUT.slice();
  section[19] = section[19]! & 0x7f;
  new DataView(section.buffer).setUint32(section.length - 4, crc32(section, 0, section.length - 4));
  return section;
}

/** H.264 whose parameter sets a transport stream can carry. */
export const TS_VIDEO: Track = {
  ...TRACKS.h264!,
  parameters: {
    ...TRACKS.h264!.parameters,
    description: buildAvcConfig([hex('6742c01ed900a0 47fe88')], [hex('68ce3c80')]),
  } as VideoParameters,
};

/** What a film of a transport stream has. */
export interface TsFilmShape {
  readonly seconds: number;
  /** Seconds of its clock at the beginning. */
  readonly from?: number;
  /** Sections of SCTE 35 and when they splice, in seconds of the film; all are sent in its first second. */
  readonly splices?: readonly { readonly section: Uint8Array; readonly at: number }[];
  readonly tracks?: TsTracks;
  /** Timed ID3 tags, in seconds of the film. */
  readonly tags?: readonly { readonly tag: Uint8Array; readonly at: number }[];
}

/** Seconds of a transport stream, each a piece: 25 pictures a second, a key frame each second, and AAC. */
export function tsFilm({ seconds, from = 0, splices = [], tracks, tags = [] }: TsFilmShape): Uint8Array[] {
  const muxer = new TsMuxer();
  const audio = TRACKS.aac!;
  muxer.begin(
    tracks ?? { video: TS_VIDEO, audio, splices: splices.length > 0, metadata: tags.length > 0 },
    false,
  );
  const frame = 1024;
  return Array.from({ length: seconds }, (_, i) => {
    const start = (from + i) * 90_000;
    const first = Math.ceil(((from + i) * 48_000) / frame);
    const after = Math.ceil(((from + i + 1) * 48_000) / frame);
    return muxer.segment({
      video: Array.from({ length: 25 }, (_, n) => ({
        dts: start + n * 3_600,
        pts: start + n * 3_600,
        duration: 3_600,
        keyframe: n === 0,
        data: picture(n === 0, 400 + n),
      })),
      audio: Array.from({ length: after - first }, (_, n) => ({
        dts: (first + n) * frame,
        pts: (first + n) * frame,
        duration: frame,
        keyframe: true,
        data: new Uint8Array(120).fill(n),
      })),
      metadata: i > 0 ? [] : tags.map(({ tag, at }) => ({ pts: (from + at) * 90_000, tag })),
      splices:
        i > 0
          ? []
          : splices.map(({ section, at }) => retimedSplice(section, (from + at) * 90_000 + TS_TIME_OFFSET)!),
    });
  });
}

/** The same stream whose program map has `to` in place of the stream type `from`. */
export function remapped(bytes: Uint8Array, from: number, to: number): Uint8Array {
  const out = bytes.slice();
  for (let at = 0; at < out.length; at += 188) {
    if ((((out[at + 1]! & 0x1f) << 8) | out[at + 2]!) !== MUX_PID.map) continue;
    // Behind the header of the packet and a pointer of 0.
    const section = out.subarray(at + 5);
    const length = 3 + (((section[1]! & 0x0f) << 8) | section[2]!);
    section[section.indexOf(from, 12)] = to;
    new DataView(section.buffer, section.byteOffset).setUint32(length - 4, crc32(section, 0, length - 4));
  }
  return out;
}

function picture(keyframe: boolean, bytes: number): Uint8Array {
  const data = new Uint8Array(bytes).fill(bytes & 0xff);
  new DataView(data.buffer).setUint32(0, bytes - 4);
  data[4] = keyframe ? 0x65 : 0x41;
  return data;
}
