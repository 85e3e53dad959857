import { concatBytes } from '../bytes/index.ts';
import { ParseError } from '../model/errors.ts';
import type { Sample, Track } from '../model/sample.ts';
import { AudioLane } from './audio-lane.ts';
import { readBlock } from './block.ts';
import { audioCodecOf, videoCodecOf } from './codec-id.ts';
import { DEFAULT_MAX_BLOCK_BYTES, handlingOf } from './demux-limits.ts';
import {
  checkCrc,
  type Element,
  elementBudget,
  findElement,
  readElements,
  readInt,
  readUint,
} from './element.ts';
import { ID } from './element-id.ts';
import { type ElementPlan, ElementStream } from './element-stream.ts';
import type { ElementHeader } from './placement.ts';
import { elementKind } from './schema.ts';
import {
  type CuePoint,
  DEFAULT_TIMESTAMP_SCALE,
  type DocumentHeader,
  readCues,
  readDocumentHeader,
  readInfo,
  readSeekHead,
  readTags,
  type SeekEntry,
  type SegmentInfo,
  type SimpleTag,
} from './segment-info.ts';
import { readTracks, type TrackEntry } from './track-entry.ts';
import { type Lane, VideoLane } from './video-lane.ts';

/** The beginning of a recording. */
export interface WebmInit {
  /** 0 for the first EBML header of the stream, 1 for the next and so on. */
  readonly recording: number;
  readonly document: DocumentHeader;
  readonly info: SegmentInfo;
  /** All tracks, those that are not demuxed included. */
  readonly entries: readonly TrackEntry[];
  /** Octet of the stream where the content of the Segment begins, from which Cues and SeekHead count. */
  readonly segmentOffset: number;
}

/** Who takes what a {@link WebmDemuxer} finds. Called within `push`, in the order of the stream. */
export interface WebmHandler {
  /** A track begins, or goes on under the same id with new parameters. */
  onTrack(track: Track): void;
  onSample(sample: Sample): void;
  /** A recording begins; another one may follow in mid-stream, with times of its own. */
  onInit?(init: WebmInit): void;
  /** Something is wrong and was passed over. Offsets count from the start of the stream. */
  onFault?(error: ParseError): void;
  /** Asked for only if present, as the following ones: they are then held in memory whole. */
  onCues?(cues: readonly CuePoint[]): void;
  onTags?(tags: readonly SimpleTag[]): void;
  onSeekHead?(entries: readonly SeekEntry[]): void;
}

interface Recording {
  readonly lanes: ReadonlyMap<number, { readonly entry: TrackEntry; readonly lane: Lane }>;
  /** Numbers of tracks that are left out on purpose. */
  readonly ignored: ReadonlySet<number>;
  /** Content of Tracks, to know it again. */
  readonly told: Uint8Array;
}

/** A block with what its group tells. */
interface TimedBlock {
  readonly element: Element;
  readonly duration: number | undefined;
  readonly discardPadding: number;
}

/**
 * WebM or Matroska in, however it is cut, tracks and samples out. Video track ids are 1, 3, 5…, audio 2, 4, 6…
 * in the order of their entries.
 *
 * Video times are 90 kHz ticks of the block's time; decoding times are found by {@link DecodeOrder}. Audio is
 * counted in PCM frames, as from FLV, so that timestamps rounded to milliseconds do not show. CodecDelay is taken
 * off, DiscardPadding shortens the last sample. Damage is reported and passed over up to the next Cluster.
 */
export class WebmDemuxer {
  readonly #handler: WebmHandler;
  readonly #stream: ElementStream;
  #failure: ParseError | undefined;
  #document: DocumentHeader | undefined;
  #info: SegmentInfo = { timestampScale: DEFAULT_TIMESTAMP_SCALE };
  #recording: Recording | undefined;
  /** EBML headers seen. */
  #headers = 0;
  #segmentOffset = 0;
  /** Timestamp of the open Cluster in ticks of the Segment. */
  #clusterTime: number | undefined;
  #dropped = 0;

  /** @param options.maxBlockBytes largest block accepted. */
  constructor(handler: WebmHandler, options: { readonly maxBlockBytes?: number } = {}) {
    this.#handler = handler;
    const { maxBlockBytes = DEFAULT_MAX_BLOCK_BYTES } = options;
    const plan: ElementPlan = {
      handle: (header) => handlingOf(header, maxBlockBytes, this.#handler),
      fault: (error) => this.#handler.onFault?.(error),
    };
    this.#stream = new ElementStream(plan);
  }

  /** Frames dropped: damaged, of a track not announced, or before its first key frame where that tells the codec. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Bytes received but not used yet. */
  get buffered(): number {
    return this.#stream.buffered;
  }

  /**
   * Takes the next bytes of the stream. Samples keep views into them: the caller must not write there again.
   * @throws ParseError when nothing can come of the stream: `EBML_HEADER_MISSING`, `WEBM_DOCTYPE`, or a damaged
   * `Tracks` at its beginning. Each further call throws the same.
   */
  push(bytes: Uint8Array): void {
    if (this.#failure !== undefined) throw this.#failure;
    this.#stream.push(bytes);
    try {
      for (let found = this.#stream.next(); found !== undefined; found = this.#stream.next()) {
        if (found.kind === 'open') this.#open(found.header);
        else if (found.kind === 'whole') this.#whole({ ...found.header, body: found.body });
      }
    } catch (error) {
      if (error instanceof ParseError) this.#failure = error;
      throw error;
    }
  }

  /** Bytes are missing behind what was pushed: goes on at the next Cluster or EBML header. */
  lost(): void {
    this.#stream.lost();
    this.#clusterTime = undefined;
  }

  /** Nothing follows: hands out what is held back and reports what is cut off. */
  end(): void {
    if (this.#failure === undefined) this.#stream.end();
    this.#finishLanes();
  }

  #open({ id, offset, headerBytes }: ElementHeader): void {
    this.#clusterTime = undefined;
    if (id !== ID.Segment) return;
    this.#segmentOffset = offset + headerBytes;
    this.#forget();
  }

  #whole(element: Element): void {
    const running = this.#recording;
    try {
      if (elementKind(element.id)?.type === 'master') this.#verify(element);
      this.#dispatch(element);
    } catch (error) {
      if (!(error instanceof ParseError)) throw error;
      // A stream that begins with such a thing is of no use; later there may come another recording.
      const head = element.id === ID.EBML || element.id === ID.Tracks;
      if (head && this.#headers <= 1 && running === undefined) throw error;
      this.#handler.onFault?.(error);
    }
  }

  #dispatch(element: Element): void {
    switch (element.id) {
      case ID.EBML:
        this.#headers++;
        this.#forget();
        this.#document = undefined;
        this.#document = readDocumentHeader(element);
        break;
      case ID.Info:
        this.#info = readInfo(element);
        break;
      case ID.Tracks:
        this.#begin(element);
        break;
      case ID.Timestamp:
        this.#clusterTime = readUint(element);
        break;
      case ID.SimpleBlock:
        this.#block({ element, duration: undefined, discardPadding: 0 });
        break;
      case ID.BlockGroup:
        this.#group(element);
        break;
      case ID.Cues:
        this.#handler.onCues?.(readCues(element, this.#info.timestampScale));
        break;
      case ID.Tags:
        this.#handler.onTags?.(readTags(element));
        break;
      case ID.SeekHead:
        this.#handler.onSeekHead?.(readSeekHead(element));
        break;
    }
  }

  /** A wrong sum is told, and what can be read is read all the same. */
  #verify(element: Element): void {
    try {
      checkCrc(element);
    } catch (error) {
      if (!(error instanceof ParseError)) throw error;
      this.#handler.onFault?.(error);
    }
  }

  /** Ends the recording: what follows has its own times and tracks. */
  #forget(): void {
    this.#finishLanes();
    this.#recording = undefined;
    this.#clusterTime = undefined;
    this.#info = { timestampScale: DEFAULT_TIMESTAMP_SCALE };
  }

  #finishLanes(): void {
    for (const { lane } of this.#recording?.lanes.values() ?? []) lane.finish();
  }

  #begin(tracks: Element): void {
    const document = this.#document;
    if (document === undefined) return;
    const running = this.#recording?.told;
    if (running !== undefined && sameBytes(running, tracks.body)) return;
    this.#finishLanes();
    this.#recording = undefined;
    const told = tracks.body.slice();
    const entries = readTracks({ ...tracks, body: told });
    const lanes = new Map<number, { entry: TrackEntry; lane: Lane }>();
    const ignored = new Set<number>();
    const count = { video: 0, audio: 0 };
    const refused: ParseError[] = [];
    for (const entry of entries) {
      const lane = this.#lane(entry, count);
      if (lane !== undefined) lanes.set(entry.number, { entry, lane });
      else {
        ignored.add(entry.number);
        if (entry.type !== 'other') refused.push(unsupported(entry, tracks.offset));
      }
    }
    this.#recording = { lanes, ignored, told };
    this.#handler.onInit?.({
      recording: Math.max(0, this.#headers - 1),
      document,
      info: this.#info,
      entries,
      segmentOffset: this.#segmentOffset,
    });
    for (const error of refused) this.#handler.onFault?.(error);
    for (const { lane } of lanes.values()) this.#attempt(tracks.offset, () => lane.start());
  }

  #lane(entry: TrackEntry, count: { video: number; audio: number }): Lane | undefined {
    if (entry.encoding.kind === 'unsupported') return undefined;
    const { codecId } = entry;
    const video = entry.type === 'video' ? videoCodecOf(codecId) : undefined;
    if (video !== undefined) return new VideoLane(1 + 2 * count.video++, entry, video, this.#handler);
    const audio = entry.type === 'audio' ? audioCodecOf(codecId) : undefined;
    if (audio !== undefined) return new AudioLane(2 + 2 * count.audio++, entry, audio, this.#handler);
    return undefined;
  }

  #group(group: Element): void {
    const fields = readElements(group, elementBudget());
    const element = findElement(fields, ID.Block);
    if (element === undefined) return;
    const duration = findElement(fields, ID.BlockDuration);
    const padding = findElement(fields, ID.DiscardPadding);
    const { timestampScale } = this.#info;
    this.#block({
      element,
      duration: duration === undefined ? undefined : readUint(duration) * timestampScale,
      discardPadding: padding === undefined ? 0 : readInt(padding),
    });
  }

  #block({ element, duration, discardPadding }: TimedBlock): void {
    const at = element.offset + element.headerBytes;
    const recording = this.#recording;
    if (recording === undefined || this.#clusterTime === undefined) {
      this.#dropped++;
      return;
    }
    const block = located(at, () => readBlock(element.body));
    const known = recording.lanes.get(block.trackNumber);
    if (known === undefined) {
      if (!recording.ignored.has(block.trackNumber)) this.#dropped++;
      return;
    }
    const { entry, lane } = known;
    const { defaultDuration, codecDelay, encoding } = entry;
    const time = (this.#clusterTime + block.relativeTime) * this.#info.timestampScale - codecDelay;
    if (!Number.isSafeInteger(time)) {
      throw new ParseError('WEBM_BLOCK', 'RFC 9559 §11.1', 'a time beyond 2^53 nanoseconds', at);
    }
    const { frames } = block;
    const step = duration === undefined ? defaultDuration : duration / frames.length;
    for (const [index, frame] of frames.entries()) {
      const last = index === frames.length - 1;
      const data = encoding.kind === 'stripped' ? concatBytes([encoding.octets, frame]) : frame;
      const taken = this.#attempt(at, () =>
        lane.frame({
          data,
          time: time + Math.round(index * (step ?? 0)),
          duration: step,
          discardPadding: last ? discardPadding : 0,
        }),
      );
      if (taken !== true) this.#dropped++;
    }
  }

  /** What `work` returns; undefined if it threw a ParseError, which is reported. */
  #attempt<T>(offset: number, work: () => T): T | undefined {
    try {
      return located(offset, work);
    } catch (error) {
      if (!(error instanceof ParseError)) throw error;
      this.#handler.onFault?.(error);
      return undefined;
    }
  }
}

/** What `work` returns; offsets of its errors then count from the start of the stream. */
function located<T>(offset: number, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
    const message = error.message.slice(0, -` (${error.clause})`.length);
    throw new ParseError(error.code, error.clause, message, offset + (error.offset ?? 0));
  }
}

function unsupported({ codecId, number, encoding }: TrackEntry, offset: number): ParseError {
  const what = encoding.kind === 'unsupported' ? encoding.what : JSON.stringify(codecId.slice(0, 40));
  return new ParseError(
    'WEBM_CODEC_UNSUPPORTED',
    'RFC 9559 §5.1.4.1.21',
    `track ${number} with ${what} is left out`,
    offset,
  );
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
