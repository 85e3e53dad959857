import { fstatSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import type { ByteSource } from '@onair/media/file';
import { handleSource } from '../files/index.ts';

/** An open file as a source; whoever opened it closes it. */
export function fileSource(handle: FileHandle): ByteSource {
  return handleSource(handle, fstatSync(handle.fd).size);
}
