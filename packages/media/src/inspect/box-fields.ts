import { ByteReader } from '../bytes/index.ts';
import { boxFields, readTrackRun } from '../isobmff/index.ts';

/** Longest body of a box that is read for its fields, in bytes; of tables the beginning is enough. */
export const MAX_FIELD_BYTES = 64 * 1024;

/** Boxes that begin with version and flags and then count their entries. */
const TABLES = new Set(['stts', 'ctts', 'stss', 'stsc', 'stco', 'co64', 'stsd', 'dref', 'elst', 'sdtp']);

/**
 * What the beginning of a box says, `name=value` apart by blanks; its first bytes in hexadecimal if we do not know it.
 * @throws ParseError where the fields reach behind the body.
 */
export function boxDetail(type: string, body: Uint8Array): string {
  const r = new ByteReader(body, 'ISO/IEC 14496-12');
  if (TABLES.has(type)) {
    r.skip(4);
    return type === 'sdtp' ? '' : `entries=${r.u32()}`;
  }
  switch (type) {
    case 'mvhd': {
      const version = r.u8();
      r.skip(version === 1 ? 19 : 11);
      const timescale = r.u32();
      return `timescale=${timescale} duration=${version === 1 ? r.u64() : r.u32()}`;
    }
    case 'mehd':
      return `duration=${r.u8() === 1 ? wide(r) : narrow(r)}`;
    case 'stsz': {
      r.skip(4);
      return `sampleSize=${r.u32()} samples=${r.u32()}`;
    }
    case 'trun': {
      const { count, dataOffset } = readTrackRun(body);
      return `samples=${count}${dataOffset === undefined ? '' : ` dataOffset=${dataOffset}`}`;
    }
    case 'mdat':
    case 'free':
    case 'skip':
    case 'wide':
      return '';
    default:
      return boxFields({ type, body }).trim();
  }
}

function wide(r: ByteReader): number {
  r.skip(3);
  return r.u64();
}

function narrow(r: ByteReader): number {
  r.skip(3);
  return r.u32();
}
