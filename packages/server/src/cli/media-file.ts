import { open } from 'node:fs/promises';
import type { Sample, Track } from '@onair/media/model';
import { readFlvFile } from './flv-file.ts';
import { readMp4File } from './mp4-file.ts';

/** What a media file gives, in decoding order across its tracks; a track comes before its samples. */
export type FileItem =
  | { readonly kind: 'track'; readonly track: Track }
  | { readonly kind: 'sample'; readonly sample: Sample };

/** A file that is neither FLV nor MP4, or one whose tracks cannot be streamed. */
export class MediaFileError extends Error {
  override readonly name = 'MediaFileError';
}

/**
 * Reads an FLV or MP4 file, fragmented or not, told apart by its first bytes. Timestamps are the file's.
 * @throws MediaFileError for another kind of file, ParseError for a malformed one.
 */
export async function* readMediaFile(path: string): AsyncGenerator<FileItem> {
  const file = await open(path);
  try {
    const head = new Uint8Array(8);
    const { bytesRead } = await file.read(head, 0, head.length, 0);
    const signature = String.fromCharCode(...head.subarray(0, bytesRead));
    if (signature.startsWith('FLV')) yield* readFlvFile(file);
    else if (/^(?:ftyp|moov|styp|free|skip|wide|mdat)$/.test(signature.slice(4))) yield* readMp4File(file);
    else throw new MediaFileError(`${path} is neither an FLV nor an MP4 file`);
  } finally {
    await file.close();
  }
}
