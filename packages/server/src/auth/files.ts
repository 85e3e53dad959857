import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';

/** Makes the folder, readable for its owner only, if it is not there. */
export function makePrivateFolder(folder: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
}

/**
 * Replaces a file as a whole: readers and a crash see the old content or the new one, never a part.
 * The file is readable for its owner only.
 */
export function writePrivateFile(file: string, content: string): void {
  const temporary = `${file}.${randomBytes(6).toString('hex')}.new`;
  try {
    const descriptor = openSync(temporary, 'wx', 0o600);
    try {
      writeSync(descriptor, content);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    renameSync(temporary, file);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
  syncFolder(dirname(file));
}

/** Takes away what others may do with a file. Returns true if they could do anything. */
export function closeToOthers(file: string): boolean {
  const { mode } = statSync(file);
  if ((mode & 0o077) === 0) return false;
  chmodSync(file, 0o600);
  return true;
}

function syncFolder(folder: string): void {
  try {
    const descriptor = openSync(folder, 'r');
    try {
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
  } catch {
    // Not every file system can sync a folder; the rename itself has happened.
  }
}

/** Age at which a lock is taken to be left over from a process that died, milliseconds. */
const STALE_LOCK_MS = 10_000;

/**
 * Runs `work` while no other process does so with the same lock file.
 * @throws Error with code `ELOCKED` if another process holds the lock for two seconds.
 */
export function withLock<T>(lockFile: string, work: () => T): T {
  const pause = new Int32Array(new SharedArrayBuffer(4));
  for (let attempt = 0; ; attempt++) {
    try {
      closeSync(openSync(lockFile, 'wx', 0o600));
      break;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      if (attempt >= 40) {
        throw Object.assign(new Error(`${lockFile} is held by another process`), { code: 'ELOCKED' });
      }
      if (ageOf(lockFile) > STALE_LOCK_MS) rmSync(lockFile, { force: true });
      else Atomics.wait(pause, 0, 0, 50);
    }
  }
  try {
    return work();
  } finally {
    rmSync(lockFile, { force: true });
  }
}

function ageOf(file: string): number {
  try {
    return Date.now() - statSync(file).mtimeMs;
  } catch {
    return 0;
  }
}
