import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');

function pages(): string[] {
  const found: string[] = [];
  const walk = (folder: string): void => {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      if (['node_modules', 'dist', '.git', 'work', '.cache'].includes(entry.name)) continue;
      const path = join(folder, entry.name);
      if (entry.isDirectory()) walk(path);
      else if (entry.name.endsWith('.md')) found.push(path);
    }
  };
  walk(root);
  return found;
}

/** The page without code blocks and code spans, whose brackets are no links. */
function prose(text: string): string {
  return text.replace(/^(`{3,}).*\n[\s\S]*?^\1\s*$/gm, '').replace(/`[^`\n]*`/g, '`');
}

/** The anchors that a page's headings make, the way GitHub makes them. */
function anchors(text: string): Set<string> {
  const found = new Set<string>();
  for (const [, heading] of text.replace(/^(`{3,}).*\n[\s\S]*?^\1\s*$/gm, '').matchAll(/^#{1,6} (.+)$/gm)) {
    const base = heading!
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replace(/ /g, '-');
    let name = base;
    for (let copy = 1; found.has(name); copy++) name = `${base}-${copy}`;
    found.add(name);
  }
  return found;
}

it('links between pages and to files resolve', () => {
  const faults: string[] = [];
  let seen = 0;
  for (const page of pages()) {
    const text = readFileSync(page, 'utf8');
    const links = [
      ...[...prose(text).matchAll(/\]\(([^()\s]+)(?:\s+"[^"]*")?\)/g)].map((match) => match[1]!),
      ...[...prose(text).matchAll(/<(?:img|a)\b[^>]*?\b(?:src|href)="([^"]+)"/g)].map((match) => match[1]!),
    ];
    for (const link of links) {
      if (/^[a-z][a-z+.-]*:/i.test(link)) continue; // Another host: not for an offline test.
      seen++;
      const [path, anchor] = decodeURI(link).split('#');
      const target = path === '' ? page : resolve(dirname(page), path!);
      if (!existsSync(target)) {
        faults.push(`${relative(root, page)} → ${link}: not there`);
      } else if (anchor && statSync(target).isFile() && target.endsWith('.md')) {
        if (!anchors(readFileSync(target, 'utf8')).has(anchor)) {
          faults.push(`${relative(root, page)} → ${link}: no such heading`);
        }
      }
    }
  }
  expect(seen).toBeGreaterThan(10);
  expect(faults).toEqual([]);
});

it('paths named in pages exist', () => {
  const faults: string[] = [];
  for (const page of pages()) {
    const text = readFileSync(page, 'utf8');
    for (const [, path] of text.matchAll(/`((?:packages|test|scripts|bench|docs)\/[\w./-]+)`/g)) {
      // What is only made by a build or a run is not there in a clean clone.
      if (/^(?:packages\/[^/]+\/dist|bench\/(?:bin|work|results)|test\/\.cache)/.test(path!)) continue;
      if (!existsSync(join(root, path!))) faults.push(`${relative(root, page)}: ${path}`);
    }
  }
  expect(faults).toEqual([]);
});
