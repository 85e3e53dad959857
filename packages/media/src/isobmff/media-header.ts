import { ByteReader, type ByteWriter } from '../bytes/index.ts';
import { ParseError } from '../model/errors.ts';
import { writeFullBox } from './box-writer.ts';
import { timeVersion, writeTime } from './movie-header.ts';

const CLAUSE = 'ISO/IEC 14496-12 §8.4.2';
const UNDETERMINED = 'und';

/** What we use of `mdhd`. */
export interface MediaHeader {
  /** Ticks per second of this track. */
  readonly timescale: number;
  /** ISO 639-2/T code, `und` if undetermined. */
  readonly language: string;
}

/**
 * Writes `mdhd`, ISO/IEC 14496-12 §8.4.2, and, for a language tag that is no three-letter code,
 * `elng` (§8.4.6) via {@link writeExtendedLanguage}, which belongs to the same container.
 * @param duration ticks of the track; 0 with fragments alone.
 */
export function writeMediaHeader(
  w: ByteWriter,
  timescale: number,
  language: string | undefined,
  duration: number,
): void {
  const version = timeVersion(duration);
  writeFullBox(w, 'mdhd', version, 0, () => {
    w.zeros(version === 1 ? 16 : 8); // creation_time, modification_time
    w.u32(timescale);
    writeTime(w, version, duration);
    w.u16(packLanguage(language)).u16(0);
  });
}

/** Writes `elng`, the BCP 47 tag, unless three letters in `mdhd` already say it. ISO/IEC 14496-12 §8.4.6. */
export function writeExtendedLanguage(w: ByteWriter, language: string | undefined): void {
  if (language === undefined || isThreeLetters(language)) return;
  writeFullBox(w, 'elng', 0, 0, () => {
    w.utf8(language.replaceAll('\0', '').slice(0, 64)).u8(0);
  });
}

/** Reads the body of `mdhd`, version 0 or 1. @throws ParseError `MP4_VALUE` for a timescale of 0. */
export function readMediaHeader(body: Uint8Array): MediaHeader {
  const r = new ByteReader(body, CLAUSE);
  const version = r.u8();
  r.skip(3 + (version === 1 ? 16 : 8));
  const timescale = r.u32();
  if (timescale === 0) throw new ParseError('MP4_VALUE', CLAUSE, 'timescale is 0', r.position - 4);
  r.skip(version === 1 ? 8 : 4);
  const packed = r.u16();
  return { timescale, language: unpackLanguage(packed) };
}

/** Reads the body of `elng`. */
export function readExtendedLanguage(body: Uint8Array): string {
  const r = new ByteReader(body, 'ISO/IEC 14496-12 §8.4.6');
  r.skip(4);
  return r.utf8(Math.min(r.remaining, 64)).replace(/\0.*$/s, '');
}

function isThreeLetters(language: string): boolean {
  return /^[a-z]{3}$/.test(language);
}

function packLanguage(language: string | undefined): number {
  const code = language !== undefined && isThreeLetters(language) ? language : UNDETERMINED;
  let packed = 0;
  for (let i = 0; i < 3; i++) packed = (packed << 5) | (code.charCodeAt(i) - 0x60);
  return packed;
}

function unpackLanguage(packed: number): string {
  const letter = (shift: number): string => String.fromCharCode(((packed >> shift) & 31) + 0x60);
  const code = letter(10) + letter(5) + letter(0);
  return isThreeLetters(code) ? code : UNDETERMINED;
}
