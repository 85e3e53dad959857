import type { Sample, Track } from '../model/index.ts';
import { BlockReader, type ByteSource } from './byte-source.ts';
import { moved, type Shift } from './file-writer.ts';
import { DETECT_BYTES, detectFormat, type FileFormat, FORMAT_NAMES } from './format.ts';
import { type FileBatches, type FileItem, MediaFileError } from './media-file.ts';
import { Mp4Seek } from './mp4-seek.ts';
import { readStreamed } from './streamed-file.ts';
import { StreamedSeek } from './streamed-seek.ts';

/** Bytes that are read at once. */
const READ_BYTES = 128 * 1024;
/** Seconds of media within which every track of a file must have begun. */
const START_SECONDS = 2;
/** Pictures within which the most reordered one must come: as many as a decoder may hold. ITU-T H.264 §A.3.1. */
const REORDERED_PICTURES = 16;
/** Bytes within which the first sample must come. */
const MAX_START_BYTES = 32 * 1024 * 1024;

/**
 * A media file that can be read from anywhere. Its timeline begins at 0, when the first sample is decoded: nothing is decoded
 * before 0, nor after it is shown. Fragments could tell the latter, but GStreamer, so WebKitGTK, moves all pictures of one
 * that does; it loses pictures that are decoded before 0, and passes over edit lists.
 */
export interface SeekableFile {
  readonly format: FileFormat;
  /** The first picture as track 1, the first sound as track 2. */
  readonly tracks: readonly Track[];
  /** Seconds. */
  readonly duration: number;
  /**
   * Everything from the last keyframe that is shown at or before `seconds`, in decoding order.
   * @throws ParseError and MediaFileError for what is malformed, and what the source throws.
   */
  from(seconds: number): FileBatches;
  /** Bytes that were read of the source so far. */
  bytesRead(): number;
}

/** What reads a kind of file. */
interface Way {
  readonly end: number;
  begin(): FileBatches;
  from(seconds: number): FileBatches;
}

/** What the beginning of a file tells. */
interface Beginning {
  readonly tracks: Map<number, Track>;
  readonly firsts: Map<number, Sample>;
  /** Ticks by which a sample is decoded after it is shown at most, by track: some writers tell negative offsets. */
  readonly late: Map<number, number>;
  /** Bytes that were read until all was known. */
  readonly bytes: number;
}

/**
 * Opens an MP4 (fragmented or not), WebM, FLV or MPEG-TS file to be read from anywhere. Memory does not grow with the
 * file but for the tables of MP4; files without tables are searched, a megabyte or so per seek.
 * @throws MediaFileError for another kind of file, or one without anything to play; ParseError for a malformed one.
 */
export async function openSeekable(source: ByteSource): Promise<SeekableFile> {
  const { size } = source;
  if (size === undefined) throw new MediaFileError('a source of unknown length');
  const reader = new BlockReader(source, { blockBytes: READ_BYTES });
  const format = detectFormat(await reader.read(0, DETECT_BYTES));
  if (format === undefined) throw new MediaFileError('neither MP4, WebM, FLV nor MPEG-TS');
  if (format === 'hls' || format === 'dash') {
    throw new MediaFileError(`a ${FORMAT_NAMES[format]} is no media file`);
  }
  const { way, beginning } = await openWay(source, reader, format, size);
  const shifts = shiftsOf(beginning);
  const origin = originOf(beginning);
  return {
    format,
    tracks: [...beginning.tracks.values()].filter(({ id }) => shifts.has(id)).sort((a, b) => a.id - b.id),
    duration: Math.max(0, way.end - origin),
    from: (seconds) => placed(seconds <= 0 ? way.begin() : way.from(seconds + origin), shifts),
    bytesRead: () => reader.bytesRead,
  };
}

async function openWay(
  source: ByteSource,
  reader: BlockReader,
  format: 'mp4' | 'webm' | 'flv' | 'mpegts',
  size: number,
): Promise<{ readonly way: Way; readonly beginning: Beginning }> {
  if (format === 'mp4') {
    const way = await Mp4Seek.open(source, reader);
    return { way, beginning: await beginningOf(way.begin(), reader) };
  }
  const beginning = await beginningOf(readStreamed(reader, format), reader);
  const seek = new StreamedSeek(reader, format, size);
  await seek.learn(beginning.bytes);
  const lead = beginning.firsts.has(1) ? 1 : 2;
  const way: Way = {
    end: await seek.end(),
    begin: () => seek.begin(),
    from: (seconds) => seek.from(seconds, lead),
  };
  return { way, beginning };
}

async function beginningOf(batches: FileBatches, reader: BlockReader): Promise<Beginning> {
  const tracks = new Map<number, Track>();
  const firsts = new Map<number, Sample>();
  const late = new Map<number, number>();
  const from = reader.bytesRead;
  let over = false;
  let pictures = 0;
  for await (const batch of batches) {
    for (const item of batch) {
      if (item.kind === 'track') tracks.set(item.track.id, item.track);
      else {
        const { track, dts, pts } = item.sample;
        const first = firsts.get(track.id) ?? item.sample;
        firsts.set(track.id, first);
        late.set(track.id, Math.max(late.get(track.id) ?? 0, dts - pts));
        if (track.id === 1) pictures++;
        over ||= (dts - first.dts) / track.timebase >= START_SECONDS;
      }
    }
    const known = firsts.size === 2 && pictures >= REORDERED_PICTURES;
    if (over || known || reader.bytesRead - from > MAX_START_BYTES) break;
  }
  if (firsts.size === 0) throw new MediaFileError('there is nothing to play: no track has samples');
  return { tracks, firsts, late, bytes: reader.bytesRead };
}

/** Seconds at which the first of a file is decoded, but for sound before 0, which no decoder is to let be heard. */
function originOf({ firsts, late }: Beginning): number {
  const begins = [...firsts.values()].map(({ pts, dts, track: { id, timebase, parameters } }) => {
    const time = parameters.kind === 'video' ? dts - (late.get(id) ?? 0) : Math.max(0, pts);
    return time / timebase;
  });
  return Math.min(...begins);
}

/** What is added to the times of each track, so that the file begins at 0. */
function shiftsOf(beginning: Beginning): ReadonlyMap<number, Shift> {
  const origin = originOf(beginning);
  const shifts = new Map<number, Shift>();
  for (const { track } of beginning.firsts.values()) {
    // Rounded up: a keyframe a tick before 0 would be left out.
    const pts = Math.ceil(-origin * track.timebase);
    shifts.set(track.id, { pts, dts: pts - (beginning.late.get(track.id) ?? 0) });
  }
  return shifts;
}

async function* placed(batches: FileBatches, shifts: ReadonlyMap<number, Shift>): FileBatches {
  for await (const batch of batches) {
    const items: FileItem[] = [];
    for (const item of batch) {
      if (item.kind === 'track') {
        if (shifts.has(item.track.id)) items.push(item);
        continue;
      }
      const shift = shifts.get(item.sample.track.id);
      if (shift === undefined) continue;
      const sample = moved(item.sample, shift);
      // What lies before 0 is sound that no decoder is to let be heard.
      if (sample.dts >= 0) items.push({ kind: 'sample', sample });
    }
    if (items.length > 0) yield items;
  }
}
