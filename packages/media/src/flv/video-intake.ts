import { isKeyframe, looksLikeAnnexB, videoParameters, widenLengths } from '../bitstream/index.ts';
import { sameParameters, type VideoCodec, type VideoParameters } from '../model/codec.ts';
import { ParseError } from '../model/errors.ts';
import type { Sample, Track } from '../model/sample.ts';
import { type Ticks, VIDEO_TIMEBASE } from '../time/index.ts';
import type { VideoMessage } from './video-message.ts';

/** Steps back of up to this are jitter and become one tick forwards, in milliseconds. */
export const MAX_VIDEO_JITTER_MS = 60;
const TICKS_PER_MS = VIDEO_TIMEBASE / 1000;
const NANOSECONDS_PER_TICK = 1_000_000_000 / VIDEO_TIMEBASE;

/** Makes tracks and samples of one video track out of its messages. */
export class VideoIntake {
  readonly #id: number;
  #track: (Track & { readonly parameters: VideoParameters }) | undefined;
  #lengthSize = 4;
  #lastDts: number | undefined;

  /** @param id of the tracks made. */
  constructor(id: number) {
    this.#id = id;
  }

  /** The track of the samples made now, if known. */
  get track(): Track | undefined {
    return this.#track;
  }

  /**
   * Takes a decoder configuration record; returns the track if it is a new one.
   * @param frameRate frames per second by the publisher's word, for records that tell none.
   */
  configure(codec: VideoCodec, record: Uint8Array, frameRate: number | undefined): Track | undefined {
    const parameters = videoParameters(codec, record);
    this.#lengthSize = codec === 'h264' ? (record[4]! & 3) + 1 : 4;
    return this.#adopt(parameters, frameRate);
  }

  /**
   * The sample of a frame, or undefined while the parameters are not known.
   * @param wireMs unwrapped decoding time.
   */
  sample(message: VideoMessage & { readonly kind: 'frame' }, wireMs: number): Sample | undefined {
    const track = this.#track;
    if (track === undefined || track.parameters.codec !== message.codec) return undefined;
    if (message.data.length === 0) return undefined;
    const data = this.#canonical(message);
    const keyframe = isKeyframe(message.codec, data);
    const wire = wireMs * TICKS_PER_MS;
    const dts = this.#rising(wire);
    const offset =
      message.compositionMs * TICKS_PER_MS + Math.round(message.nanoOffset / NANOSECONDS_PER_TICK);
    return {
      track,
      dts: dts as Ticks,
      pts: (wire + offset) as Ticks,
      duration: undefined,
      keyframe,
      data,
    };
  }

  #adopt(found: VideoParameters, frameRate: number | undefined): Track | undefined {
    if (this.#track !== undefined && sameParameters(this.#track.parameters, found)) return undefined;
    const parameters =
      found.frameRate === undefined && frameRate !== undefined ? { ...found, frameRate } : found;
    this.#track = { id: this.#id, timebase: VIDEO_TIMEBASE, parameters };
    return this.#track;
  }

  #canonical(message: VideoMessage): Uint8Array {
    const { codec, data } = message;
    if (codec !== 'h264' && codec !== 'hevc' && codec !== 'vvc') return data;
    if (looksLikeAnnexB(data)) {
      throw new ParseError('FLV_ANNEX_B', 'FLV v10.1 §E.4.3.2', 'start codes where NAL lengths are expected');
    }
    return this.#lengthSize === 4 ? data : widenLengths(data, this.#lengthSize);
  }

  /** The time itself, or one tick after the last where timestamps stand still or jitter. */
  #rising(wire: number): number {
    const last = this.#lastDts;
    const jitter = last !== undefined && wire <= last && wire > last - MAX_VIDEO_JITTER_MS * TICKS_PER_MS;
    this.#lastDts = jitter ? last + 1 : wire;
    return this.#lastDts;
  }
}
