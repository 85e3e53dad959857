import {
  canonicalAv1,
  isKeyframe,
  keyframeParameters,
  looksLikeAnnexB,
  nalLengthSize,
  videoParameters,
  widenLengths,
} from '../bitstream/index.ts';
import { type Colour, sameParameters, type VideoCodec, type VideoParameters } from '../model/codec.ts';
import { ParseError } from '../model/errors.ts';
import type { Sample, Track } from '../model/sample.ts';
import { type Ticks, VIDEO_TIMEBASE } from '../time/index.ts';
import type { VideoMessage } from './video-message.ts';

/** Steps back of up to this are jitter and become one tick forwards, in milliseconds. */
export const MAX_VIDEO_JITTER_MS = 60;
const TICKS_PER_MS = VIDEO_TIMEBASE / 1000;
const NANOSECONDS_PER_TICK = 1_000_000_000 / VIDEO_TIMEBASE;

/** What a message led to; `track` is new and comes before the samples. */
export interface Intake {
  readonly track?: Track | undefined;
  readonly samples: readonly Sample[];
}

/** Makes tracks and samples of one video track out of its messages. */
export class VideoIntake {
  readonly #id: number;
  #track: (Track & { readonly parameters: VideoParameters }) | undefined;
  /** Set while key frames tell the parameters, with the record that tells the rest, if there was one. */
  #inBand: { readonly codec: VideoCodec; readonly record: Uint8Array | undefined } | undefined;
  #colour: Colour | undefined;
  #lengthSize = 4;
  #lastDts: number | undefined;

  /** @param id of the tracks made. */
  constructor(id: number) {
    this.#id = id;
  }

  /**
   * Takes a decoder configuration record; returns the track if it is a new one.
   * @param frameRate frames per second by the publisher's word, for records that tell none.
   */
  configure(codec: VideoCodec, record: Uint8Array, frameRate: number | undefined): Track | undefined {
    const lengthSize = nalLengthSize(codec, record);
    const parameters = videoParameters(codec, record);
    this.#lengthSize = lengthSize;
    if (parameters === undefined || (codec === 'av1' && parameters.width === 0)) {
      this.#inBand = { codec, record: record.slice() };
      return undefined;
    }
    this.#inBand = undefined;
    return this.#adopt(parameters, frameRate);
  }

  /** Takes the colour, which holds until another one is told; returns the track if it is a new one. */
  tellColour(colour: Colour | undefined): Track | undefined {
    this.#colour = colour;
    return this.#track === undefined ? undefined : this.#adopt(this.#track.parameters, undefined);
  }

  /**
   * The sample of a frame, with its track if the frame itself told new parameters; undefined while the
   * parameters are not known.
   * @param wireMs unwrapped decoding time.
   */
  frame(
    message: VideoMessage & { readonly kind: 'frame' },
    wireMs: number,
    frameRate: number | undefined,
  ): Intake | undefined {
    const { codec } = message;
    const data = this.#canonical(message);
    const keyframe = isKeyframe(codec, data);
    const adopted = keyframe ? this.#adoptFromFrame(codec, data, frameRate) : undefined;
    const track = this.#track;
    if (track === undefined || track.parameters.codec !== codec) return undefined;
    const wire = wireMs * TICKS_PER_MS;
    const dts = this.#rising(wire) as Ticks;
    const offset =
      message.compositionMs * TICKS_PER_MS + Math.round(message.nanoOffset / NANOSECONDS_PER_TICK);
    const pts = (wire + offset) as Ticks;
    return { track: adopted, samples: [{ track, dts, pts, duration: undefined, keyframe, data }] };
  }

  /** Key frames tell the parameters where no record does so. */
  #adoptFromFrame(codec: VideoCodec, data: Uint8Array, frameRate: number | undefined): Track | undefined {
    const told = this.#inBand;
    if (told?.codec !== codec && this.#track?.parameters.codec === codec) return undefined;
    const record = told?.codec === codec ? told.record : undefined;
    const parameters = keyframeParameters(codec, data, record);
    if (parameters === undefined) return undefined;
    this.#inBand = { codec, record };
    return this.#adopt(parameters, frameRate);
  }

  #adopt(found: VideoParameters, frameRate: number | undefined): Track | undefined {
    const { colour: _, ...rest } = found;
    const told = this.#colour === undefined ? rest : { ...rest, colour: this.#colour };
    if (this.#track !== undefined && sameParameters(this.#track.parameters, told)) return undefined;
    const parameters =
      told.frameRate === undefined && frameRate !== undefined ? { ...told, frameRate } : told;
    this.#track = { id: this.#id, timebase: VIDEO_TIMEBASE, parameters };
    return this.#track;
  }

  #canonical(message: VideoMessage): Uint8Array {
    const { codec, data } = message;
    if (codec === 'av1') return canonicalAv1(data);
    if (codec === 'vp8' || codec === 'vp9') return data;
    if (this.#lengthSize !== 4) return widenLengths(data, this.#lengthSize);
    if (looksLikeAnnexB(data)) {
      throw new ParseError('FLV_ANNEX_B', 'FLV v10.1 §E.4.3.2', 'start codes where NAL lengths are expected');
    }
    return data;
  }

  /** The time itself, or one tick after the last where timestamps stand still or jitter. */
  #rising(wire: number): number {
    const last = this.#lastDts;
    const jitter = last !== undefined && wire <= last && wire > last - MAX_VIDEO_JITTER_MS * TICKS_PER_MS;
    this.#lastDts = jitter ? last + 1 : wire;
    return this.#lastDts;
  }
}
