import { existsSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { DecodeError, Field } from '@onair/contracts';
import { isNamePart, type StreamName, streamName } from '@onair/media';
import { writeWhole } from '../disk/index.ts';

/** What is kept, and how it is told. */
export interface OperatorFileDeps {
  /** Data folder; without one nothing outlives the process. */
  readonly folder: string | undefined;
  /** What is to be on the disk now: something that JSON can hold. */
  state(): object;
  /** Told when the disk takes nothing, or what is there cannot be read. */
  failed(error: unknown): void;
}

/**
 * The schedule and the questions of the operator's console, in `operator.json` of the data folder. Changes that come
 * while the disk is busy, or within the pause that was asked for, are written together.
 */
export class OperatorFile {
  readonly #deps: OperatorFileDeps;
  readonly #path: string | undefined;
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> | undefined;
  #changed = false;

  constructor(deps: OperatorFileDeps) {
    this.#deps = deps;
    this.#path = deps.folder === undefined ? undefined : join(deps.folder, 'operator.json');
  }

  /** Gives `take` what was kept. A file that is damaged is told of, and put aside as `operator.json.damaged`. */
  read(take: (kept: Field) => void): void {
    if (this.#path === undefined || !existsSync(this.#path)) return;
    try {
      take(new Field(JSON.parse(readFileSync(this.#path, 'utf8'))));
    } catch (error) {
      if (!(error instanceof DecodeError || error instanceof SyntaxError)) throw error;
      // The next change writes a new one in its place.
      renameSync(this.#path, `${this.#path}.damaged`);
      this.#deps.failed(new Error(`${this.#path} is damaged: ${error.message}`, { cause: error }));
    }
  }

  /** Something has changed. @param pauseMs it may wait so long for others */
  touch(pauseMs: number): void {
    if (this.#path === undefined) return;
    this.#changed = true;
    if (pauseMs === 0) void this.#write();
    else this.#timer ??= setTimeout(() => void this.#write(), pauseMs).unref();
  }

  /** Resolves when everything is on the disk. */
  async close(): Promise<void> {
    await this.#write();
    clearTimeout(this.#timer);
  }

  #write(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#writing ??= this.#writeAll().finally(() => {
      this.#writing = undefined;
    });
    return this.#writing;
  }

  async #writeAll(): Promise<void> {
    while (this.#changed) {
      this.#changed = false;
      // What else happens in this turn is in it, too.
      await Promise.resolve();
      try {
        await writeWhole(this.#path!, JSON.stringify(this.#deps.state()));
      } catch (error) {
        this.#deps.failed(error);
      }
    }
  }
}

/** The stream that something kept belongs to. @throws DecodeError */
export function keptStream(field: Field): StreamName {
  const [app, name, ...more] = field.string(1024).split('/');
  if (isNamePart(app) && isNamePart(name) && more.length === 0) return streamName(app, name);
  return field.fail('a stream');
}
