import { constants } from 'node:fs';
import { type FileHandle, link, mkdir, open, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isFileName, MEDIA_FILE_TYPES, type MediaFileInfo } from '@onair/contracts/file-socket';
import { ParseError } from '@onair/media';
import { MediaFileError, openSeekable } from '@onair/media/file';
import { HttpProblem, refusedForNow } from '../net/index.ts';
import { handleSource } from './file-source.ts';

/** Limits of what is added. */
export interface ShelfLimits {
  /** Most bytes of one file, and of all together. */
  readonly maxBytes: number;
  readonly maxTotalBytes: number;
}

/** Files that are being added at one time, those that were left unfinished included. */
const MAX_PARTS = 20;
/** A file left unfinished for so long is thrown away, milliseconds. */
const STALE_MS = 86_400_000;
/** Most files that are listed. */
const MAX_FILES = 10_000;
/** Ending of the name of a file that is not whole yet. */
const PART = '.part';

/** A file that is open, to be closed by whoever opened it. */
export interface OpenFile {
  readonly handle: FileHandle;
  readonly size: number;
  /** Milliseconds since the Unix epoch. */
  readonly modified: number;
}

/** The folder of media files. Only names without a path are ever used, and links are not followed. */
export class FileShelf {
  readonly #folder: string;
  readonly #limits: () => ShelfLimits;
  /** Names that bytes are being written to. */
  readonly #writing = new Set<string>();

  constructor(folder: string, limits: () => ShelfLimits) {
    this.#folder = folder;
    this.#limits = limits;
  }

  /** Every file that can be played, by name. */
  async list(): Promise<MediaFileInfo[]> {
    const found: MediaFileInfo[] = [];
    for (const entry of await this.#entries()) {
      if (!isPlayable(entry) || found.length >= MAX_FILES) continue;
      const { size, mtimeMs } = await stat(join(this.#folder, entry)).catch(() => ({ size: 0, mtimeMs: 0 }));
      if (size > 0) found.push({ name: entry, size, modified: Math.round(mtimeMs) });
    }
    return found.sort((a, b) => a.name.localeCompare(b.name));
  }

  /** Opens a file. @throws HttpProblem `NOT_FOUND`. */
  async open(name: string): Promise<OpenFile> {
    if (!isPlayable(name)) throw new HttpProblem('NOT_FOUND');
    const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
    const handle = await open(join(this.#folder, name), flags).catch(() => undefined);
    if (handle === undefined) throw new HttpProblem('NOT_FOUND', { detail: `There is no file ${name}.` });
    const { size, mtimeMs, isFile } = await statOf(handle);
    if (isFile) return { handle, size, modified: mtimeMs };
    await handle.close();
    throw new HttpProblem('NOT_FOUND');
  }

  /**
   * Adds bytes at `offset` of a file that is being added. Resolves with the bytes that are there now.
   * @throws HttpProblem `FILE_EXISTS`, `FILE_OFFSET`, `BODY_TOO_LARGE`, `LIMIT_REACHED`, `OVERLOADED`.
   */
  async add(name: string, offset: number, body: AsyncIterable<Uint8Array>): Promise<number> {
    const part = this.#part(checked(name));
    if (this.#writing.has(name)) throw refusedForNow('OVERLOADED', 1, 'the file is being added');
    this.#writing.add(name);
    try {
      await mkdir(this.#folder, { recursive: true, mode: 0o700 });
      if (await exists(join(this.#folder, name))) throw new HttpProblem('FILE_EXISTS');
      const room = await this.#room(name, offset);
      const handle = await open(part, offset === 0 ? 'w' : 'r+', 0o600).catch(() => undefined);
      if (handle === undefined) throw new HttpProblem('FILE_OFFSET', { detail: 'there are 0 bytes' });
      try {
        const { size } = await handle.stat();
        if (size !== offset) throw new HttpProblem('FILE_OFFSET', { detail: `there are ${size} bytes` });
        return await append(handle, offset, room, body);
      } finally {
        await handle.close();
      }
    } finally {
      this.#writing.delete(name);
    }
  }

  /** The file is whole: it gets its name, if it can be played. @throws HttpProblem `UPLOAD_MEDIA`, `FILE_EXISTS`. */
  async finish(name: string): Promise<void> {
    const part = this.#part(checked(name));
    const handle = await open(part, 'r').catch(() => undefined);
    if (handle === undefined) throw new HttpProblem('NOT_FOUND');
    try {
      await openSeekable(handleSource(handle, (await handle.stat()).size));
      await handle.sync();
    } catch (error) {
      await rm(part, { force: true });
      if (!(error instanceof ParseError || error instanceof MediaFileError)) throw error;
      throw new HttpProblem('UPLOAD_MEDIA', { detail: error.message });
    } finally {
      await handle.close();
    }
    try {
      // Unlike a renaming, this never takes the place of another file.
      await link(part, join(this.#folder, name));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') throw new HttpProblem('FILE_EXISTS');
      throw error;
    } finally {
      await rm(part, { force: true });
    }
  }

  /** Deletes a file. @throws HttpProblem `NOT_FOUND`. */
  async remove(name: string): Promise<void> {
    if (!isPlayable(name) || !(await exists(join(this.#folder, name)))) throw new HttpProblem('NOT_FOUND');
    await rm(join(this.#folder, name), { force: true });
  }

  /** Bytes that may be added to a file at `offset`. */
  async #room(name: string, offset: number): Promise<number> {
    const { maxBytes, maxTotalBytes } = this.#limits();
    let total = 0;
    let parts = 0;
    for (const entry of await this.#entries()) {
      const path = join(this.#folder, entry);
      const { size, mtimeMs } = await stat(path).catch(() => ({ size: 0, mtimeMs: Date.now() }));
      if (entry.endsWith(PART) && entry !== `.${name}${PART}`) {
        const stale = mtimeMs < Date.now() - STALE_MS;
        if (stale) await rm(path, { force: true });
        else parts++;
      }
      if (entry !== `.${name}${PART}`) total += size;
    }
    if (parts >= MAX_PARTS) throw refusedForNow('OVERLOADED', 60, 'too many files are being added');
    if (total + offset >= maxTotalBytes)
      throw new HttpProblem('LIMIT_REACHED', { detail: 'the folder is full' });
    return Math.min(maxBytes, maxTotalBytes - total) - offset;
  }

  #part(name: string): string {
    return join(this.#folder, `.${name}${PART}`);
  }

  async #entries(): Promise<string[]> {
    const entries = await readdir(this.#folder, { withFileTypes: true }).catch(() => []);
    return entries.filter((entry) => entry.isFile()).map(({ name }) => name);
  }
}

/** Media type of a file by the ending of its name. */
export function mediaTypeOf(name: string): string | undefined {
  const ending = name.slice(name.lastIndexOf('.') + 1).toLowerCase();
  return Object.hasOwn(MEDIA_FILE_TYPES, ending) ? MEDIA_FILE_TYPES[ending] : undefined;
}

function isPlayable(name: string): boolean {
  return isFileName(name) && mediaTypeOf(name) !== undefined;
}

function checked(name: string): string {
  if (isPlayable(name)) return name;
  const detail = `letters, digits, spaces and _ - . ( ), ending in ${Object.keys(MEDIA_FILE_TYPES).join(', ')}`;
  throw new HttpProblem('BAD_REQUEST', { detail: `a file is called by ${detail}` });
}

async function statOf(handle: FileHandle): Promise<{ size: number; mtimeMs: number; isFile: boolean }> {
  const found = await handle.stat();
  return { size: found.size, mtimeMs: found.mtimeMs, isFile: found.isFile() };
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}

async function append(
  handle: FileHandle,
  offset: number,
  room: number,
  body: AsyncIterable<Uint8Array>,
): Promise<number> {
  let at = offset;
  for await (const bytes of body) {
    if (at + bytes.length - offset > room)
      throw new HttpProblem('BODY_TOO_LARGE', { detail: 'the file is too large' });
    for (let written = 0; written < bytes.length; ) {
      const { bytesWritten } = await handle.write(bytes, written, bytes.length - written, at + written);
      written += bytesWritten;
    }
    at += bytes.length;
  }
  return at;
}
