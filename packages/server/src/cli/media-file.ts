import { open } from 'node:fs/promises';
import { type FileItem, openMediaFile } from '@onair/media/file';
import { fileSource } from './file-source.ts';

/**
 * Reads an MP4 (fragmented or not), WebM, FLV or MPEG-TS file. Timestamps are the file's.
 * @throws MediaFileError for another kind of file, ParseError for a malformed one.
 */
export async function* readMediaFile(path: string): AsyncGenerator<FileItem> {
  const file = await open(path);
  try {
    const { batches } = await openMediaFile(await fileSource(file));
    for await (const batch of batches) yield* batch;
  } finally {
    await file.close();
  }
}
