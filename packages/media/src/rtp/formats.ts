import type { AudioCodec, VideoCodec } from '../model/codec.ts';
import { AV1_PAYLOAD } from './av1-payload.ts';
import { H264_PAYLOAD } from './h264-payload.ts';
import { OPUS_PAYLOAD } from './opus-payload.ts';
import type { PayloadFormat } from './payload-format.ts';
import { VP8_PAYLOAD } from './vp8-payload.ts';
import { VP9_PAYLOAD } from './vp9-payload.ts';

/** Codecs that travel in RTP here. */
export type RtpCodec = Extract<VideoCodec | AudioCodec, 'h264' | 'vp8' | 'vp9' | 'av1' | 'opus'>;

/** The payload format of each codec. */
export const PAYLOAD_FORMATS: Readonly<Record<RtpCodec, PayloadFormat>> = {
  h264: H264_PAYLOAD,
  vp8: VP8_PAYLOAD,
  vp9: VP9_PAYLOAD,
  av1: AV1_PAYLOAD,
  opus: OPUS_PAYLOAD,
};

/** True for a codec that has a payload format here. */
export function isRtpCodec(codec: string): codec is RtpCodec {
  return Object.hasOwn(PAYLOAD_FORMATS, codec);
}
