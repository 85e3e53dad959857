import { randomBytes } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DecodeError, Field, type KeyInfo, type NewKey } from '@onair/contracts';
import { makePrivateFolder, withLock, writePrivateFile } from './files.ts';
import { hashSecret, newSecret } from './secrets.ts';

/** A stream key as it is kept: what it opens, and the hash of its secret. */
export interface StoredKey extends KeyInfo {
  /** SHA-256 of the secret. */
  readonly hash: Uint8Array;
}

/** What a new key is to open. */
export interface KeyScope {
  readonly app: string;
  /** One stream; left out, every stream of the application. */
  readonly name?: string;
  readonly label?: string;
}

/** Keeps stream keys. */
export interface StreamKeyStore {
  /** Every key, oldest first. */
  list(): readonly StoredKey[];
  /** Makes a key; the answer is the only place where its secret ever stands. */
  create(scope: KeyScope): NewKey;
  /** Removes a key; false if there is none with this id. */
  remove(id: string): boolean;
}

/** More keys cannot be kept. */
export class TooManyKeys extends Error {
  override readonly name = 'TooManyKeys';
}

/** Name of the file in the data folder that holds the stream keys. */
export const KEY_FILE = 'stream-keys.json';
/** Most keys that are kept. */
export const MAX_KEYS = 10_000;

/** Stream keys in a JSON file, safe against a crash and against a second process (`onair key create`). */
export class FileKeyStore implements StreamKeyStore {
  readonly #file: string;
  readonly #wall: () => number;
  #keys: readonly StoredKey[] = [];
  /** Which state of the file `#keys` is. */
  #version = '';

  /**
   * @param wall milliseconds since 1970.
   * @throws Error if the file is there and broken.
   */
  constructor(dataFolder: string, wall: () => number = Date.now) {
    makePrivateFolder(dataFolder);
    this.#file = join(dataFolder, KEY_FILE);
    this.#wall = wall;
    this.list();
  }

  list(): readonly StoredKey[] {
    const version = versionOf(this.#file);
    if (version !== this.#version) {
      this.#keys = version === '' ? [] : readKeys(this.#file);
      this.#version = version;
    }
    return this.#keys;
  }

  create({ app, name, label }: KeyScope): NewKey {
    const key = newSecret();
    const info: KeyInfo = {
      id: randomBytes(8).toString('hex'),
      app,
      ...(name === undefined ? {} : { name }),
      ...(label === undefined ? {} : { label }),
      created: this.#wall(),
    };
    this.#change((keys) => {
      if (keys.length >= MAX_KEYS) throw new TooManyKeys(`${MAX_KEYS} stream keys are kept already`);
      return [...keys, { ...info, hash: hashSecret(key) }];
    });
    return { ...info, key };
  }

  remove(id: string): boolean {
    let found = false;
    this.#change((keys) => {
      const left = keys.filter((key) => key.id !== id);
      found = left.length < keys.length;
      return found ? left : keys;
    });
    return found;
  }

  #change(edit: (keys: readonly StoredKey[]) => readonly StoredKey[]): void {
    withLock(`${this.#file}.lock`, () => {
      const before = this.list();
      const after = edit(before);
      if (after === before) return;
      const keys = after.map((key) => ({ ...key, hash: Buffer.from(key.hash).toString('hex') }));
      writePrivateFile(this.#file, `${JSON.stringify({ keys }, undefined, 2)}\n`);
    });
  }
}

function versionOf(file: string): string {
  const state = statSync(file, { bigint: true, throwIfNoEntry: false });
  return state === undefined ? '' : `${state.ino}:${state.mtimeNs}:${state.size}`;
}

function readKeys(file: string): StoredKey[] {
  try {
    const root = new Field(JSON.parse(readFileSync(file, 'utf8')));
    return root.at('keys').list(readKey, MAX_KEYS);
  } catch (error) {
    if (error instanceof DecodeError || error instanceof SyntaxError) {
      throw new Error(`${file} is damaged: ${error.message}`, { cause: error });
    }
    throw error;
  }
}

function readKey(field: Field): StoredKey {
  const hash = field.at('hash').string(64);
  if (!/^[0-9a-f]{64}$/.test(hash)) field.at('hash').fail('64 hexadecimal digits');
  return {
    id: field.at('id').string(64),
    app: field.at('app').string(64),
    ...field.optional('name', (f) => f.string(64)),
    ...field.optional('label', (f) => f.string()),
    created: field.at('created').number(0),
    hash: new Uint8Array(Buffer.from(hash, 'hex')),
  };
}
