import { ByteWriter } from '../bytes/index.ts';
import type { TsDescriptor } from './tables.ts';

/** Largest content of a frame that is written, in bytes. */
export const MAX_ID3_TEXT_BYTES = 16_384;
/** Most texts of a tag that are read. */
const MAX_ID3_TEXTS = 16;
const TXXX = 0x54585858;
/** Encodings of a text by their number. ID3v2.4 §4. */
const ENCODINGS: readonly string[] = ['latin1', 'utf-16', 'utf-16be', 'utf-8'];
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

/**
 * The texts of a whole ID3v2.3 or v2.4 tag that stand in `TXXX` frames; of what is malformed, those before it.
 * ID3v2.4 §3, §4, §4.2.6.
 */
export function readId3Texts(tag: Uint8Array): Id3Text[] {
  const texts: Id3Text[] = [];
  const [version = 0, , flags = 0] = tag.subarray(3);
  const isTag = tag.length >= 10 && tag[0] === 0x49 && tag[1] === 0x44 && tag[2] === 0x33;
  // An extended header or bytes put in between are never seen in streams.
  if (!isTag || (version !== 3 && version !== 4) || (flags & 0xc0) !== 0) return texts;
  const view = new DataView(tag.buffer, tag.byteOffset, tag.byteLength);
  const end = Math.min(tag.length, 10 + unsynchsafe(view.getUint32(6)));
  for (let at = 10; at + 10 <= end && texts.length < MAX_ID3_TEXTS; ) {
    const size = version === 4 ? unsynchsafe(view.getUint32(at + 4)) : view.getUint32(at + 4);
    const from = at + 10;
    if (size === 0 || from + size > end) break;
    if (view.getUint32(at) === TXXX) {
      const text = readText(tag.subarray(from, from + size));
      if (text !== undefined) texts.push(text);
    }
    at = from + size;
  }
  return texts;
}

function readText(frame: Uint8Array): Id3Text | undefined {
  const label = ENCODINGS[frame[0]!];
  if (label === undefined || frame.length > 2 * MAX_ID3_TEXT_BYTES) return undefined;
  const [description = '', value] = new TextDecoder(label).decode(frame.subarray(1)).split('\0', 2);
  return value === undefined ? undefined : { description, value: value.replace(/^\ufeff/, '') };
}

function unsynchsafe(value: number): number {
  return ((value & 0x7f00_0000) >> 3) | ((value & 0x7f_0000) >> 2) | ((value & 0x7f00) >> 1) | (value & 0x7f);
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
