import { ByteReader, type ByteWriter } from '../bytes/index.ts';
import { writeFullBox, writeType } from './box-writer.ts';

/** Handler types of ISO/IEC 14496-12 §12 that we write. */
export type HandlerType = 'vide' | 'soun';

/** Writes `hdlr`, ISO/IEC 14496-12 §8.4.3. */
export function writeHandler(w: ByteWriter, type: HandlerType): void {
  writeFullBox(w, 'hdlr', 0, 0, () => {
    w.u32(0); // pre_defined
    writeType(w, type);
    w.zeros(12);
    w.utf8(type === 'vide' ? 'video' : 'sound').u8(0);
  });
}

/** Reads the handler type from the body of `hdlr`. */
export function readHandler(body: Uint8Array): string {
  const r = new ByteReader(body, 'ISO/IEC 14496-12 §8.4.3');
  r.skip(8);
  return String.fromCharCode(...r.bytes(4));
}
