import { audioParameters, frameParameters, keyframeParameters, videoParameters } from '../bitstream/index.ts';
import type { InitTrack } from '../isobmff/index.ts';
import type { AudioCodec, CodecParameters, VideoCodec } from '../model/index.ts';

/**
 * Codec parameters of a track of an MP4 file or init segment; undefined for what cannot be streamed.
 * @param first the track's first sample, which alone tells the parameters of some codecs.
 * @throws ParseError for a malformed record or frame.
 */
export function initParameters(init: InitTrack, first?: Uint8Array): CodecParameters | undefined {
  const { kind, codec, description } = init;
  if (codec === undefined) return undefined;
  if (kind === 'video') {
    const known = videoParameters(codec as VideoCodec, description);
    if (first === undefined || (known !== undefined && known.width > 0)) return known;
    const record = description.length > 0 ? description : undefined;
    return keyframeParameters(codec as VideoCodec, first, record);
  }
  if (kind !== 'audio') return undefined;
  const known = audioParameters(codec as AudioCodec, description);
  return known ?? (first === undefined ? undefined : frameParameters(codec as AudioCodec, first));
}
