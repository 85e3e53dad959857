// Joins the server's compiled modules, and those of its libraries, into a few files: finding and reading a thousand
// small ones takes most of a start.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { rolldown } from 'rolldown';
import { root } from './sources.mjs';

/** Never loaded: the server gives the framework its own. */
const UNUSED = ['@fastify/ajv-compiler', '@fastify/fast-json-stringify-compiler'];
/** Libraries with a binary or WebAssembly file of their own, or a licence that asks for their being apart. */
const APART = ['node-datachannel', 'libopus-wasm', '@mediabunny/aac-encoder', 'aac', 'av'];

const compiled = join(root, 'packages/server/dist');
// Two folders below the package, as the modules that look for its files are.
const folder = join(compiled, 'bundle');

rmSync(folder, { recursive: true, force: true });
const bundle = await rolldown({
  input: { main: join(compiled, 'cli/main.js') },
  platform: 'node',
  external: (id) => [...APART, ...UNUSED].some((name) => id === name || id.startsWith(`${name}/`)),
  logLevel: 'warn',
});
try {
  await bundle.write({ dir: folder, format: 'esm', sourcemap: true });
} finally {
  await bundle.close();
}
