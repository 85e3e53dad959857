import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');

interface Manifest {
  readonly license?: string;
  readonly dependencies?: Record<string, string>;
  readonly devDependencies?: Record<string, string>;
}

const manifest = (folder: string): Manifest =>
  JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8')) as Manifest;

const used = new Set(
  readdirSync(join(root, 'packages'))
    .flatMap((name) => {
      const { dependencies, devDependencies } = manifest(join('packages', name));
      return Object.keys({ ...dependencies, ...devDependencies });
    })
    .filter((name) => !name.startsWith('@onair/')),
);

const page = readFileSync(join(root, 'docs/dependencies.md'), 'utf8');
const rows = [...page.matchAll(/^\| `([^`]+)` \| ([^|]+) \|/gm)].map(([, name, licence]) => ({
  name: name!,
  licence: licence!.trim(),
}));

it('every dependency of a package has one row, and every row a dependency', () => {
  expect(rows.map((row) => row.name).sort()).toEqual([...used].sort());
});

it('the licences are those of the installed packages', () => {
  for (const { name, licence } of rows) {
    expect(manifest(join('node_modules', name)).license, name).toBe(licence);
  }
});

it('every version is pinned', () => {
  for (const folder of ['.', ...readdirSync(join(root, 'packages')).map((name) => join('packages', name))]) {
    const { dependencies, devDependencies } = manifest(folder);
    for (const [name, version] of Object.entries({ ...dependencies, ...devDependencies })) {
      expect(version, `${folder}: ${name}`).toMatch(/^(?:npm:[\w.-]+@)?\d+\.\d+\.\d+$/);
    }
  }
});
