import { ParseError } from '../model/errors.ts';

/** Largest playlist, in bytes or characters: ten hours of parts of a third of a second. */
export const MAX_PLAYLIST_LENGTH = 8 * 1024 * 1024;
/** Longest line, in characters. */
export const MAX_LINE_LENGTH = 16 * 1024;
/** Most lines. */
export const MAX_LINES = 200_000;

const CLAUSE = 'RFC 8216 §4.1';

/** One line that means something: a tag with what follows its colon, or an address. */
export type Line =
  | { readonly kind: 'tag'; readonly name: string; readonly value: string | undefined; readonly at: number }
  | { readonly kind: 'uri'; readonly uri: string; readonly at: number };

/**
 * The tags and addresses of a playlist without the `#EXTM3U` that must come first; comments and empty
 * lines are gone. RFC 8216 §4.1: UTF-8, no byte order mark, no control characters but line ends and
 * the tab that divides a list in RFC 8216bis §4.4.5.2.
 * @throws ParseError `HLS_HEADER` or `HLS_LIMIT`.
 */
export function readLines(input: string | Uint8Array): Line[] {
  if (input.length > MAX_PLAYLIST_LENGTH) {
    throw new ParseError('HLS_LIMIT', CLAUSE, `a playlist of more than ${MAX_PLAYLIST_LENGTH} bytes`);
  }
  const text = typeof input === 'string' ? input : decode(input);
  if (text.startsWith('\ufeff')) throw new ParseError('HLS_HEADER', CLAUSE, 'a byte order mark');
  const control = CONTROL.exec(text);
  if (control !== null) {
    const code = control[0].charCodeAt(0).toString(16).padStart(4, '0');
    throw new ParseError('HLS_HEADER', CLAUSE, `control character U+${code}`, control.index);
  }
  const raw = text.split('\n', MAX_LINES + 1);
  if (raw.length > MAX_LINES) {
    throw new ParseError('HLS_LIMIT', CLAUSE, `a playlist of more than ${MAX_LINES} lines`);
  }
  const lines: Line[] = [];
  for (const [index, ending] of raw.entries()) {
    const at = index + 1;
    const line = ending.endsWith('\r') ? ending.slice(0, -1) : ending;
    if (line.includes('\r')) throw new ParseError('HLS_HEADER', CLAUSE, `line ${at}: a lone carriage return`);
    if (line.length > MAX_LINE_LENGTH) throw new ParseError('HLS_LIMIT', CLAUSE, `line ${at} is too long`);
    if (at === 1) {
      if (line !== '#EXTM3U') throw new ParseError('HLS_HEADER', 'RFC 8216 §4.3.1.1', 'no #EXTM3U first');
    } else if (line.startsWith('#EXT')) {
      const colon = line.indexOf(':');
      const name = colon < 0 ? line.slice(1) : line.slice(1, colon);
      lines.push({ kind: 'tag', name, value: colon < 0 ? undefined : line.slice(colon + 1), at });
    } else if (line !== '' && !line.startsWith('#')) {
      if (line.trim() !== line || line.includes(' ')) {
        throw new ParseError('HLS_SYNTAX', CLAUSE, `line ${at}: white space in an address`);
      }
      lines.push({ kind: 'uri', uri: line, at });
    }
  }
  return lines;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: RFC 8216 §4.1 forbids exactly these
const CONTROL = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]/;

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function decode(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch {
    throw new ParseError('HLS_HEADER', CLAUSE, 'not UTF-8');
  }
}
