import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');

/** Where every exported name must say what it is for. */
const FOLDERS = ['packages/media/src', 'packages/contracts/src', 'packages/server/src/hub'];

const EXPORTED =
  /^export (?:default )?(?:declare )?(?:abstract )?(?:async )?(?:class|function\*?|const|let|interface|type|enum) (\w+)/;

function sources(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts') && !path.endsWith('.test.ts') && !path.endsWith('.d.ts'))
    .map((path) => join(folder, path));
}

it('every exported name has a doc comment', () => {
  const faults: string[] = [];
  let seen = 0;
  for (const path of FOLDERS.flatMap((folder) => sources(join(root, folder)))) {
    const lines = readFileSync(path, 'utf8').split('\n');
    const documented = new Set<string>();
    for (const [at, line] of lines.entries()) {
      const name = EXPORTED.exec(line)?.[1];
      if (name === undefined) continue;
      seen++;
      // Overloads, and a value with a type of its name, share the comment of the first.
      if (documented.has(name)) continue;
      if (lines[at - 1]?.trimEnd().endsWith('*/')) documented.add(name);
      else faults.push(`${relative(root, path)}:${at + 1} ${name}`);
    }
  }
  expect(seen).toBeGreaterThan(50);
  expect(faults).toEqual([]);
});
