import {
  MICROSECONDS,
  type ParseError,
  rescale,
  type Sample,
  sameParameters,
  type Track,
  ticks,
} from '@onair/media';
import { ChunkQueue } from '@onair/media/bytes';
import { FragmentDemuxer } from '@onair/media/isobmff';
import { WebmDemuxer } from '@onair/media/webm';

/** Where a stored recording ends, in µs of the publisher's clock, by kind of track. */
export interface SourceEnd {
  readonly video: number | undefined;
  readonly audio: number | undefined;
}

/** Which kinds of track there are. */
export interface Kinds {
  readonly video: boolean;
  readonly audio: boolean;
}

/** Who takes what comes out of an upload. */
export interface UploadHandler {
  /** Tells which kinds of track a recording has, before any of them. */
  onKinds(kinds: Kinds): void;
  onTrack(track: Track): void;
  onSample(sample: Sample): void;
  /** Damage that was passed over. */
  onFault(error: ParseError): void;
}

/** What the two demuxers have in common. */
interface Demuxer {
  readonly dropped: number;
  push(bytes: Uint8Array): void;
  lost(): void;
  end(): void;
}

/** Octets by which the container is known. */
const SNIFF_BYTES = 8;
/** A picture may lie so far before the place where a recording ended, in µs: the packager moves times a little. */
const VIDEO_SLACK_US = 12_000;
/** The same for sound. */
const AUDIO_SLACK_US = 6_000;

/**
 * The bytes of an upload into samples on one timeline: WebM, Matroska or fragmented MP4, one recording or several
 * complete ones behind each other, which are joined without a pause. The same bytes give the same samples, however
 * they were cut; what a recording has already can be passed over.
 */
export class UploadIntake {
  readonly #handler: UploadHandler;
  readonly #head = new ChunkQueue();
  #demuxer: Demuxer | undefined;
  readonly #tracks = new Map<number, Track>();
  /** Added to the times of the recording that is being read, in µs; undefined until its first sample. */
  #shift: number | undefined = 0;
  /** µs of the joined timeline. */
  #end = 0;
  readonly #steps = new Map<number, { last: number; step: number }>();
  #known: SourceEnd | undefined;
  #started = { video: true, audio: true };

  /** @param known where the stored recording ends; what lies before is not handed out. */
  constructor(handler: UploadHandler, known?: SourceEnd) {
    this.#handler = handler;
    this.#known = known;
    if (known !== undefined)
      this.#started = { video: known.video === undefined, audio: known.audio === undefined };
  }

  /** Frames that could not be used. */
  get dropped(): number {
    return this.#demuxer?.dropped ?? 0;
  }

  /** @throws ParseError when nothing can come of the bytes. */
  push(bytes: Uint8Array): void {
    if (this.#demuxer !== undefined) {
      this.#demuxer.push(bytes);
      return;
    }
    this.#head.push(bytes);
    if (this.#head.length < SNIFF_BYTES) return;
    const first = this.#head.take(this.#head.length)!;
    this.#demuxer = this.#make(first);
    this.#demuxer.push(first);
  }

  /** Bytes are missing behind what was pushed. */
  lost(): void {
    this.#demuxer?.lost();
  }

  /** Nothing follows. */
  end(): void {
    this.#demuxer?.end();
  }

  #make(head: Uint8Array): Demuxer {
    const handler = {
      onTrack: (track: Track) => this.#track(track),
      onSample: (sample: Sample) => this.#sample(sample),
      onFault: (error: ParseError) => this.#handler.onFault(error),
    };
    const onInit = (recording: number, kinds: Kinds): void => {
      if (recording > 0) this.#shift = undefined;
      this.#handler.onKinds(kinds);
    };
    const isMp4 = head[4] === 0x66 && head[5] === 0x74 && head[6] === 0x79 && head[7] === 0x70; // ftyp
    if (isMp4) return new FragmentDemuxer({ ...handler, onInit });
    // Whatever is neither is refused by its EBML header.
    return new WebmDemuxer({
      ...handler,
      onInit: ({ recording, entries }) => {
        const has = (type: string): boolean => entries.some((entry) => entry.type === type);
        onInit(recording, { video: has('video'), audio: has('audio') });
      },
    });
  }

  /** A track that goes on unchanged in another recording is not told again. */
  #track(track: Track): void {
    const known = this.#tracks.get(track.id);
    const same =
      known !== undefined &&
      known.timebase === track.timebase &&
      sameParameters(known.parameters, track.parameters);
    if (same) return;
    this.#tracks.set(track.id, track);
    this.#handler.onTrack(track);
  }

  #sample(sample: Sample): void {
    const track = this.#tracks.get(sample.track.id);
    if (track === undefined) return;
    const own = rescale(sample.dts, track.timebase, MICROSECONDS);
    this.#shift ??= this.#end - own;
    const shift = rescale(ticks(this.#shift), MICROSECONDS, track.timebase);
    const at = own + this.#shift;
    const lane = this.#steps.get(track.id);
    const given =
      sample.duration === undefined ? undefined : rescale(sample.duration, track.timebase, MICROSECONDS);
    const step = given ?? (lane === undefined || at <= lane.last ? (lane?.step ?? 0) : at - lane.last);
    this.#steps.set(track.id, { last: at, step });
    this.#end = Math.max(this.#end, at + Math.min(step, 1_000_000));
    if (!this.#isNew(sample, at)) return;
    this.#handler.onSample({
      track,
      dts: ticks(sample.dts + shift),
      pts: ticks(sample.pts + shift),
      duration: sample.duration,
      keyframe: sample.keyframe,
      data: sample.data,
    });
  }

  /** False for what the stored recording has. Pictures begin again with the key frame at which it was cut. */
  #isNew({ track, keyframe }: Sample, at: number): boolean {
    const { kind } = track.parameters;
    if (kind === 'data' || this.#started[kind]) return true;
    const known = this.#known?.[kind] ?? 0;
    const slack = kind === 'video' ? VIDEO_SLACK_US : AUDIO_SLACK_US;
    if (at < known - slack || !keyframe) return false;
    this.#started[kind] = true;
    return true;
  }
}
