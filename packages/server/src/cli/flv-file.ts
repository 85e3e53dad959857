import type { FileHandle } from 'node:fs/promises';
import { FlvReader, TagDemuxer } from '@onair/media/flv';
import { ParseError } from '@onair/media/model';
import type { FileItem } from './media-file.ts';

/** Bytes read at once. */
const READ_BYTES = 256 * 1024;

/** Reads the tracks and samples of an FLV file. Tags whose body is malformed are left out. */
export async function* readFlvFile(file: FileHandle): AsyncGenerator<FileItem> {
  const found: FileItem[] = [];
  const demuxer = new TagDemuxer({
    onTrack: (track) => found.push({ kind: 'track', track }),
    onSample: (sample) => found.push({ kind: 'sample', sample }),
    onMetadata: () => undefined,
    onDataEvent: () => undefined,
  });
  const reader = new FlvReader();
  for (let at = 0; ; ) {
    const chunk = new Uint8Array(READ_BYTES);
    const { bytesRead } = await file.read(chunk, 0, chunk.length, at);
    if (bytesRead === 0) return;
    at += bytesRead;
    reader.push(chunk.subarray(0, bytesRead));
    for (let item = reader.next(); item !== undefined; item = reader.next()) {
      if (item.kind !== 'tag') continue;
      try {
        demuxer.push(item.tag);
      } catch (error) {
        if (!(error instanceof ParseError)) throw error;
      }
      yield* found.splice(0);
    }
  }
}
