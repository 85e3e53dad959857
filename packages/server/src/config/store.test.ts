import { mkdtempSync, renameSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it, vi } from 'vitest';
import { type ConfigChange, ConfigStore } from './index.ts';

const stores: ConfigStore[] = [];
afterEach(() => {
  for (const store of stores.splice(0)) store.close();
});

function open(text: string): {
  file: string;
  store: ConfigStore;
  changes: ConfigChange[];
  refusals: string[];
} {
  const file = join(mkdtempSync(join(tmpdir(), 'onair-store-')), 'onair.yaml');
  writeFileSync(file, text);
  const store = new ConfigStore({ file });
  stores.push(store);
  const changes: ConfigChange[] = [];
  const refusals: string[] = [];
  store.listen({
    changed: (change) => changes.push(change),
    refused: (error) => refusals.push(error.message),
  });
  return { file, store, changes, refusals };
}

it('applies what a running server can apply and keeps the rest for a restart', () => {
  const { file, store, changes } = open('hub: { mergeWindowMs: 0 }\n');
  const before = store.current;
  writeFileSync(
    file,
    'hub: { mergeWindowMs: 50 }\nhttp: { port: 9 }\npulls: [{ url: "rtmp://h/a/b", stream: a/b }]\n',
  );
  const change = store.reload();
  expect(change?.applied).toEqual(['hub.mergeWindowMs', 'pulls']);
  expect(change?.waiting).toEqual(['http.port']);
  expect(store.current.hub.mergeWindowMs).toBe(50);
  expect(store.current.http.port).toBe(8080);
  expect(before.hub.mergeWindowMs).toBe(0);
  expect(changes).toEqual([change]);
});

it('keeps the old configuration when the file is broken', () => {
  const { file, store, changes, refusals } = open('hub: { mergeWindowMs: 20 }\n');
  const before = store.current;
  for (const broken of ['hub: { mergeWindowMs: -1 }', 'hub: [', 'nonsense: 1', '\u0000']) {
    writeFileSync(file, broken);
    expect(store.reload()).toBeUndefined();
  }
  expect(store.current).toBe(before);
  expect(refusals).toHaveLength(4);
  expect(refusals[0]).toMatch(/^hub\.mergeWindowMs: expected at least 0, received -1 \(.*onair\.yaml:1\)$/);
  expect(changes).toEqual([]);
});

it('sees writes and replacements of the file', async () => {
  const { file, store, refusals } = open('hub: { mergeWindowMs: 1 }\n');
  store.watch();
  writeFileSync(file, 'hub: { mergeWindowMs: 2 }\n');
  await vi.waitFor(() => expect(store.current.hub.mergeWindowMs).toBe(2), 5000);
  writeFileSync(`${file}.new`, 'hub: { mergeWindowMs: 3 }\n');
  renameSync(`${file}.new`, file);
  await vi.waitFor(() => expect(store.current.hub.mergeWindowMs).toBe(3), 5000);
  writeFileSync(file, 'hub: broken\n');
  await vi.waitFor(() => expect(refusals).toHaveLength(1), 5000);
  expect(store.current.hub.mergeWindowMs).toBe(3);
  // Other files of the folder come and go; the fault is told once.
  writeFileSync(`${file}.other`, 'x');
  writeFileSync(file, 'hub: { mergeWindowMs: 4 }\n');
  await vi.waitFor(() => expect(store.current.hub.mergeWindowMs).toBe(4), 5000);
  expect(refusals).toHaveLength(1);
  unlinkSync(file);
  await vi.waitFor(() => expect(refusals).toHaveLength(2), 5000);
  writeFileSync(file, 'hub: { mergeWindowMs: 5 }\n');
  await vi.waitFor(() => expect(store.current.hub.mergeWindowMs).toBe(5), 5000);
});
