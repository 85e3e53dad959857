import type { BridgeRule } from './audio-bridge.ts';
import type { PictureRule } from './picture-bridge.ts';

/** Sources whose people cannot choose AAC: browsers encode Opus alone. */
const BROWSER_SOURCES: ReadonlySet<string> = new Set(['whip', 'upload']);

/** FLV and RTMP: players of this family take Opus only where the publisher chose it for them. */
export const AAC_FOR_FLV: BridgeRule = {
  to: 'aac',
  needed: ({ codec }, stream) =>
    codec === 'opus' && BROWSER_SOURCES.has(stream.publication?.publisher.protocol ?? ''),
  pastMs: Number.POSITIVE_INFINITY,
};

/** HLS for players that want H.264 and AAC. */
export const AAC_FOR_HLS: BridgeRule = {
  to: 'aac',
  needed: ({ codec }) => codec === 'opus',
  pastMs: Number.POSITIVE_INFINITY,
};

/** WebRTC: browsers take Opus alone. AAC is decoded as far as the library can: LC, mono and stereo. */
export const OPUS_FOR_RTP: BridgeRule = {
  to: 'opus',
  needed: ({ codec, codecString, channels }) =>
    codec === 'aac' && codecString === 'mp4a.40.2' && channels <= 2,
  pastMs: 300,
};

/** FLV and RTMP: next to no player takes VP8 there, which is all that some browsers publish. */
export const H264_FOR_FLV: PictureRule = {
  to: 'h264',
  needed: ({ codec }, stream) =>
    codec === 'vp8' && BROWSER_SOURCES.has(stream.publication?.publisher.protocol ?? ''),
  inOrder: false,
};

/** HLS: no browser takes VP8 in MP4. */
export const H264_FOR_HLS: PictureRule = {
  to: 'h264',
  needed: ({ codec }) => codec === 'vp8',
  inOrder: false,
};

/** WebRTC shows pictures in the order in which they come, and browsers take no HEVC there. */
export const H264_FOR_RTP: PictureRule = {
  to: 'h264',
  needed: ({ codec }) => codec === 'hevc',
  inOrder: true,
};

/** WebRTC in a browser without H.264, as Firefox is until it has fetched a plug-in. */
export const VP8_FOR_RTP: PictureRule = {
  to: 'vp8',
  needed: ({ codec }) => codec === 'h264' || codec === 'hevc',
  inOrder: false,
};
