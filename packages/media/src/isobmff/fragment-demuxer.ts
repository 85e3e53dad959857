import {
  audioFrames,
  audioParameters,
  isKeyframe,
  keyframeParameters,
  parseAvcConfig,
  parseHevcConfig,
  videoParameters,
  widenLengths,
} from '../bitstream/index.ts';
import { concatBytes } from '../bytes/index.ts';
import { type AudioCodec, type CodecParameters, sameParameters, type VideoCodec } from '../model/codec.ts';
import { ParseError } from '../model/errors.ts';
import type { Sample, Track } from '../model/sample.ts';
import { rescale, type Ticks, type Timebase, VIDEO_TIMEBASE } from '../time/index.ts';
import { BoxStream, type WholeBox } from './box-stream.ts';
import { type ChunkSample, type ChunkTrack, parseChunks } from './parse-chunks.ts';
import { type InitTrack, parseInit } from './parse-init.ts';

/** Largest `moov` of a fragmented file, in octets; it has a few hundred per track. */
export const MAX_MOOV_BYTES = 1024 * 1024;
/** Largest `moof` or `mdat` accepted unless told otherwise, in octets: 4 s at 64 Mbit/s. */
export const DEFAULT_MAX_FRAGMENT_BYTES = 32 * 1024 * 1024;

/** Who takes what a {@link FragmentDemuxer} finds. Called within `push`, in the order of the stream. */
export interface FragmentHandler {
  /** A track begins, or goes on under the same id with new parameters. */
  onTrack(track: Track): void;
  onSample(sample: Sample): void;
  /**
   * A file begins; another one may follow in mid-stream, with times of its own.
   * @param recording from 0 on. @param kinds which of its tracks can be used.
   */
  onInit?(recording: number, kinds: { readonly video: boolean; readonly audio: boolean }): void;
  /** Something is wrong and was passed over. */
  onFault?(error: ParseError): void;
}

interface Lane {
  readonly id: number;
  readonly init: InitTrack;
  readonly codec: VideoCodec | AudioCodec;
  /** Octets of the length in front of each NAL unit; 4 for codecs without. */
  readonly lengthSize: number;
  track: Track | undefined;
  lastDts: number;
}

/**
 * Fragmented MP4 in, however it is cut, tracks and samples out: ISO/IEC 14496-12 §8.8, as `MediaRecorder` writes it.
 * Video track ids are 1, 3, 5…, audio 2, 4, 6… in the order of the file; video times are ticks of 90 kHz, those of
 * audio PCM frames. Holds one fragment at most. A second `moov` begins another recording.
 */
export class FragmentDemuxer {
  readonly #handler: FragmentHandler;
  readonly #limit: number;
  #boxes: BoxStream;
  #failure: ParseError | undefined;
  #init: { readonly lanes: ReadonlyMap<number, Lane>; readonly tracks: readonly InitTrack[] } | undefined;
  #recordings = 0;
  #fileType: Uint8Array | undefined;
  #moof: Uint8Array | undefined;
  #dropped = 0;

  /** @param options.maxFragmentBytes largest `moof` or `mdat` accepted. */
  constructor(handler: FragmentHandler, options: { readonly maxFragmentBytes?: number } = {}) {
    this.#handler = handler;
    this.#limit = options.maxFragmentBytes ?? DEFAULT_MAX_FRAGMENT_BYTES;
    this.#boxes = new BoxStream(this.#limit);
  }

  /** Samples dropped: damaged, or before the first key frame where that tells the codec. */
  get dropped(): number {
    return this.#dropped;
  }

  /**
   * Takes the next bytes of the stream. Samples keep views into them: the caller must not write there again.
   * @throws ParseError when nothing can come of the stream: a box of false or excessive size, no usable `moov`, a
   * file that is not fragmented. Each further call throws the same.
   */
  push(bytes: Uint8Array): void {
    if (this.#failure !== undefined) throw this.#failure;
    try {
      for (const box of this.#boxes.push(bytes)) this.#box(box);
    } catch (error) {
      if (error instanceof ParseError) this.#failure = error;
      throw error;
    }
  }

  /** Bytes are missing behind what was pushed: what follows begins with a box again. */
  lost(): void {
    this.#boxes = new BoxStream(this.#limit);
    this.#moof = undefined;
  }

  /** Nothing follows; what is not whole is let go. */
  end(): void {
    this.#moof = undefined;
  }

  #box({ type, bytes }: WholeBox): void {
    switch (type) {
      case 'ftyp':
        this.#fileType = bytes;
        return;
      case 'moov':
        this.#begin(bytes);
        return;
      case 'moof':
        if (this.#init === undefined) {
          throw new ParseError('MP4_BOX_MISSING', 'ISO/IEC 14496-12 §8.2.1', 'a moof before any moov');
        }
        this.#moof = bytes;
        return;
      case 'mdat':
        this.#fragment(bytes);
    }
  }

  #begin(moov: Uint8Array): void {
    if (moov.length > MAX_MOOV_BYTES) {
      throw new ParseError('MP4_BOX_SIZE', 'ISO/IEC 14496-12 §8.2.1', `a moov of ${moov.length} bytes`);
    }
    const info = parseInit(concatBytes([this.#fileType ?? new Uint8Array(0), moov]));
    if (!info.tracks.some(({ defaults }) => defaults !== undefined)) {
      throw new ParseError('MP4_BOX_MISSING', 'ISO/IEC 14496-12 §8.8.1', 'the file is not fragmented');
    }
    const lanes = new Map<number, Lane>();
    const count = { video: 0, audio: 0 };
    const refused: string[] = [];
    for (const init of info.tracks) {
      const { kind, codec } = init;
      if (kind === 'other') continue;
      if (codec === undefined || lanes.has(init.trackId) || init.timebase === 0) {
        refused.push(init.format);
        continue;
      }
      const id = kind === 'video' ? 1 + 2 * count.video++ : 2 + 2 * count.audio++;
      const lengthSize = lengthSizeOf(codec, init.description);
      lanes.set(init.trackId, { id, init, codec, lengthSize, track: undefined, lastDts: -1 });
    }
    if (lanes.size === 0) {
      throw new ParseError('MP4_CODEC_UNSUPPORTED', 'ISO/IEC 14496-12 §8.5.2', 'no track that can be used');
    }
    this.#init = { lanes, tracks: info.tracks };
    this.#moof = undefined;
    this.#handler.onInit?.(this.#recordings++, { video: count.video > 0, audio: count.audio > 0 });
    for (const format of refused) {
      this.#fault(
        new ParseError(
          'MP4_CODEC_UNSUPPORTED',
          'ISO/IEC 14496-12 §8.5.2',
          `${JSON.stringify(format)} is left out`,
        ),
      );
    }
    for (const lane of lanes.values()) this.#announce(lane, recordParameters(lane));
  }

  #fragment(mdat: Uint8Array): void {
    const moof = this.#moof;
    const init = this.#init;
    this.#moof = undefined;
    // The mdat of a progressive file, or a second one, belongs to no run.
    if (moof === undefined || init === undefined) return;
    try {
      const [parsed] = parseChunks(
        concatBytes([moof, mdat]),
        init.tracks.map(({ defaults }) => defaults),
      );
      for (const { lane, sample } of interleaved(parsed?.tracks ?? [], init.lanes))
        this.#sample(lane, sample);
    } catch (error) {
      if (!(error instanceof ParseError)) throw error;
      this.#dropped++;
      this.#fault(error);
    }
  }

  #sample(lane: Lane, sample: ChunkSample): void {
    const video = lane.init.kind === 'video';
    const data = video && lane.lengthSize !== 4 ? widenLengths(sample.data, lane.lengthSize) : sample.data;
    const key = !video || isKeyframe(lane.codec as VideoCodec, data);
    if (video && key) {
      const record = lane.init.description.length > 0 ? lane.init.description : undefined;
      this.#announce(lane, keyframeParameters(lane.codec as VideoCodec, data, record));
    }
    const { track } = lane;
    if (track === undefined || data.length === 0) {
      this.#dropped++;
      return;
    }
    const from = lane.init.timebase;
    const shown = (time: number): number => rescale(time as Ticks, from, track.timebase);
    const dts = Math.max(shown(sample.dts), lane.lastDts + 1);
    lane.lastDts = dts;
    const duration = lengthOf(track, sample, from, data);
    this.#handler.onSample({
      track,
      dts: dts as Ticks,
      pts: (video ? Math.max(shown(sample.pts), 0) : dts) as Ticks,
      duration,
      keyframe: key,
      data,
    });
  }

  #announce(lane: Lane, parameters: CodecParameters | undefined): void {
    if (parameters === undefined || parameters.kind === 'data') return;
    if (lane.track !== undefined && sameParameters(lane.track.parameters, parameters)) return;
    const { language } = lane.init;
    lane.track = {
      id: lane.id,
      timebase: parameters.kind === 'video' ? VIDEO_TIMEBASE : (parameters.sampleRate as Timebase),
      parameters,
      ...(language === undefined ? {} : { language }),
    };
    this.#handler.onTrack(lane.track);
  }

  #fault(error: ParseError): void {
    this.#handler.onFault?.(error);
  }
}

/** The samples of a fragment by time: a file has them track by track, viewers want them together. */
function interleaved(
  tracks: readonly ChunkTrack[],
  lanes: ReadonlyMap<number, Lane>,
): { readonly lane: Lane; readonly sample: ChunkSample; readonly at: number }[] {
  const all = tracks.flatMap(({ trackId, samples }) => {
    const lane = lanes.get(trackId);
    if (lane === undefined) return [];
    return samples.map((sample) => ({ lane, sample, at: sample.dts / lane.init.timebase }));
  });
  return tracks.length < 2 ? all : all.sort((a, b) => a.at - b.at);
}

/** What the sample entry tells, if that is enough to begin with. */
function recordParameters({ init, codec }: Lane): CodecParameters | undefined {
  if (init.kind === 'audio') return audioParameters(codec as AudioCodec, init.description);
  return videoParameters(codec as VideoCodec, init.description);
}

/** Ticks until the next sample: sound knows its length, pictures are measured. */
function lengthOf(track: Track, sample: ChunkSample, from: Timebase, data: Uint8Array): Ticks | undefined {
  const { parameters } = track;
  if (parameters.kind !== 'audio') return undefined;
  try {
    return audioFrames(parameters, data) as Ticks;
  } catch (error) {
    if (error instanceof ParseError) return rescale(sample.duration as Ticks, from, track.timebase);
    throw error;
  }
}

function lengthSizeOf(codec: VideoCodec | AudioCodec, record: Uint8Array): number {
  if (codec === 'h264') return parseAvcConfig(record).lengthSize;
  return codec === 'hevc' ? parseHevcConfig(record).lengthSize : 4;
}
