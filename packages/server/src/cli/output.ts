import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import type { RemuxSink } from '@onair/media/file';

/** Arrays that a system takes in one write. */
const MAX_PARTS = 1024;

/** A sink that somebody has to end. */
export interface Output extends RemuxSink {
  /** Bytes written so far. */
  readonly written: number;
  /** All is there: the file takes its name. */
  done(): Promise<void>;
  /** Nothing is to be left of it. */
  drop(): Promise<void>;
}

/** Opens a file for writing, which appears under its name when it is done, or standard output (`-`). */
export async function openOutput(path: string): Promise<Output> {
  return path === '-' ? standardOutput() : new FileOutput(path, await open(`${path}.part`, 'w'));
}

class FileOutput implements Output {
  readonly #path: string;
  readonly #file: FileHandle;
  written = 0;

  constructor(path: string, file: FileHandle) {
    this.#path = path;
    this.#file = file;
  }

  async write(parts: readonly Uint8Array[]): Promise<void> {
    for (let left = parts; left.length > 0; ) {
      const { bytesWritten } = await this.#file.writev(left.slice(0, MAX_PARTS));
      this.written += bytesWritten;
      left = behind(left, bytesWritten);
    }
  }

  async patch(offset: number, bytes: Uint8Array): Promise<void> {
    await this.#file.write(bytes, 0, bytes.length, offset);
  }

  async done(): Promise<void> {
    await this.#file.close();
    await rename(`${this.#path}.part`, this.#path);
  }

  async drop(): Promise<void> {
    await this.#file.close();
    await rm(`${this.#path}.part`, { force: true });
  }
}

/** What is left of `parts` behind their first `bytes`. */
function behind(parts: readonly Uint8Array[], bytes: number): readonly Uint8Array[] {
  let at = 0;
  let skip = bytes;
  while (at < parts.length && skip >= parts[at]!.length) skip -= parts[at++]!.length;
  if (at === parts.length) return [];
  const rest = parts.slice(at);
  if (skip > 0) rest[0] = rest[0]!.subarray(skip);
  return rest;
}

function standardOutput(): Output {
  const output = {
    written: 0,
    write: async (parts: readonly Uint8Array[]) => {
      for (const part of parts) {
        output.written += part.length;
        await writeOut(part);
      }
    },
    done: () => Promise.resolve(),
    drop: () => Promise.resolve(),
  };
  return output;
}

/**
 * Writes to standard output; resolves when it is on its way, so nothing piles up.
 * @throws Error if whoever reads it has gone.
 */
export function writeOut(part: Uint8Array | string): Promise<void> {
  const { stdout } = process;
  // What the callback is told comes as an event, too, which nobody else takes.
  if (stdout.listenerCount('error') === 0) stdout.on('error', () => undefined);
  return new Promise((resolve, reject) => {
    stdout.write(part, (error) => {
      if (error === null || error === undefined) resolve();
      else reject(new Error('standard output was closed', { cause: error }));
    });
  });
}
