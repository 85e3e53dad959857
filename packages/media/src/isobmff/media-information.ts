import type { ByteWriter } from '../bytes/index.ts';
import { writeBox, writeFullBox } from './box-writer.ts';
import type { HandlerType } from './handler.ts';

/** Writes `vmhd` (ISO/IEC 14496-12 §12.1.2) or `smhd` (§12.2.2). */
export function writeMediaTypeHeader(w: ByteWriter, type: HandlerType): void {
  if (type === 'vide')
    writeFullBox(w, 'vmhd', 0, 1, () => w.zeros(8)); // graphicsmode, opcolor
  else writeFullBox(w, 'smhd', 0, 0, () => w.zeros(4)); // balance, reserved
}

/** Writes `dinf` with one `url ` entry that says "in this file". ISO/IEC 14496-12 §8.7.1, §8.7.2. */
export function writeDataInformation(w: ByteWriter): void {
  writeBox(w, 'dinf', () => {
    writeFullBox(w, 'dref', 0, 0, () => {
      w.u32(1);
      writeFullBox(w, 'url ', 0, 1, () => {});
    });
  });
}

/** Writes the four sample tables, empty as in every CMAF header. ISO/IEC 14496-12 §8.6.1.2, §8.7.3–8.7.5. */
export function writeEmptySampleTables(w: ByteWriter): void {
  writeFullBox(w, 'stts', 0, 0, () => w.u32(0));
  writeFullBox(w, 'stsc', 0, 0, () => w.u32(0));
  writeFullBox(w, 'stsz', 0, 0, () => w.u32(0).u32(0));
  writeFullBox(w, 'stco', 0, 0, () => w.u32(0));
}
