// npm start: builds when the sources changed, then serves with the demo stream, in this one process,
// so that Ctrl-C reaches the server itself and its exit code is ours.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { isBuilt, root } from './sources.mjs';

if (!isBuilt()) {
  console.log('Building …');
  const build = spawnSync(process.execPath, [join(root, 'scripts/build.mjs')], { stdio: 'inherit' });
  if (build.status !== 0) process.exit(build.status ?? 1);
}

const cli = join(root, 'packages/server/bin/onair.js');
process.argv = [process.execPath, cli, 'serve', '--demo', ...process.argv.slice(2)];
await import(pathToFileURL(cli).href);
