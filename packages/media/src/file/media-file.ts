import type { Sample, Track } from '../model/index.ts';
import { BlockReader, type ByteSource } from './byte-source.ts';
import { DETECT_BYTES, detectFormat, type FileFormat, FORMAT_NAMES } from './format.ts';
import { readMp4 } from './mp4-file.ts';
import { readStreamed } from './streamed-file.ts';

/** What a media file gives, in decoding order across its tracks; a track comes before its samples. */
export type FileItem =
  | { readonly kind: 'track'; readonly track: Track }
  | { readonly kind: 'sample'; readonly sample: Sample };

/** Items that are at hand together. */
export type FileBatches = AsyncGenerator<readonly FileItem[]>;

/** A file of no kind that we read, or one whose tracks cannot be streamed. */
export class MediaFileError extends Error {
  override readonly name = 'MediaFileError';
}

/** Bytes that are read at once. */
const READ_BYTES = 512 * 1024;

/** A media file whose kind is known. */
export interface MediaFile {
  readonly format: FileFormat;
  /** Its content, once. @throws MediaFileError, ParseError, and what the source throws. */
  readonly batches: FileBatches;
  /** Bytes read so far. */
  progress(): number;
  /** Nobody looks at the bytes of a sample any longer: their memory may be used again. Nobody need say so. */
  giveBack(data: Uint8Array): void;
}

/**
 * Opens an MP4 (fragmented or not), WebM, FLV or MPEG-TS file, told by its first bytes. Timestamps are the file's; for
 * MP4 those of its presentation. Memory does not grow with the file, but for the tables of MP4.
 * @throws MediaFileError for another kind of file.
 */
export async function openMediaFile(source: ByteSource): Promise<MediaFile> {
  const reader = new BlockReader(source, { blockBytes: READ_BYTES, ahead: true });
  const format = detectFormat(await reader.read(0, DETECT_BYTES));
  const progress = (): number => reader.bytesRead;
  const giveBack = (data: Uint8Array): void => reader.giveBack(data);
  switch (format) {
    case 'mp4':
      return { format, batches: readMp4(reader), progress, giveBack };
    case 'webm':
    case 'flv':
    case 'mpegts':
      return { format, batches: readStreamed(reader, format), progress, giveBack };
    case 'hls':
    case 'dash':
      throw new MediaFileError(`a ${FORMAT_NAMES[format]} is no media file`);
    case undefined:
      throw new MediaFileError('neither MP4, WebM, FLV nor MPEG-TS');
  }
}
