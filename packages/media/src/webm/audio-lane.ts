import {
  audioFrames,
  audioParameters,
  flacBlocks,
  frameParameters,
  OPUS_SAMPLE_RATE,
  parseOpusHead,
  splitMp3Frames,
  writeAacConfig,
  writeOpusConfig,
} from '../bitstream/index.ts';
import { AudioClock } from '../flv/audio-clock.ts';
import { type AudioCodec, type AudioParameters, sameParameters } from '../model/codec.ts';
import type { Track } from '../model/sample.ts';
import type { Ticks, Timebase } from '../time/index.ts';
import { nanosecondsToTicks } from './timestamp.ts';
import type { TrackEntry } from './track-entry.ts';
import type { Lane, LaneFrame, LaneHandler } from './video-lane.ts';

/** Object type of AAC-LC. ISO/IEC 14496-3 Table 1.1. */
const AAC_LC = 2;

/** The lane of an audio track: parameters, and times counted in PCM frames. */
export class AudioLane implements Lane {
  readonly #id: number;
  readonly #entry: TrackEntry;
  readonly #codec: AudioCodec;
  readonly #handler: LaneHandler;
  #track: (Track & { readonly parameters: AudioParameters }) | undefined;
  #clock: AudioClock | undefined;

  /** @param id of the tracks made. */
  constructor(id: number, entry: TrackEntry, codec: AudioCodec, handler: LaneHandler) {
    this.#id = id;
    this.#entry = entry;
    this.#codec = codec;
    this.#handler = handler;
  }

  start(): void {
    const description = descriptionOf(this.#codec, this.#entry);
    const parameters = audioParameters(this.#codec, description);
    if (parameters !== undefined) this.#adopt(parameters);
  }

  frame({ data, time, discardPadding }: LaneFrame): boolean {
    const told = frameParameters(this.#codec, data);
    if (told !== undefined) this.#adopt(told);
    const track = this.#track;
    if (track === undefined) return false;
    const units = this.#codec === 'mp3' ? splitMp3Frames(data) : [data];
    let offset = 0;
    for (const [index, unit] of units.entries()) {
      const length = audioFrames(track.parameters, unit);
      const ms = time / 1e6 + (offset * 1000) / track.timebase;
      const dts = this.#clock!.stamp(ms, length) as Ticks;
      const cut = index === units.length - 1 ? nanosecondsToTicks(discardPadding, track.timebase) : 0;
      const duration = (cut > 0 ? Math.max(0, length - cut) : length) as Ticks;
      this.#handler.onSample({ track, dts, pts: dts, duration, keyframe: true, data: unit });
      offset += length;
    }
    return true;
  }

  finish(): void {
    this.#clock = undefined;
    this.#track = undefined;
  }

  #adopt(parameters: AudioParameters): void {
    const before = this.#track?.parameters;
    if (before !== undefined && sameParameters(before, parameters)) return;
    if (before?.sampleRate !== parameters.sampleRate) this.#clock = new AudioClock(parameters.sampleRate);
    const { language } = this.#entry;
    this.#track = {
      id: this.#id,
      timebase: parameters.sampleRate as Timebase,
      parameters,
      ...(language === undefined ? {} : { language }),
    };
    this.#handler.onTrack(this.#track);
  }
}

/** The description of the codec registry from CodecPrivate, or from the entry where that is missing. */
function descriptionOf(codec: AudioCodec, entry: TrackEntry): Uint8Array {
  const { codecPrivate, channels, sampleRate, codecDelay } = entry;
  const bare = codecPrivate.length === 0;
  switch (codec) {
    case 'opus':
      if (!bare) return writeOpusConfig(parseOpusHead(codecPrivate));
      return writeOpusConfig({
        channels,
        preSkip: nanosecondsToTicks(codecDelay, OPUS_SAMPLE_RATE),
        inputSampleRate: sampleRate,
        outputGain: 0,
        mappingFamily: 0,
        mapping: new Uint8Array(0),
      });
    case 'aac':
      if (!bare) return codecPrivate;
      return writeAacConfig({ objectType: AAC_LC, sampleRate, channelConfiguration: channels });
    case 'flac':
      return flacBlocks(codecPrivate);
    case 'mp3':
    case 'ac3':
    case 'eac3':
      return codecPrivate;
  }
}
