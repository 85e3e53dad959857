import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Cue, DecodeError, decodeCueList } from '@onair/contracts';
import { writeWhole } from '../disk/index.ts';

/** Buttons of a console that nobody has changed. */
export const FIRST_CUES: readonly Cue[] = [
  { id: 'cm-in', name: 'cm-in', form: 'plain', duration: 30, key: '1' },
  { id: 'cm-out', name: 'cm-out', form: 'plain', duration: 0, key: '2' },
  { id: 'message', name: 'message', form: 'message', duration: 10, key: '3' },
  { id: 'poll', name: 'poll', form: 'poll', duration: 30, key: '4' },
  { id: 'quiz', name: 'quiz', form: 'quiz', duration: 20, key: '5' },
];

/** The buttons of the operator's console, in `cues.json` of the data folder. */
export class CueFile {
  readonly #path: string | undefined;
  #cues: readonly Cue[] = FIRST_CUES;
  #writing: Promise<void> = Promise.resolve();

  /** @param folder the data folder, which exists. @throws Error if the file is damaged. */
  constructor(folder: string | undefined) {
    this.#path = folder === undefined ? undefined : join(folder, 'cues.json');
    if (this.#path === undefined || !existsSync(this.#path)) return;
    try {
      this.#cues = decodeCueList(JSON.parse(readFileSync(this.#path, 'utf8'))).cues;
    } catch (error) {
      if (error instanceof DecodeError || error instanceof SyntaxError)
        throw new Error(`${this.#path} is damaged: ${error.message}`, { cause: error });
      throw error;
    }
  }

  get cues(): readonly Cue[] {
    return this.#cues;
  }

  /** Replaces the buttons; they are the new ones once the disk has them. Rejects if it takes nothing. */
  async set(cues: readonly Cue[]): Promise<void> {
    const path = this.#path;
    if (path !== undefined) {
      const write = this.#writing.then(() => writeWhole(path, `${JSON.stringify({ cues }, undefined, 2)}\n`));
      this.#writing = write.catch(() => undefined);
      await write;
    }
    this.#cues = cues;
  }
}
