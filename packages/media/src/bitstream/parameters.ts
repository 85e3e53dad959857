import type { AudioCodec, AudioParameters, VideoCodec, VideoParameters } from '../model/codec.ts';
import { aacParameters } from './aac.ts';
import { ac3Parameters, parseAc3Header, parseEac3Header } from './ac3.ts';
import { av1Parameters, buildAv1Config, isAv1Keyframe } from './av1.ts';
import { flacFrameSize, flacParameters } from './flac.ts';
import { isH264Keyframe } from './h264.ts';
import { avcParameters, parseAvcConfig } from './h264-config.ts';
import { hevcParameters, isHevcKeyframe, parseHevcConfig } from './hevc.ts';
import { mp3Parameters, parseMp3Header } from './mp3.ts';
import { opusPacketFrames, opusParameters } from './opus.ts';
import { isVp8Keyframe, vp8Parameters } from './vp8.ts';
import { isVp9Keyframe, vp9Parameters } from './vp9.ts';
import { isVvcKeyframe, vvcParameters } from './vvc.ts';

/**
 * Track parameters from a decoder configuration record; undefined for VP8 and VP9, whose picture size is
 * told by key frames alone, see {@link keyframeParameters}.
 * @throws ParseError `CONFIG_MALFORMED`, `SPS_UNSUPPORTED`, or out of range if it is cut off.
 */
export function videoParameters(codec: VideoCodec, record: Uint8Array): VideoParameters | undefined {
  switch (codec) {
    case 'h264':
      return avcParameters(record);
    case 'hevc':
      return hevcParameters(record);
    case 'vvc':
      return vvcParameters(record);
    case 'av1':
      return av1Parameters(record);
    case 'vp8':
    case 'vp9':
      return undefined;
  }
}

/**
 * Track parameters that a key frame of VP8, VP9 or AV1 tells by itself; undefined for other codecs and
 * where the frame tells none.
 * @param record the decoder configuration record in use, if there is one.
 */
export function keyframeParameters(
  codec: VideoCodec,
  unit: Uint8Array,
  record: Uint8Array | undefined,
): VideoParameters | undefined {
  switch (codec) {
    case 'vp8':
      return vp8Parameters(unit);
    case 'vp9':
      return vp9Parameters(unit, record);
    case 'av1': {
      const config = record ?? buildAv1Config(unit);
      return config === undefined ? undefined : av1Parameters(config, unit);
    }
    case 'h264':
    case 'hevc':
    case 'vvc':
      return undefined;
  }
}

/** True where a decoder can start, see `docs/codec-registry.md`. @param unit in canonical framing. */
export function isKeyframe(codec: VideoCodec, unit: Uint8Array): boolean {
  switch (codec) {
    case 'h264':
      return isH264Keyframe(unit);
    case 'hevc':
      return isHevcKeyframe(unit);
    case 'vvc':
      return isVvcKeyframe(unit);
    case 'av1':
      return isAv1Keyframe(unit);
    case 'vp8':
      return isVp8Keyframe(unit);
    case 'vp9':
      return isVp9Keyframe(unit);
  }
}

/**
 * Track parameters from a decoder description (see {@link AudioParameters.description}); undefined for the
 * codecs that have none, see {@link frameParameters}.
 */
export function audioParameters(codec: AudioCodec, description: Uint8Array): AudioParameters | undefined {
  switch (codec) {
    case 'aac':
      return aacParameters(description);
    case 'opus':
      return opusParameters(description);
    case 'flac':
      return flacParameters(description);
    case 'mp3':
    case 'ac3':
    case 'eac3':
      return undefined;
  }
}

/** Track parameters that each frame of MP3, AC-3 and Enhanced AC-3 tells; undefined for other codecs. */
export function frameParameters(codec: AudioCodec, frame: Uint8Array): AudioParameters | undefined {
  switch (codec) {
    case 'mp3':
      return mp3Parameters(frame);
    case 'ac3':
    case 'eac3':
      return ac3Parameters(codec, frame);
    case 'aac':
    case 'opus':
    case 'flac':
      return undefined;
  }
}

/**
 * PCM frames in an access unit, in ticks of the track's timebase.
 * @throws ParseError `FRAME_MALFORMED` if the unit's header cannot be read.
 */
export function audioFrames(parameters: AudioParameters, unit: Uint8Array): number {
  switch (parameters.codec) {
    case 'aac':
      return parameters.frameSize ?? 1024;
    case 'opus':
      return opusPacketFrames(unit);
    case 'flac':
      return flacFrameSize(unit);
    case 'mp3':
      return parseMp3Header(unit).frameSize;
    case 'ac3':
      return parseAc3Header(unit).frameSize;
    case 'eac3':
      return parseEac3Header(unit).frameSize;
  }
}

/** Bytes of the length in front of each NAL unit of a track with this record; 4 for codecs without NAL units. */
export function nalLengthSize(codec: VideoCodec, record: Uint8Array): number {
  switch (codec) {
    case 'h264':
      return parseAvcConfig(record).lengthSize;
    case 'hevc':
      return parseHevcConfig(record).lengthSize;
    case 'vvc':
      return (((record[0] ?? 6) >> 1) & 3) + 1;
    case 'av1':
    case 'vp8':
    case 'vp9':
      return 4;
  }
}
