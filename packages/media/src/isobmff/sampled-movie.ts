import { ByteWriter } from '../bytes/index.ts';
import type { Track } from '../model/sample.ts';
import { writeFileType } from './file-type.ts';
import { type MovieTrack, writeMovie } from './movie.ts';
import { SampleTableWriter } from './sample-table-writer.ts';

/** Ticks of the movie header, per second. */
const MOVIE_TIMESCALE = 1000;
/** Pictures among which the one shown first, or last, is found. */
const REORDERED = 32;

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
  const used = tracks.filter(({ samples }) => samples.length > 0).map(movieTrack);
  // The tables tell where the media lies, which depends on how long they are.
  for (let base = 0; ; ) {
    const header = build(used, base, mediaBytes);
    if (header.length === base) return header;
    base = header.length;
  }
}

interface PlacedTrack {
  readonly movie: Omit<MovieTrack, 'tables'>;
  readonly tables: SampleTableWriter;
  /** Ticks of the movie from its start to the end of the track. */
  readonly end: number;
}

function movieTrack({ id, parameters, samples, lastDuration }: SampledTrack): PlacedTrack {
  const [first, ...later] = parameters as [Track, ...Track[]];
  const { timebase } = first;
  const tables = new SampleTableWriter();
  for (const [i, { dts, pts, keyframe, size, offset, description }] of samples.entries()) {
    tables.add(offset, size, pts - dts, keyframe, description + 1);
    tables.last(Math.max(0, i + 1 < samples.length ? samples[i + 1]!.dts - dts : lastDuration));
  }
  const begin = Math.min(...samples.slice(0, REORDERED).map(({ pts }) => pts));
  const end = Math.max(...samples.slice(-REORDERED).map(({ pts }) => pts)) + lastDuration;
  const ofMovie = (ticks: number): number => Math.max(0, Math.round((ticks / timebase) * MOVIE_TIMESCALE));
  const delay = ofMovie(begin);
  const duration = Math.max(0, Math.round(end - samples[0]!.dts));
  const edit = { delay, mediaTime: begin - samples[0]!.dts };
  const shown = ofMovie(end) - delay;
  return { movie: { track: { ...first, id }, duration, shown, edit, later }, tables, end: ofMovie(end) };
}

function build(tracks: readonly PlacedTrack[], base: number, mediaBytes: number): Uint8Array {
  const w = new ByteWriter(64 * 1024);
  writeFileType(w, 'ftyp', {
    majorBrand: 'isom',
    minorVersion: 512,
    compatibleBrands: ['isom', 'iso2', 'mp41'],
  });
  const duration = Math.max(0, ...tracks.map(({ end }) => end));
  const placed = tracks.map(({ movie, tables }) => ({
    ...movie,
    tables: (out: ByteWriter) => tables.write(out, base),
  }));
  writeMovie(w, { timescale: MOVIE_TIMESCALE, duration, fragmentDuration: undefined }, placed);
  w.u32(1)
    .u32(0x6d64_6174)
    .u64(mediaBytes + 16); // mdat with a size of 64 bits
  return w.finish();
}
