const POLYNOMIAL = 0x04c1_1db7;

const TABLE = new Int32Array(256).map((_, index) => {
  let value = index << 24;
  for (let bit = 0; bit < 8; bit++) value = value < 0 ? (value << 1) ^ POLYNOMIAL : value << 1;
  return value;
});

/**
 * CRC-32 of sections (ISO/IEC 13818-1 Annex A): bits in order, all ones at the start, no inversion at the end.
 * Over a section with its CRC_32 field it is 0.
 * @returns unsigned 32 bits.
 */
export function crc32(bytes: Uint8Array, from = 0, to = bytes.length): number {
  let crc = -1;
  for (let at = from; at < to; at++) crc = (crc << 8) ^ TABLE[((crc >>> 24) ^ bytes[at]!) & 0xff]!;
  return crc >>> 0;
}
