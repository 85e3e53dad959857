import { ByteReader, type ByteWriter } from '../bytes/index.ts';
import { ParseError } from '../model/errors.ts';
import { writeFullBox } from './box-writer.ts';

const CLAUSE = 'ISO/IEC 14496-1 §7.2.6';
const ES_DESCRIPTOR = 3;
const DECODER_CONFIG = 4;
const DECODER_SPECIFIC_INFO = 5;
const SL_CONFIG = 6;

/** objectTypeIndication of MPEG-4 audio, ISO/IEC 14496-1 Table 5. */
export const OBJECT_TYPE_AAC = 0x40;
/** objectTypeIndication of MPEG-1 audio (MP3), ISO/IEC 14496-1 Table 5. */
export const OBJECT_TYPE_MPEG1_AUDIO = 0x6b;
const OBJECT_TYPE_MPEG2_AUDIO = 0x69;

/** What we use of `esds`. */
export interface ElementaryStream {
  readonly objectType: number;
  /** Bits per second; 0 if unknown. */
  readonly maxBitrate: number;
  readonly averageBitrate: number;
  /** AudioSpecificConfig for AAC, empty for MP3. */
  readonly decoderSpecificInfo: Uint8Array;
}

/** True if `objectType` is MPEG-1 or MPEG-2 layer III. */
export function isMp3ObjectType(objectType: number): boolean {
  return objectType === OBJECT_TYPE_MPEG1_AUDIO || objectType === OBJECT_TYPE_MPEG2_AUDIO;
}

/** Writes `esds`, ISO/IEC 14496-14 §6.7.2. */
export function writeElementaryStream(w: ByteWriter, stream: ElementaryStream): void {
  const info = stream.decoderSpecificInfo;
  const infoSize = info.length > 0 ? descriptorSize(info.length) : 0;
  const configSize = 13 + infoSize;
  writeFullBox(w, 'esds', 0, 0, () => {
    writeDescriptorHeader(w, ES_DESCRIPTOR, 3 + descriptorSize(configSize) + descriptorSize(1));
    w.u16(0).u8(0); // ES_ID is 0 in a file, no flags
    writeDescriptorHeader(w, DECODER_CONFIG, configSize);
    w.u8(stream.objectType).u8((5 << 2) | 1); // streamType audio, reserved bit
    w.u24(0).u32(stream.maxBitrate).u32(stream.averageBitrate);
    if (info.length > 0) {
      writeDescriptorHeader(w, DECODER_SPECIFIC_INFO, info.length);
      w.bytes(info);
    }
    writeDescriptorHeader(w, SL_CONFIG, 1);
    w.u8(2); // predefined: MP4 file
  });
}

/** Reads the body of `esds`. @throws ParseError `MP4_VALUE` if the descriptors are not those of a file. */
export function readElementaryStream(body: Uint8Array): ElementaryStream {
  const r = new ByteReader(body, CLAUSE);
  r.skip(4);
  enterDescriptor(r, ES_DESCRIPTOR);
  r.skip(2);
  const flags = r.u8();
  if (flags & 0x80) r.skip(2); // dependsOn_ES_ID
  if (flags & 0x40) r.skip(r.u8()); // URL
  if (flags & 0x20) r.skip(2); // OCR_ES_Id
  enterDescriptor(r, DECODER_CONFIG);
  const objectType = r.u8();
  r.skip(4);
  const maxBitrate = r.u32();
  const averageBitrate = r.u32();
  let decoderSpecificInfo: Uint8Array = new Uint8Array(0);
  if (r.remaining > 0 && body[r.position] === DECODER_SPECIFIC_INFO) {
    decoderSpecificInfo = r.bytes(enterDescriptor(r, DECODER_SPECIFIC_INFO));
  }
  return { objectType, maxBitrate, averageBitrate, decoderSpecificInfo };
}

/** Bytes of a descriptor with its tag and length. */
function descriptorSize(content: number): number {
  return 1 + lengthBytes(content) + content;
}

function lengthBytes(length: number): number {
  return length < 0x80 ? 1 : length < 0x4000 ? 2 : length < 0x20_0000 ? 3 : 4;
}

function writeDescriptorHeader(w: ByteWriter, tag: number, length: number): void {
  w.u8(tag);
  for (let left = lengthBytes(length) - 1; left >= 0; left--) {
    w.u8(((length >> (7 * left)) & 0x7f) | (left > 0 ? 0x80 : 0));
  }
}

/** Length of the descriptor that must have `tag`; §8.3.3 spreads it over up to four bytes. */
function enterDescriptor(r: ByteReader, tag: number): number {
  const at = r.position;
  const found = r.u8();
  if (found !== tag)
    throw new ParseError('MP4_VALUE', CLAUSE, `descriptor ${found} where ${tag} belongs`, at);
  let length = 0;
  for (let i = 0; i < 4; i++) {
    const byte = r.u8();
    length = (length << 7) | (byte & 0x7f);
    if ((byte & 0x80) === 0) return length;
  }
  throw new ParseError('MP4_VALUE', CLAUSE, 'descriptor length longer than 4 bytes', at);
}
