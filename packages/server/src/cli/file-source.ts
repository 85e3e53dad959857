import { fstatSync, readSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import type { ByteSource } from '@onair/media/file';

/**
 * An open file as a source; whoever opened it closes it. Reads block: a command works for one file, and the way to
 * another thread and back costs more than the read.
 */
export function fileSource({ fd }: FileHandle): ByteSource {
  const { size } = fstatSync(fd);
  return {
    size,
    read: (at, length) => {
      const bytes = new Uint8Array(Buffer.allocUnsafeSlow(Math.max(0, Math.min(length, size - at))).buffer);
      let filled = 0;
      while (filled < bytes.length) {
        const count = readSync(fd, bytes, filled, bytes.length - filled, at + filled);
        if (count === 0) break;
        filled += count;
      }
      return Promise.resolve(bytes.subarray(0, filled));
    },
  };
}
