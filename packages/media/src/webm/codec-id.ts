import { type Vp9KeyHeader, writeVpConfig } from '../bitstream/index.ts';
import type { AudioCodec, VideoCodec } from '../model/codec.ts';
import type { TrackEntry } from './track-entry.ts';

/** CodecID of each video codec. Matroska Codec Specifications §5.1. */
export const VIDEO_CODEC_IDS: Readonly<Record<VideoCodec, string>> = {
  h264: 'V_MPEG4/ISO/AVC',
  hevc: 'V_MPEGH/ISO/HEVC',
  vvc: 'V_MPEGI/ISO/VVC',
  av1: 'V_AV1',
  vp8: 'V_VP8',
  vp9: 'V_VP9',
};

/** CodecID of each audio codec. Matroska Codec Specifications §5.2. */
export const AUDIO_CODEC_IDS: Readonly<Record<AudioCodec, string>> = {
  aac: 'A_AAC',
  opus: 'A_OPUS',
  mp3: 'A_MPEG/L3',
  flac: 'A_FLAC',
  ac3: 'A_AC3',
  eac3: 'A_EAC3',
};

/** Codecs that a document of type `webm` may hold. WebM Container Guidelines. */
export const WEBM_CODECS: ReadonlySet<string> = new Set(['vp8', 'vp9', 'av1', 'opus']);

const VIDEO_BY_ID = byId(VIDEO_CODEC_IDS);
const AUDIO_BY_ID = byId(AUDIO_CODEC_IDS);
/** Names that were in use before the present ones. */
const FORMER_AUDIO: readonly (readonly [prefix: string, codec: AudioCodec])[] = [
  ['A_AAC/', 'aac'],
  ['A_AC3/', 'ac3'],
];

/** The video codec of a CodecID; undefined if the model has none for it. */
export function videoCodecOf(codecId: string): VideoCodec | undefined {
  return VIDEO_BY_ID.get(codecId);
}

/** The audio codec of a CodecID; undefined if the model has none for it, such as Vorbis. */
export function audioCodecOf(codecId: string): AudioCodec | undefined {
  return AUDIO_BY_ID.get(codecId) ?? FORMER_AUDIO.find(([prefix]) => codecId.startsWith(prefix))?.[1];
}

/** Features in the CodecPrivate of VP9: each an id, a length of 1, a value. WebM Container Guidelines, VP9. */
const FEATURE = { profile: 1, level: 2, bitDepth: 3, chromaSubsampling: 4 } as const;
const UNSPECIFIED = 2;

/** VPCodecConfigurationRecord of a VP9 track: what its entry tells, for the rest what a key frame does. */
export function vp9RecordOf(
  entry: Pick<TrackEntry, 'codecPrivate' | 'colour'>,
  header: Vp9KeyHeader,
): Uint8Array {
  const features = new Map<number, number>();
  const { codecPrivate, colour } = entry;
  for (let at = 0; at + 2 < codecPrivate.length; at += 2 + codecPrivate[at + 1]!) {
    if (codecPrivate[at + 1] === 1) features.set(codecPrivate[at]!, codecPrivate[at + 2]!);
  }
  return writeVpConfig({
    profile: header.profile,
    level: features.get(FEATURE.level) ?? 0,
    bitDepth: header.bitDepth,
    chromaSubsampling: (features.get(FEATURE.chromaSubsampling) ?? header.chromaSubsampling) & 7,
    fullRange: header.fullRange,
    colourPrimaries: colour?.primaries ?? UNSPECIFIED,
    transferCharacteristics: colour?.transferCharacteristics ?? UNSPECIFIED,
    matrixCoefficients: colour?.matrixCoefficients ?? UNSPECIFIED,
  });
}

/** CodecPrivate of a VP9 track. */
export function vp9Features(config: {
  readonly profile: number;
  readonly level: number;
  readonly bitDepth: number;
  readonly chromaSubsampling: number;
}): Uint8Array {
  return Uint8Array.of(
    FEATURE.profile,
    1,
    config.profile,
    FEATURE.level,
    1,
    config.level,
    FEATURE.bitDepth,
    1,
    config.bitDepth,
    FEATURE.chromaSubsampling,
    1,
    config.chromaSubsampling,
  );
}

function byId<C extends string>(ids: Readonly<Record<C, string>>): ReadonlyMap<string, C> {
  return new Map(Object.entries<string>(ids).map(([codec, id]) => [id, codec as C]));
}
