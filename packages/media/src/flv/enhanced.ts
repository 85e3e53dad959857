import type { ByteReader } from '../bytes/index.ts';
import { ParseError } from '../model/errors.ts';
import { writeU24 } from './tag.ts';

/** Packet types that audio and video have in common. Enhanced RTMP v2, AudioPacketType and VideoPacketType. */
export const PACKET_TYPE = {
  sequenceStart: 0,
  codedFrames: 1,
  sequenceEnd: 2,
  /** Video: coded frames whose composition time is zero. */
  codedFramesX: 3,
  /** Video: AMF metadata. Audio: multichannel configuration. */
  metadata: 4,
  mpeg2TsSequenceStart: 5,
  /** Audio uses 5 for this. */
  multitrack: 6,
  modEx: 7,
} as const;
/** AudioPacketType.Multitrack. */
export const AUDIO_MULTITRACK = 5;

/** AvMultitrackType. */
const MULTITRACK = { one: 0, many: 1, manyCodecs: 2 } as const;
/** ModEx type of the nanosecond offset. */
const MODEX_TIMESTAMP_NANO = 0;
/** Greatest nanosecond offset. */
const MAX_NANO_OFFSET = 999_999;
/** ModEx with an offset: its size, three bytes, its type with the packet type. */
const NANO_BYTES = 5;
/** Most tracks in one message; the track id itself is limited by the demuxer. */
const MAX_TRACKS_PER_MESSAGE = 16;

/** One track's part of an enhanced message. */
export interface EnhancedPart {
  readonly packetType: number;
  readonly fourCc: number;
  /** 0 for the default track. */
  readonly trackId: number;
  /** Nanoseconds to be added to the presentation time, 0 to 999,999. */
  readonly nanoOffset: number;
  readonly data: Uint8Array;
}

/**
 * Reads ModEx and multitrack layers up to the coded bytes of each track.
 * @param reader behind the first byte of the message. @param packetType from that byte.
 * @param multitrackType 6 for video, 5 for audio.
 */
export function readEnhancedParts(
  reader: ByteReader,
  packetType: number,
  multitrackType: number,
  clause: string,
): EnhancedPart[] {
  let nanoOffset = 0;
  while (packetType === PACKET_TYPE.modEx) {
    let size = reader.u8() + 1;
    if (size === 256) size = reader.u16() + 1;
    const data = reader.bytes(size);
    const next = reader.u8();
    packetType = next & 0x0f;
    if (next >> 4 === MODEX_TIMESTAMP_NANO && size >= 3) {
      nanoOffset = Math.min((data[0]! << 16) | (data[1]! << 8) | data[2]!, MAX_NANO_OFFSET);
    }
  }
  if (packetType !== multitrackType) {
    return [{ packetType, fourCc: reader.u32(), trackId: 0, nanoOffset, data: reader.rest() }];
  }
  const second = reader.u8();
  const kind = second >> 4;
  packetType = second & 0x0f;
  if (kind > MULTITRACK.manyCodecs || packetType === multitrackType || packetType === PACKET_TYPE.modEx) {
    throw new ParseError(
      'FLV_PACKET_TYPE_UNKNOWN',
      clause,
      `multitrack type ${kind} with packet type ${packetType}`,
    );
  }
  let fourCc = kind === MULTITRACK.manyCodecs ? 0 : reader.u32();
  const parts: EnhancedPart[] = [];
  do {
    if (parts.length === MAX_TRACKS_PER_MESSAGE) {
      throw new ParseError(
        'FLV_TOO_MANY_TRACKS',
        clause,
        `more than ${MAX_TRACKS_PER_MESSAGE} tracks in a message`,
      );
    }
    if (kind === MULTITRACK.manyCodecs) fourCc = reader.u32();
    const trackId = reader.u8();
    const data = kind === MULTITRACK.one ? reader.rest() : reader.bytes(reader.u24());
    parts.push({ packetType, fourCc, trackId, nanoOffset, data });
  } while (kind !== MULTITRACK.one && reader.remaining > 0);
  return parts;
}

/** Bytes of an enhanced header: first byte, ModEx, multitrack byte and track id where needed, FourCC. */
export function enhancedHeaderBytes(trackId: number, nanoOffset = 0): number {
  return (trackId === 0 ? 5 : 7) + (nanoOffset > 0 ? NANO_BYTES : 0);
}

/**
 * Writes an enhanced header; any track but the default one travels as multitrack of one track.
 * @param first the bits of the first byte above the packet type.
 * @param nanoOffset nanoseconds to be added to the presentation time, 0 to 999,999; 0 is not written
 */
export function writeEnhancedHeader(
  out: Uint8Array,
  at: number,
  first: number,
  packetType: number,
  multitrackType: number,
  fourCc: number,
  trackId: number,
  nanoOffset = 0,
): void {
  let next = at + 1;
  const outer = trackId === 0 ? packetType : multitrackType;
  if (nanoOffset > 0) {
    out[at] = first | PACKET_TYPE.modEx;
    out[next] = 2; // one less than the size of the offset
    writeU24(out, next + 1, nanoOffset);
    out[next + 4] = (MODEX_TIMESTAMP_NANO << 4) | outer;
    next += NANO_BYTES;
  } else out[at] = first | outer;
  if (trackId !== 0) {
    out[next++] = (MULTITRACK.one << 4) | packetType;
    out[next + 4] = trackId;
  }
  for (let i = 0; i < 4; i++) out[next + i] = (fourCc >>> (24 - 8 * i)) & 0xff;
}
