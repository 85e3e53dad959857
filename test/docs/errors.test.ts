import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { ERROR_CODES } from '@onair/contracts/errors';
import { MEDIA_ERROR_CODES } from '@onair/media';
import { expect, it } from 'vitest';

const path = fileURLToPath(new URL('../../docs/errors.md', import.meta.url));
const BEGIN = '<!-- begin of the registry in packages/contracts/src/errors/codes.ts -->\n';
const END = '<!-- end of the registry -->';

/** The table of the registry's codes as the page shows it. */
function registryTable(): string {
  const rows = Object.entries(ERROR_CODES).map(
    ([code, entry]) => `| \`${code}\` | HTTP ${entry.status} | ${entry.title}. | ${entry.description} |`,
  );
  return ['| code | kind | meaning | what to do |', '| --- | --- | --- | --- |', ...rows, ''].join('\n');
}

/** The rows of one section: code to cells. */
function rows(heading: string): Map<string, string[]> {
  const section = readFileSync(path, 'utf8').split(`\n## ${heading}\n`)[1]?.split('\n## ')[0] ?? '';
  const found = [...section.matchAll(/^\| `([A-Z0-9_]+)` \|(.*)\|$/gm)];
  const map = new Map(found.map(([, code, rest]) => [code!, rest!.split(' | ').map((cell) => cell.trim())]));
  expect(map.size, `each code once under ${heading}`).toBe(found.length);
  return map;
}

// UPDATE_DOCS=1 writes the table of the registry anew.
it('the HTTP part is what the registry says', () => {
  const text = readFileSync(path, 'utf8');
  const from = text.indexOf(BEGIN) + BEGIN.length;
  const to = text.indexOf(END);
  expect(from).toBeGreaterThanOrEqual(BEGIN.length);
  const made = text.slice(0, from) + registryTable() + text.slice(to);
  if (process.env.UPDATE_DOCS === '1') writeFileSync(path, made);
  expect(readFileSync(path, 'utf8')).toBe(made);
});

it('every code of the media package has one row, and every row a code', () => {
  const table = rows('Media and protocols');
  expect([...table.keys()].sort()).toEqual([...MEDIA_ERROR_CODES].sort());
});

it('every code of the hub has one row, and every row a code', () => {
  const source = readFileSync(new URL('../../packages/server/src/hub/errors.ts', import.meta.url), 'utf8');
  const union = /type HubErrorCode =([^;]+);/.exec(source)?.[1] ?? '';
  const codes = [...union.matchAll(/'([A-Z_]+)'/g)].map((match) => match[1]!);
  expect(codes.length).toBeGreaterThan(0);
  expect([...rows('Streams').keys()].sort()).toEqual(codes.sort());
});

it('every row says what it means and what to do', () => {
  for (const heading of ['Streams', 'Media and protocols']) {
    for (const [code, [kind, meaning, advice]] of rows(heading)) {
      expect(['malformed', 'refused', 'limit', 'state'], code).toContain(kind);
      expect(meaning, code).toMatch(/^[A-Z`].{10,}\.$/);
      expect(advice, code).toMatch(/^[A-Z`].{5,}\.$/);
    }
  }
});
