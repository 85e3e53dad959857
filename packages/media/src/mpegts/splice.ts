import { crc32 } from './crc32.ts';

/** Longest section that one packet holds behind its pointer, in bytes; longer ones are not written. */
export const MAX_SPLICE_BYTES = 183;
/** `table_id` of a `splice_info_section`. SCTE 35 §9.6. */
const SPLICE_TABLE = 0xfc;
/** Offsets of the fields of a section. SCTE 35 §9.6, Table 5. */
const ADJUSTMENT = 4;
const COMMAND_TYPE = 13;
const COMMAND = 14;
const CRC_BYTES = 4;
const SPLICE_INSERT = 0x05;
const TIME_SIGNAL = 0x06;
const WRAP = 2 ** 33;

/**
 * A `splice_info_section` for another timeline: its adjustment is such that it splices at `pts`, 90 kHz ticks. One
 * that tells no time, or is encrypted, stays as it is.
 * @returns undefined for what is no whole section or too long for a packet.
 */
export function retimedSplice(section: Uint8Array, pts: number): Uint8Array | undefined {
  const length = section.length < 3 ? -1 : (((section[1]! & 0x0f) << 8) | section[2]!) + 3;
  if (section[0] !== SPLICE_TABLE || length !== section.length || length > MAX_SPLICE_BYTES) return undefined;
  if (length < COMMAND + 1 + CRC_BYTES || crc32(section) !== 0) return undefined;
  const at = timeOffset(section);
  if (at === undefined || at + 5 > length - CRC_BYTES) return section;
  const out = section.slice();
  const time = ticks33(out, at);
  const adjustment = (((Math.round(pts) - time) % WRAP) + WRAP) % WRAP;
  out[ADJUSTMENT] = (out[ADJUSTMENT]! & 0xfe) | Math.floor(adjustment / 2 ** 32);
  put32(out, ADJUSTMENT + 1, adjustment % 2 ** 32);
  put32(out, length - CRC_BYTES, crc32(out, 0, length - CRC_BYTES));
  return out;
}

/** Where a section says when it splices; undefined if it does not, or where nobody can tell. */
function timeOffset(section: Uint8Array): number | undefined {
  const encrypted = (section[ADJUSTMENT]! & 0x80) !== 0;
  if (encrypted) return undefined;
  if (section[COMMAND_TYPE] === TIME_SIGNAL) return specified(section, COMMAND);
  if (section[COMMAND_TYPE] !== SPLICE_INSERT) return undefined;
  const cancelled = (section[COMMAND + 4]! & 0x80) !== 0;
  const flags = section[COMMAND + 5]!;
  const whole = (flags & 0x40) !== 0;
  const immediate = (flags & 0x10) !== 0;
  return cancelled || !whole || immediate ? undefined : specified(section, COMMAND + 6);
}

/** `splice_time()` at an offset, if it tells one. SCTE 35 §9.7.6. */
function specified(section: Uint8Array, at: number): number | undefined {
  return (section[at]! & 0x80) === 0 ? undefined : at;
}

function ticks33(bytes: Uint8Array, at: number): number {
  const low = (bytes[at + 1]! << 24) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 8) | bytes[at + 4]!;
  return (bytes[at]! & 1) * 2 ** 32 + (low >>> 0);
}

function put32(bytes: Uint8Array, at: number, value: number): void {
  new DataView(bytes.buffer, bytes.byteOffset).setUint32(at, value >>> 0);
}
