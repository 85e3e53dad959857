import { ByteReader, type ByteWriter } from '../bytes/index.ts';
import { writeBox, writeType } from './box-writer.ts';

/** Content of `ftyp` (ISO/IEC 14496-12 §4.3) and `styp` (§8.16.2). */
export interface FileType {
  readonly majorBrand: string;
  readonly minorVersion: number;
  readonly compatibleBrands: readonly string[];
}

/** Brands of our init segments: `iso6` for tfdt and default-base-is-moof, `cmf2` for CMAF (23000-19 §7.2). */
export const INIT_FILE_TYPE: FileType = {
  majorBrand: 'iso6',
  minorVersion: 0,
  compatibleBrands: ['iso6', 'cmf2', 'dash'],
};

/** Writes `ftyp` or `styp`. */
export function writeFileType(w: ByteWriter, type: 'ftyp' | 'styp', value: FileType): void {
  writeBox(w, type, () => {
    writeType(w, value.majorBrand);
    w.u32(value.minorVersion);
    for (const brand of value.compatibleBrands) writeType(w, brand);
  });
}

/** Reads the body of `ftyp` or `styp`. */
export function readFileType(body: Uint8Array): FileType {
  const r = new ByteReader(body, 'ISO/IEC 14496-12 §4.3');
  const majorBrand = latin1(r.bytes(4));
  const minorVersion = r.u32();
  const compatibleBrands: string[] = [];
  while (r.remaining >= 4 && compatibleBrands.length < 64) compatibleBrands.push(latin1(r.bytes(4)));
  return { majorBrand, minorVersion, compatibleBrands };
}

function latin1(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}
