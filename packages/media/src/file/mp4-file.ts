import { nalLengthSize, widenLengths } from '../bitstream/index.ts';
import { boxBudget, readMovieFragment, type SampleDefaults } from '../isobmff/index.ts';
import { ParseError, type Sample, type Track, type VideoCodec } from '../model/index.ts';
import { type Ticks, ticks } from '../time/index.ts';
import type { BlockReader } from './byte-source.ts';
import { initParameters } from './init-parameters.ts';
import { type FileBatches, type FileItem, MediaFileError } from './media-file.ts';
import { MAX_TABLE_BYTES, type Mp4Place, type Mp4Track, placeAt, readMp4Tracks } from './mp4-layout.ts';
import { sampleTable, type TableEntry } from './sample-table.ts';

/** Largest sample that is taken into memory, in bytes. */
export const MAX_SAMPLE_BYTES = 64 * 1024 * 1024;
/** Samples that may wait for another track of a fragmented file before they are given out anyway. */
const MAX_WAITING_SAMPLES = 20_000;
/** Samples that are handed out together. */
const BATCH = 256;

/** One track that can be streamed. */
interface Lane {
  readonly source: Mp4Track;
  readonly track: Track;
  /** Bytes of its NAL lengths; samples are rewritten to 4. */
  readonly lengthSize: number;
}

/** The tables of an MP4 file. */
export interface Mp4Movie {
  readonly sources: readonly Mp4Track[];
  /** The samples lie in fragments. */
  readonly fragmented: boolean;
  /** Byte behind `moov`. */
  readonly end: number;
}

/** Where to begin in the middle of a file. */
export interface Mp4Start {
  /** Seconds: what ends before is left out, of video what is decoded before. */
  readonly time: number;
  /** Byte from which on to look for fragments. */
  readonly at: number;
}

/** Reads the tracks and samples of an MP4 file, fragmented or not, one after another by decoding time. */
export async function* readMp4(reader: BlockReader): FileBatches {
  yield* readMovie(reader, await findMovie(reader));
}

/** Looks for `moov`. @throws MediaFileError, ParseError */
export async function findMovie(reader: BlockReader): Promise<Mp4Movie> {
  let at = 0;
  for (;;) {
    const place = await placeAt(reader, at);
    if (place === undefined) throw new MediaFileError('an MP4 file without moov');
    at += place.size;
    if (place.type === 'moov') {
      const sources = readMp4Tracks(await load(reader, place));
      return { sources, fragmented: sources.some(({ init }) => init.defaults !== undefined), end: at };
    }
  }
}

/** Reads the samples that a movie tells of, from its beginning unless told otherwise. */
export async function* readMovie(
  reader: BlockReader,
  { sources, fragmented, end }: Mp4Movie,
  start?: Mp4Start,
): FileBatches {
  if (!fragmented) yield* readProgressive(reader, sources, start);
  else if (start === undefined) yield* readFragments(reader, end, sources);
  else yield* laterThan(readFragments(reader, start.at, sources), start.time);
}

async function* laterThan(batches: FileBatches, time: number): FileBatches {
  for await (const batch of batches) {
    yield batch.filter((item) => {
      if (item.kind === 'track') return true;
      const { dts, duration, track } = item.sample;
      return isWanted(dts, duration ?? 0, track, time);
    });
  }
}

function isWanted(dts: number, duration: number, { parameters, timebase }: Track, time: number): boolean {
  return (parameters.kind === 'video' ? dts : dts + duration - 1) / timebase >= time;
}

/** Where the reading of a track's table stands. */
interface Head {
  readonly lane: Lane;
  readonly entries: Generator<TableEntry, undefined>;
  entry: TableEntry | undefined;
}

/** The first track of each kind. */
function lanesOf(sources: readonly Mp4Track[], firsts: readonly (Uint8Array | undefined)[]): Lane[] {
  const lanes: Lane[] = [];
  for (const [index, source] of sources.entries()) {
    const parameters = initParameters(source.init, firsts[index]);
    const id = parameters?.kind === 'video' ? 1 : 2;
    if (parameters === undefined || lanes.some(({ track }) => track.id === id)) continue;
    const { init } = source;
    const track: Track = {
      id,
      timebase: init.timebase,
      parameters,
      ...(init.language === undefined ? {} : { language: init.language }),
    };
    const video = parameters.kind === 'video';
    const lengthSize = video ? nalLengthSize(init.codec as VideoCodec, init.description) : 4;
    lanes.push({ source, track, lengthSize });
  }
  if (lanes.length === 0) throw new MediaFileError('an MP4 file without a track that can be streamed');
  return lanes;
}

const announce = (lanes: readonly Lane[]): FileItem[] => lanes.map(({ track }) => ({ kind: 'track', track }));

async function* readProgressive(
  reader: BlockReader,
  sources: readonly Mp4Track[],
  start?: Mp4Start,
): FileBatches {
  const firsts: (Uint8Array | undefined)[] = [];
  for (const { stbl } of sources) {
    const first = sampleTable(stbl, boxBudget()).next().value;
    firsts.push(first === undefined ? undefined : await sampleBytes(reader, first));
  }
  const lanes = lanesOf(sources, firsts);
  yield announce(lanes);
  let batch: FileItem[] = [];
  const heads = lanes.map((lane): Head => {
    const entries = sampleTable(lane.source.stbl, boxBudget());
    const head: Head = { lane, entries, entry: entries.next().value };
    if (start !== undefined) passOver(head, start.time);
    return head;
  });
  for (;;) {
    let first: Head | undefined;
    for (const head of heads) {
      if (head.entry !== undefined && (first?.entry === undefined || timeOf(head) < timeOf(first)))
        first = head;
    }
    if (first?.entry === undefined) break;
    const { lane, entry } = first;
    const bytes = reader.lend(entry.offset, entry.size) ?? (await sampleBytes(reader, entry));
    batch.push({ kind: 'sample', sample: sampleOf(lane, entry, bytes) });
    first.entry = first.entries.next().value;
    if (batch.length < BATCH) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

/** Goes on to the first sample that is wanted of a file from `time` on. */
function passOver(head: Head, time: number): void {
  const { lane, entries } = head;
  while (
    head.entry !== undefined &&
    !isWanted(head.entry.dts + lane.source.shift, head.entry.duration, lane.track, time)
  ) {
    head.entry = entries.next().value;
  }
}

function timeOf({ lane, entry }: Head): number {
  return ((entry?.dts ?? 0) + lane.source.shift) / lane.track.timebase;
}

async function* readFragments(reader: BlockReader, from: number, sources: readonly Mp4Track[]): FileBatches {
  const defaults = sources.map(({ init }): SampleDefaults | undefined => init.defaults);
  let lanes: Lane[] | undefined;
  let queues: Sample[][] = [];
  let waiting = 0;
  for (let at = from; ; ) {
    const place = await placeAt(reader, at);
    if (place === undefined) break;
    at += place.size;
    if (place.type !== 'moof') continue;
    const { tracks } = readMovieFragment(await load(reader, place), place.at, defaults);
    if (lanes === undefined) {
      const firsts: (Uint8Array | undefined)[] = [];
      for (const { init } of sources) {
        const first = tracks.find(({ trackId }) => trackId === init.trackId)?.samples[0];
        firsts.push(first === undefined ? undefined : await sampleBytes(reader, first));
      }
      lanes = lanesOf(sources, firsts);
      queues = lanes.map(() => []);
      yield announce(lanes);
    }
    for (const { trackId, samples } of tracks) {
      const index = lanes.findIndex(({ source }) => source.init.trackId === trackId);
      if (index < 0) continue;
      for (const entry of samples) {
        const bytes = reader.lend(entry.offset, entry.size) ?? (await sampleBytes(reader, entry));
        queues[index]!.push(sampleOf(lanes[index]!, entry, bytes));
        waiting++;
      }
    }
    const batch: FileItem[] = [];
    while (waiting > 0 && (queues.every(({ length }) => length > 0) || waiting > MAX_WAITING_SAMPLES)) {
      batch.push({ kind: 'sample', sample: earliest(queues)! });
      waiting--;
    }
    if (batch.length > 0) yield batch;
  }
  if (lanes === undefined) yield announce(lanesOf(sources, []));
  const rest: FileItem[] = [];
  for (let sample = earliest(queues); sample !== undefined; sample = earliest(queues)) {
    rest.push({ kind: 'sample', sample });
  }
  if (rest.length > 0) yield rest;
}

/** Takes the sample that is decoded first from the heads of the queues. */
function earliest(queues: readonly Sample[][]): Sample | undefined {
  let first: Sample[] | undefined;
  const time = ({ dts, track }: Sample): number => dts / track.timebase;
  for (const queue of queues) {
    if (queue.length > 0 && (first === undefined || time(queue[0]!) < time(first[0]!))) first = queue;
  }
  return first?.shift();
}

function sampleOf(
  { track, source, lengthSize }: Lane,
  { dts, pts, duration, keyframe }: Omit<TableEntry, 'offset' | 'size'>,
  bytes: Uint8Array,
): Sample {
  const at = (time: number): Ticks => ticks(time + source.shift);
  const data = lengthSize === 4 ? bytes : widenLengths(bytes, lengthSize);
  return { track, dts: at(dts), pts: at(pts), duration: ticks(duration), keyframe, data };
}

async function load(reader: BlockReader, { at, size, type }: Mp4Place): Promise<Uint8Array> {
  if (size > MAX_TABLE_BYTES) throw tooLarge(type, size, MAX_TABLE_BYTES, at);
  const bytes = await reader.read(at, size);
  if (bytes.length === size) return bytes;
  throw new ParseError('MP4_BOX_SIZE', 'ISO/IEC 14496-12 §4.2.2', `${type} is cut off`, at);
}

async function sampleBytes(
  reader: BlockReader,
  { offset, size }: { readonly offset: number; readonly size: number },
): Promise<Uint8Array> {
  if (size > MAX_SAMPLE_BYTES) throw tooLarge('a sample', size, MAX_SAMPLE_BYTES, offset);
  const bytes = await reader.read(offset, size);
  if (bytes.length === size) return bytes;
  const message = 'a sample lies behind the end of the file';
  throw new ParseError('MP4_RUN', 'ISO/IEC 14496-12 §8.7', message, offset);
}

function tooLarge(what: string, size: number, limit: number, at: number): ParseError {
  const message = `${what} of ${size} bytes, ${limit} allowed`;
  return new ParseError('MP4_BOX_SIZE', 'ISO/IEC 14496-12 §4.2.2', message, at);
}
