import type { BridgeRule } from './audio-bridge.ts';

/** Sources whose people cannot choose AAC: browsers encode Opus alone. */
const BROWSER_SOURCES: ReadonlySet<string> = new Set(['whip', 'upload']);

/** FLV and RTMP: players of this family take Opus only where the publisher chose it for them. */
export const AAC_FOR_FLV: BridgeRule = {
  to: 'aac',
  needed: ({ codec }, stream) =>
    codec === 'opus' && BROWSER_SOURCES.has(stream.publication?.publisher.protocol ?? ''),
  pastMs: Number.POSITIVE_INFINITY,
};

/** WebRTC: browsers take Opus alone. AAC is decoded as far as the library can: LC, mono and stereo. */
export const OPUS_FOR_RTP: BridgeRule = {
  to: 'opus',
  needed: ({ codec, codecString, channels }) =>
    codec === 'aac' && codecString === 'mp4a.40.2' && channels <= 2,
  pastMs: 300,
};
