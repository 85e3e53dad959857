import { AAC_SAMPLE_RATES, type AacConfig, parseAacConfig } from '../bitstream/index.ts';
import type { CodecParameters } from '../model/codec.ts';
import { ParseError } from '../model/errors.ts';

/** stream_type values. ISO/IEC 13818-1 Table 2-34; AC-3 as ATSC A/53 and HLS have it. */
export const STREAM_TYPE = {
  mpeg1Audio: 0x03,
  mpeg2Audio: 0x04,
  privateSections: 0x05,
  privateData: 0x06,
  adts: 0x0f,
  metadata: 0x15,
  h264: 0x1b,
  hevc: 0x24,
  ac3: 0x81,
  /** SCTE 35 §8.1. */
  scte35: 0x86,
  eac3: 0x87,
} as const;

/** stream_id values. ISO/IEC 13818-1 Table 2-22. */
export const STREAM_ID = {
  privateStream1: 0xbd,
  padding: 0xbe,
  privateStream2: 0xbf,
  audio: 0xc0,
  video: 0xe0,
} as const;

/** MPEG-1 knows no sampling rate below this, in hertz. */
const LOWEST_MPEG1_RATE = 32_000;
/** AAC object types that a two-bit profile can name. */
const ADTS_TYPES = new Set([1, 2, 3, 4]);

/**
 * The stream_type under which a transport stream carries a codec, or undefined for what players of HLS do not
 * take in it: AV1, VP8, VP9, VVC, Opus, FLAC, and AAC that an ADTS header cannot describe.
 */
export function streamTypeOf(parameters: CodecParameters): number | undefined {
  switch (parameters.codec) {
    case 'h264':
      return STREAM_TYPE.h264;
    case 'hevc':
      return STREAM_TYPE.hevc;
    case 'aac':
      return fitsAdts(parameters.description) ? STREAM_TYPE.adts : undefined;
    case 'mp3':
      return parameters.sampleRate < LOWEST_MPEG1_RATE ? STREAM_TYPE.mpeg2Audio : STREAM_TYPE.mpeg1Audio;
    case 'ac3':
      return STREAM_TYPE.ac3;
    case 'eac3':
      return STREAM_TYPE.eac3;
    default:
      return undefined;
  }
}

/** ADTS has two bits for the profile, three for the channels, and no word for frames of 960. */
function fitsAdts(description: Uint8Array): boolean {
  let config: AacConfig;
  try {
    config = parseAacConfig(description);
  } catch (error) {
    if (error instanceof ParseError) return false;
    throw error;
  }
  const { channelConfiguration: channels } = config;
  return (
    ADTS_TYPES.has(config.objectType) &&
    config.coreFrameSize === 1024 &&
    channels >= 1 &&
    channels <= 7 &&
    AAC_SAMPLE_RATES.includes(config.sampleRate)
  );
}
