/** Containers and playlists that are told apart. */
export type FileFormat = 'mp4' | 'webm' | 'flv' | 'mpegts' | 'hls' | 'dash';

/** Bytes from the start that {@link detectFormat} wants to see. */
export const DETECT_BYTES = 1024;

const FIRST_BOXES = new Set([
  'ftyp',
  'styp',
  'moov',
  'moof',
  'free',
  'skip',
  'wide',
  'mdat',
  'sidx',
  'prft',
  'emsg',
]);
const PACKET = 188;
const SYNC = 0x47;

/** Tells a file by its first bytes; undefined if it is none of ours. */
export function detectFormat(head: Uint8Array): FileFormat | undefined {
  const text = latin1(head.subarray(0, 64)).replace(/^\u00ef\u00bb\u00bf/, '');
  if (text.startsWith('FLV')) return 'flv';
  if (text.startsWith('\u001aE\u00df\u00a3')) return 'webm';
  if (text.startsWith('#EXTM3U')) return 'hls';
  if (FIRST_BOXES.has(text.slice(4, 8))) return 'mp4';
  if (/^\s*</.test(text) && /<(?:\w+:)?MPD[\s>]/.test(latin1(head))) return 'dash';
  for (let at = 0; at < PACKET && at + PACKET < head.length; at++) {
    if (head[at] === SYNC && head[at + PACKET] === SYNC && (head[at + 2 * PACKET] ?? SYNC) === SYNC)
      return 'mpegts';
  }
  return undefined;
}

/** What people call a format. */
export const FORMAT_NAMES: Readonly<Record<FileFormat, string>> = {
  mp4: 'MP4',
  webm: 'WebM/Matroska',
  flv: 'FLV',
  mpegts: 'MPEG-TS',
  hls: 'HLS playlist',
  dash: 'DASH manifest',
};

function latin1(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}
