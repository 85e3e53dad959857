import { type FSWatcher, watch } from 'node:fs';
import { dirname } from 'node:path';
import { type ConfigChange, planChange } from './changes.ts';
import { ConfigError } from './faults.ts';
import { buildConfig, type ConfigSources, readConfigFile } from './load.ts';
import type { Config } from './schema.ts';

/** Told about every reload: what changed, or why the old configuration stays. */
export interface ConfigListener {
  changed?(change: ConfigChange): void;
  refused?(error: ConfigError): void;
}

/** Pause after a write to the file before it is read, so that an editor can finish; milliseconds. */
const SETTLE_MS = 100;

/** Holds the configuration in force and replaces it when the file changes. */
export class ConfigStore {
  readonly #sources: ConfigSources;
  readonly #listeners = new Set<ConfigListener>();
  #current: Config;
  /** Text of the file when it was last read, whether it was taken or refused. */
  #text: string | undefined;
  #watcher: FSWatcher | undefined;
  #timer: NodeJS.Timeout | undefined;

  /** @throws ConfigError if the configuration cannot be used. */
  constructor(sources: ConfigSources) {
    this.#sources = sources;
    this.#text = sources.file === undefined ? undefined : readConfigFile(sources.file);
    this.#current = buildConfig(sources, this.#text);
  }

  /** The configuration in force. Replaced as a whole, never written to. */
  get current(): Config {
    return this.#current;
  }

  /** File that is read, if any. */
  get file(): string | undefined {
    return this.#sources.file;
  }

  /** Calls `listener` on each reload until the returned function is called. */
  listen(listener: ConfigListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Reads the file again and applies what a running server can apply. A broken file changes nothing.
   * @returns the change, or undefined if the file was refused.
   */
  reload(): ConfigChange | undefined {
    let change: ConfigChange;
    try {
      this.#text = this.#sources.file === undefined ? undefined : readConfigFile(this.#sources.file);
      change = planChange(this.#current, buildConfig(this.#sources, this.#text));
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      for (const listener of [...this.#listeners]) listener.refused?.(error);
      return undefined;
    }
    this.#current = change.current;
    if (change.applied.length > 0 || change.waiting.length > 0) {
      for (const listener of [...this.#listeners]) listener.changed?.(change);
    }
    return change;
  }

  /**
   * Reloads whenever the file changes, until {@link close}. Does nothing without a file.
   * @returns false if the system cannot watch; {@link reload} still works.
   */
  watch(): boolean {
    if (this.#sources.file === undefined || this.#watcher !== undefined) return true;
    try {
      // The folder is watched, not the file: editors and orchestrators replace the file by a new one.
      this.#watcher = watch(dirname(this.#sources.file), { persistent: false }, () => {
        clearTimeout(this.#timer);
        this.#timer = setTimeout(() => this.#reloadIfNew(), SETTLE_MS).unref();
      });
    } catch {
      return false;
    }
    this.#watcher.on('error', () => this.close());
    return true;
  }

  #reloadIfNew(): void {
    try {
      if (readConfigFile(this.#sources.file!) === this.#text) return;
    } catch {
      // Said once; the file may also be about to come back under its name.
      if (this.#text === undefined) return;
      this.#text = undefined;
    }
    this.reload();
  }

  /** Stops watching. */
  close(): void {
    clearTimeout(this.#timer);
    this.#watcher?.close();
    this.#watcher = undefined;
  }
}
