import { audioParameters, videoParameters } from '@onair/media/bitstream';
import type { InitTrack } from '@onair/media/isobmff';
import type { AudioCodec, CodecParameters, VideoCodec } from '@onair/media/model';

/** Codec parameters of a track of an MP4 file or init segment; undefined for what cannot be streamed. */
export function initParameters({ kind, codec, description }: InitTrack): CodecParameters | undefined {
  if (codec === undefined) return undefined;
  if (kind === 'video') return videoParameters(codec as VideoCodec, description);
  return kind === 'audio' ? audioParameters(codec as AudioCodec, description) : undefined;
}
