// Builds what a server needs to run: every package's JavaScript, the server's in few files, then the web pages.
import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import { markBuilt, root } from './sources.mjs';

function run(command, args, cwd = root) {
  const result = spawnSync(process.execPath, [command, ...args], { cwd, stdio: 'inherit' });
  if (result.status !== 0) process.exit(result.status ?? 1);
}

run(resolve(root, 'node_modules/typescript/bin/tsc'), [
  '-b',
  'packages/media',
  'packages/contracts',
  'packages/server',
  'packages/client',
  'packages/web',
]);
run(resolve(root, 'scripts/bundle.mjs'), []);
const web = resolve(root, 'packages/web');
const vite = resolve(root, 'node_modules/vite/bin/vite.js');
run(vite, ['build', '--logLevel', 'warn'], web);
run(vite, ['build', '--config', 'vite.player.config.ts', '--logLevel', 'warn'], web);
markBuilt();
