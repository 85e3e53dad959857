import { ByteReader } from '../bytes/index.ts';
import type { AudioCodec, AudioParameters } from '../model/codec.ts';
import { ParseError } from '../model/errors.ts';
import {
  AUDIO_MULTITRACK,
  enhancedHeaderBytes,
  PACKET_TYPE,
  readEnhancedParts,
  writeEnhancedHeader,
} from './enhanced.ts';
import { AUDIO_CODEC_OF, AUDIO_FOURCC, fourCcText } from './fourcc.ts';

/** What the body of an audio tag says about one track. `data` is a view into the body. */
export interface AudioMessage {
  /** `config`: decoder configuration as FLV stores it; `layout`: multichannel order; `end`: no more frames. */
  readonly kind: 'config' | 'frame' | 'end' | 'layout';
  readonly codec: AudioCodec;
  /** 0 for the default track. */
  readonly trackId: number;
  readonly data: Uint8Array;
}

/** SoundFormat values. FLV v10.1 §E.4.2.1, Enhanced RTMP v2 for 9. */
export const SOUND_FORMAT = { mp3: 2, enhanced: 9, aac: 10, mp3At8kHz: 14 } as const;
const REFUSED_FORMATS: Readonly<Record<number, string>> = {
  0: 'PCM of platform byte order',
  1: 'ADPCM',
  3: 'PCM',
  4: 'Nellymoser 16 kHz',
  5: 'Nellymoser 8 kHz',
  6: 'Nellymoser',
  7: 'G.711 A-law',
  8: 'G.711 mu-law',
  11: 'Speex',
  15: 'device-specific sound',
};
/** AACPacketType. FLV v10.1 §E.4.2.2. */
const AAC_PACKET = { config: 0, raw: 1 } as const;

const LEGACY_CLAUSE = 'FLV v10.1 §E.4.2';
const ENHANCED_CLAUSE = 'Enhanced RTMP v2, ExAudioTagHeader';
const NOTHING: readonly AudioMessage[] = [];

/**
 * Reads the body of an audio tag or RTMP audio message. An empty body means silence and says nothing.
 * @throws ParseError `FLV_CODEC_UNSUPPORTED`, `FLV_PACKET_TYPE_UNKNOWN`, `FLV_TOO_MANY_TRACKS`, or
 * `BYTES_OUT_OF_RANGE` if it is cut off.
 */
export function parseAudioBody(body: Uint8Array): readonly AudioMessage[] {
  if (body.length === 0) return NOTHING;
  const first = body[0]!;
  const format = first >> 4;
  switch (format) {
    case SOUND_FORMAT.enhanced:
      return parseEnhanced(body, first & 0x0f);
    case SOUND_FORMAT.aac:
      return [parseAac(body)];
    case SOUND_FORMAT.mp3:
    case SOUND_FORMAT.mp3At8kHz:
      return body.length === 1
        ? NOTHING
        : [{ kind: 'frame', codec: 'mp3', trackId: 0, data: body.subarray(1) }];
    default: {
      const name = REFUSED_FORMATS[format] ?? `sound format ${format}`;
      throw new ParseError('FLV_CODEC_UNSUPPORTED', LEGACY_CLAUSE, `audio in ${name}; AAC expected`);
    }
  }
}

function parseAac(body: Uint8Array): AudioMessage {
  const reader = new ByteReader(body, LEGACY_CLAUSE);
  reader.skip(1);
  const packetType = reader.u8();
  const data = reader.rest();
  switch (packetType) {
    case AAC_PACKET.config:
      return { kind: 'config', codec: 'aac', trackId: 0, data };
    case AAC_PACKET.raw:
      return { kind: 'frame', codec: 'aac', trackId: 0, data };
    default:
      throw new ParseError('FLV_PACKET_TYPE_UNKNOWN', LEGACY_CLAUSE, `AACPacketType ${packetType}`, 1);
  }
}

function parseEnhanced(body: Uint8Array, packetType: number): readonly AudioMessage[] {
  const reader = new ByteReader(body, ENHANCED_CLAUSE);
  reader.skip(1);
  return readEnhancedParts(reader, packetType, AUDIO_MULTITRACK, ENHANCED_CLAUSE).map((part) => {
    const codec = AUDIO_CODEC_OF.get(part.fourCc);
    if (codec === undefined) {
      const name = fourCcText(part.fourCc);
      throw new ParseError('FLV_CODEC_UNSUPPORTED', ENHANCED_CLAUSE, `audio FourCC ${name}`);
    }
    return { kind: partKind(part.packetType), codec, trackId: part.trackId, data: part.data };
  });
}

function partKind(packetType: number): AudioMessage['kind'] {
  switch (packetType) {
    case PACKET_TYPE.sequenceStart:
      return 'config';
    case PACKET_TYPE.codedFrames:
      return 'frame';
    case PACKET_TYPE.sequenceEnd:
      return 'end';
    case PACKET_TYPE.metadata:
      return 'layout';
    default:
      throw new ParseError('FLV_PACKET_TYPE_UNKNOWN', ENHANCED_CLAUSE, `audio packet type ${packetType}`, 0);
  }
}

/** Codecs whose frames on the default track have the header they always had. */
function isLegacy(codec: AudioCodec, trackId: number): boolean {
  return trackId === 0 && (codec === 'aac' || codec === 'mp3');
}

/**
 * Bytes in front of the coded data of a frame in the most compatible form.
 * @param trackId 0 for the default track, else multitrack is used.
 */
export function audioFrameHeaderBytes(codec: AudioCodec, trackId = 0): number {
  if (!isLegacy(codec, trackId)) return enhancedHeaderBytes(trackId);
  return codec === 'aac' ? 2 : 1;
}

/** Writes those bytes: the legacy header for AAC and MP3, the enhanced one for other codecs and tracks. */
export function writeAudioFrameHeader(
  out: Uint8Array,
  at: number,
  parameters: Pick<AudioParameters, 'codec' | 'sampleRate' | 'channels'>,
  trackId = 0,
): void {
  const { codec, sampleRate, channels } = parameters;
  if (!isLegacy(codec, trackId)) writeAudioHeader(out, at, codec, PACKET_TYPE.codedFrames, trackId);
  else if (codec === 'mp3') out[at] = mp3FirstByte(sampleRate, channels);
  else {
    out[at] = AAC_FIRST_BYTE;
    out[at + 1] = AAC_PACKET.raw;
  }
}

/** Body of the tag that carries a decoder configuration. MP3, AC-3 and Enhanced AC-3 have none. */
export function audioConfigBody(codec: AudioCodec, config: Uint8Array, trackId = 0): Uint8Array {
  const legacy = isLegacy(codec, trackId);
  const start = legacy ? 2 : enhancedHeaderBytes(trackId);
  const out = new Uint8Array(start + config.length);
  if (legacy) {
    out[0] = AAC_FIRST_BYTE;
    out[1] = AAC_PACKET.config;
  } else writeAudioHeader(out, 0, codec, PACKET_TYPE.sequenceStart, trackId);
  out.set(config, start);
  return out;
}

/** AAC always says 44.1 kHz, 16 bits, stereo; the truth is in its configuration (§E.4.2.1). */
const AAC_FIRST_BYTE = (SOUND_FORMAT.aac << 4) | 0x0f;

function mp3FirstByte(sampleRate: number, channels: number): number {
  const sizeAndType = 2 | (channels > 1 ? 1 : 0);
  if (sampleRate === 8000) return (SOUND_FORMAT.mp3At8kHz << 4) | sizeAndType;
  const rate = sampleRate >= 44_100 ? 3 : sampleRate >= 22_050 ? 2 : sampleRate >= 11_025 ? 1 : 0;
  return (SOUND_FORMAT.mp3 << 4) | (rate << 2) | sizeAndType;
}

function writeAudioHeader(
  out: Uint8Array,
  at: number,
  codec: AudioCodec,
  packetType: number,
  trackId: number,
): void {
  const first = SOUND_FORMAT.enhanced << 4;
  writeEnhancedHeader(out, at, first, packetType, AUDIO_MULTITRACK, AUDIO_FOURCC[codec], trackId);
}
