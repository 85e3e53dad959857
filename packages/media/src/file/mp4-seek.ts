import { boxBudget, readMovieFragment } from '../isobmff/index.ts';
import { ParseError } from '../model/index.ts';
import { BlockReader, type ByteSource } from './byte-source.ts';
import type { FileBatches } from './media-file.ts';
import { findMovie, type Mp4Movie, readMovie } from './mp4-file.ts';
import { MAX_TABLE_BYTES, type Mp4Place, type Mp4Track, placeAt } from './mp4-layout.ts';
import { sampleTable } from './sample-table.ts';

/** Bytes read at once from box to box: their headers and `moof` are small and far apart. */
const HOP_BYTES = 4096;
/** Fragments of a file that are looked at: half a second each for a day and a half. */
export const MAX_FRAGMENTS = 300_000;
/** Entry points of a fragmented file that are remembered are so far apart, in seconds. */
const ENTRY_SECONDS = 0.25;

/** An entry point of a file. */
interface Entry {
  /** Seconds at which the keyframe is shown, and at which it is decoded. */
  readonly shown: number;
  readonly decoded: number;
  /** Byte from which on fragments are read, sound that lies before its picture included. */
  readonly at: number;
}

/** Finds its way in an MP4 file by its tables, or by the fragments' headers. */
export class Mp4Seek {
  readonly #reader: BlockReader;
  readonly #movie: Mp4Movie;
  readonly #lead: Mp4Track | undefined;
  /** Of a fragmented file, ascending. */
  readonly #entries: readonly Entry[];
  readonly #end: number;

  private constructor(
    reader: BlockReader,
    movie: Mp4Movie,
    found: { readonly entries: readonly Entry[]; readonly end: number },
  ) {
    this.#reader = reader;
    this.#movie = movie;
    this.#lead = leadOf(movie.sources);
    this.#entries = found.entries;
    this.#end = found.end;
  }

  /** Reads the tables of a file, and where it has fragments their headers. @throws MediaFileError, ParseError */
  static async open(source: ByteSource, reader: BlockReader): Promise<Mp4Seek> {
    const movie = await findMovie(reader);
    const hops = new BlockReader(source, { blockBytes: HOP_BYTES });
    const found = movie.fragmented
      ? await listFragments(hops, movie)
      : { entries: [], end: endOfTables(movie.sources) };
    return new Mp4Seek(reader, movie, found);
  }

  /** Seconds at which the last sample ends, as the file counts them. */
  get end(): number {
    return this.#end;
  }

  /** Everything from the beginning. */
  begin(): FileBatches {
    return readMovie(this.#reader, this.#movie);
  }

  /** Everything from the last keyframe that is shown at or before `seconds`, which the file counts. */
  from(seconds: number): FileBatches {
    const entry = this.#movie.fragmented ? this.#fragmentAt(seconds) : this.#sampleAt(seconds);
    if (entry === undefined) return this.begin();
    return readMovie(this.#reader, this.#movie, { time: entry.decoded, at: entry.at });
  }

  #fragmentAt(seconds: number): Entry | undefined {
    let low = 0;
    let high = this.#entries.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#entries[middle]!.shown <= seconds) low = middle + 1;
      else high = middle;
    }
    return this.#entries[low - 1];
  }

  #sampleAt(seconds: number): Entry | undefined {
    const lead = this.#lead;
    if (lead === undefined) return undefined;
    const { timebase } = lead.init;
    let found: Entry | undefined;
    for (const { dts, pts, keyframe } of sampleTable(lead.stbl, boxBudget())) {
      const decoded = (dts + lead.shift) / timebase;
      if (decoded > seconds) break;
      const shown = (pts + lead.shift) / timebase;
      if (keyframe && shown <= seconds) found = { shown, decoded, at: 0 };
    }
    return found;
  }
}

/** The track whose keyframes are entry points. */
function leadOf(sources: readonly Mp4Track[]): Mp4Track | undefined {
  return (
    sources.find(({ init }) => init.kind === 'video') ?? sources.find(({ init }) => init.kind === 'audio')
  );
}

function endOfTables(sources: readonly Mp4Track[]): number {
  let end = 0;
  for (const { stbl, init, shift } of sources) {
    if (init.kind !== 'video' && init.kind !== 'audio') continue;
    for (const { pts, duration } of sampleTable(stbl, boxBudget())) {
      end = Math.max(end, (pts + duration + shift) / init.timebase);
    }
  }
  return end;
}

async function listFragments(
  reader: BlockReader,
  { sources, end: from }: Mp4Movie,
): Promise<{ readonly entries: readonly Entry[]; readonly end: number }> {
  const defaults = sources.map(({ init }) => init.defaults);
  const lead = leadOf(sources);
  const entries: Entry[] = [];
  let end = 0;
  let fragments = 0;
  /** Behind the last fragment that had something of the lead. */
  let behind = from;
  for (let at = from; ; ) {
    const place = await placeAt(reader, at);
    if (place === undefined) break;
    at += place.size;
    if (place.type !== 'moof') continue;
    if (++fragments > MAX_FRAGMENTS) {
      throw new ParseError('MP4_RUN', 'ISO/IEC 14496-12 §8.8', `more than ${MAX_FRAGMENTS} fragments`);
    }
    const moof = await wholeBox(reader, place);
    if (moof === undefined) break;
    for (const { trackId, samples } of readMovieFragment(moof, place.at, defaults).tracks) {
      const source = sources.find(({ init }) => init.trackId === trackId);
      const first = samples[0];
      if (source === undefined || first === undefined) continue;
      const seconds = (time: number): number => (time + source.shift) / source.init.timebase;
      for (const { pts, duration } of samples) end = Math.max(end, seconds(pts + duration));
      if (source !== lead) continue;
      const entry = { shown: seconds(first.pts), decoded: seconds(first.dts), at: behind };
      behind = at;
      const last = entries.at(-1);
      const far = last === undefined || entry.shown >= last.shown + ENTRY_SECONDS;
      if (first.keyframe && far) entries.push(entry);
    }
  }
  return { entries, end };
}

/** Undefined where the file ends before the box does. */
async function wholeBox(reader: BlockReader, { at, size }: Mp4Place): Promise<Uint8Array | undefined> {
  if (size > MAX_TABLE_BYTES) {
    throw new ParseError('MP4_BOX_SIZE', 'ISO/IEC 14496-12 §4.2.2', `moof of ${size} bytes`, at);
  }
  const bytes = await reader.read(at, size);
  return bytes.length === size ? bytes : undefined;
}
