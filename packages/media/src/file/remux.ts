import { type Sample, sameParameters, type Track } from '../model/index.ts';
import { WEBM_CODECS } from '../webm/index.ts';
import {
  type FileEnding,
  type FileWriter,
  moved,
  type OutputFormat,
  type Shift,
  type TrackStart,
  ticksIn,
} from './file-writer.ts';
import { type FileItem, type MediaFile, MediaFileError } from './media-file.ts';
import { FragmentWriter, Mp4Writer } from './mp4-writer.ts';
import { FlvWriter, TsWriter, WebmWriter } from './stream-writers.ts';

/** Seconds of media within which every track of a file must have begun. */
const START_SECONDS = 2;
/** Samples, and their bytes, that are held until the tracks are known. */
const MAX_HELD_SAMPLES = 4096;
const MAX_HELD_BYTES = 16 * 1024 * 1024;

/** What was written. */
export interface RemuxResult {
  readonly samples: number;
  /** Seconds from the first to the end of the last sample shown. */
  readonly duration: number;
  readonly tracks: readonly Track[];
}

/** Where bytes go. */
export interface RemuxSink {
  /** Resolves when it needs them no longer; it is not called again before. The arrays may be views of what was read. */
  write(parts: readonly Uint8Array[]): Promise<void>;
  /** Writes over earlier bytes; absent where that cannot be done. */
  patch?(offset: number, bytes: Uint8Array): Promise<void>;
}

/** Bytes that are gathered before they are written. */
const WRITE_BYTES = 1024 * 1024;

/**
 * Writes the first picture and the first sound of a file into another container, frame by frame as they are. Times
 * begin at 0. Memory does not grow with the file, but for the tables of `mp4`.
 * @throws MediaFileError if there is nothing to write, or parameters change on the way; ParseError for codecs that the
 * container does not carry, and malformed input.
 */
export async function remux(file: MediaFile, format: OutputFormat, sink: RemuxSink): Promise<RemuxResult> {
  const seekable = sink.patch !== undefined;
  const giveBack = (data: Uint8Array): void => file.giveBack(data);
  const writer = writerOf(format, seekable, giveBack);
  const run = new Remuxer(writer, format, giveBack);
  let parts: Uint8Array[] = [];
  let bytes = 0;
  let writing: Promise<void> = Promise.resolve();
  /** Begins to write what there is, once what was written before is done: reading goes on meanwhile. */
  const flush = async (): Promise<void> => {
    await writing;
    if (parts.length === 0) return;
    const going = parts;
    parts = [];
    bytes = 0;
    writing = sink.write(going).then(() => {
      for (const part of going) {
        file.giveBack(part);
        writer.giveBack?.(part);
      }
    });
    // Told by the next one who waits for it.
    writing.catch(() => undefined);
  };
  const take = (more: readonly Uint8Array[]): void => {
    for (const part of more) {
      if (part.length === 0) continue;
      parts.push(part);
      bytes += part.length;
    }
  };
  for await (const batch of file.batches) {
    for (const item of batch) {
      take(run.push(item));
      if (bytes >= WRITE_BYTES) await flush();
    }
  }
  const { before, ending } = run.finish();
  take(before);
  take(ending.tail);
  await flush();
  await writing;
  for (const { offset, bytes: patch } of ending.patches) await sink.patch?.(offset, patch);
  return run.result();
}

function writerOf(format: OutputFormat, seekable: boolean, copied: (data: Uint8Array) => void): FileWriter {
  switch (format) {
    case 'mp4':
      // Where nothing can be written over there is no place for the length of the media.
      return seekable ? new Mp4Writer() : new FragmentWriter(false);
    case 'fmp4':
      return new FragmentWriter(seekable);
    case 'webm':
    case 'mkv':
      return new WebmWriter(seekable);
    case 'flv':
      return new FlvWriter();
    case 'ts':
      return new TsWriter(copied);
  }
}

/** Holds what comes until the tracks are known, then hands it to the writer on a timeline from 0. */
class Remuxer {
  readonly #writer: FileWriter;
  readonly #format: OutputFormat;
  readonly #giveBack: (data: Uint8Array) => void;
  readonly #tracks = new Map<number, Track>();
  #held: Sample[] | undefined = [];
  #heldBytes = 0;
  /** Ticks that are added, by track. */
  readonly #shifts = new Map<number, Shift>();
  readonly #span = { from: Number.POSITIVE_INFINITY, to: Number.NEGATIVE_INFINITY };
  #samples = 0;

  /** @param giveBack told of samples whose bytes are not needed any longer, other than those that are written. */
  constructor(writer: FileWriter, format: OutputFormat, giveBack: (data: Uint8Array) => void) {
    this.#writer = writer;
    this.#format = format;
    this.#giveBack = giveBack;
  }

  push(item: FileItem): readonly Uint8Array[] {
    if (item.kind === 'track') {
      this.#track(item.track);
      return [];
    }
    const { sample } = item;
    if (this.#held === undefined) return this.#write(sample);
    this.#held.push(sample);
    this.#heldBytes += sample.data.length;
    return this.#isKnown(sample) ? this.#begin() : [];
  }

  finish(): { readonly before: readonly Uint8Array[]; readonly ending: FileEnding } {
    const before = this.#held === undefined ? [] : this.#begin();
    return { before, ending: this.#writer.finish() };
  }

  result(): RemuxResult {
    const tracks = [...this.#tracks.values()].filter(({ id }) => this.#shifts.has(id));
    return { samples: this.#samples, duration: Math.max(0, this.#span.to - this.#span.from), tracks };
  }

  #track(track: Track): void {
    const known = this.#tracks.get(track.id);
    if (
      known !== undefined &&
      this.#shifts.has(track.id) &&
      !sameParameters(known.parameters, track.parameters)
    ) {
      const at = this.#span.to.toFixed(3);
      throw new MediaFileError(
        `track ${track.id} changes its parameters at ${at} s, which one file cannot tell`,
      );
    }
    this.#tracks.set(track.id, track);
  }

  #isKnown({ dts, track }: Sample): boolean {
    const held = this.#held!;
    if (held.length >= MAX_HELD_SAMPLES || this.#heldBytes >= MAX_HELD_BYTES) return true;
    const first = held.find((sample) => sample.track.id === track.id)!;
    return (dts - first.dts) / track.timebase >= START_SECONDS;
  }

  #begin(): Uint8Array[] {
    const held = this.#held ?? [];
    this.#held = undefined;
    const starts: TrackStart[] = [];
    for (const track of this.#tracks.values()) {
      const first = held.find((sample) => sample.track.id === track.id);
      if (first !== undefined) starts.push({ track, first });
    }
    if (starts.length === 0) throw new MediaFileError('there is nothing to write: no track has samples');
    checkCodecs(this.#format, starts);
    starts.sort((a, b) => a.track.id - b.track.id);
    // Where decoding is told later than showing, as fragments may do, it is told earlier: most containers cannot say it.
    const lags = starts.map(({ track }) => lagOf(held, track));
    // FLV knows no time below zero, so its timeline begins with decoding; elsewhere with what is shown.
    const decoding = this.#format === 'flv';
    let origin: { readonly time: number; readonly timebase: number } | undefined;
    for (const [index, { track, first }] of starts.entries()) {
      const time = decoding ? first.dts - lags[index]! : Math.max(0, first.pts);
      if (origin === undefined || time / track.timebase < origin.time / origin.timebase) {
        origin = { time, timebase: track.timebase };
      }
    }
    const placed = starts.map(({ track, first }, index) => {
      const pts = -ticksIn(track, origin!.time, origin!.timebase);
      const shift = { pts, dts: pts - lags[index]! };
      this.#shifts.set(track.id, shift);
      return { track, first: moved(first, shift) };
    });
    const parts = [...this.#writer.begin(placed)];
    for (const sample of held) parts.push(...this.#write(sample));
    return parts;
  }

  #write(sample: Sample): readonly Uint8Array[] {
    const { track, pts, duration } = sample;
    const shift = this.#shifts.get(track.id);
    if (shift === undefined) return [];
    this.#samples++;
    this.#span.from = Math.min(this.#span.from, pts / track.timebase);
    this.#span.to = Math.max(this.#span.to, (pts + (duration ?? 0)) / track.timebase);
    const parts = this.#writer.push(moved(sample, shift));
    if (this.#writer.copies === true) this.#giveBack(sample.data);
    return parts;
  }
}

/** Ticks by which a track's decoding is told later than its showing. */
function lagOf(held: readonly Sample[], track: Track): number {
  let lag = 0;
  for (const sample of held) if (sample.track.id === track.id) lag = Math.max(lag, sample.dts - sample.pts);
  return lag;
}

function checkCodecs(format: OutputFormat, starts: readonly TrackStart[]): void {
  if (format !== 'webm') return;
  for (const { track } of starts) {
    const { codec } = track.parameters;
    if (!WEBM_CODECS.has(codec)) {
      throw new MediaFileError(`WebM does not carry ${codec}; Matroska (.mkv) does`);
    }
  }
}
