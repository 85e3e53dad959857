import type { ByteWriter } from '../bytes/index.ts';

/** Longest element id in octets. RFC 9559 §5: EBMLMaxIDLength is 4. */
export const MAX_ID_BYTES = 4;
/** Longest element data size in octets. RFC 8794 §6: EBMLMaxSizeLength is 8. */
export const MAX_SIZE_BYTES = 8;

/** Octets of the variable-size integer that begins with `first`, 1 to 8; 9 if there is no marker in it. */
export function vintBytes(first: number): number {
  return Math.clz32(first) - 23;
}

/** The largest value that `length` octets hold; as a data size it stands for "unknown". RFC 8794 §6.2. */
export function vintAllOnes(length: number): number {
  return 2 ** (7 * length) - 1;
}

/** A variable-size integer with its marker removed. */
export interface Vint {
  /** Exact up to 2^53 − 1; above that rounded, so compare with `Number.isSafeInteger`. */
  readonly value: number;
  /** Octets it takes. */
  readonly bytes: number;
}

/** The variable-size integer at `at`; undefined if it is longer than 8 octets or cut off. RFC 8794 §4. */
export function readVint(bytes: Uint8Array, at: number): Vint | undefined {
  const first = bytes[at];
  if (first === undefined) return undefined;
  const length = vintBytes(first);
  if (length > MAX_SIZE_BYTES || at + length > bytes.length) return undefined;
  let value = first & (0xff >> length);
  for (let i = 1; i < length; i++) value = value * 256 + bytes[at + i]!;
  return { value, bytes: length };
}

/** The signed variable-size integer of EBML lacing at `at`: its range is centred on zero. RFC 9559 §10.3.3. */
export function readSignedVint(bytes: Uint8Array, at: number): Vint | undefined {
  const found = readVint(bytes, at);
  if (found === undefined) return undefined;
  return { value: found.value - (2 ** (7 * found.bytes - 1) - 1), bytes: found.bytes };
}

/** Octets of the shortest data size field for `size`; all ones are left to "unknown". */
export function sizeBytes(size: number): number {
  let length = 1;
  while (size >= vintAllOnes(length)) length++;
  return length;
}

/** Writes a data size in its shortest form, or in `length` octets. */
export function writeSize(writer: ByteWriter, size: number, length = sizeBytes(size)): void {
  for (let i = length - 1; i >= 0; i--) {
    const octet = Math.floor(size / 2 ** (8 * i)) % 256;
    writer.u8(i === length - 1 ? octet | (0x80 >> (length - 1)) : octet);
  }
}

/** Writes the data size "unknown" in 8 octets, room enough for a size put in later. */
export function writeUnknownSize(writer: ByteWriter): void {
  writer.u8(0x01).u24(0xffffff).u32(0xffffffff);
}

/** Writes an element id, which carries its length itself. */
export function writeId(writer: ByteWriter, id: number): void {
  if (id > 0xffffff) writer.u32(id);
  else if (id > 0xffff) writer.u24(id);
  else if (id > 0xff) writer.u16(id);
  else writer.u8(id);
}
