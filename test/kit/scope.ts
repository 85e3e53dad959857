import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { descendants } from './child.ts';
import { until } from './until.ts';

/** Something a test opened and must end. */
export interface Owned {
  /** End it; returns when it is gone. */
  stop(): Promise<unknown>;
}

/**
 * Owner of everything one test starts: what is put in last is ended first, also after a failure.
 *
 * ```ts
 * const scope = new Scope();
 * afterEach(() => scope.close());
 * const server = await startNginxRtmp(scope);
 * ```
 */
export class Scope {
  #owned: Owned[] = [];

  /** Take over `thing`: it is ended by {@link Scope.close}. Returns it. */
  own<T extends Owned>(thing: T): T {
    this.#owned.push(thing);
    return thing;
  }

  /** Run `end` at {@link Scope.close}. */
  defer(end: () => unknown): void {
    this.#owned.push({ stop: async () => end() });
  }

  /** A new empty folder under the system's temporary folder, removed by {@link Scope.close}. */
  tempDir(prefix = 'onair-test-'): string {
    const path = mkdtempSync(join(tmpdir(), prefix));
    this.defer(() => rmSync(path, { recursive: true, force: true }));
    return path;
  }

  /** End everything, newest first. All are ended even when some throw; the first error is thrown then. */
  async close(): Promise<void> {
    const owned = this.#owned.reverse();
    this.#owned = [];
    const errors: unknown[] = [];
    for (const thing of owned) {
      try {
        await thing.stop();
      } catch (error) {
        errors.push(error);
      }
    }
    if (errors.length > 0) throw errors[0];
  }
}

/** Throws when this process still has children a moment after its owners closed. Call in `afterAll`. */
export async function expectNoChildren(timeoutMs = 3000): Promise<void> {
  let left: string[] = [];
  await until(
    () => {
      left = descendants();
      return left.length === 0;
    },
    { timeoutMs, message: () => `processes left behind: ${left.join(', ')}` },
  );
}
