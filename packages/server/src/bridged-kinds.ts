import type { FanoutContext, LogLimits, PackagerKind, SessionTable, Stream } from './hub/index.ts';
import type { CmafPackager } from './packager/cmaf/index.ts';
import type { HlsPackager } from './packager/hls/index.ts';
import {
  FLV_TAGS,
  PRECISE_RTMP_MESSAGES,
  RTMP_MESSAGES,
  type TagFormat,
  type TagPackager,
  tagPackagerKind,
} from './packager/tags/index.ts';
import type { TsPackager } from './packager/ts/index.ts';
import {
  AAC_FOR_FLV,
  AAC_FOR_HLS,
  type AudioTranscoder,
  bridgedKind,
  H264_FOR_FLV,
  H264_FOR_HLS,
  type PictureParts,
  pictureBridgedKind,
} from './transcode/index.ts';

/** What bridges of sound and of pictures are joined from. */
export interface Bridges extends PictureParts {
  readonly transcoder: AudioTranscoder;
}

/** FLV and RTMP, with H.264 and AAC in place of what browsers publish. */
export function bridgedTagKinds(
  context: FanoutContext,
  limits: () => LogLimits,
  bridges: Bridges,
): Readonly<Record<'flv' | 'rtmp' | 'preciseRtmp', PackagerKind<TagPackager>>> {
  const kind = (format: TagFormat): PackagerKind<TagPackager> => {
    const inner = bridgedKind(tagPackagerKind(format, context, limits), AAC_FOR_FLV, bridges);
    return pictureBridgedKind(inner, H264_FOR_FLV, bridges, { used: ({ fanout }) => fanout.size > 0 });
  };
  return {
    flv: kind(FLV_TAGS),
    rtmp: kind(RTMP_MESSAGES),
    preciseRtmp: kind(PRECISE_RTMP_MESSAGES),
  };
}

/** How the kinds of packagers behind HLS are made. */
export interface HlsMaking {
  readonly sessions: () => SessionTable;
  cmaf(): PackagerKind<CmafPackager>;
  hls(cmaf: PackagerKind<CmafPackager>): PackagerKind<HlsPackager>;
  ts(hls: PackagerKind<HlsPackager>): PackagerKind<TsPackager>;
}

/** Chooses the kind for a stream. */
export interface BridgedHlsKinds {
  hls(stream: Stream): PackagerKind<HlsPackager>;
  ts(stream: Stream): PackagerKind<TsPackager>;
}

/**
 * HLS as it is, and beside it, made when somebody asks and let go after the last, HLS with H.264 and AAC: for streams in
 * VP8, which no player takes in MP4, and as transport stream also for those with Opus.
 * @param plain kind that runs for every stream.
 */
export function bridgedHlsKinds(
  plain: PackagerKind<HlsPackager>,
  making: HlsMaking,
  bridges: Bridges,
): BridgedHlsKinds {
  const watched = ({ name }: Stream): boolean =>
    making
      .sessions()
      .list()
      .some(({ stream, protocol }) => stream === name && protocol === 'hls');
  const cmaf = pictureBridgedKind(bridgedKind(making.cmaf(), AAC_FOR_HLS, bridges), H264_FOR_HLS, bridges, {
    used: (_packager, stream) => watched(stream),
    onDemand: true,
    retired: (stream) => {
      stream.retire(tsAside);
      stream.retire(aside);
    },
  });
  const aside = making.hls(cmaf);
  const tsAside = making.ts(aside);
  const tsPlain = making.ts(plain);
  const has = (stream: Stream, ...codecs: string[]): boolean =>
    stream.epoch?.tracks.some(({ parameters }) => codecs.includes(parameters.codec)) === true;
  return {
    hls: (stream) => (has(stream, 'vp8') ? aside : plain),
    ts: (stream) => (has(stream, 'vp8', 'opus') ? tsAside : tsPlain),
  };
}
