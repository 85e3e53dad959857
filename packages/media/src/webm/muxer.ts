import { audioFrames } from '../bitstream/index.ts';
import { ByteWriter, concatBytes } from '../bytes/index.ts';
import { ParseError } from '../model/errors.ts';
import type { Sample, Track } from '../model/sample.ts';
import { ID } from './element-id.ts';
import {
  element,
  floatElement,
  intElement,
  master,
  textElement,
  uintElement,
  wideUintElement,
} from './element-writer.ts';
import { docTypeFor, type MuxTrack, muxTracks, tracksElement } from './mux-track.ts';
import { DEFAULT_TIMESTAMP_SCALE } from './segment-info.ts';
import { ticksToNanoseconds } from './timestamp.ts';
import { sizeBytes, writeId, writeSize, writeUnknownSize } from './vint.ts';

/** Longest Cluster unless told otherwise, in milliseconds. */
export const DEFAULT_CLUSTER_MS = 5000;
/** Octets of frames after which a Cluster of a file is closed, so that memory stays bounded. */
export const MAX_CLUSTER_BYTES = 4 * 1024 * 1024;
/** Reach of a block's time in its Cluster, in milliseconds: a signed number of 16 bits. */
const MAX_RELATIVE_MS = 32_767;
const NANOSECONDS_PER_MS = DEFAULT_TIMESTAMP_SCALE;
const SEGMENT_HEADER_BYTES = 12;
/** A Void of this length keeps the place of SeekHead: three entries. */
const SEEK_HEAD_BYTES = 5 + 3 * 21;
/** A Void of this length keeps the place of Duration. */
const DURATION_BYTES = 11;

/** How a {@link WebmMuxer} writes. */
export interface WebmMuxerOptions {
  /**
   * `stream`: every sample's bytes at once, sizes unknown, no index. `file`: whole Clusters, and at the end
   * an index, a duration and sizes; without the ending it is still a good stream.
   */
  readonly mode?: 'stream' | 'file';
  /** Longest Cluster, in milliseconds; at most 30,000. */
  readonly maxClusterMs?: number;
  /** Named in the file as the program that wrote it. */
  readonly writingApp?: string;
}

/** What completes a file. */
export interface WebmEnding {
  /** The last bytes of the file. */
  readonly tail: Uint8Array;
  /** Bytes to be written over earlier ones; none in mode `stream`. */
  readonly patches: readonly { readonly offset: number; readonly bytes: Uint8Array }[];
}

interface OpenCluster {
  /** Milliseconds. */
  readonly time: number;
  readonly parts: Uint8Array[];
  bytes: number;
  hasVideo: boolean;
}

/** An index entry under way. */
interface Cue {
  readonly time: number;
  readonly track: number;
  readonly position: number;
}

/** Where a track has come to, in milliseconds. */
interface Progress {
  time: number;
  end: number;
}

/**
 * Writes samples as WebM, or as Matroska where the codecs are not WebM's. Samples come in the order of their
 * decoding times over all tracks. A track with new parameters needs a new muxer; its output may follow as a
 * further recording.
 */
export class WebmMuxer {
  readonly #tracks: readonly MuxTrack[];
  readonly #file: boolean;
  readonly #maxClusterMs: number;
  readonly #writingApp: string;
  #cluster: OpenCluster | undefined;
  readonly #cues: Cue[] = [];
  readonly #progress = new Map<number, Progress>();
  /** Octets handed out. */
  #written = 0;
  /** Octets up to the content of the Segment, to that of Info, and to Tracks. */
  #places = { segment: 0, info: 0, duration: 0, tracks: 0 };
  /** Milliseconds by which all times are moved, so that the first is not below zero. */
  #shift: number | undefined;

  /** @throws ParseError `WEBM_CODEC_UNSUPPORTED`, `WEBM_TRACKS`, `CONFIG_MALFORMED` */
  constructor(tracks: readonly Track[], options: WebmMuxerOptions = {}) {
    this.#tracks = muxTracks(tracks);
    this.#file = options.mode === 'file';
    this.#maxClusterMs = Math.min(options.maxClusterMs ?? DEFAULT_CLUSTER_MS, 30_000);
    this.#writingApp = options.writingApp ?? 'onair';
  }

  /** MIME type without codecs. */
  get mimeType(): string {
    const kind = this.#tracks.some(({ parameters }) => parameters.kind === 'video') ? 'video' : 'audio';
    return `${kind}/${docTypeFor(this.#tracks) === 'webm' ? 'webm' : 'x-matroska'}`;
  }

  /** EBML header, the beginning of the Segment, Info and Tracks: what a decoder needs first. */
  header(): Uint8Array {
    const ebml = master(ID.EBML, [
      uintElement(ID.EBMLVersion, 1),
      uintElement(ID.EBMLReadVersion, 1),
      uintElement(ID.EBMLMaxIDLength, 4),
      uintElement(ID.EBMLMaxSizeLength, 8),
      textElement(ID.DocType, docTypeFor(this.#tracks)),
      uintElement(ID.DocTypeVersion, 4),
      uintElement(ID.DocTypeReadVersion, 2),
    ]);
    const segment = new ByteWriter(SEGMENT_HEADER_BYTES);
    writeId(segment, ID.Segment);
    writeUnknownSize(segment);
    const seekRoom = this.#file ? room(SEEK_HEAD_BYTES) : new Uint8Array(0);
    const duration = this.#file ? room(DURATION_BYTES) : new Uint8Array(0);
    const info = master(ID.Info, [
      uintElement(ID.TimestampScale, NANOSECONDS_PER_MS),
      textElement(ID.MuxingApp, 'onair'),
      textElement(ID.WritingApp, this.#writingApp),
      duration,
    ]);
    const before = ebml.length + SEGMENT_HEADER_BYTES;
    this.#places = {
      segment: before,
      info: before + seekRoom.length,
      duration: before + seekRoom.length + info.length - duration.length,
      tracks: before + seekRoom.length + info.length,
    };
    return this.#out([ebml, segment.finish(), seekRoom, info, tracksElement(this.#tracks)]);
  }

  /**
   * The bytes that a sample makes ready; in mode `file` none until its Cluster is whole.
   * @throws TypeError if its track was not announced.
   */
  push(sample: Sample): Uint8Array {
    const target = this.#tracks.find(({ track }) => track.id === sample.track.id);
    if (target === undefined) throw new TypeError(`track ${sample.track.id} is not one of the muxer's`);
    const time = this.#time(sample, target);
    this.#advance(target.number, time, sample);
    const isVideo = target.parameters.kind === 'video';
    const ready: Uint8Array[] = [];
    if (this.#needsCluster(time, isVideo && sample.keyframe))
      ready.push(...this.#begin(time, sample, target));
    const cluster = this.#cluster!;
    cluster.hasVideo ||= isVideo;
    const parts = blockParts(sample, target, time - cluster.time);
    for (const part of parts) cluster.bytes += part.length;
    (this.#file ? cluster.parts : ready).push(...parts);
    return this.#out(ready);
  }

  /** The end: what is left to write, and what to write over. The muxer must not be used again. */
  finish(): WebmEnding {
    const rest = this.#out(this.#close());
    if (!this.#file) return { tail: rest, patches: [] };
    const cuesAt = this.#written - this.#places.segment;
    const cues = this.#cues.length === 0 ? [] : [cuesElement(this.#cues)];
    const tail = concatBytes([rest, this.#out(cues)]);
    const { segment, info, duration, tracks } = this.#places;
    const seek = seekHead([
      [ID.Info, info - segment],
      [ID.Tracks, tracks - segment],
      ...(cues.length === 0 ? [] : ([[ID.Cues, cuesAt]] as const)),
    ]);
    const size = new ByteWriter(8);
    writeSize(size, this.#written - segment, 8);
    const end = Math.max(0, ...[...this.#progress.values()].map((progress) => progress.end));
    return {
      tail,
      patches: [
        { offset: segment - 8, bytes: size.finish() },
        { offset: segment, bytes: seek },
        { offset: duration, bytes: floatElement(ID.Duration, end) },
      ],
    };
  }

  /** Milliseconds of a sample's block, moved. */
  #time(sample: Sample, target: MuxTrack): number {
    const exact = ticksToNanoseconds(sample.pts, sample.track.timebase) + target.codecDelay;
    const time = Math.round(exact / NANOSECONDS_PER_MS);
    this.#shift ??= Math.max(0, -time);
    return time + this.#shift;
  }

  #advance(number: number, time: number, sample: Sample): void {
    const before = this.#progress.get(number);
    const told = sample.duration;
    const duration =
      told === undefined
        ? Math.max(0, time - (before?.time ?? time))
        : ticksToNanoseconds(told, sample.track.timebase) / NANOSECONDS_PER_MS;
    const end = Math.max(before?.end ?? 0, time + duration);
    this.#progress.set(number, { time, end });
  }

  #needsCluster(time: number, videoKey: boolean): boolean {
    const open = this.#cluster;
    if (open === undefined || (videoKey && open.hasVideo)) return true;
    const relative = time - open.time;
    if (relative > this.#maxClusterMs || relative < -MAX_RELATIVE_MS) return true;
    return this.#file && open.bytes > MAX_CLUSTER_BYTES;
  }

  /** Begins a Cluster; returns what is ready to be written. */
  #begin(time: number, sample: Sample, target: MuxTrack): Uint8Array[] {
    const ready = this.#close();
    const start = Math.max(0, time);
    const position = this.#written + length(ready) - this.#places.segment;
    const anyVideo = this.#tracks.some(({ parameters }) => parameters.kind === 'video');
    const isCue = anyVideo ? target.parameters.kind === 'video' && sample.keyframe : true;
    if (this.#file && isCue) this.#cues.push({ time: start, track: target.number, position });
    this.#cluster = { time: start, parts: [], bytes: 0, hasVideo: false };
    const timestamp = uintElement(ID.Timestamp, start);
    if (this.#file) {
      this.#cluster.parts.push(timestamp);
      return ready;
    }
    const head = new ByteWriter(SEGMENT_HEADER_BYTES);
    writeId(head, ID.Cluster);
    writeUnknownSize(head);
    return [...ready, head.finish(), timestamp];
  }

  /** The open Cluster, if it is kept until whole. */
  #close(): Uint8Array[] {
    const open = this.#cluster;
    this.#cluster = undefined;
    if (open === undefined || !this.#file) return [];
    const head = new ByteWriter(SEGMENT_HEADER_BYTES);
    writeId(head, ID.Cluster);
    writeSize(head, length(open.parts));
    return [head.finish(), ...open.parts];
  }

  #out(parts: readonly Uint8Array[]): Uint8Array {
    const bytes = concatBytes(parts);
    this.#written += bytes.length;
    return bytes;
  }
}

/** A whole file in memory: header, samples, index. For small ones; see {@link WebmMuxer} for others. */
export function webmFile(
  tracks: readonly Track[],
  samples: Iterable<Sample>,
  options: Omit<WebmMuxerOptions, 'mode'> = {},
): Uint8Array {
  const muxer = new WebmMuxer(tracks, { ...options, mode: 'file' });
  const parts = [muxer.header()];
  for (const sample of samples) parts.push(muxer.push(sample));
  const { tail, patches } = muxer.finish();
  const file = concatBytes([...parts, tail]);
  for (const { offset, bytes } of patches) file.set(bytes, offset);
  return file;
}

/** A SimpleBlock, or a BlockGroup where the decoder is to drop the end of the sound. The last part is the sample's data. */
function blockParts(sample: Sample, { number, parameters }: MuxTrack, relative: number): Uint8Array[] {
  const cut = parameters.kind === 'audio' ? cutFrames(sample) : 0;
  const head = new ByteWriter(24);
  const size = 4 + sample.data.length;
  if (cut > 0) {
    const { timebase, parameters: told } = sample.track;
    const length = told.kind === 'audio' ? audioFrames(told, sample.data) - cut : 0;
    const milliseconds = Math.round((length * 1000) / timebase);
    const extra = [
      uintElement(ID.BlockDuration, milliseconds),
      intElement(ID.DiscardPadding, ticksToNanoseconds(cut, timebase)),
    ];
    const blockBytes = 1 + sizeBytes(size) + size;
    writeId(head, ID.BlockGroup);
    writeSize(head, blockBytes + extra[0]!.length + extra[1]!.length);
    head.bytes(extra[0]!).bytes(extra[1]!);
  }
  writeId(head, cut > 0 ? ID.Block : ID.SimpleBlock);
  writeSize(head, size);
  head.u8(0x80 | number).i16(relative);
  head.u8(cut === 0 && sample.keyframe ? 0x80 : 0);
  return [head.finish(), sample.data];
}

/** Codecs whose last sample may be told to be shorter than what decoders make of it. */
const CUT_CODECS: ReadonlySet<string> = new Set(['opus', 'mp3']);

/** PCM frames by which a sample is shorter than what its data decodes to. */
function cutFrames({ track, data, duration }: Sample): number {
  const { parameters } = track;
  if (parameters.kind !== 'audio' || !CUT_CODECS.has(parameters.codec) || duration === undefined) return 0;
  try {
    return Math.max(0, audioFrames(parameters, data) - duration);
  } catch (error) {
    if (error instanceof ParseError) return 0;
    throw error;
  }
}

function cuesElement(cues: readonly Cue[]): Uint8Array {
  return master(
    ID.Cues,
    cues.map(({ time, track, position }) =>
      master(ID.CuePoint, [
        uintElement(ID.CueTime, time),
        master(ID.CueTrackPositions, [
          uintElement(ID.CueTrack, track),
          uintElement(ID.CueClusterPosition, position),
        ]),
      ]),
    ),
  );
}

/** SeekHead, and a Void for the entries that it has fewer than three. */
function seekHead(entries: readonly (readonly [id: number, position: number])[]): Uint8Array {
  const found = master(
    ID.SeekHead,
    entries.map(([id, position]) =>
      master(ID.Seek, [
        element(ID.SeekID, new ByteWriter(4).u32(id).finish()),
        wideUintElement(ID.SeekPosition, position),
      ]),
    ),
  );
  const left = SEEK_HEAD_BYTES - found.length;
  return left === 0 ? found : concatBytes([found, room(left)]);
}

/** A Void of `bytes` octets, at least 2 and at most 128. */
function room(bytes: number): Uint8Array {
  return element(ID.Void, new Uint8Array(bytes - 2), 1);
}

function length(parts: readonly Uint8Array[]): number {
  let total = 0;
  for (const part of parts) total += part.length;
  return total;
}
