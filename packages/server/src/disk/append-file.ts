import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { syncFolder } from './whole-file.ts';

/** Most buffers given to one write. */
const MAX_VECTOR = 512;

/**
 * A file that only grows. What is appended is written later, in order; {@link flush} makes it stay after a power
 * loss. A write that fails leaves nothing half done: the file is cut back and the bytes are tried again by the next
 * flush.
 */
export class AppendFile {
  readonly path: string;
  #handle: FileHandle | undefined;
  #queue: Uint8Array[] = [];
  #queued = 0;
  #written: number;
  #synced: number;
  #working: Promise<void> | undefined;
  #closed = false;

  /**
   * Nothing is touched before the first flush.
   * @param size octets of the file that are good; what is behind them is cut off. 0 begins anew.
   */
  constructor(path: string, size = 0) {
    this.path = path;
    this.#written = size;
    this.#synced = size;
  }

  /** Octets appended, those that are not written yet included. */
  get size(): number {
    return this.#written + this.#queued;
  }

  /** Octets that outlive a power loss. */
  get synced(): number {
    return this.#synced;
  }

  /** Octets that wait in memory. */
  get backlog(): number {
    return this.#queued;
  }

  /** Takes bytes, which nobody may write to any more. */
  append(bytes: Uint8Array): void {
    if (this.#closed || bytes.length === 0) return;
    this.#queue.push(bytes);
    this.#queued += bytes.length;
  }

  /** Writes what was appended until now and waits until the disk has it. Rejects if it cannot. */
  async flush(): Promise<void> {
    const wanted = this.size;
    while (this.#synced < wanted || (this.#handle === undefined && !this.#closed)) {
      this.#working ??= this.#work().finally(() => {
        this.#working = undefined;
      });
      await this.#working;
    }
  }

  /** Flushes and closes; what cannot be written is lost. Safe to call twice. */
  async close(): Promise<void> {
    if (this.#closed) return;
    try {
      if (this.#queued > 0 || this.#handle !== undefined) await this.flush();
    } finally {
      this.#closed = true;
      await this.#handle?.close();
      this.#handle = undefined;
    }
  }

  async #work(): Promise<void> {
    this.#handle ??= await this.#open();
    const handle = this.#handle;
    while (this.#queue.length > 0) {
      const part = this.#queue.splice(0, MAX_VECTOR);
      let length = 0;
      for (const bytes of part) length += bytes.length;
      try {
        await writeAll(handle, part, this.#written);
      } catch (error) {
        this.#queue = [...part, ...this.#queue];
        await handle.truncate(this.#written).catch(() => undefined);
        throw error;
      }
      this.#written += length;
      this.#queued -= length;
    }
    const end = this.#written;
    await handle.datasync();
    this.#synced = Math.max(this.#synced, end);
  }

  async #open(): Promise<FileHandle> {
    const handle = await open(this.path, constants.O_RDWR | constants.O_CREAT, 0o600);
    try {
      await handle.truncate(this.#written);
      await handle.datasync();
      await syncFolder(dirname(this.path));
      return handle;
    } catch (error) {
      await handle.close();
      throw error;
    }
  }
}

/** Writes buffers one behind the other; a write may take a part only. */
async function writeAll(handle: FileHandle, parts: readonly Uint8Array[], position: number): Promise<void> {
  let total = 0;
  for (const part of parts) total += part.length;
  let rest = [...parts];
  for (let done = 0; done < total; ) {
    const { bytesWritten } = await handle.writev(rest, position + done);
    if (bytesWritten === 0) throw new Error('the disk takes nothing');
    done += bytesWritten;
    rest = after(rest, bytesWritten);
  }
}

function after(parts: readonly Uint8Array[], taken: number): Uint8Array[] {
  let left = taken;
  const rest: Uint8Array[] = [];
  for (const part of parts) {
    if (left >= part.length) left -= part.length;
    else {
      rest.push(left === 0 ? part : part.subarray(left));
      left = 0;
    }
  }
  return rest;
}
