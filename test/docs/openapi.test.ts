import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { type ApiDeps, apiDocument } from '../../packages/server/src/api/index.ts';

const file = fileURLToPath(new URL('../../docs/openapi.json', import.meta.url));

// UPDATE_DOCS=1 writes the document anew.
it('docs/openapi.json is what the routes say', () => {
  const made = `${JSON.stringify(apiDocument({} as ApiDeps), undefined, 2)}\n`;
  if (process.env.UPDATE_DOCS === '1') writeFileSync(file, made);
  expect(readFileSync(file, 'utf8')).toBe(made);
});
