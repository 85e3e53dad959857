import type { VideoCodec, VideoParameters } from '../model/codec.ts';
import { ParseError } from '../model/errors.ts';
import { isH264Keyframe } from './h264.ts';
import { avcParameters } from './h264-config.ts';

/**
 * Track parameters from a decoder configuration record, for codecs whose record tells the picture size.
 * @throws ParseError `CONFIG_MALFORMED`, `SPS_UNSUPPORTED`, or out of range if it is cut off.
 */
export function videoParameters(codec: VideoCodec, record: Uint8Array): VideoParameters {
  switch (codec) {
    case 'h264':
      return avcParameters(record);
    default:
      throw new ParseError('FLV_CODEC_UNSUPPORTED', 'codec registry', `codec ${codec}`);
  }
}

/** True where a decoder can start, see `docs/codec-registry.md`. @param unit in canonical framing. */
export function isKeyframe(codec: VideoCodec, unit: Uint8Array): boolean {
  switch (codec) {
    case 'h264':
      return isH264Keyframe(unit);
    default:
      throw new ParseError('FLV_CODEC_UNSUPPORTED', 'codec registry', `codec ${codec}`);
  }
}
