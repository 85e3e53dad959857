import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'vite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import budget from '../bundle-budget.json' with { type: 'json' };

const WEB = fileURLToPath(new URL('..', import.meta.url));

interface Entry {
  readonly file: string;
  readonly name?: string;
  readonly imports?: readonly string[];
  readonly dynamicImports?: readonly string[];
}

let dist = '';
let manifest: Record<string, Entry> = {};
const later = Object.entries(budget.later);
const size = (file: string): number => gzipSync(readFileSync(join(dist, file)), { level: 9 }).length;
const laterName = (file: string): string | undefined =>
  later.map(([name]) => name).find((name) => file.split('/').at(-1)!.startsWith(name));

/** Files of a page's script: what it imports and what it loads by itself, but for the parts that come later. */
function scriptsOf(key: string, seen = new Set<string>()): Set<string> {
  const entry = manifest[key]!;
  if (seen.has(entry.file) || laterName(entry.file) !== undefined) return seen;
  seen.add(entry.file);
  for (const next of [...(entry.imports ?? []), ...(entry.dynamicImports ?? [])]) scriptsOf(next, seen);
  return seen;
}

beforeAll(async () => {
  dist = mkdtempSync(join(tmpdir(), 'onair-web-'));
  for (const config of ['vite.config.ts', 'vite.player.config.ts']) {
    await build({ root: WEB, configFile: join(WEB, config), logLevel: 'error', build: { outDir: dist } });
  }
  manifest = JSON.parse(readFileSync(join(dist, 'assets/manifest.json'), 'utf8'));
}, 60_000);

afterAll(() => rmSync(dist, { recursive: true, force: true }));

describe('size of the pages, gzip', () => {
  it.each(Object.entries(budget.pages))('%s needs at most %i bytes of script', (page, most) => {
    const files = [...scriptsOf(page)];
    const total = files.reduce((sum, file) => sum + size(file), 0);
    expect(total, files.map((file) => `${size(file)} ${file}`).join('\n')).toBeLessThanOrEqual(most);
  });

  it.each(later)('%s, loaded when needed, is at most %i bytes', (name, most) => {
    for (const file of readdirSync(join(dist, 'assets'))) {
      if (laterName(file) === name && file.endsWith('.js')) {
        expect(size(`assets/${file}`), file).toBeLessThanOrEqual(most);
      }
    }
  });

  it('the player for pages of others is within its budget and addresses its parts relative to itself', () => {
    expect(size('onair-player.js')).toBeLessThanOrEqual(budget.player);
    expect(readFileSync(join(dist, 'onair-player.js'), 'utf8')).not.toMatch(/["'`]\/assets\//);
  });
});

describe('the built pages', () => {
  const pages = (): string[] => readdirSync(dist).filter((file) => file.endsWith('.html'));

  it('run no script and no style of their own text, and name no other origin', () => {
    expect(pages().length).toBeGreaterThan(6);
    for (const page of pages()) {
      const text = readFileSync(join(dist, page), 'utf8');
      expect(text, page).not.toMatch(/<script(?![^>]*\bsrc=)/);
      expect(text, page).not.toMatch(/<style|\bstyle=|\bon\w+=/);
      expect(text, page).not.toMatch(/(?:src|href)="(?:https?:)?\/\//);
    }
  });
});
