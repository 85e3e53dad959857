import { ParseError, type Sample, type Track } from '../model/index.ts';
import type { BlockReader } from './byte-source.ts';
import type { FileBatches, FileItem } from './media-file.ts';
import { findUnit, type StreamedFormat } from './resync.ts';
import { StreamedDemuxer } from './streamed-file.ts';

/** Bytes that are read at once where something is looked for. */
const PIECE_BYTES = 128 * 1024;
/** A search that is so narrow is over: what is left is read through. Bytes. */
const NARROW_BYTES = 768 * 1024;
/** Read before the place that a search found, so that sound that lies before its picture is there. Bytes. */
const MARGIN_BYTES = 256 * 1024;
/** Most that is read in search of one keyframe, and most that is held of one group of pictures. Bytes. */
const MAX_GROUP_BYTES = 32 * 1024 * 1024;
/** First look at the end of a file for its last sample; four times more with each further one. Bytes. */
const TAIL_BYTES = 512 * 1024;

/** Finds its way in a file that has no table of its samples, by looking into it in few places. */
export class StreamedSeek {
  readonly #reader: BlockReader;
  readonly #format: StreamedFormat;
  readonly #size: number;
  /** What every beginning in the middle is preceded by: headers and codec parameters. */
  #head: Uint8Array = new Uint8Array(0);

  /** @param size bytes of the file. */
  constructor(reader: BlockReader, format: StreamedFormat, size: number) {
    this.#reader = reader;
    this.#format = format;
    this.#size = size;
  }

  /** Remembers what has to come before anything else. @param bytes how much of the file was read until it was known. */
  async learn(bytes: number): Promise<void> {
    // A transport stream says it again and again, and a Matroska file before its first Cluster.
    if (this.#format === 'mpegts') return;
    const start = this.#format === 'webm' ? 0 : bytes;
    for (let length = start + PIECE_BYTES; length <= MAX_GROUP_BYTES; length *= 2) {
      const head = await this.#reader.read(0, length);
      const end = findUnit(this.#format, head, start);
      if (end !== undefined || head.length < length) {
        this.#head = head.slice(0, end ?? head.length);
        return;
      }
    }
  }

  /** Seconds at which the last sample ends, as the file counts them. */
  async end(): Promise<number> {
    let end = 0;
    for (let back = TAIL_BYTES; end === 0 && back <= MAX_GROUP_BYTES * 4; back *= 4) {
      const from = Math.max(0, this.#size - back);
      for await (const batch of this.#from(from)) {
        for (const item of batch) if (item.kind === 'sample') end = Math.max(end, endOf(item.sample));
      }
      if (from === 0) break;
    }
    return end;
  }

  /** Everything from the beginning. */
  begin(): FileBatches {
    return this.#from(0);
  }

  /**
   * Everything from the last keyframe of `lead` that is shown at or before `seconds`, which the file counts.
   * Sound begins where this keyframe does.
   */
  async *from(seconds: number, lead: number): FileBatches {
    const begin = await this.#search(seconds, lead);
    let held: FileItem[] = [];
    let bytes = 0;
    let found = false;
    for await (const batch of this.#from(Math.max(0, begin - MARGIN_BYTES))) {
      if (found) {
        yield batch;
        continue;
      }
      for (const item of batch) {
        if (item.kind === 'sample' && !found) {
          const { sample } = item;
          const leads = sample.track.id === lead;
          found = leads && timeOf(sample) > seconds && held.some((one) => isKeyframe(one, lead));
          if (!found && leads && sample.keyframe) {
            held = held.filter((one) => one.kind === 'track' || !endsBefore(one, sample, lead));
            bytes = 0;
          }
          bytes += sample.data.length;
          found ||= bytes > MAX_GROUP_BYTES;
        }
        held.push(item);
      }
      if (found) yield fromKeyframe(held, lead);
    }
    if (!found) yield fromKeyframe(held, lead);
  }

  /** A place in the file whose next keyframe is not later than `seconds`, and not much earlier. */
  async #search(seconds: number, lead: number): Promise<number> {
    let low = 0;
    let high = this.#size;
    while (high - low > NARROW_BYTES) {
      const middle = Math.floor((low + high) / 2);
      const time = await this.#keyframeAfter(middle, high, lead);
      if (time !== undefined && time <= seconds) low = middle;
      else high = middle;
    }
    return low;
  }

  /** When the first keyframe behind `at` is shown; undefined if there is none before `limit`. */
  async #keyframeAfter(at: number, limit: number, lead: number): Promise<number | undefined> {
    for await (const batch of this.#from(at, limit)) {
      for (const item of batch) if (isKeyframe(item, lead)) return timeOf(item.sample);
    }
    return undefined;
  }

  /** What is in the file from the first unit at or after `at`; the tracks come first where the head tells them. */
  async *#from(at: number, limit = Number.POSITIVE_INFINITY): FileBatches {
    const demuxer = new StreamedDemuxer(this.#format);
    let place = at;
    if (place <= this.#head.length) place = 0;
    else if (this.#head.length > 0) {
      demuxer.push(this.#head);
      yield demuxer.take().filter(({ kind }) => kind === 'track');
    }
    let inStep = place === 0;
    while (place < limit) {
      const bytes = await this.#reader.read(place, PIECE_BYTES);
      if (bytes.length === 0) break;
      const start: number | undefined = inStep ? 0 : findUnit(this.#format, bytes);
      if (start === undefined) {
        // A unit may begin at the very end of this piece.
        place += Math.max(1, bytes.length - 16);
        continue;
      }
      inStep = true;
      place += bytes.length;
      const whole = pushed(demuxer, bytes.subarray(start));
      const found = demuxer.take();
      if (found.length > 0) yield found;
      if (!whole) return;
    }
    demuxer.end();
    yield demuxer.take();
  }
}

/** False where the file makes no sense any longer: what came before is good. */
function pushed(demuxer: StreamedDemuxer, bytes: Uint8Array): boolean {
  try {
    demuxer.push(bytes);
    return true;
  } catch (error) {
    if (error instanceof ParseError) return false;
    throw error;
  }
}

function isKeyframe(item: FileItem, lead: number): item is { kind: 'sample'; sample: Sample } {
  return item.kind === 'sample' && item.sample.track.id === lead && item.sample.keyframe;
}

function endsBefore({ sample }: { readonly sample: Sample }, key: Sample, lead: number): boolean {
  return sample.track.id === lead || endOf(sample) <= timeOf(key);
}

/** Without what is decoded before the first keyframe of `lead`. */
function fromKeyframe(held: readonly FileItem[], lead: number): FileItem[] {
  const at = held.findIndex((item) => isKeyframe(item, lead));
  return held.filter((item, i) => item.kind === 'track' || i >= at || item.sample.track.id !== lead);
}

function timeOf({ pts, track }: { readonly pts: number; readonly track: Track }): number {
  return pts / track.timebase;
}

function endOf({ pts, duration, track }: Sample): number {
  return (pts + (duration ?? 0)) / track.timebase;
}
