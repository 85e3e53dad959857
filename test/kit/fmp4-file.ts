import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Fmp4TrackInfo } from '@onair/contracts/fmp4-socket';

/** What a test picture with sound looks like. */
export interface TestMedia {
  readonly width: number;
  readonly height: number;
  readonly sampleRate: number;
  readonly seconds?: number;
  readonly fps?: number;
  /** Pictures that refer to later ones between two others. */
  readonly bFrames?: number;
}

/** One `moof` + `mdat`, times in seconds from the start of its file. */
export interface FileChunk {
  readonly bytes: Uint8Array;
  readonly time: number;
  readonly duration: number;
  readonly compositionOffset: number;
  readonly independent: boolean;
}

/** One track made by ffmpeg, one access unit per chunk. */
export interface FileTrack {
  readonly info: Fmp4TrackInfo;
  readonly init: Uint8Array;
  readonly timescale: number;
  readonly chunks: readonly FileChunk[];
  /** Seconds. */
  readonly duration: number;
}

/** Makes a moving test picture (track 1) with a tone (track 2) by ffmpeg. */
export function makeTestMedia(media: TestMedia): readonly FileTrack[] {
  const { width, height, sampleRate, seconds = 4, fps = 30, bFrames = 0 } = media;
  const dir = mkdtempSync(join(tmpdir(), 'onair-media-'));
  const fragments = ['-movflags', '+empty_moov+default_base_moof+frag_every_frame', '-f', 'mp4'];
  try {
    const video = join(dir, 'v.mp4');
    const audio = join(dir, 'a.mp4');
    ffmpeg(
      ['-f', 'lavfi', '-i', `testsrc2=size=${width}x${height}:rate=${fps}:duration=${seconds}`],
      [
        '-c:v',
        'libx264',
        '-preset',
        'ultrafast',
        '-pix_fmt',
        'yuv420p',
        '-profile:v',
        'main',
        '-g',
        String(fps),
      ],
      ['-bf', String(bFrames), '-b:v', '800k', ...fragments, video],
    );
    ffmpeg(
      ['-f', 'lavfi', '-i', `sine=frequency=440:sample_rate=${sampleRate}:duration=${seconds}`],
      ['-ac', '2', '-c:a', 'aac', '-b:a', '96k', ...fragments, audio],
    );
    return [
      readTrack(readFileSync(video), { id: 1, kind: 'video', fps, width, height }),
      readTrack(readFileSync(audio), { id: 2, kind: 'audio', sampleRate }),
    ];
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** A copy of `chunk` that begins `seconds` later. */
export function shifted(track: FileTrack, chunk: FileChunk, seconds: number): Uint8Array {
  const bytes = chunk.bytes.slice();
  const tfdt = find(bytes, ['moof', 'traf', 'tfdt'])!;
  const view = new DataView(bytes.buffer);
  const ticks = BigInt(Math.round((chunk.time + seconds) * track.timescale));
  if (bytes[tfdt.start] === 1) view.setBigUint64(tfdt.start + 4, ticks);
  else view.setUint32(tfdt.start + 4, Number(ticks));
  return bytes;
}

function ffmpeg(...args: readonly (readonly string[])[]): void {
  const done = spawnSync('ffmpeg', ['-hide_banner', '-loglevel', 'error', '-y', ...args.flat()], {
    encoding: 'utf8',
  });
  if (done.status !== 0) throw new Error(`ffmpeg: ${done.stderr}`);
}

interface Box {
  readonly type: string;
  /** Of the payload. */
  readonly start: number;
  readonly end: number;
}

function boxes(bytes: Uint8Array, start = 0, end = bytes.length): Box[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const found: Box[] = [];
  for (let at = start; at + 8 <= end; ) {
    const size = view.getUint32(at);
    const type = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    found.push({ type, start: at + 8, end: at + size });
    at += size;
  }
  return found;
}

function find(bytes: Uint8Array, path: readonly string[]): Box | undefined {
  let box: Box | undefined = { type: '', start: 0, end: bytes.length };
  for (const type of path) {
    if (box === undefined) return undefined;
    box = boxes(bytes, box.start, box.end).find((one) => one.type === type);
  }
  return box;
}

interface Wanted {
  readonly id: number;
  readonly kind: 'video' | 'audio';
  readonly fps?: number;
  readonly width?: number;
  readonly height?: number;
  readonly sampleRate?: number;
}

function readTrack(file: Uint8Array, wanted: Wanted): FileTrack {
  const bytes = new Uint8Array(file);
  const top = boxes(bytes);
  const moov = top.find((box) => box.type === 'moov')!;
  const init = bytes.slice(0, moov.end);
  const view = new DataView(init.buffer);
  const tkhd = find(init, ['moov', 'trak', 'tkhd'])!;
  view.setUint32(tkhd.start + (init[tkhd.start] === 1 ? 20 : 12), wanted.id);
  const trex = find(init, ['moov', 'mvex', 'trex'])!;
  view.setUint32(trex.start + 4, wanted.id);
  const mdhd = find(init, ['moov', 'trak', 'mdia', 'mdhd'])!;
  const timescale = view.getUint32(mdhd.start + (init[mdhd.start] === 1 ? 20 : 12));
  const unit = wanted.kind === 'video' ? 1 / wanted.fps! : 1024 / wanted.sampleRate!;
  const chunks: FileChunk[] = [];
  top.forEach((box, i) => {
    const next = top[i + 1];
    if (box.type !== 'moof' || next?.type !== 'mdat') return;
    const piece = bytes.slice(box.start - 8, next.end);
    chunks.push({ ...readChunk(piece, wanted, timescale), bytes: piece, duration: unit });
  });
  const codecString = wanted.kind === 'audio' ? 'mp4a.40.2' : avcString(init);
  const { fps, id, kind, ...rest } = wanted;
  const codec = kind === 'video' ? 'h264' : 'aac';
  const info = { id, kind, codec, codecString, mime: `${kind}/mp4; codecs="${codecString}"`, ...rest };
  return { info, init, timescale, chunks, duration: chunks.length * unit };
}

function readChunk(
  piece: Uint8Array,
  wanted: Wanted,
  timescale: number,
): Omit<FileChunk, 'bytes' | 'duration'> {
  const view = new DataView(piece.buffer);
  const tfhd = find(piece, ['moof', 'traf', 'tfhd'])!;
  view.setUint32(tfhd.start + 4, wanted.id);
  const tfdt = find(piece, ['moof', 'traf', 'tfdt'])!;
  const time =
    piece[tfdt.start] === 1 ? Number(view.getBigUint64(tfdt.start + 4)) : view.getUint32(tfdt.start + 4);
  const trun = find(piece, ['moof', 'traf', 'trun'])!;
  const flags = view.getUint32(trun.start) & 0xffffff;
  let at = trun.start + 8;
  let sampleFlags = defaultFlags(view, tfhd.start);
  if (flags & 0x1) at += 4;
  if (flags & 0x4) {
    sampleFlags = view.getUint32(at);
    at += 4;
  }
  if (flags & 0x100) at += 4;
  if (flags & 0x200) at += 4;
  if (flags & 0x400) {
    sampleFlags = view.getUint32(at);
    at += 4;
  }
  const compositionOffset = flags & 0x800 ? view.getInt32(at) : 0;
  const independent = wanted.kind === 'audio' ? false : (sampleFlags & 0x10000) === 0;
  return { time: time / timescale, compositionOffset: compositionOffset / timescale, independent };
}

function defaultFlags(view: DataView, tfhd: number): number {
  const flags = view.getUint32(tfhd) & 0xffffff;
  let at = tfhd + 8;
  if (flags & 0x1) at += 8;
  for (const bit of [0x2, 0x8, 0x10]) if (flags & bit) at += 4;
  return flags & 0x20 ? view.getUint32(at) : 0;
}

function avcString(init: Uint8Array): string {
  const at = Buffer.from(init).indexOf('avcC') + 4;
  return `avc1.${Buffer.from(init.subarray(at + 1, at + 4)).toString('hex')}`;
}
