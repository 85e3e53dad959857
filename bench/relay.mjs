// The relay tree under churn, simulated: share of bytes from peers, depth, gaps of orphans, cost of the coordinator.
//
//   npm run bench:relay -- [--seeds 100] [--first 1] [--seconds 60]
//
// 10,000 peers, 30 % of them replaced per minute. Prints one line per seed, and the worst of each figure. Exit code 1 when a figure misses its goal.
//
//   npm run bench:relay -- --real[=egress,kill,return,joins] [--programs 30] [--pages 7] [--joins 200] [--seconds 15]
//
// The whole server, a stream of 2 Mbit/s, programs with the client's relay code and pages in Chromium. `egress`: what the
// server sends beside what direct delivery takes, delay at the deepest. `kill`: blocks missing and stalls when one in the
// middle goes. `return`: who drops when the publisher is away. `joins`: one after the other. All of them, or those named.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { root, sourceFile } from './prepare.mjs';

const STAGES = ['egress', 'kill', 'return', 'joins'];
const { values } = parseArgs({
  args: process.argv.slice(2).map((arg) => (arg === '--real' ? `--real=${STAGES}` : arg)),
  options: {
    seeds: { type: 'string', default: '100' },
    first: { type: 'string', default: '1' },
    seconds: { type: 'string' },
    real: { type: 'string', default: '' },
    programs: { type: 'string', default: '30' },
    pages: { type: 'string', default: '7' },
    joins: { type: 'string', default: '200' },
  },
});
for (const [name, value] of Object.entries(values)) {
  if (name === 'real' || /^(?:[1-9]\d{0,4}|0)$/.test(value)) continue;
  console.error(`--${name} takes a whole number, received ${value}`);
  process.exit(2);
}
const stages = values.real.split(',').filter((stage) => stage !== '');
const unknown = stages.find((stage) => !STAGES.includes(stage));
if (unknown !== undefined) {
  console.error(`--real takes ${STAGES.join(', ')}, received ${unknown}`);
  process.exit(2);
}
const simulated = {
  args: ['--project', 'unit', 'packages/server/src/relay/simulation.test.ts'],
  env: {
    ONAIR_RELAY_SEEDS: values.seeds,
    ONAIR_RELAY_FIRST: values.first,
    ONAIR_RELAY_SECONDS: values.seconds ?? '60',
  },
};
const real = async () => ({
  args: ['--config', 'bench/relay-real/vitest.config.ts'],
  env: {
    ONAIR_RELAY_STAGES: values.real,
    ONAIR_RELAY_PROGRAMS: values.programs,
    ONAIR_RELAY_PAGES: values.pages,
    ONAIR_RELAY_JOINS: values.joins,
    ONAIR_RELAY_MEASURE: values.seconds ?? '15',
    // Small, and of few pictures, so that two cores decode it in seven pages; the rate is what counts.
    ONAIR_RELAY_SOURCE: await sourceFile(2000, '320x180', 15),
  },
});
const { args, env } = stages.length > 0 ? await real() : simulated;
const child = spawn(
  process.execPath,
  [join(root, 'node_modules/vitest/vitest.mjs'), 'run', ...args, '--disable-console-intercept'],
  { cwd: root, stdio: 'inherit', env: { ...process.env, ...env } },
);
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => child.kill(signal));
child.once('exit', (code) => {
  process.exitCode = code ?? 1;
});
