// npm run matrix: every player of the matrix plays every output it can; the last thing printed is the table of figures.
//   npm run matrix                              a minute for each group of players
//   npm run matrix -- --seconds 600             ten minutes for each, as every night
//   npm run matrix -- --rows 'firefox llhls'    only rows with all of these words; `|` stands between alternatives
//   npm run matrix -- --no-restart              without killing and restarting the encoder
//   npm run matrix -- --lenient                 a busy machine is given more room
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { root } from './sources.mjs';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    rows: { type: 'string', default: '' },
    'no-restart': { type: 'boolean', default: false },
    lenient: { type: 'boolean', default: false },
  },
});
const seconds = Number(values.seconds);
if (!Number.isInteger(seconds) || seconds < 10) {
  console.error(`--seconds takes a whole number from 10 on, received ${values.seconds}`);
  process.exit(2);
}
const child = spawn(
  process.execPath,
  [
    join(root, 'node_modules/vitest/vitest.mjs'),
    ...['run', '--project', 'browser', 'test/browser/players.test.ts'],
    ...(values['no-restart'] ? ['-t', 'players at the test picture'] : []),
  ],
  {
    cwd: root,
    stdio: 'inherit',
    env: {
      ...process.env,
      ONAIR_MATRIX_ALL: '1',
      ONAIR_MATRIX_SECONDS: String(seconds),
      ONAIR_MATRIX_ROWS: values.rows,
      ONAIR_MATRIX_STRICT: values.lenient ? '0' : '1',
    },
  },
);
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => child.kill(signal));
child.once('exit', (code) => {
  process.exitCode = code ?? 1;
});
