import {
  buildAvcConfig,
  buildHevcConfig,
  canonicalAv1,
  H264_NAL,
  HEVC_NAL,
  h264NalType,
  hevcNalType,
  isKeyframe,
  joinLengthPrefixed,
  keyframeParameters,
  looksLikeAnnexB,
  MAX_FRAME_RATE,
  nalLengthSize,
  parseAvcConfig,
  parseH264Sps,
  parseHevcConfig,
  parseHevcSps,
  parseVp9KeyHeader,
  splitAnnexB,
  videoParameters,
  widenLengths,
} from '../bitstream/index.ts';
import { sameParameters, type VideoCodec, type VideoParameters } from '../model/codec.ts';
import type { Sample, Track } from '../model/sample.ts';
import { type Ticks, VIDEO_TIMEBASE } from '../time/index.ts';
import { vp9RecordOf } from './codec-id.ts';
import { DecodeOrder } from './decode-order.ts';
import { nanosecondsToTicks } from './timestamp.ts';
import type { TrackEntry } from './track-entry.ts';

/** Who takes what a lane makes. */
export interface LaneHandler {
  onTrack(track: Track): void;
  onSample(sample: Sample): void;
}

/** A frame as a block tells of it. */
export interface LaneFrame {
  readonly data: Uint8Array;
  /** Nanoseconds of presentation. */
  readonly time: number;
  /** Nanoseconds; undefined if not told. */
  readonly duration: number | undefined;
  /** Nanoseconds to drop from the end of the decoder's output. */
  readonly discardPadding: number;
}

/** Makes samples of the frames of one track. */
export interface Lane {
  /** Announces the track if its entry tells enough. @throws ParseError for a damaged CodecPrivate. */
  start(): void;
  /** Takes a frame; false if it was dropped. @throws ParseError for a damaged one. */
  frame(frame: LaneFrame): boolean;
  /** Nothing follows: hands out what is held back. */
  finish(): void;
}

interface Picture {
  readonly track: Track;
  readonly pts: number;
  readonly duration: Ticks | undefined;
  readonly keyframe: boolean;
  readonly data: Uint8Array;
}

/** Codecs whose pictures may be decoded in another order than shown. */
const REORDERING: ReadonlySet<VideoCodec> = new Set(['h264', 'hevc', 'vvc']);

/** The lane of a video track: canonical framing, parameters, decoding times. */
export class VideoLane implements Lane {
  readonly #id: number;
  readonly #entry: TrackEntry;
  readonly #codec: VideoCodec;
  readonly #handler: LaneHandler;
  #order: DecodeOrder<Picture>;
  #track: (Track & { readonly parameters: VideoParameters }) | undefined;
  /** Key frames tell the parameters: CodecPrivate is missing or not enough. */
  #inBand = true;
  #lengthSize = 4;

  /** @param id of the tracks made. */
  constructor(id: number, entry: TrackEntry, codec: VideoCodec, handler: LaneHandler) {
    this.#id = id;
    this.#entry = entry;
    this.#codec = codec;
    this.#handler = handler;
    this.#order = this.#newOrder(0);
  }

  start(): void {
    const { codecPrivate } = this.#entry;
    if (codecPrivate.length === 0) return;
    this.#lengthSize = nalLengthSize(this.#codec, codecPrivate);
    const parameters = videoParameters(this.#codec, codecPrivate);
    if (parameters === undefined || parameters.width === 0) return;
    this.#inBand = false;
    this.#adopt(parameters);
  }

  frame(frame: LaneFrame): boolean {
    const data = this.#canonical(frame.data);
    const keyframe = isKeyframe(this.#codec, data);
    if (keyframe && this.#inBand) this.#adoptFromFrame(data);
    const track = this.#track;
    if (track === undefined) return false;
    const told = frame.duration;
    this.#order.push({
      track,
      pts: nanosecondsToTicks(frame.time, VIDEO_TIMEBASE),
      duration: told === undefined ? undefined : (nanosecondsToTicks(told, VIDEO_TIMEBASE) as Ticks),
      keyframe,
      data,
    });
    return true;
  }

  finish(): void {
    this.#order.restart();
  }

  #adoptFromFrame(data: Uint8Array): void {
    const parameters = keyframeParameters(this.#codec, data, this.#record(data));
    if (parameters !== undefined) this.#adopt(parameters);
  }

  #record(data: Uint8Array): Uint8Array | undefined {
    const { codecPrivate } = this.#entry;
    if (this.#codec === 'vp9') {
      const header = parseVp9KeyHeader(data);
      return header === undefined ? undefined : vp9RecordOf(this.#entry, header);
    }
    return codecPrivate.length > 0 ? codecPrivate : undefined;
  }

  #adopt(found: VideoParameters): void {
    const { defaultDuration, language } = this.#entry;
    // Whole nanoseconds make 30.0000003 of 30.
    const rate = defaultDuration === undefined ? 0 : Math.round(1e14 / defaultDuration) / 1e5;
    const told = found.frameRate === undefined && rate > 0 && rate <= MAX_FRAME_RATE;
    const parameters = told ? { ...found, frameRate: rate } : found;
    if (this.#track !== undefined && sameParameters(this.#track.parameters, parameters)) return;
    this.#order.restart();
    this.#order = this.#newOrder(reorderDepth(parameters));
    this.#track = {
      id: this.#id,
      timebase: VIDEO_TIMEBASE,
      parameters,
      ...(language === undefined ? {} : { language }),
    };
    this.#handler.onTrack(this.#track);
  }

  #newOrder(depth: number): DecodeOrder<Picture> {
    return new DecodeOrder(REORDERING.has(this.#codec), depth, (picture, dts) => {
      this.#handler.onSample({ ...picture, dts, pts: picture.pts as Ticks });
    });
  }

  #canonical(data: Uint8Array): Uint8Array {
    switch (this.#codec) {
      case 'vp8':
      case 'vp9':
        return data;
      case 'av1':
        return canonicalAv1(data);
      case 'h264':
      case 'hevc':
      case 'vvc':
        if (this.#lengthSize !== 4) return widenLengths(data, this.#lengthSize);
        return looksLikeAnnexB(data) ? this.#fromByteStream(data) : data;
    }
  }

  /** Some writers store the encoder's byte stream, parameter sets inside, with or without CodecPrivate. */
  #fromByteStream(data: Uint8Array): Uint8Array {
    const nals = splitAnnexB(data);
    const record = this.#codec === 'h264' ? avcRecordOf(nals) : hevcRecordOf(nals);
    const parameters = record === undefined ? undefined : videoParameters(this.#codec, record);
    if (parameters !== undefined) this.#adopt(parameters);
    return joinLengthPrefixed(nals);
  }
}

function avcRecordOf(nals: readonly Uint8Array[]): Uint8Array | undefined {
  const of = (type: number): Uint8Array[] => nals.filter((nal) => h264NalType(nal[0]!) === type);
  const [sps, pps] = [of(H264_NAL.sps), of(H264_NAL.pps)];
  return sps.length > 0 && pps.length > 0 ? buildAvcConfig(sps, pps) : undefined;
}

function hevcRecordOf(nals: readonly Uint8Array[]): Uint8Array | undefined {
  const of = (type: number): Uint8Array[] => nals.filter((nal) => hevcNalType(nal[0]!) === type);
  const [vps, sps, pps] = [of(HEVC_NAL.vps), of(HEVC_NAL.sps), of(HEVC_NAL.pps)];
  return sps.length > 0 && pps.length > 0 ? buildHevcConfig(vps, sps, pps) : undefined;
}

/** Pictures that may be decoded before one that is shown earlier, as the sequence tells; 0 if it does not. */
function reorderDepth({ codec, description }: VideoParameters): number {
  if (codec === 'h264') {
    const sps = parseAvcConfig(description).sps[0];
    return sps === undefined ? 0 : (parseH264Sps(sps).maxNumReorderFrames ?? 0);
  }
  if (codec === 'hevc') {
    const array = parseHevcConfig(description).arrays.find(({ type }) => type === HEVC_NAL.sps);
    return array?.nals[0] === undefined ? 0 : parseHevcSps(array.nals[0]).maxNumReorder;
  }
  return 0;
}
