#!/usr/bin/env node
import { statSync } from 'node:fs';
import * as module from 'node:module';

// From Node 22 on: compiled code is kept between starts.
module.enableCompileCache?.();

const at = (path) => new URL(path, import.meta.url);
const writtenAt = (path) => statSync(at(path), { throwIfNoEntry: false })?.mtimeMs ?? 0;

const bundled = '../dist/bundle/main.js';
const compiled = '../dist/cli/main.js';
const compilations = ['../dist', '../../media/dist', '../../contracts/dist'];
// While somebody works on the server, what was compiled last runs, though it was not bundled.
const isStale = compilations.some((folder) => writtenAt(`${folder}/.tsbuildinfo`) > writtenAt(bundled));
const entry = isStale ? compiled : bundled;
if (writtenAt(entry) > 0) await import(at(entry).href);
else {
  console.error('onair is not built yet. Run: npm run build');
  process.exitCode = 1;
}
