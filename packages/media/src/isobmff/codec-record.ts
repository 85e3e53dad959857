import { ByteWriter } from '../bytes/index.ts';
import type { AudioCodec, AudioParameters, VideoCodec, VideoParameters } from '../model/codec.ts';
import { ParseError } from '../model/errors.ts';

/** How one codec is stored: its sample entry and the box with its decoder configuration record. */
export interface CodecBinding {
  /** Sample entry codes that are read as this codec; the first is the one written. */
  readonly entries: readonly string[];
  /** Box inside the sample entry that holds the record. */
  readonly record: string;
  /** True if that box is a FullBox; the record in a track then starts after version and flags. */
  readonly full?: { readonly version: number };
  /** Where it is defined. */
  readonly clause: string;
}

/** Video codecs and their bindings. */
export const VIDEO_BINDINGS: Readonly<Record<VideoCodec, CodecBinding>> = {
  h264: { entries: ['avc1', 'avc3'], record: 'avcC', clause: 'ISO/IEC 14496-15 §5.4.2' },
  hevc: { entries: ['hvc1', 'hev1'], record: 'hvcC', clause: 'ISO/IEC 14496-15 §8.4.1' },
  vvc: {
    entries: ['vvc1', 'vvi1'],
    record: 'vvcC',
    full: { version: 0 },
    clause: 'ISO/IEC 14496-15 §11.3.3',
  },
  av1: { entries: ['av01'], record: 'av1C', clause: 'AV1 in ISOBMFF §2.3' },
  vp8: { entries: ['vp08'], record: 'vpcC', full: { version: 1 }, clause: 'VP codecs in ISOBMFF 1.0' },
  vp9: { entries: ['vp09'], record: 'vpcC', full: { version: 1 }, clause: 'VP codecs in ISOBMFF 1.0' },
};

/** Audio codecs and their bindings; AAC and MP3 share `mp4a` and are told apart inside `esds`. */
export const AUDIO_BINDINGS: Readonly<Record<AudioCodec, CodecBinding>> = {
  aac: { entries: ['mp4a'], record: 'esds', full: { version: 0 }, clause: 'ISO/IEC 14496-14 §6.7' },
  mp3: { entries: ['mp4a', '.mp3'], record: 'esds', full: { version: 0 }, clause: 'ISO/IEC 14496-14 §6.7' },
  opus: { entries: ['Opus'], record: 'dOps', clause: 'Opus in ISOBMFF §4.3' },
  flac: { entries: ['fLaC'], record: 'dfLa', full: { version: 0 }, clause: 'FLAC in ISOBMFF §3.3' },
  ac3: { entries: ['ac-3'], record: 'dac3', clause: 'ETSI TS 102 366 §F.3' },
  eac3: { entries: ['ec-3'], record: 'dec3', clause: 'ETSI TS 102 366 §F.5' },
};

/**
 * The configuration record of a video track as its box stores it, without version and flags.
 * VP8 needs none in a stream, so that one is made here.
 * @throws ParseError `MP4_CODEC_RECORD` if the track has none.
 */
export function videoRecord(parameters: VideoParameters): Uint8Array {
  const binding = VIDEO_BINDINGS[parameters.codec];
  if (parameters.description.length > 0) return withoutFullBoxHeader(parameters.description, binding);
  if (parameters.codec !== 'vp8') return missing(parameters.codec, binding);
  // profile 0, level 1, 8 bits, 4:2:0 colocated, limited range, BT.709, no initialisation data
  return Uint8Array.of(0, 10, 0x82, 1, 1, 1, 0, 0);
}

/**
 * The configuration record of an audio track: AudioSpecificConfig, or the content of `dOps`, `dfLa`,
 * `dac3`, `dec3`. For Opus, AC-3 and E-AC-3 without one it is made from sample rate and channel count.
 * @throws ParseError `MP4_CODEC_RECORD` if AAC or FLAC come without.
 */
export function audioRecord(parameters: AudioParameters): Uint8Array {
  const { codec, description } = parameters;
  const binding = AUDIO_BINDINGS[codec];
  if (description.length > 0) {
    if (codec === 'opus') return atDecodedRate(description);
    return codec === 'flac' ? flacBlocks(description) : description;
  }
  switch (codec) {
    case 'mp3':
      return description;
    case 'opus':
      return new ByteWriter(11)
        .u8(0) // Version
        .u8(parameters.channels)
        .u16(312) // PreSkip of libopus: 6.5 ms at 48 kHz
        .u32(48_000)
        .u16(0) // OutputGain
        .u8(0) // ChannelMappingFamily
        .finish();
    case 'ac3':
      return packAc3(parameters);
    case 'eac3':
      return packEac3(parameters);
    default:
      return missing(codec, binding);
  }
}

/**
 * `dOps` that tells 48 kHz in place of the rate of the recorder's input, which decoders do not need: Chromium refuses one that
 * is not that of the sample entry. Firefox tells that of its microphone.
 */
function atDecodedRate(description: Uint8Array): Uint8Array {
  const record = description.slice();
  if (record.length >= 8) new DataView(record.buffer).setUint32(4, 48_000);
  return record;
}

function missing(codec: string, binding: CodecBinding): never {
  throw new ParseError('MP4_CODEC_RECORD', binding.clause, `${codec} track without ${binding.record}`);
}

/** No record starts like a FullBox header, so one that was handed over with it is recognised. */
function withoutFullBoxHeader(record: Uint8Array, binding: CodecBinding): Uint8Array {
  if (binding.full === undefined || record.length < 8) return record;
  const isHeader =
    record[0] === binding.full.version && record[1] === 0 && record[2] === 0 && record[3] === 0;
  return isHeader ? record.subarray(4) : record;
}

function flacBlocks(description: Uint8Array): Uint8Array {
  const marker = String.fromCharCode(...description.subarray(0, 4));
  if (marker === 'fLaC' || marker === '\0\0\0\0') return description.subarray(4);
  return description;
}

const AC3_RATES = [48000, 44100, 32000];
/** acmod by channel count: 1/0, 2/0, 3/0, 2/2, 3/2, 3/2 with low frequencies. */
const ACMOD = [1, 1, 2, 3, 6, 7, 7];

function ac3Fields(parameters: AudioParameters): { fscod: number; acmod: number; lfe: number } {
  const fscod = Math.max(0, AC3_RATES.indexOf(parameters.sampleRate));
  const lfe = parameters.channels === 6 ? 1 : 0;
  const acmod = ACMOD[parameters.channels] ?? 7;
  return { fscod, acmod, lfe };
}

function packAc3(parameters: AudioParameters): Uint8Array {
  const { fscod, acmod, lfe } = ac3Fields(parameters);
  // fscod 2, bsid 5 = 8, bsmod 3, acmod 3, lfeon 1, bit_rate_code 5, reserved 5
  return new ByteWriter(3).u24((fscod << 22) | (8 << 17) | (acmod << 11) | (lfe << 10)).finish();
}

function packEac3(parameters: AudioParameters): Uint8Array {
  const { fscod, acmod, lfe } = ac3Fields(parameters);
  // data_rate 13, num_ind_sub 3, then fscod 2, bsid 5 = 16, reserved 1, asvc 1, bsmod 3, acmod 3, lfeon 1, …
  return new ByteWriter(5)
    .u16(0)
    .u24((fscod << 22) | (16 << 17) | (acmod << 9) | (lfe << 8))
    .finish();
}
