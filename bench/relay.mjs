// The relay tree under churn, simulated: share of bytes from peers, depth, gaps of orphans, cost of the coordinator.
//
//   npm run bench:relay -- [--seeds 100] [--seconds 60]
//
// 10,000 peers, 30 % of them replaced per minute. Prints one line per seed. Exit code 1 when a figure misses its goal.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { root } from './prepare.mjs';

const { values } = parseArgs({
  options: { seeds: { type: 'string', default: '100' }, seconds: { type: 'string', default: '60' } },
});
for (const [name, value] of Object.entries(values)) {
  if (/^[1-9]\d{0,4}$/.test(value)) continue;
  console.error(`--${name} takes a whole number from 1 on, received ${value}`);
  process.exit(2);
}
const child = spawn(
  process.execPath,
  [
    join(root, 'node_modules/vitest/vitest.mjs'),
    ...['run', '--project', 'unit', 'packages/server/src/relay/simulation.test.ts'],
    '--disable-console-intercept',
  ],
  {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, ONAIR_RELAY_SEEDS: values.seeds, ONAIR_RELAY_SECONDS: values.seconds },
  },
);
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => child.kill(signal));
child.once('exit', (code) => {
  process.exitCode = code ?? 1;
});
