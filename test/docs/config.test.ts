import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { configPage } from '../../packages/server/src/config/index.ts';

const page = fileURLToPath(new URL('../../docs/config.md', import.meta.url));

// UPDATE_DOCS=1 writes the page anew.
it('docs/config.md is what the schema says', () => {
  const made = configPage();
  if (process.env.UPDATE_DOCS === '1') writeFileSync(page, made);
  expect(readFileSync(page, 'utf8')).toBe(made);
});

it('every key has a description', () => {
  const rows = configPage()
    .split('\n')
    .filter((line) => line.startsWith('| `'));
  expect(rows.length).toBeGreaterThan(60);
  for (const row of rows) expect(row).toMatch(/\| [A-Z].+\. \|$|\| [A-Z].+\.$|`\. \|$/);
});
