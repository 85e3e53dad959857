import { ByteReader } from '../bytes/index.ts';
import type { VideoCodec } from '../model/codec.ts';
import { ParseError } from '../model/errors.ts';
import { enhancedHeaderBytes, PACKET_TYPE, readEnhancedParts, writeEnhancedHeader } from './enhanced.ts';
import { fourCcText, VIDEO_CODEC_OF, VIDEO_FOURCC } from './fourcc.ts';
import { writeU24 } from './tag.ts';

/** What the body of a video tag says about one track. `data` is a view into the body. */
export type VideoMessage =
  /** Decoder configuration record as FLV stores it. */
  | VideoPart<'config'>
  | (VideoPart<'frame'> & {
      /** Presentation minus decoding time in milliseconds, signed. */
      readonly compositionMs: number;
      /** Nanoseconds to be added to the presentation time, 0 to 999,999. */
      readonly nanoOffset: number;
    })
  /** No more frames until the next config. */
  | VideoPart<'end'>
  /** AMF0 name and value, e.g. `colorInfo`. */
  | VideoPart<'metadata'>;

interface VideoPart<Kind extends string> {
  readonly kind: Kind;
  readonly codec: VideoCodec;
  /** 0 for the default track. */
  readonly trackId: number;
  readonly data: Uint8Array;
}

/** Legacy CodecID values. FLV v10.1 §E.4.3.1; 12 is a convention that came before Enhanced RTMP. */
export const VIDEO_CODEC_ID = { avc: 7, hevc: 12 } as const;
const LEGACY_CODECS: ReadonlyMap<number, VideoCodec> = new Map([
  [VIDEO_CODEC_ID.avc, 'h264'],
  [VIDEO_CODEC_ID.hevc, 'hevc'],
]);
const REFUSED_CODECS: Readonly<Record<number, string>> = {
  1: 'JPEG',
  2: 'Sorenson H.263',
  3: 'Screen Video',
  4: 'VP6',
  5: 'VP6 with alpha',
  6: 'Screen Video 2',
};

/** FrameType values that matter here. FLV v10.1 §E.4.3.1. */
export const FRAME_TYPE = { key: 1, inter: 2, command: 5 } as const;
/** AVCPacketType. FLV v10.1 §E.4.3.1. */
const AVC_PACKET = { config: 0, nalu: 1, end: 2 } as const;

const LEGACY_CLAUSE = 'FLV v10.1 §E.4.3';
const ENHANCED_CLAUSE = 'Enhanced RTMP v2, ExVideoTagHeader';
/** Codecs whose CodedFrames begin with a composition time. */
const HAS_COMPOSITION_TIME = new Set<VideoCodec>(['h264', 'hevc', 'vvc']);
const NOTHING: readonly VideoMessage[] = [];

/**
 * Reads the body of a video tag or RTMP video message. An empty body and the seek commands say nothing.
 * @throws ParseError `FLV_CODEC_UNSUPPORTED`, `FLV_PACKET_TYPE_UNKNOWN`, `FLV_TOO_MANY_TRACKS`, or
 * `BYTES_OUT_OF_RANGE` if it is cut off.
 */
export function parseVideoBody(body: Uint8Array): readonly VideoMessage[] {
  if (body.length === 0) return NOTHING;
  const first = body[0]!;
  const reader = new ByteReader(body, first & 0x80 ? ENHANCED_CLAUSE : LEGACY_CLAUSE);
  reader.skip(1);
  return first & 0x80 ? parseEnhanced(reader, first) : parseLegacy(reader, first);
}

function parseLegacy(reader: ByteReader, first: number): readonly VideoMessage[] {
  if (first >> 4 === FRAME_TYPE.command) return NOTHING;
  const codecId = first & 0x0f;
  const codec = LEGACY_CODECS.get(codecId);
  if (codec === undefined) {
    const name = REFUSED_CODECS[codecId] ?? `codec id ${codecId}`;
    throw new ParseError('FLV_CODEC_UNSUPPORTED', LEGACY_CLAUSE, `video in ${name}; H.264 expected`);
  }
  const packetType = reader.u8();
  if (packetType === AVC_PACKET.end) return [{ kind: 'end', codec, trackId: 0, data: reader.rest() }];
  const compositionMs = reader.i24();
  const data = reader.rest();
  switch (packetType) {
    case AVC_PACKET.config:
      return [{ kind: 'config', codec, trackId: 0, data }];
    case AVC_PACKET.nalu:
      return [{ kind: 'frame', codec, trackId: 0, compositionMs, nanoOffset: 0, data }];
    default:
      throw new ParseError('FLV_PACKET_TYPE_UNKNOWN', LEGACY_CLAUSE, `AVCPacketType ${packetType}`, 1);
  }
}

function parseEnhanced(reader: ByteReader, first: number): readonly VideoMessage[] {
  const packetType = first & 0x0f;
  const frameType = (first >> 4) & 7;
  if (frameType === FRAME_TYPE.command && packetType !== PACKET_TYPE.metadata) return NOTHING;
  const messages: VideoMessage[] = [];
  for (const part of readEnhancedParts(reader, packetType, PACKET_TYPE.multitrack, ENHANCED_CLAUSE)) {
    const codec = VIDEO_CODEC_OF.get(part.fourCc);
    if (codec === undefined) {
      const name = fourCcText(part.fourCc);
      throw new ParseError('FLV_CODEC_UNSUPPORTED', ENHANCED_CLAUSE, `video FourCC ${name}`);
    }
    messages.push(enhancedMessage(codec, part.packetType, part.trackId, part.nanoOffset, part.data));
  }
  return messages;
}

function enhancedMessage(
  codec: VideoCodec,
  packetType: number,
  trackId: number,
  nanoOffset: number,
  data: Uint8Array,
): VideoMessage {
  switch (packetType) {
    case PACKET_TYPE.sequenceStart:
      return { kind: 'config', codec, trackId, data };
    case PACKET_TYPE.codedFrames: {
      if (!HAS_COMPOSITION_TIME.has(codec)) {
        return { kind: 'frame', codec, trackId, compositionMs: 0, nanoOffset, data };
      }
      const reader = new ByteReader(data, ENHANCED_CLAUSE);
      const compositionMs = reader.i24();
      return { kind: 'frame', codec, trackId, compositionMs, nanoOffset, data: reader.rest() };
    }
    case PACKET_TYPE.codedFramesX:
      return { kind: 'frame', codec, trackId, compositionMs: 0, nanoOffset, data };
    case PACKET_TYPE.sequenceEnd:
      return { kind: 'end', codec, trackId, data };
    case PACKET_TYPE.metadata:
      return { kind: 'metadata', codec, trackId, data };
    default:
      throw new ParseError('FLV_PACKET_TYPE_UNKNOWN', ENHANCED_CLAUSE, `video packet type ${packetType}`, 0);
  }
}

/** H.264 of the default track travels as it always did; everything else has the enhanced header. */
function isLegacy(codec: VideoCodec, trackId: number): boolean {
  return codec === 'h264' && trackId === 0;
}

/**
 * Bytes in front of the coded data of a frame in the most compatible form.
 * @param trackId 0 for the default track, else multitrack is used.
 * @param nanoOffset nanoseconds beside it; the legacy header has no place for them
 */
export function videoFrameHeaderBytes(
  codec: VideoCodec,
  compositionMs: number,
  trackId = 0,
  nanoOffset = 0,
): number {
  if (isLegacy(codec, trackId)) return 5;
  const timed = HAS_COMPOSITION_TIME.has(codec) && compositionMs !== 0;
  return enhancedHeaderBytes(trackId, nanoOffset) + (timed ? 3 : 0);
}

/**
 * Writes those bytes: the legacy header for H.264, the enhanced one for every other codec and track.
 * @param frame.compositionMs presentation minus decoding time, clipped to signed 24 bits.
 * @param frame.nanoOffset nanoseconds to be added to the presentation time, for readers that know ModEx.
 */
export function writeVideoFrameHeader(
  out: Uint8Array,
  at: number,
  frame: {
    readonly codec: VideoCodec;
    readonly keyframe: boolean;
    readonly compositionMs: number;
    readonly nanoOffset?: number;
  },
  trackId = 0,
): void {
  const { codec, compositionMs, nanoOffset = 0 } = frame;
  const frameType = frame.keyframe ? FRAME_TYPE.key : FRAME_TYPE.inter;
  const time = Math.max(-0x80_0000, Math.min(0x7f_ffff, compositionMs));
  if (isLegacy(codec, trackId)) {
    out[at] = (frameType << 4) | VIDEO_CODEC_ID.avc;
    out[at + 1] = AVC_PACKET.nalu;
    writeU24(out, at + 2, time);
    return;
  }
  const hasTime = HAS_COMPOSITION_TIME.has(codec);
  const timed = hasTime && compositionMs !== 0;
  const packetType = timed || !hasTime ? PACKET_TYPE.codedFrames : PACKET_TYPE.codedFramesX;
  writeVideoHeader(out, at, frameType, packetType, codec, trackId, nanoOffset);
  if (timed) writeU24(out, at + enhancedHeaderBytes(trackId, nanoOffset), time);
}

/** Body of the tag that carries a decoder configuration record. */
export function videoConfigBody(codec: VideoCodec, record: Uint8Array, trackId = 0): Uint8Array {
  const start = isLegacy(codec, trackId) ? 5 : enhancedHeaderBytes(trackId);
  const out = new Uint8Array(start + record.length);
  writeMarker(out, codec, AVC_PACKET.config, PACKET_TYPE.sequenceStart, trackId);
  out.set(record, start);
  return out;
}

/** Body of the tag that carries metadata, an AMF0 name and value. Enhanced RTMP v2, VideoPacketType.Metadata. */
export function videoMetadataBody(codec: VideoCodec, payload: Uint8Array, trackId = 0): Uint8Array {
  const start = enhancedHeaderBytes(trackId);
  const out = new Uint8Array(start + payload.length);
  // Tracks of multitrack cannot stand in a command frame.
  const frameType = trackId === 0 ? FRAME_TYPE.command : FRAME_TYPE.key;
  writeVideoHeader(out, 0, frameType, PACKET_TYPE.metadata, codec, trackId);
  out.set(payload, start);
  return out;
}

/** Body of the tag that ends a sequence. */
export function videoEndBody(codec: VideoCodec, trackId = 0): Uint8Array {
  const out = new Uint8Array(isLegacy(codec, trackId) ? 5 : enhancedHeaderBytes(trackId));
  writeMarker(out, codec, AVC_PACKET.end, PACKET_TYPE.sequenceEnd, trackId);
  return out;
}

function writeMarker(
  out: Uint8Array,
  codec: VideoCodec,
  avcPacketType: number,
  packetType: number,
  trackId: number,
): void {
  if (isLegacy(codec, trackId)) {
    out[0] = (FRAME_TYPE.key << 4) | VIDEO_CODEC_ID.avc;
    out[1] = avcPacketType;
  } else writeVideoHeader(out, 0, FRAME_TYPE.key, packetType, codec, trackId);
}

function writeVideoHeader(
  out: Uint8Array,
  at: number,
  frameType: number,
  packetType: number,
  codec: VideoCodec,
  trackId: number,
  nanoOffset = 0,
): void {
  const first = 0x80 | (frameType << 4);
  const fourCc = VIDEO_FOURCC[codec];
  writeEnhancedHeader(out, at, first, packetType, PACKET_TYPE.multitrack, fourCc, trackId, nanoOffset);
}
