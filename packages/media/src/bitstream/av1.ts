import { concatBytes } from '../bytes/index.ts';
import type { VideoParameters } from '../model/codec.ts';
import { ParseError } from '../model/errors.ts';
import { type Av1Sequence, parseAv1Sequence } from './av1-sequence.ts';

/** obu_type values. AV1 §6.2.2. */
export const AV1_OBU = { sequenceHeader: 1, temporalDelimiter: 2, frameHeader: 3, frame: 6 } as const;

/** One open bitstream unit, as views. */
export interface Av1Obu {
  readonly type: number;
  /** Header and size field included. */
  readonly whole: Uint8Array;
  readonly payload: Uint8Array;
  readonly hasSize: boolean;
}

/** AV1CodecConfigurationRecord, the payload of an `av1C` box. AV1-ISOBMFF §2.3. */
export interface Av1Config {
  readonly profile: number;
  readonly levelIdx: number;
  readonly tier: number;
  readonly bitDepth: 8 | 10 | 12;
  readonly monochrome: boolean;
  readonly subsamplingX: boolean;
  readonly subsamplingY: boolean;
  readonly chromaSamplePosition: number;
  /** OBUs in front of the first sample, the sequence header among them; may be empty. */
  readonly configObus: Uint8Array;
}

const OBU_CLAUSE = 'AV1 §5.3';
const CONFIG_CLAUSE = 'AV1-ISOBMFF §2.3.3';
/** Most OBUs in one temporal unit. */
const MAX_OBUS = 1024;

/**
 * OBUs of a temporal unit in the low-overhead format (§5.2); only the last may lack a size.
 * @throws ParseError `FRAME_MALFORMED`
 */
export function splitObus(unit: Uint8Array): Av1Obu[] {
  const obus: Av1Obu[] = [];
  for (let at = 0; at < unit.length; ) {
    const obu = readObu(unit, at);
    obus.push(obu);
    if (obus.length > MAX_OBUS) throw malformedUnit(`more than ${MAX_OBUS} OBUs`, at);
    at += obu.whole.length;
  }
  return obus;
}

function readObu(unit: Uint8Array, at: number): Av1Obu {
  const header = unit[at]!;
  if ((header & 0x80) !== 0) throw malformedUnit('the forbidden bit is set', at);
  const hasSize = (header & 2) !== 0;
  let start = at + ((header & 4) !== 0 ? 2 : 1);
  let size = unit.length - start;
  if (hasSize) {
    const field = readLeb128(unit, start);
    start += field.bytes;
    size = field.value;
  }
  if (size < 0 || start + size > unit.length) throw malformedUnit(`an OBU of ${size} bytes`, at);
  return {
    type: (header >> 3) & 15,
    whole: unit.subarray(at, start + size),
    payload: unit.subarray(start, start + size),
    hasSize,
  };
}

/** A leb128 value (§4.10.5) of 32 bits at most. @throws ParseError `FRAME_MALFORMED` */
export function readLeb128(bytes: Uint8Array, at: number): { value: number; bytes: number } {
  let value = 0;
  for (let i = 0; i < 8; i++) {
    const byte = bytes[at + i];
    if (byte === undefined) break;
    value += (byte & 0x7f) * 2 ** (7 * i);
    if ((byte & 0x80) === 0) {
      if (value > 0xffff_ffff) break;
      return { value, bytes: i + 1 };
    }
  }
  throw malformedUnit('an OBU size that is cut off or too large', at);
}

/**
 * The canonical framing: no temporal delimiters, every OBU with a size. Returns the input itself if it is
 * canonical already. AV1-ISOBMFF §2.4.
 */
export function canonicalAv1(unit: Uint8Array): Uint8Array {
  const obus = splitObus(unit);
  if (obus.every((obu) => obu.hasSize && obu.type !== AV1_OBU.temporalDelimiter)) return unit;
  const parts = obus.filter((obu) => obu.type !== AV1_OBU.temporalDelimiter);
  return concatBytes(parts.flatMap((obu) => (obu.hasSize ? [obu.whole] : withSize(obu))));
}

function withSize(obu: Av1Obu): Uint8Array[] {
  const header = obu.whole.slice(0, obu.whole.length - obu.payload.length);
  header[0] = header[0]! | 2;
  return [header, writeLeb128(obu.payload.length), obu.payload];
}

/** The shortest leb128 form of a value (§4.10.5). */
export function writeLeb128(value: number): Uint8Array {
  const bytes: number[] = [];
  let left = value;
  do {
    bytes.push((left % 128) | (left >= 128 ? 0x80 : 0));
    left = Math.floor(left / 128);
  } while (left > 0);
  return Uint8Array.from(bytes);
}

/** The sequence header in a temporal unit or in configOBUs, if there is one. */
export function findAv1Sequence(unit: Uint8Array): Av1Sequence | undefined {
  const obu = splitObus(unit).find(({ type }) => type === AV1_OBU.sequenceHeader);
  return obu === undefined ? undefined : parseAv1Sequence(obu.payload);
}

/** True if the first frame of the temporal unit is a key frame that is shown (§5.9.2). */
export function isAv1Keyframe(unit: Uint8Array): boolean {
  for (const { type, payload } of splitObus(unit)) {
    if (type !== AV1_OBU.frame && type !== AV1_OBU.frameHeader) continue;
    // show_existing_frame 0, frame_type 00 (KEY_FRAME), show_frame 1
    return payload.length > 0 && payload[0]! >> 4 === 0b0001;
  }
  return false;
}

/** Reads a record. @throws ParseError `CONFIG_MALFORMED` */
export function parseAv1Config(record: Uint8Array): Av1Config {
  if (record.length < 4 || record[0] !== 0x81) {
    const message =
      record.length < 4 ? `a record of ${record.length} bytes` : 'marker and version are not 0x81';
    throw new ParseError('CONFIG_MALFORMED', CONFIG_CLAUSE, message);
  }
  const second = record[1]!;
  const third = record[2]!;
  const bit = (n: number): boolean => ((third >> n) & 1) === 1;
  return {
    profile: second >> 5,
    levelIdx: second & 31,
    tier: third >> 7,
    bitDepth: bit(6) ? (bit(5) ? 12 : 10) : 8,
    monochrome: bit(4),
    subsamplingX: bit(3),
    subsamplingY: bit(2),
    chromaSamplePosition: third & 3,
    configObus: record.subarray(4),
  };
}

/** Writes a record; the inverse of {@link parseAv1Config}. */
export function writeAv1Config(config: Av1Config): Uint8Array {
  const out = new Uint8Array(4 + config.configObus.length);
  out[0] = 0x81;
  out[1] = (config.profile << 5) | config.levelIdx;
  out[2] =
    (config.tier << 7) |
    (config.bitDepth > 8 ? 0x40 : 0) |
    (config.bitDepth === 12 ? 0x20 : 0) |
    (config.monochrome ? 0x10 : 0) |
    (config.subsamplingX ? 8 : 0) |
    (config.subsamplingY ? 4 : 0) |
    config.chromaSamplePosition;
  out.set(config.configObus, 4);
  return out;
}

/** The record for a key frame's temporal unit, its sequence header as configOBUs; undefined if it has none. */
export function buildAv1Config(unit: Uint8Array): Uint8Array | undefined {
  const obu = splitObus(unit).find(({ type }) => type === AV1_OBU.sequenceHeader);
  if (obu === undefined) return undefined;
  const configObus = obu.hasSize ? obu.whole : concatBytes(withSize(obu));
  return writeAv1Config({ ...parseAv1Sequence(obu.payload), configObus });
}

/** `av01.P.LLT.DD` (AV1-ISOBMFF §5): profile, level and tier, bit depth. */
export function av1CodecString(
  config: Pick<Av1Config, 'profile' | 'levelIdx' | 'tier' | 'bitDepth'>,
): string {
  const level = `${config.levelIdx}`.padStart(2, '0');
  return `av01.${config.profile}.${level}${config.tier ? 'H' : 'M'}.${`${config.bitDepth}`.padStart(2, '0')}`;
}

/**
 * Track parameters from an AV1CodecConfigurationRecord, of which they keep a copy. Where the record has no
 * sequence header, width and height are 0 unless `unit`, a temporal unit, has one.
 */
export function av1Parameters(record: Uint8Array, unit?: Uint8Array): VideoParameters {
  const config = parseAv1Config(record);
  const sequence =
    findAv1Sequence(config.configObus) ?? (unit === undefined ? undefined : findAv1Sequence(unit));
  return {
    kind: 'video',
    codec: 'av1',
    description: record.slice(),
    codecString: av1CodecString(config),
    width: sequence?.width ?? 0,
    height: sequence?.height ?? 0,
    ...(sequence?.frameRate === undefined ? {} : { frameRate: sequence.frameRate }),
  };
}

function malformedUnit(what: string, at: number): ParseError {
  return new ParseError('FRAME_MALFORMED', OBU_CLAUSE, what, at);
}
