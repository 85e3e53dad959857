import {
  audioFrames,
  audioParameters,
  flacBlocks,
  frameParameters,
  parseOpusHead,
  splitMp3Frames,
  writeOpusConfig,
} from '../bitstream/index.ts';
import { type AudioCodec, type AudioParameters, sameParameters } from '../model/codec.ts';
import type { Sample, Track } from '../model/sample.ts';
import type { Ticks, Timebase } from '../time/index.ts';
import { AudioClock } from './audio-clock.ts';
import type { AudioMessage } from './audio-message.ts';
import type { Intake } from './video-intake.ts';

/** Makes tracks and samples of one audio track out of its messages. */
export class AudioIntake {
  readonly #id: number;
  #track: (Track & { readonly parameters: AudioParameters }) | undefined;
  #clock: AudioClock | undefined;

  /** @param id of the tracks made. */
  constructor(id: number) {
    this.#id = id;
  }

  /** Takes a decoder configuration as FLV stores it; returns the track if it is a new one. */
  configure(codec: AudioCodec, config: Uint8Array): Track | undefined {
    const parameters = audioParameters(codec, descriptionFrom(codec, config));
    return parameters === undefined ? undefined : this.#adopt(parameters);
  }

  /**
   * The samples of a message, with their track if they told new parameters themselves; undefined while the
   * parameters are not known.
   * @param wireMs unwrapped time of the first.
   */
  frame(message: AudioMessage, wireMs: number): Intake | undefined {
    const { codec, data } = message;
    const told = frameParameters(codec, data);
    const adopted = told === undefined ? undefined : this.#adopt(told);
    const track = this.#track;
    if (track === undefined || track.parameters.codec !== codec) return undefined;
    const samples: Sample[] = [];
    let offset = 0;
    for (const unit of codec === 'mp3' ? splitMp3Frames(data) : [data]) {
      const length = audioFrames(track.parameters, unit);
      const dts = this.#clock!.stamp(wireMs + (offset * 1000) / track.timebase, length) as Ticks;
      samples.push({ track, dts, pts: dts, duration: length as Ticks, keyframe: true, data: unit });
      offset += length;
    }
    return { track: adopted, samples };
  }

  #adopt(parameters: AudioParameters): Track | undefined {
    const before = this.#track?.parameters;
    if (before !== undefined && sameParameters(before, parameters)) return undefined;
    if (before?.sampleRate !== parameters.sampleRate) this.#clock = new AudioClock(parameters.sampleRate);
    this.#track = { id: this.#id, timebase: parameters.sampleRate as Timebase, parameters };
    return this.#track;
  }
}

/** The description of the codec registry, from what Enhanced RTMP puts into SequenceStart. */
function descriptionFrom(codec: AudioCodec, config: Uint8Array): Uint8Array {
  switch (codec) {
    case 'opus':
      return writeOpusConfig(parseOpusHead(config));
    case 'flac':
      return flacBlocks(config);
    case 'aac':
    case 'mp3':
    case 'ac3':
    case 'eac3':
      return config;
  }
}
