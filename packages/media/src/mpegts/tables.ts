import { ByteReader, ByteWriter } from '../bytes/index.ts';
import { ParseError } from '../model/errors.ts';
import { crc32 } from './crc32.ts';
import { PID_COUNT } from './packet.ts';

/** Most programs of a program association section that are looked at. */
export const MAX_PROGRAMS = 16;
/** Most elementary streams of a program that are looked at. */
export const MAX_STREAMS = 32;
/** Most descriptors of one list. */
const MAX_DESCRIPTORS = 32;

const PAT_CLAUSE = 'ISO/IEC 13818-1 §2.4.4.3';
const PMT_CLAUSE = 'ISO/IEC 13818-1 §2.4.4.8';
const TABLE_ID = { pat: 0, pmt: 2 } as const;

/** A descriptor: tag and content. ISO/IEC 13818-1 §2.6. */
export interface TsDescriptor {
  readonly tag: number;
  readonly content: Uint8Array;
}

/** One elementary stream of a program map section. */
export interface TsStreamInfo {
  readonly pid: number;
  readonly streamType: number;
  readonly descriptors: readonly TsDescriptor[];
}

/** TS_program_map_section. ISO/IEC 13818-1 §2.4.4.8. */
export interface TsProgramMap {
  readonly program: number;
  /** 0 to 31; another one means that the content changed. */
  readonly version: number;
  /** PID that carries the clock; 0x1fff for none. */
  readonly pcrPid: number;
  readonly descriptors: readonly TsDescriptor[];
  readonly streams: readonly TsStreamInfo[];
}

/** program_association_section. ISO/IEC 13818-1 §2.4.4.3. */
export interface TsPrograms {
  readonly transportStreamId: number;
  readonly version: number;
  /** Network information (program 0) is left out. */
  readonly programs: readonly { readonly program: number; readonly mapPid: number }[];
}

/** A whole section with its CRC. */
export function writePat(pat: TsPrograms): Uint8Array {
  const body = new ByteWriter(32);
  for (const { program, mapPid } of pat.programs) body.u16(program).u16(0xe000 | mapPid);
  return section(TABLE_ID.pat, pat.transportStreamId, pat.version, body.finish());
}

/** A whole section with its CRC. */
export function writePmt(map: TsProgramMap): Uint8Array {
  const body = new ByteWriter(128);
  body.u16(0xe000 | map.pcrPid);
  putDescriptors(body, map.descriptors);
  for (const { pid, streamType, descriptors } of map.streams) {
    body.u8(streamType).u16(0xe000 | pid);
    putDescriptors(body, descriptors);
  }
  return section(TABLE_ID.pmt, map.program, map.version, body.finish());
}

function putDescriptors(writer: ByteWriter, descriptors: readonly TsDescriptor[]): void {
  let length = 0;
  for (const { content } of descriptors) length += 2 + content.length;
  writer.u16(0xf000 | length);
  for (const { tag, content } of descriptors) writer.u8(tag).u8(content.length).bytes(content);
}

function section(tableId: number, extension: number, version: number, body: Uint8Array): Uint8Array {
  const writer = new ByteWriter(body.length + 12);
  // section_syntax_indicator, '0', reserved; the length counts from behind itself to the end of the CRC.
  writer
    .u8(tableId)
    .u16(0xb000 | (body.length + 9))
    .u16(extension);
  writer
    .u8(0xc1 | ((version & 31) << 1))
    .u8(0)
    .u8(0)
    .bytes(body);
  const bytes = writer.u32(0).finish();
  new DataView(bytes.buffer, bytes.byteOffset).setUint32(bytes.length - 4, crc32(bytes, 0, bytes.length - 4));
  return bytes;
}

/** The part of a long section that all tables share. */
interface SectionHead {
  readonly extension: number;
  readonly version: number;
  readonly body: ByteReader;
}

/**
 * Reads a program association section whose CRC was checked; undefined for another table or one that is to be
 * valid later only.
 * @throws ParseError `BYTES_OUT_OF_RANGE` or `TS_SECTION`
 */
export function readPat(bytes: Uint8Array): TsPrograms | undefined {
  const head = readHead(bytes, TABLE_ID.pat, PAT_CLAUSE);
  if (head === undefined) return undefined;
  const { body } = head;
  const programs: { program: number; mapPid: number }[] = [];
  while (body.remaining > 0) {
    const program = body.u16();
    const mapPid = body.u16() & (PID_COUNT - 1);
    if (program === 0) continue;
    if (programs.length === MAX_PROGRAMS) throw tooMany(PAT_CLAUSE, `${MAX_PROGRAMS} programs`);
    programs.push({ program, mapPid });
  }
  return { transportStreamId: head.extension, version: head.version, programs };
}

/** Reads a program map section; as {@link readPat}. Contents of descriptors are views into `bytes`. */
export function readPmt(bytes: Uint8Array): TsProgramMap | undefined {
  const head = readHead(bytes, TABLE_ID.pmt, PMT_CLAUSE);
  if (head === undefined) return undefined;
  const { body } = head;
  const pcrPid = body.u16() & (PID_COUNT - 1);
  const descriptors = readDescriptors(body);
  const streams: TsStreamInfo[] = [];
  while (body.remaining > 0) {
    const streamType = body.u8();
    const pid = body.u16() & (PID_COUNT - 1);
    if (streams.length === MAX_STREAMS) throw tooMany(PMT_CLAUSE, `${MAX_STREAMS} streams in a program`);
    streams.push({ pid, streamType, descriptors: readDescriptors(body) });
  }
  return { program: head.extension, version: head.version, pcrPid, descriptors, streams };
}

function readHead(bytes: Uint8Array, tableId: number, clause: string): SectionHead | undefined {
  const reader = new ByteReader(bytes, clause);
  if (reader.u8() !== tableId) return undefined;
  const length = reader.u16() & 0x0fff;
  if (length < 9 || length !== reader.remaining) {
    throw new ParseError(
      'TS_SECTION',
      clause,
      `section_length is ${length}, ${reader.remaining} bytes are there`,
    );
  }
  const extension = reader.u16();
  const flags = reader.u8();
  reader.skip(2);
  if ((flags & 1) === 0) return undefined;
  return { extension, version: (flags >> 1) & 31, body: new ByteReader(reader.bytes(length - 9), clause) };
}

function readDescriptors(reader: ByteReader): TsDescriptor[] {
  const inside = new ByteReader(reader.bytes(reader.u16() & 0x0fff), 'ISO/IEC 13818-1 §2.6.1');
  const descriptors: TsDescriptor[] = [];
  while (inside.remaining > 0) {
    if (descriptors.length === MAX_DESCRIPTORS) throw tooMany(PMT_CLAUSE, `${MAX_DESCRIPTORS} descriptors`);
    const tag = inside.u8();
    descriptors.push({ tag, content: inside.bytes(inside.u8()) });
  }
  return descriptors;
}

function tooMany(clause: string, what: string): ParseError {
  return new ParseError('TS_LIMIT', clause, `more than ${what}`);
}
