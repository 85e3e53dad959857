import type { FileHandle } from 'node:fs/promises';
import { ByteReader } from '@onair/media/bytes';
import {
  boxBudget,
  findBox,
  type InitTrack,
  parseChunks,
  parseInit,
  readBoxes,
  readBoxHeader,
  requireBox,
} from '@onair/media/isobmff';
import { ParseError, type Sample, type Track } from '@onair/media/model';
import { type Ticks, ticks } from '@onair/media/time';
import { initParameters } from './init-parameters.ts';
import { type FileItem, MediaFileError } from './media-file.ts';
import { sampleTable, type TableEntry } from './sample-table.ts';

/** Largest `moov`, or `moof` with its `mdat`, that is taken into memory, in bytes. */
const MAX_BOX_BYTES = 256 * 1024 * 1024;
/** Samples that may wait for another track of a fragmented file before they are given out anyway. */
const MAX_WAITING_SAMPLES = 20_000;

/** One top-level box of the file. */
interface Place {
  readonly type: string;
  readonly at: number;
  readonly size: number;
}

/** One streamable track and what lies before its first sample is shown. */
interface FileTrack {
  readonly track: Track;
  readonly init: InitTrack;
  /** Ticks to add to the file's times: from its edit list. */
  readonly shift: number;
  readonly stbl: Uint8Array;
}

/** Reads the tracks and samples of an MP4 file, fragmented or not, one after another by decoding time. */
export async function* readMp4File(file: FileHandle): AsyncGenerator<FileItem> {
  const places: Place[] = [];
  for await (const place of topLevel(file)) {
    if (['moov', 'moof', 'mdat'].includes(place.type)) places.push(place);
  }
  const moovPlace = places.find(({ type }) => type === 'moov');
  if (moovPlace === undefined) throw new MediaFileError('an MP4 file without moov');
  const moov = await load(file, moovPlace);
  const tracks = readTracks(moov);
  for (const { track } of tracks) yield { kind: 'track', track };
  const fragmented = places.some(({ type }) => type === 'moof');
  const sources = fragmented
    ? readFragments(file, places, tracks)
    : merge(tracks.map((track) => readSamples(file, track)));
  for await (const sample of sources) yield { kind: 'sample', sample };
}

async function* topLevel(file: FileHandle): AsyncGenerator<Place> {
  const { size: end } = await file.stat();
  for (let at = 0; at < end; ) {
    const head = await readAt(file, at, Math.min(16, end - at));
    const header = readBoxHeader(head, 0);
    if (header === undefined) return;
    const size = header.size === 0 ? end - at : header.size;
    if (at + size > end) return; // cut off: what is whole is used
    yield { type: header.type, at, size };
    at += size;
  }
}

function readTracks(moov: Uint8Array): FileTrack[] {
  const budget = boxBudget();
  const inside = readBoxes(readBoxes(moov, budget)[0]!.body, budget);
  const mvhd = new ByteReader(requireBox(inside, 'mvhd', 'ISO/IEC 14496-12 §8.2.2').body, '§8.2.2');
  mvhd.skip(mvhd.u8() === 1 ? 3 + 16 : 3 + 8);
  const movieScale = mvhd.u32();
  const traks = inside.filter(({ type }) => type === 'trak');
  const tracks: FileTrack[] = [];
  parseInit(moov).tracks.forEach((init, index) => {
    const parameters = initParameters(init);
    const id = parameters?.kind === 'video' ? 1 : 2;
    if (parameters === undefined || tracks.some(({ track }) => track.id === id)) return;
    const trak = readBoxes(traks[index]!.body, budget);
    let content = trak;
    for (const type of ['mdia', 'minf']) content = readBoxes(requireBox(content, type, '§8.4').body, budget);
    tracks.push({
      track: { id, timebase: init.timebase, parameters },
      init,
      shift: editShift(findBox(trak, 'edts')?.body, init.timebase / movieScale),
      stbl: requireBox(content, 'stbl', '§8.5.1').body,
    });
  });
  if (tracks.length === 0) throw new MediaFileError('an MP4 file without a track that can be streamed');
  return tracks;
}

/** Ticks between media time and presentation: an empty edit delays, the first real one cuts (§8.6.6). */
function editShift(edts: Uint8Array | undefined, ticksPerMovieTick: number): number {
  const elst = edts === undefined ? undefined : findBox(readBoxes(edts), 'elst');
  if (elst === undefined) return 0;
  const reader = new ByteReader(elst.body, 'ISO/IEC 14496-12 §8.6.6');
  const long = reader.u8() === 1;
  reader.skip(3);
  let shift = 0;
  for (let left = reader.u32(); left > 0; left--) {
    const duration = long ? reader.u64() : reader.u32();
    const high = long ? reader.i32() : 0;
    const low = long ? reader.u32() : reader.i32();
    const empty = long ? high < 0 : low === -1;
    reader.skip(4);
    if (!empty) return shift - (high * 0x1_0000_0000 + low);
    shift += Math.round(duration * ticksPerMovieTick);
  }
  return shift;
}

async function* readSamples(file: FileHandle, { track, shift, stbl }: FileTrack): AsyncGenerator<Sample> {
  for (const entry of sampleTable(stbl, boxBudget())) {
    if (entry.size > MAX_BOX_BYTES) throw tooLarge(entry.size);
    yield sampleOf(track, shift, entry, await readAt(file, entry.offset, entry.size));
  }
}

async function* readFragments(
  file: FileHandle,
  places: readonly Place[],
  tracks: readonly FileTrack[],
): AsyncGenerator<Sample> {
  const queues = tracks.map((): Sample[] => []);
  const defaults = tracks.map(({ init }) => init.defaults);
  let waiting = 0;
  for (let at = 0; at < places.length; at++) {
    if (places[at]!.type !== 'moof') continue;
    const parts = [await load(file, places[at]!)];
    for (let next = at + 1; places[next]?.type === 'mdat'; next++)
      parts.push(await load(file, places[next]!));
    for (const chunk of parseChunks(Buffer.concat(parts), defaults)) {
      for (const { trackId, samples } of chunk.tracks) {
        const index = tracks.findIndex(({ init }) => init.trackId === trackId);
        if (index < 0) continue;
        const { track, shift } = tracks[index]!;
        for (const sample of samples) queues[index]!.push(sampleOf(track, shift, sample, sample.data));
        waiting += samples.length;
      }
    }
    while (waiting > 0 && (queues.every(({ length }) => length > 0) || waiting > MAX_WAITING_SAMPLES)) {
      yield earliest(queues)!;
      waiting--;
    }
  }
  for (let sample = earliest(queues); sample !== undefined; sample = earliest(queues)) yield sample;
}

/** Takes the sample that is decoded first from the heads of the queues. */
function earliest(queues: readonly Sample[][]): Sample | undefined {
  let first: Sample[] | undefined;
  for (const queue of queues) {
    if (queue.length > 0 && (first === undefined || timeOf(queue[0]!) < timeOf(first[0]!))) first = queue;
  }
  return first?.shift();
}

/** Joins sources that are each in order of decoding time. */
async function* merge(sources: readonly AsyncGenerator<Sample>[]): AsyncGenerator<Sample> {
  const heads = await Promise.all(sources.map((source) => source.next()));
  for (;;) {
    let first = -1;
    for (const [index, head] of heads.entries()) {
      if (head.done) continue;
      const best = heads[first];
      if (best === undefined || best.done || timeOf(head.value) < timeOf(best.value)) first = index;
    }
    const head = heads[first];
    if (head === undefined || head.done) return;
    yield head.value;
    heads[first] = await sources[first]!.next();
  }
}

const timeOf = ({ dts, track }: Sample): number => dts / track.timebase;

function sampleOf(
  track: Track,
  shift: number,
  { dts, pts, duration, keyframe }: Omit<TableEntry, 'offset' | 'size'>,
  data: Uint8Array,
): Sample {
  const at = (time: number): Ticks => ticks(time + shift);
  return { track, dts: at(dts), pts: at(pts), duration: ticks(duration), keyframe, data };
}

function load(file: FileHandle, { at, size }: Place): Promise<Uint8Array> {
  if (size > MAX_BOX_BYTES) throw tooLarge(size);
  return readAt(file, at, size);
}

async function readAt(file: FileHandle, at: number, size: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(size);
  let filled = 0;
  while (filled < size) {
    const { bytesRead } = await file.read(bytes, filled, size - filled, at + filled);
    if (bytesRead === 0) {
      throw new ParseError(
        'MP4_RUN',
        'ISO/IEC 14496-12 §8.7',
        'a sample lies behind the end of the file',
        at,
      );
    }
    filled += bytesRead;
  }
  return bytes;
}

function tooLarge(size: number): ParseError {
  return new ParseError('MP4_BOX_SIZE', 'ISO/IEC 14496-12 §4.2.2', `${size} bytes, ${MAX_BOX_BYTES} allowed`);
}
