import type { AppendFile } from './append-file.ts';

/** How often what was appended is brought to the disk, in milliseconds: what a power loss may cost. */
export const SYNC_EVERY_MS = 500;
/** How long a disk that failed is left alone, in milliseconds. */
const RETRY_MS = 1_000;

/** Told when the disk fails and when it works again. */
export interface DiskFaults {
  failed(path: string, error: unknown): void;
  recovered(path: string): void;
}

/**
 * Brings files that grow to the disk, one after the other, every half second: many streams then cost the disk no
 * more than one. A failing file is tried again each second.
 */
export class DiskSync {
  readonly #files = new Map<AppendFile, { failing: boolean }>();
  readonly #faults: DiskFaults;
  readonly #intervalMs: number;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(faults: DiskFaults, intervalMs = SYNC_EVERY_MS) {
    this.#faults = faults;
    this.#intervalMs = intervalMs;
  }

  /** Looks after a file from now on; the returned function stops that. The file stays the caller's. */
  add(file: AppendFile): () => void {
    this.#files.set(file, { failing: false });
    this.#arm(this.#intervalMs);
    return () => this.#files.delete(file);
  }

  /** Safe to call twice. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#files.clear();
  }

  #arm(ms: number): void {
    if (this.#closed || this.#timer !== undefined) return;
    this.#timer = setTimeout(() => void this.#round(), ms);
  }

  async #round(): Promise<void> {
    let failed = false;
    for (const [file, state] of [...this.#files]) {
      if (file.synced === file.size) continue;
      try {
        await file.flush();
        if (state.failing) this.#faults.recovered(file.path);
        state.failing = false;
      } catch (error) {
        failed = true;
        if (!state.failing) this.#faults.failed(file.path, error);
        state.failing = true;
      }
    }
    this.#timer = undefined;
    if (this.#files.size > 0) this.#arm(failed ? RETRY_MS : this.#intervalMs);
  }
}
