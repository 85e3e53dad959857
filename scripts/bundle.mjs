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

/** Licences stay, and some names in them are beyond ASCII; whatever else is has been escaped by the printer. */
function escapeComments(_options, files) {
  for (const file of Object.values(files)) {
    if (file.type !== 'chunk') continue;
    file.code = file.code.replace(
      /[\u0080-\uffff]/g,
      (at) => `\\u${at.charCodeAt(0).toString(16).padStart(4, '0')}`,
    );
  }
}

rmSync(folder, { recursive: true, force: true });
const bundle = await rolldown({
  input: { main: join(compiled, 'cli/main.js') },
  platform: 'node',
  external: (id) => [...APART, ...UNUSED].some((name) => id === name || id.startsWith(`${name}/`)),
  logLevel: 'warn',
  plugins: [{ name: 'ascii-comments', generateBundle: escapeComments }],
});
try {
  // CommonJS, whose compiled code can be kept (packages/server/bin/bundle.js), in the wrapper that it is called by. ASCII
  // alone: one character beyond Latin-1 doubles the memory that the source takes.
  await bundle.write({
    dir: folder,
    format: 'cjs',
    dynamicImportInCjs: false,
    sourcemap: true,
    postBanner: '(function (exports, require, module, __filename, __dirname) {',
    postFooter: '})',
    comments: { legal: true, annotation: false, jsdoc: false },
    minify: { compress: false, mangle: false, codegen: { removeWhitespace: false, asciiOnly: true } },
  });
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
  stdio: ['ignore', 'pipe', 'pipe'],
});
createInterface({ input: server.stdout }).once('line', () => server.kill('SIGTERM'));
let said = '';
server.stderr.on('data', (text) => (said += text));
const [code] = await once(server, 'close');
rmSync(data, { recursive: true });
if (code !== 0)
  console.warn(`The server did not start (code ${code}), its compiled code is not kept: ${said}`);
