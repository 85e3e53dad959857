import { ByteReader } from '../bytes/index.ts';
import { boxFields, readTrackRun } from '../isobmff/index.ts';

/** Longest body of a box that is read for its fields, in bytes; of tables the beginning is enough. */
export const MAX_FIELD_BYTES = 64 * 1024;

/** Boxes that begin with version and flags and then count their entries. */
const TABLES = new Set(['stts', 'ctts', 'stss', 'stsc', 'stco', 'co64', 'stsd', 'dref', 'sdtp']);

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
    case 'elst':
      return editFields(r);
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

/** The first of an edit list's entries, which most files have alone (ISO/IEC 14496-12 §8.6.6). */
function editFields(r: ByteReader): string {
  const version = r.u8();
  r.skip(3);
  const entries = r.u32();
  if (entries === 0) return 'entries=0';
  r.skip(version === 1 ? 8 : 4);
  const mediaTime = version === 1 ? r.i32() * 0x1_0000_0000 + r.u32() : r.i32();
  return `entries=${entries} mediaTime=${mediaTime}`;
}

function wide(r: ByteReader): number {
  r.skip(3);
  return r.u64();
}

function narrow(r: ByteReader): number {
  r.skip(3);
  return r.u32();
}
