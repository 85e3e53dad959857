import { ParseError } from '../model/errors.ts';

/** What an FLV tag or an RTMP message of the same type carries. */
export type TagType = 'audio' | 'video' | 'script';

/** TagType values of the wire. Adobe FLV v10.1 Annex E.4.1. */
export const TAG_TYPE_CODE: Readonly<Record<TagType, number>> = { audio: 8, video: 9, script: 18 };

/** One tag: what FLV files and RTMP audio, video and data messages have in common. */
export interface Tag {
  readonly type: TagType;
  /** Milliseconds as on the wire, unsigned 32 bits, wrapping. */
  readonly timestampMs: number;
  readonly body: Uint8Array;
}

/** Bytes in front of each tag body. */
export const TAG_HEADER_BYTES = 11;
/** Bytes of PreviousTagSize after each tag body. */
export const TAG_TRAILER_BYTES = 4;

/** Annex E.2: signature, version, flags, header size, then the PreviousTagSize of no tag. */
export function flvFileHeader(has: { readonly audio: boolean; readonly video: boolean }): Uint8Array {
  const flags = (has.audio ? 4 : 0) | (has.video ? 1 : 0);
  return Uint8Array.of(0x46, 0x4c, 0x56, 1, flags, 0, 0, 0, 9, 0, 0, 0, 0);
}

/** Header, body and PreviousTagSize of one tag in one new array. Annex E.4.1. */
export function encodeFlvTag(tag: Tag): Uint8Array {
  const out = new Uint8Array(TAG_HEADER_BYTES + tag.body.length + TAG_TRAILER_BYTES);
  out.set(tag.body, TAG_HEADER_BYTES);
  frameFlvTag(out, tag.type, tag.timestampMs);
  return out;
}

/**
 * Writes header and trailer around a body that already stands in `out`.
 * @param out exactly header, body and trailer. @param timestampMs any whole number; sent modulo 2^32.
 */
export function frameFlvTag(out: Uint8Array, type: TagType, timestampMs: number): void {
  const size = out.length - TAG_HEADER_BYTES - TAG_TRAILER_BYTES;
  if (size > 0xff_ffff) {
    throw new ParseError('FLV_TAG_TOO_LARGE', 'FLV v10.1 §E.4.1', `a tag body of ${size} bytes`);
  }
  const time = timestampMs >>> 0;
  out[0] = TAG_TYPE_CODE[type];
  writeU24(out, 1, size);
  writeU24(out, 4, time & 0xff_ffff);
  out[7] = time >>> 24;
  writeU24(out, 8, 0); // StreamID
  const end = TAG_HEADER_BYTES + size;
  out[end] = 0;
  writeU24(out, end, (size + TAG_HEADER_BYTES) >>> 8);
  out[end + 3] = (size + TAG_HEADER_BYTES) & 0xff;
}

/** Stores the low 24 bits, big-endian. */
export function writeU24(out: Uint8Array, at: number, value: number): void {
  out[at] = (value >>> 16) & 0xff;
  out[at + 1] = (value >>> 8) & 0xff;
  out[at + 2] = value & 0xff;
}
