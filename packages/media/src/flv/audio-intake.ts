import { aacParameters } from '../bitstream/index.ts';
import { type AudioCodec, type AudioParameters, sameParameters } from '../model/codec.ts';
import { ParseError } from '../model/errors.ts';
import type { Sample, Track } from '../model/sample.ts';
import type { Ticks, Timebase } from '../time/index.ts';
import { AudioClock } from './audio-clock.ts';
import type { AudioMessage } from './audio-message.ts';

/** Makes tracks and samples of one audio track out of its messages. */
export class AudioIntake {
  readonly #id: number;
  #track: (Track & { readonly parameters: AudioParameters }) | undefined;
  #clock: AudioClock | undefined;

  /** @param id of the tracks made. */
  constructor(id: number) {
    this.#id = id;
  }

  /** The track of the samples made now, if known. */
  get track(): Track | undefined {
    return this.#track;
  }

  /** Takes a decoder configuration; returns the track if it is a new one. */
  configure(codec: AudioCodec, config: Uint8Array): Track | undefined {
    if (codec !== 'aac') throw new ParseError('FLV_CODEC_UNSUPPORTED', 'codec registry', `codec ${codec}`);
    return this.#adopt(aacParameters(config));
  }

  /**
   * The sample of a frame, or undefined while the parameters are not known.
   * @param wireMs unwrapped time.
   */
  sample(message: AudioMessage, wireMs: number): Sample | undefined {
    const track = this.#track;
    if (track === undefined || track.parameters.codec !== message.codec) return undefined;
    if (message.data.length === 0) return undefined;
    const duration = track.parameters.frameSize!;
    const dts = this.#clock!.stamp(wireMs, duration) as Ticks;
    return { track, dts, pts: dts, duration: duration as Ticks, keyframe: true, data: message.data };
  }

  #adopt(parameters: AudioParameters): Track | undefined {
    const before = this.#track?.parameters;
    if (before !== undefined && sameParameters(before, parameters)) return undefined;
    if (before?.sampleRate !== parameters.sampleRate) this.#clock = new AudioClock(parameters.sampleRate);
    this.#track = { id: this.#id, timebase: parameters.sampleRate as Timebase, parameters };
    return this.#track;
  }
}
