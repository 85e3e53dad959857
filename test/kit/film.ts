import { avcParameters } from '@onair/media/bitstream';
import { concatBytes } from '@onair/media/bytes';
import { type FileItem, type MediaFile, type OutputFormat, remux } from '@onair/media/file';
import type { Sample, Track } from '@onair/media/model';
import { type Timebase, ticks } from '@onair/media/time';
import { hex } from './mp4-tracks.ts';
import { accessUnit, audioTrack } from './samples.ts';

/** What x264 writes for 320x180 at 25 frames per second in profile High with B-frames. */
const AVC_RECORD =
  '0164000cffe1001a6764000cacd941419f9f011000000300100000030320f142996001000468ef8fcbfdf8f800';
/** Ticks of a picture. */
const FRAME = 3600;
/** Pictures of a group: one to begin with, then groups of one shown last and two before it. */
const GOP = 10;

/** A small film in decoding order: H.264 with B-frames from -80 ms, AAC from -21 ms. */
export function film(seconds: number, size = 60): { tracks: [Track, Track]; samples: Sample[] } {
  const video: Track = {
    id: 1,
    timebase: 90_000 as Timebase,
    parameters: avcParameters(hex(AVC_RECORD)),
  };
  const audio = audioTrack();
  const samples: Sample[] = [];
  for (let i = 0; i < seconds * 25; i++) {
    const place = i % GOP;
    // Shown: 0, then for each three decoded the first comes last.
    const shown = place === 0 ? 0 : place % 3 === 1 ? place + 2 : place - 1;
    const dts = (i - 2) * FRAME;
    const pts = (i - place + shown) * FRAME;
    const data = accessUnit(place === 0, size + (i % 7), 128 + (i % 100));
    samples.push({
      track: video,
      dts: ticks(dts),
      pts: ticks(pts),
      duration: undefined,
      keyframe: place === 0,
      data,
    });
  }
  for (let at = -1024; at < seconds * 48_000; at += 1024) {
    const data = new Uint8Array(20 + (Math.abs(at) % 13)).fill(at & 0xff);
    const time = ticks(at);
    samples.push({ track: audio, dts: time, pts: time, duration: ticks(1024), keyframe: true, data });
  }
  samples.sort((a, b) => a.dts / a.track.timebase - b.dts / b.track.timebase);
  return { tracks: [video, audio], samples };
}

/** Tracks and samples as if a file gave them. */
export function fileOf(tracks: readonly Track[], samples: readonly Sample[]): MediaFile {
  return {
    format: 'flv',
    progress: () => 0,
    giveBack: () => undefined,
    batches: (async function* () {
      yield tracks.map((track): FileItem => ({ kind: 'track', track }));
      yield samples.map((sample): FileItem => ({ kind: 'sample', sample }));
    })(),
  };
}

/** What `file` becomes in another container. @param seekable earlier bytes can be written over. */
export async function written(file: MediaFile, format: OutputFormat, seekable = true): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  const patches: { offset: number; bytes: Uint8Array }[] = [];
  await remux(file, format, {
    write: (more) => {
      for (const part of more) parts.push(part.slice());
      return Promise.resolve();
    },
    ...(seekable
      ? {
          patch: (offset: number, bytes: Uint8Array) => {
            patches.push({ offset, bytes });
            return Promise.resolve();
          },
        }
      : {}),
  });
  const bytes = concatBytes(parts);
  for (const { offset, bytes: patch } of patches) bytes.set(patch, offset);
  return bytes;
}
