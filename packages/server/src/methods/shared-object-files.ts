import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type AmfObject, type AmfValue, amfProperties, decodeAmf0, encodeAmf0 } from '@onair/media/amf';

/** What is kept of a shared object. */
export interface KeptObject {
  readonly version: number;
  readonly properties: Readonly<Record<string, AmfValue>>;
}

/** Persistent shared objects on the disk: `APP/NAME.amf`, the name in base64url, holding name, version and properties in AMF0. */
export class SharedObjectFiles {
  readonly #folder: string;

  /** @param folder made when the first object is kept. */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /** What is kept of an object. @throws ParseError or the system's error for a file that cannot be read. */
  read(app: string, name: string): KeptObject | undefined {
    let bytes: Uint8Array;
    try {
      bytes = readFileSync(this.#path(app, name));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
    const [kept, version, properties] = decodeAmf0(Uint8Array.from(bytes));
    if (kept !== name || typeof version !== 'number') throw new Error(`not a shared object: ${name}`);
    return { version, properties: amfProperties(properties) ?? {} };
  }

  /** True if the object is there already, or fewer than `most` of its application are. */
  hasRoom(app: string, name: string, most: number): boolean {
    let files: string[];
    try {
      files = readdirSync(join(this.#folder, app));
    } catch {
      return true;
    }
    return files.length < most || files.includes(fileName(name));
  }

  /** Keeps an object: the old file stays until the new one is whole. @throws the system's error */
  write(app: string, name: string, { version, properties }: KeptObject): void {
    mkdirSync(join(this.#folder, app), { recursive: true, mode: 0o700 });
    const path = this.#path(app, name);
    writeFileSync(`${path}.new`, encodeAmf0([name, version, properties as AmfObject]), { mode: 0o600 });
    renameSync(`${path}.new`, path);
  }

  #path(app: string, name: string): string {
    return join(this.#folder, app, fileName(name));
  }
}

/** A name may hold anything: slashes, dots, any script. */
function fileName(name: string): string {
  return `${Buffer.from(name, 'utf8').toString('base64url')}.amf`;
}
