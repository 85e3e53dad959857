import { ByteWriter } from '../bytes/index.ts';
import { type FileType, writeFileType } from '../isobmff/file-type.ts';
import { chunkPieces, SampleTableWriter, type TrackEdit, writeMovie } from '../isobmff/index.ts';
import type { Sample, Track } from '../model/index.ts';
import { rescale, type Ticks, type Timebase } from '../time/index.ts';
import {
  durationsOf,
  type FileEnding,
  type FileWriter,
  moved,
  type Shift,
  type TrackStart,
} from './file-writer.ts';

/** Bytes of media after which a fragment is closed even without a keyframe. */
const MAX_FRAGMENT_BYTES = 8 * 1024 * 1024;
/** Seconds after which a fragment is closed even without a keyframe. */
const MAX_FRAGMENT_SECONDS = 10;
/** Seconds of a fragment of sound alone. */
const SOUND_FRAGMENT_SECONDS = 2;
const MDAT_HEADER_BYTES = 16;

const FILE_TYPE: FileType = {
  majorBrand: 'isom',
  minorVersion: 0x200,
  compatibleBrands: ['isom', 'iso2', 'mp41'],
};

/** Where a track of a file begins. */
interface Lane {
  readonly track: Track;
  /** Ticks at which the first of it is shown. */
  readonly begins: number;
  readonly edit: TrackEdit | undefined;
  readonly table: SampleTableWriter;
  last: Sample | undefined;
  /** Ticks of the track: the end of what is shown, on the timeline of the samples. */
  end: number;
}

function toMovie(time: number, track: Track, timescale: number): number {
  return rescale(time as Ticks, track.timebase, timescale as Timebase);
}

function laneOf({ track, first }: TrackStart, timescale: number): Lane {
  const begins = Math.max(0, first.pts);
  const delay = toMovie(begins, track, timescale);
  const mediaTime = Math.max(0, begins - first.dts);
  const edit = delay > 0 || mediaTime > 0 ? { delay, mediaTime } : undefined;
  return { track, begins, edit, table: new SampleTableWriter(), last: undefined, end: begins };
}

/** Writes an MP4 file with one table behind the media. */
export class Mp4Writer implements FileWriter {
  #lanes: Lane[] = [];
  #timescale = 1000;
  #at = 0;
  #media = 0;

  begin(starts: readonly TrackStart[]): readonly Uint8Array[] {
    this.#timescale = starts[0]?.track.timebase ?? 1000;
    this.#lanes = starts.map((start) => laneOf(start, this.#timescale));
    const w = new ByteWriter(64);
    writeFileType(w, 'ftyp', FILE_TYPE);
    this.#media = w.length;
    w.u32(1).utf8('mdat').u64(MDAT_HEADER_BYTES);
    this.#at = w.length;
    return [w.finish()];
  }

  push(sample: Sample): readonly Uint8Array[] {
    const lane = this.#lanes.find(({ track }) => track.id === sample.track.id);
    if (lane === undefined) return [];
    const { table, last } = lane;
    const { data, pts, dts, keyframe } = sample;
    if (last !== undefined) table.last(Math.max(0, dts - last.dts));
    table.add(this.#at, data.length, pts - dts, keyframe);
    this.#at += data.length;
    lane.last = sample;
    lane.end = Math.max(lane.end, pts + (sample.duration ?? 0));
    return [data];
  }

  finish(): FileEnding {
    const timescale = this.#timescale;
    const tracks = this.#lanes.map((lane) => {
      const { track, table, last, edit } = lane;
      const average = table.samples > 1 ? Math.round(table.duration / (table.samples - 1)) : 0;
      const length = last?.duration ?? average;
      if (last !== undefined) {
        table.last(length);
        lane.end = Math.max(lane.end, last.pts + length);
      }
      const shown = toMovie(Math.max(0, lane.end - lane.begins), track, timescale);
      return { track, duration: table.duration, shown, edit, tables: (w: ByteWriter) => table.write(w) };
    });
    const duration = Math.max(0, ...tracks.map(({ shown, edit }) => shown + (edit?.delay ?? 0)));
    const w = new ByteWriter(64 * 1024);
    writeMovie(w, { timescale, duration, fragmentDuration: undefined }, tracks);
    const size = new ByteWriter(8).u64(this.#at - this.#media).finish();
    return { tail: [w.finish()], patches: [{ offset: this.#media + 8, bytes: size }] };
  }
}

/** Samples of a track that wait for their fragment. */
interface Pending {
  readonly track: Track;
  /** Ticks that are added to its times. */
  readonly shift: Shift;
  samples: Sample[];
}

/** Writes an MP4 file of fragments, each from keyframe to keyframe. */
export class FragmentWriter implements FileWriter {
  #pending: Pending[] = [];
  #movie = { timescale: 1000, end: 0, mehd: 0 };
  #bytes = 0;
  #sequence = 0;
  readonly #seekable: boolean;

  /** @param seekable earlier bytes can be written over, so the duration can be told. */
  constructor(seekable: boolean) {
    this.#seekable = seekable;
  }

  begin(starts: readonly TrackStart[]): readonly Uint8Array[] {
    const timescale = starts[0]?.track.timebase ?? 1000;
    const tracks = starts.map(({ track, first }) => {
      // Decoding begins at 0, so no offset is negative, for which GStreamer moves all the pictures of a fragment; the
      // edit list takes it back. Of sound it cuts what is not to be heard.
      const cut = Math.max(0, -first.dts);
      this.#pending.push({ track, shift: { pts: cut, dts: cut }, samples: [] });
      return { track, duration: 0, shown: 0, edit: cut > 0 ? { delay: 0, mediaTime: cut } : undefined };
    });
    const w = new ByteWriter(4096);
    writeFileType(w, 'ftyp', {
      ...FILE_TYPE,
      majorBrand: 'iso6',
      compatibleBrands: ['iso6', 'isom', 'mp41'],
    });
    writeMovie(w, { timescale, duration: 0, fragmentDuration: this.#seekable ? 1 : 0 }, tracks);
    const header = w.finish();
    this.#movie = { timescale, end: 0, mehd: header.length - starts.length * TREX_BYTES - 8 };
    return [header];
  }

  push(sample: Sample): readonly Uint8Array[] {
    const lane = this.#pending.find(({ track }) => track.id === sample.track.id);
    if (lane === undefined) return [];
    const ready = this.#isDue(sample) ? this.#flush(sample) : [];
    lane.samples.push(sample);
    this.#bytes += sample.data.length;
    return ready;
  }

  finish(): FileEnding {
    const tail = this.#flush(undefined);
    if (!this.#seekable) return { tail, patches: [] };
    const bytes = new ByteWriter(8).u64(Math.max(1, this.#movie.end)).finish();
    return { tail, patches: [{ offset: this.#movie.mehd, bytes }] };
  }

  #isDue({ track, dts, keyframe }: Sample): boolean {
    const leader = this.#pending.find(({ track: { parameters } }) => parameters.kind === 'video');
    const lead = leader ?? this.#pending[0]!;
    if (this.#bytes > MAX_FRAGMENT_BYTES) return true;
    const first = lead.samples[0];
    if (lead.track.id !== track.id || first === undefined) return false;
    const seconds = (dts - first.dts) / track.timebase;
    if (leader === undefined) return seconds >= SOUND_FRAGMENT_SECONDS;
    return keyframe || seconds >= MAX_FRAGMENT_SECONDS;
  }

  /** @param following the sample that begins the next fragment. */
  #flush(following: Sample | undefined): Uint8Array[] {
    const ready: Uint8Array[] = [];
    for (const lane of this.#pending) {
      const { track, shift, samples } = lane;
      if (samples.length === 0) continue;
      const next = following?.track.id === track.id ? following : undefined;
      const durations = durationsOf(samples, next);
      const placed = samples.map((sample) => moved(sample, shift));
      const input = { track, sequence: ++this.#sequence, samples: placed, durations };
      ready.push(...chunkPieces({ ...input, baseDecodeTime: Math.max(0, placed[0]!.dts) }));
      for (const [index, sample] of samples.entries()) {
        const end = toMovie(sample.pts + durations[index]!, track, this.#movie.timescale);
        this.#movie.end = Math.max(this.#movie.end, end);
      }
      lane.samples = [];
    }
    this.#bytes = 0;
    return ready;
  }
}

/** Bytes of a `trex` box. */
const TREX_BYTES = 32;
