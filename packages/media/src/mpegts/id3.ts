import { ByteWriter } from '../bytes/index.ts';
import type { TsDescriptor } from './tables.ts';

/** Largest content of a frame that is written, in bytes. */
export const MAX_ID3_TEXT_BYTES = 16_384;
const encoder = new TextEncoder();
const ID3_FORMAT = [0xff, 0xff, 0x49, 0x44, 0x33, 0x20, 0xff, 0x49, 0x44, 0x33, 0x20];

/** One `TXXX` frame: a text under a description. ID3v2.4 §4.2.6. */
export interface Id3Text {
  readonly description: string;
  readonly value: string;
}

/** An ID3v2.4 tag with one `TXXX` frame in UTF-8; texts that are too long are cut. */
export function id3TextTag({ description, value }: Id3Text): Uint8Array {
  const frame = new ByteWriter(64);
  frame.u8(3).bytes(clipped(description)).u8(0).bytes(clipped(value)).u8(0);
  const body = frame.finish();
  const tag = new ByteWriter(body.length + 20);
  tag
    .u24(0x494433)
    .u8(4)
    .u8(0)
    .u8(0)
    .u32(synchsafe(body.length + 10));
  tag.u32(0x54585858).u32(synchsafe(body.length)).u16(0).bytes(body);
  return tag.finish();
}

function clipped(text: string): Uint8Array {
  return encoder.encode(text.replaceAll('\0', '')).subarray(0, MAX_ID3_TEXT_BYTES);
}

/** 28 bits, 7 to a byte. ID3v2.4 §6.2. */
function synchsafe(value: number): number {
  return ((value & 0xfe0_0000) << 3) | ((value & 0x1f_c000) << 2) | ((value & 0x3f80) << 1) | (value & 0x7f);
}

/**
 * metadata_pointer_descriptor in the program's list: timed ID3 tags are in the program itself.
 * Timed Metadata for HTTP Live Streaming §2; ISO/IEC 13818-1 §2.6.58.
 */
export function id3PointerDescriptor(program: number): TsDescriptor {
  return { tag: 0x25, content: Uint8Array.of(...ID3_FORMAT, 0xff, 0x1f, program >> 8, program) };
}

/** metadata_descriptor of the elementary stream. Timed Metadata for HTTP Live Streaming §2; ISO/IEC 13818-1 §2.6.60. */
export function id3Descriptor(): TsDescriptor {
  return { tag: 0x26, content: Uint8Array.of(...ID3_FORMAT, 0xff, 0x0f) };
}
