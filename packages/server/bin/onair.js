#!/usr/bin/env node
const { statSync } = require('node:fs');
const { join } = require('node:path');
const { pathToFileURL } = require('node:url');
const { runBundle } = require('./bundle.js');

const at = (path) => join(__dirname, path);
const writtenAt = (path) => statSync(at(path), { throwIfNoEntry: false })?.mtimeMs ?? 0;

const bundled = '../dist/bundle/main.js';
const compiled = '../dist/cli/main.js';
const compilations = ['../dist', '../../media/dist', '../../contracts/dist'];
// While somebody works on the server, what was compiled last runs, though it was not bundled.
const isStale = compilations.some((folder) => writtenAt(`${folder}/.tsbuildinfo`) > writtenAt(bundled));
if (!isStale && writtenAt(bundled) > 0) runBundle(at(bundled));
else if (writtenAt(compiled) > 0) import(pathToFileURL(at(compiled)).href);
else {
  console.error('onair is not built yet. Run: npm run build');
  process.exitCode = 1;
}
