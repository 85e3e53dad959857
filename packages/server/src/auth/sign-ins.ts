import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Field } from '@onair/contracts';
import { makePrivateFolder, writePrivateFile } from './files.ts';
import { hashSecret, MAX_SECRET_LENGTH, newSecret } from './secrets.ts';

/** Name of the file in the data folder that holds who is signed in. */
export const SIGN_IN_FILE = 'sign-ins.json';
/** Most sign-ins that are kept; beyond that the oldest ends. */
export const MAX_SIGN_INS = 1000;

/** Browsers that are signed in as operator. Survives a restart; only hashes are kept. */
export class SignIns {
  readonly #file: string;
  readonly #lifeMs: number;
  readonly #wall: () => number;
  /** From hash to the end of the sign-in, milliseconds since 1970; oldest first. */
  readonly #ends: Map<string, number>;

  /**
   * @param lifeMs how long a sign-in lasts, milliseconds.
   * @param wall milliseconds since 1970.
   */
  constructor(dataFolder: string, lifeMs: number, wall: () => number = Date.now) {
    makePrivateFolder(dataFolder);
    this.#file = join(dataFolder, SIGN_IN_FILE);
    this.#lifeMs = lifeMs;
    this.#wall = wall;
    this.#ends = readSignIns(this.#file);
  }

  /** Signs a browser in; returns the secret of its cookie. */
  create(): string {
    const secret = newSecret();
    this.#dropEnded();
    if (this.#ends.size >= MAX_SIGN_INS) this.#ends.delete(this.#ends.keys().next().value!);
    this.#ends.set(nameOf(secret), this.#wall() + this.#lifeMs);
    this.#save();
    return secret;
  }

  /** True if the secret is of a sign-in that has not ended. */
  verify(secret: string): boolean {
    if (secret.length > MAX_SECRET_LENGTH) return false;
    // Looking up a hash of the secret tells nothing about the secret by its time.
    const end = this.#ends.get(nameOf(secret));
    return end !== undefined && this.#wall() < end;
  }

  /** Ends a sign-in, if there is one. */
  remove(secret: string): void {
    if (this.#ends.delete(nameOf(secret))) this.#save();
  }

  #dropEnded(): void {
    const now = this.#wall();
    for (const [hash, end] of this.#ends) if (end <= now) this.#ends.delete(hash);
  }

  #save(): void {
    const signIns = [...this.#ends].map(([hash, end]) => ({ hash, end }));
    writePrivateFile(this.#file, `${JSON.stringify({ signIns })}\n`);
  }
}

function nameOf(secret: string): string {
  return hashSecret(secret).toString('hex');
}

function readSignIns(file: string): Map<string, number> {
  try {
    const entries = new Field(JSON.parse(readFileSync(file, 'utf8')))
      .at('signIns')
      .list((field) => [field.at('hash').string(64), field.at('end').number(0)] as const, MAX_SIGN_INS);
    return new Map(entries);
  } catch {
    // A missing or damaged list only means that people sign in again.
    return new Map();
  }
}
