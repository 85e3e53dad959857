import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { closeToOthers, makePrivateFolder, writePrivateFile } from './files.ts';
import { hashSecret, MAX_SECRET_LENGTH, matchesHash, newSecret } from './secrets.ts';

/** Name of the file in the data folder that holds the operator's token. */
export const TOKEN_FILE = 'admin-token';

/** The operator's token. Its text stays in the file; the process keeps a hash. */
export class AdminToken {
  readonly #hash: Buffer;
  /** The token in clear if it was made just now, for the one time that it is shown. */
  readonly fresh: string | undefined;
  /** True if others could read the file until now. */
  readonly wasExposed: boolean;

  private constructor(token: string, fresh: boolean, wasExposed: boolean) {
    this.#hash = hashSecret(token);
    this.fresh = fresh ? token : undefined;
    this.wasExposed = wasExposed;
  }

  /**
   * Reads the token from the data folder, or makes one at the first start.
   * @throws Error if the folder cannot be used or the file holds no token.
   */
  static open(dataFolder: string): AdminToken {
    makePrivateFolder(dataFolder);
    const file = join(dataFolder, TOKEN_FILE);
    const known = readToken(file);
    if (known !== undefined) return new AdminToken(known, false, closeToOthers(file));
    const token = newSecret();
    writePrivateFile(file, `${token}\n`);
    return new AdminToken(token, true, false);
  }

  /** Compares in constant time. */
  verify(candidate: unknown): boolean {
    return (
      typeof candidate === 'string' &&
      candidate.length <= MAX_SECRET_LENGTH &&
      matchesHash(candidate, this.#hash)
    );
  }
}

function readToken(file: string): string | undefined {
  let text: string;
  try {
    text = readFileSync(file, 'utf8').trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  if (!/^[\w-]{22,256}$/.test(text)) {
    throw new Error(
      `${file}: expected a token of 22 to 256 characters A-Z a-z 0-9 _ -; delete the file for a new one`,
    );
  }
  return text;
}
