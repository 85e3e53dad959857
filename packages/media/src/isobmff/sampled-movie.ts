import { ByteWriter } from '../bytes/index.ts';
import { ParseError } from '../model/errors.ts';
import type { Track } from '../model/sample.ts';
import { writeBox, writeFullBox } from './box-writer.ts';
import { writeFileType } from './file-type.ts';
import { writeHandler } from './handler.ts';
import { writeExtendedLanguage, writeMediaHeader } from './media-header.ts';
import { writeDataInformation, writeMediaTypeHeader } from './media-information.ts';
import { writeMovieHeader } from './movie-header.ts';
import { writeAudioSampleEntry, writeVisualSampleEntry } from './sample-entry.ts';
import { writeTrackHeader } from './track-header.ts';

/** Ticks of the movie header, per second. */
const MOVIE_TIMESCALE = 1000;
const U32 = 0xffff_ffff;

/** One sample of a file that is finished. Times are ticks of the track's timebase, from the start of the movie. */
export interface MovieSample {
  readonly dts: number;
  readonly pts: number;
  readonly keyframe: boolean;
  /** Octets. */
  readonly size: number;
  /** Octet of the media data where it lies, see {@link movieHeader}. */
  readonly offset: number;
  /** Which of the track's `parameters` it needs. */
  readonly description: number;
}

/** One track of a file that is finished. */
export interface SampledTrack {
  readonly id: number;
  /** Parameters in force one after another; all of one kind and timebase. */
  readonly parameters: readonly Track[];
  /** In decoding order, their decoding times rising. */
  readonly samples: readonly MovieSample[];
  /** Ticks that the last sample lasts. */
  readonly lastDuration: number;
}

/**
 * Everything of a progressive file in front of its media data: `ftyp`, `moov` with the length and all sample tables
 * (ISO/IEC 14496-12 §8.2, §8.6, §8.7), and the header of one `mdat` of `mediaBytes` octets. The sample's `offset`
 * counts from the first octet behind it. What lies between samples there is of no matter.
 * @throws ParseError `MP4_CODEC_RECORD` if a record is missing.
 */
export function movieHeader(tracks: readonly SampledTrack[], mediaBytes: number): Uint8Array {
  const used = tracks.filter(({ samples }) => samples.length > 0);
  const length = build(used, 0, mediaBytes).length;
  return build(used, length, mediaBytes);
}

/** Seconds from the start of the movie to the end of the track. */
function endOf({ parameters, samples, lastDuration }: SampledTrack): number {
  let end = 0;
  for (const { pts } of samples.slice(-32)) end = Math.max(end, pts);
  return (end + lastDuration) / parameters[0]!.timebase;
}

function build(tracks: readonly SampledTrack[], base: number, mediaBytes: number): Uint8Array {
  const w = new ByteWriter(64 * 1024);
  writeFileType(w, 'ftyp', {
    majorBrand: 'isom',
    minorVersion: 512,
    compatibleBrands: ['isom', 'iso2', 'mp41'],
  });
  const seconds = Math.max(0, ...tracks.map(endOf));
  writeBox(w, 'moov', () => {
    const highest = Math.max(0, ...tracks.map(({ id }) => id));
    writeMovieHeader(w, MOVIE_TIMESCALE, highest + 1, clamp(seconds * MOVIE_TIMESCALE));
    for (const track of tracks) writeTrack(w, track, base);
  });
  w.u32(1).u32(0x6d64_6174); // mdat with a size of 64 bits
  const size = mediaBytes + 16;
  w.u32(Math.floor(size / 0x1_0000_0000)).u32(size >>> 0);
  return w.finish();
}

function writeTrack(w: ByteWriter, track: SampledTrack, base: number): void {
  const [first] = track.parameters;
  const { parameters, timebase, language } = first!;
  if (parameters.kind === 'data') {
    throw new ParseError('MP4_CODEC_UNSUPPORTED', 'ISO/IEC 14496-12 §8.5.2', 'a data track in a movie');
  }
  const audio = parameters.kind === 'audio';
  const [width, height] = audio ? [0, 0] : [parameters.width, parameters.height];
  const seconds = endOf(track);
  const begin = track.samples.reduce(
    (least, { pts }, i) => (i < 32 ? Math.min(least, pts) : least),
    Infinity,
  );
  writeBox(w, 'trak', () => {
    writeTrackHeader(w, { trackId: track.id, width, height }, audio, clamp(seconds * MOVIE_TIMESCALE));
    writeEdits(w, begin, track.samples[0]!.dts, timebase, seconds);
    writeBox(w, 'mdia', () => {
      writeMediaHeader(w, timebase, language, clamp(seconds * timebase - track.samples[0]!.dts));
      writeHandler(w, audio ? 'soun' : 'vide');
      writeExtendedLanguage(w, language);
      writeBox(w, 'minf', () => {
        writeMediaTypeHeader(w, audio ? 'soun' : 'vide');
        writeDataInformation(w);
        writeBox(w, 'stbl', () => {
          writeFullBox(w, 'stsd', 0, 0, () => {
            w.u32(track.parameters.length);
            for (const one of track.parameters) {
              if (one.parameters.kind === 'video') writeVisualSampleEntry(w, one.parameters, {});
              else if (one.parameters.kind === 'audio') writeAudioSampleEntry(w, one.parameters, {});
            }
          });
          writeTables(w, track, base);
        });
      });
    });
  });
}

/** A pause until the track begins, and its beginning at the first sample shown: `elst`, ISO/IEC 14496-12 §8.6.6. */
function writeEdits(w: ByteWriter, begin: number, firstDts: number, timebase: number, seconds: number): void {
  const pause = clamp((begin / timebase) * MOVIE_TIMESCALE);
  const length = clamp(Math.max(0, seconds - begin / timebase) * MOVIE_TIMESCALE);
  writeBox(w, 'edts', () => {
    writeFullBox(w, 'elst', 0, 0, () => {
      w.u32(pause > 0 ? 2 : 1);
      if (pause > 0) w.u32(pause).u32(U32).u32(0x10000); // media_time -1: nothing is shown
      w.u32(length)
        .u32(begin - firstDts)
        .u32(0x10000);
    });
  });
}

/** The five sample tables and, for pictures, where decoding can begin. ISO/IEC 14496-12 §8.6.1, §8.7. */
function writeTables(w: ByteWriter, { samples, lastDuration, parameters }: SampledTrack, base: number): void {
  const step = (i: number): number =>
    i + 1 < samples.length ? samples[i + 1]!.dts - samples[i]!.dts : lastDuration;
  const count = samples.length;
  writeRuns(w, 'stts', 0, count, (i) => Math.max(0, step(i)));
  if (samples.some(({ dts, pts }) => pts !== dts)) {
    writeRuns(w, 'ctts', 1, count, (i) => (samples[i]!.pts - samples[i]!.dts) >>> 0);
  }
  if (parameters[0]!.parameters.kind === 'video') {
    const keys = samples.flatMap(({ keyframe }, i) => (keyframe ? [i + 1] : []));
    writeFullBox(w, 'stss', 0, 0, () => {
      w.u32(keys.length);
      for (const number of keys) w.u32(number);
    });
  }
  const chunks = chunksOf(samples);
  writeFullBox(w, 'stsc', 0, 0, () => {
    const at = w.length;
    w.u32(0);
    let entries = 0;
    let before: (typeof chunks)[number] | undefined;
    for (const [i, chunk] of chunks.entries()) {
      if (before?.count === chunk.count && before.description === chunk.description) continue;
      w.u32(i + 1)
        .u32(chunk.count)
        .u32(chunk.description + 1);
      before = chunk;
      entries++;
    }
    w.patchU32(at, entries);
  });
  writeFullBox(w, 'stsz', 0, 0, () => {
    w.u32(0).u32(count);
    for (const { size } of samples) w.u32(size);
  });
  writeFullBox(w, 'co64', 0, 0, () => {
    w.u32(chunks.length);
    for (const { offset } of chunks) {
      const at = base + offset;
      w.u32(Math.floor(at / 0x1_0000_0000)).u32(at >>> 0);
    }
  });
}

/** Samples that lie one behind the other and need the same parameters. */
function chunksOf(samples: readonly MovieSample[]): { offset: number; count: number; description: number }[] {
  const chunks: { offset: number; count: number; description: number }[] = [];
  let end = -1;
  for (const { offset, size, description } of samples) {
    const last = chunks.at(-1);
    if (last !== undefined && end === offset && last.description === description) last.count++;
    else chunks.push({ offset, count: 1, description });
    end = offset + size;
  }
  return chunks;
}

/** A table of how often which value comes in turn. */
function writeRuns(
  w: ByteWriter,
  type: 'stts' | 'ctts',
  version: number,
  count: number,
  value: (i: number) => number,
): void {
  writeFullBox(w, type, version, 0, () => {
    const at = w.length;
    w.u32(0);
    let runs = 0;
    for (let i = 0; i < count; ) {
      const same = value(i);
      let length = 1;
      while (i + length < count && value(i + length) === same) length++;
      w.u32(length).u32(same);
      runs++;
      i += length;
    }
    w.patchU32(at, runs);
  });
}

function clamp(value: number): number {
  return Math.max(0, Math.min(U32, Math.round(value)));
}
