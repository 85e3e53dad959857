import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import type { RemuxSink } from '@onair/media/file';

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
    let left = [...parts];
    while (left.length > 0) {
      const { bytesWritten } = await this.#file.writev(left);
      this.written += bytesWritten;
      left = behind(left, bytesWritten);
    }
  }

  async patch(offset: number, bytes: Uint8Array): Promise<void> {
    // On Linux a file written by position must not be open for appending; this one is not.
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
function behind(parts: readonly Uint8Array[], bytes: number): Uint8Array[] {
  let at = 0;
  let skip = bytes;
  while (at < parts.length && skip >= parts[at]!.length) skip -= parts[at++]!.length;
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
        await new Promise<void>((resolve, reject) => {
          process.stdout.write(part, (error) => (error == null ? resolve() : reject(error)));
        });
      }
    },
    done: () => Promise.resolve(),
    drop: () => Promise.resolve(),
  };
  return output;
}
