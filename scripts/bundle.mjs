// Joins the server's compiled modules, and those of its libraries, into a few files: finding and reading a thousand
// small ones takes most of a start.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
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
  // CommonJS, whose compiled code can be kept (packages/server/bin/bundle.js).
  await bundle.write({ dir: folder, format: 'cjs', dynamicImportInCjs: false, sourcemap: true });
} finally {
  await bundle.close();
}

// One run, so that the compiled code is kept before somebody waits for a start. It can be missed: a later run keeps it.
const data = mkdtempSync(join(tmpdir(), 'onair-first-run-'));
const server = spawn(process.execPath, [join(root, 'packages/server/bin/onair.js'), 'serve'], {
  cwd: data,
  env: {
    ...process.env,
    ONAIR_DATA: data,
    ONAIR_HOST: '127.0.0.1',
    ONAIR_HTTP_PORT: '0',
    ONAIR_RTMP_PORT: '0',
    ONAIR_TLS_PORT: '0',
    ONAIR_WEBRTC_PORT: '0',
    ONAIR_LOG: 'json',
  },
  stdio: ['ignore', 'pipe', 'inherit'],
});
createInterface({ input: server.stdout }).once('line', () => server.kill('SIGTERM'));
const [code] = await once(server, 'exit');
rmSync(data, { recursive: true });
if (code !== 0) console.warn(`The server did not start (code ${code}); its compiled code is not kept.`);
