// Fingerprint of everything the build reads, so that a start can tell whether the last build still holds.
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The root of the workspace. */
export const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');

const NOT_SOURCE = new Set(['node_modules', 'dist', '.types']);
const stamp = join(root, 'packages/server/dist/.sources');

function* files(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (NOT_SOURCE.has(entry.name) || entry.name.endsWith('.tsbuildinfo')) continue;
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* files(path);
    else if (entry.isFile() && !entry.name.endsWith('.test.ts')) yield path;
  }
}

/** SHA-256 in hex over the names and contents of the sources, the lock file and the compiler settings. */
export function fingerprint() {
  const hash = createHash('sha256');
  const all = [
    ...files(join(root, 'packages')),
    join(root, 'package-lock.json'),
    join(root, 'tsconfig.base.json'),
  ];
  for (const path of all.sort()) {
    hash.update(`${relative(root, path)}\0`);
    hash.update(readFileSync(path));
  }
  return hash.digest('hex');
}

/** Whether the build output was made from the sources as they are now. */
export function isBuilt() {
  for (const name of readdirSync(join(root, 'packages'))) {
    if (!existsSync(join(root, 'packages', name, 'dist'))) return false;
  }
  return existsSync(stamp) && readFileSync(stamp, 'utf8') === fingerprint();
}

/** Remember that the build output was made from the sources as they are now. */
export function markBuilt() {
  writeFileSync(stamp, fingerprint());
}
