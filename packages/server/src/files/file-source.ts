import type { FileHandle } from 'node:fs/promises';
import type { ByteSource } from '@onair/media/file';

/** An open file as a source, which does not block the process; whoever opened it closes it. @param size bytes. */
export function handleSource(handle: FileHandle, size: number): ByteSource {
  return {
    size,
    read: async (at, length, into) => {
      const room = Math.max(0, Math.min(length, size - at));
      // Memory that is not cleared first: all of it that is handed on is filled.
      const bytes = into?.subarray(0, room) ?? new Uint8Array(Buffer.allocUnsafeSlow(room).buffer);
      let filled = 0;
      while (filled < bytes.length) {
        const { bytesRead } = await handle.read(bytes, filled, bytes.length - filled, at + filled);
        if (bytesRead === 0) break;
        filled += bytesRead;
      }
      return bytes.subarray(0, filled);
    },
  };
}
