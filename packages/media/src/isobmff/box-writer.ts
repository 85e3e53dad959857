import type { ByteWriter } from '../bytes/index.ts';

/** Writes a box around what `body` writes; the size is patched afterwards. ISO/IEC 14496-12 §4.2.2. */
export function writeBox(w: ByteWriter, type: string, body: () => void): void {
  const at = w.length;
  w.u32(0);
  writeType(w, type);
  body();
  w.patchU32(at, w.length - at);
}

/** Writes a FullBox: a box whose body begins with version and 24 flag bits. ISO/IEC 14496-12 §4.2.2. */
export function writeFullBox(
  w: ByteWriter,
  type: string,
  version: number,
  flags: number,
  body: () => void,
): void {
  writeBox(w, type, () => {
    w.u8(version).u24(flags);
    body();
  });
}

/** Writes a four-character code. @param type exactly four characters of ASCII. */
export function writeType(w: ByteWriter, type: string): void {
  for (let i = 0; i < 4; i++) w.u8(type.charCodeAt(i));
}
