// npm test: sets up what the tests talk to, builds, checks format and types, then runs every vitest project
// in turn. The last line printed is `N passed, N failed` over all of them.
//   npm test                   everything
//   npm test -- unit           only the named projects
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './sources.mjs';

/** The vitest projects, in order. */
const PROJECTS = ['unit', 'integration', 'pages', 'browser', 'measured'];
/** The whole run is stopped, and fails, after this many minutes. */
const MAX_MINUTES = Number(process.env.ONAIR_TEST_MINUTES ?? 75);

/** Lines of each failure that are repeated above the last line. */
const FAILURE_LINES = 12;

const deadline = Date.now() + MAX_MINUTES * 60_000;
const results = join(root, 'test/.cache/results');
const total = { passed: 0, failed: 0, skipped: 0 };
const notes = [];
const running = new Set();

/** Runs one command in its own process group; resolves with its exit code, 124 when the time is over. */
function run(command, args) {
  return new Promise((done) => {
    const child = spawn(command, args, { cwd: root, stdio: 'inherit', detached: true });
    running.add(child);
    let late = false;
    const end = (signal) => {
      try {
        process.kill(-child.pid, signal);
      } catch {
        // The group is gone already.
      }
    };
    const timer = setTimeout(
      () => {
        late = true;
        end('SIGTERM');
        setTimeout(end, 5_000, 'SIGKILL').unref();
      },
      Math.max(0, deadline - Date.now()),
    );
    child.once('error', (error) => {
      clearTimeout(timer);
      console.error(String(error));
      done(127);
    });
    child.once('exit', (code) => {
      clearTimeout(timer);
      running.delete(child);
      done(late ? 124 : (code ?? 1));
    });
  });
}

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    for (const { pid } of running) if (pid !== undefined) process.kill(-pid, signal);
    process.exit(130);
  });
}

/** A step that is not a test suite: it counts only when it fails. */
async function step(title, command, args) {
  console.log(`\n── ${title}`);
  const code = await run(command, args);
  if (code !== 0) fail(code === 124 ? `${title}: stopped after ${MAX_MINUTES} minutes` : `${title} failed`);
  return code === 0;
}

function fail(note) {
  total.failed++;
  notes.push(note);
}

/** The first lines of a failure, indented: enough to know where to look when only the end of a log is kept. */
function shorten(message) {
  return message.split('\n').slice(0, FAILURE_LINES).join('\n    ');
}

async function suite(name) {
  console.log(`\n── tests: ${name}`);
  const file = join(results, `${name}.json`);
  const vitest = join(root, 'node_modules/vitest/vitest.mjs');
  const code = await run(process.execPath, [
    vitest,
    'run',
    '--project',
    name,
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${file}`,
  ]);
  const report = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined;
  const tests = (report?.testResults ?? []).flatMap((result) => result.assertionResults);
  const count = (...states) => tests.filter((test) => states.includes(test.status)).length;
  const passed = count('passed');
  let failed = count('failed');
  for (const test of tests.filter((each) => each.status === 'failed')) {
    notes.push(`${name}: ${test.fullName}\n    ${shorten(test.failureMessages.join('\n'))}`);
  }
  for (const result of report?.testResults ?? []) {
    // A file that could not be loaded has no tests to count.
    if (result.status === 'failed' && !result.assertionResults.some((test) => test.status === 'failed')) {
      failed++;
      notes.push(`${name}: ${result.name} failed outside of its tests`);
    }
  }
  total.passed += passed;
  total.failed += failed;
  total.skipped += tests.length - passed - count('failed');
  if (code === 124) fail(`${name}: stopped after ${MAX_MINUTES} minutes`);
  else if (passed + failed === 0) fail(`${name}: no test ran`);
  else if (code !== 0 && failed === 0) fail(`${name}: vitest ended with code ${code}`);
}

rmSync(results, { recursive: true, force: true });
mkdirSync(results, { recursive: true });
const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !PROJECTS.includes(name));
for (const name of unknown) fail(`there is no project ${name}`);

const bin = (path) => join(root, 'node_modules', path);
await step('packages that the tests need', 'bash', [join(root, 'scripts/setup-test-deps.sh')]);
const [built] = await Promise.all([
  step('build', process.execPath, [join(root, 'scripts/build.mjs')]),
  step('format and lint', process.execPath, [bin('@biomejs/biome/bin/biome'), 'check', '.']),
]);
await step('types', process.execPath, [bin('typescript/bin/tsc'), '-b']);
if (built) {
  for (const project of PROJECTS) {
    if (wanted.length === 0 || wanted.includes(project)) await suite(project);
  }
} else {
  notes.push('the tests were not run, since the build failed');
}

console.log('');
for (const note of notes) console.log(`! ${note}`);
const skipped = total.skipped === 0 ? '' : `, ${total.skipped} skipped`;
console.log(`${total.passed} passed, ${total.failed} failed${skipped}`);
process.exitCode = total.failed > 0 || total.passed === 0 ? 1 : 0;
