// What viewers that take nothing cost the server and the others: one server with one stream, and windows of time in
// turn without and with stalled readers, 20 good viewers in each. What is added in a window is told by the mean of the
// windows before and behind it, so that whatever the process does of its own accord counts on neither side; the median
// of all rounds counts. A reader that is closed for being too slow comes back, so that all are there all the time. The
// process empties its heap at every collection: else what waits to be collected hides what is held.
//
//   npm run bench:stalled -- [--stalled 5] [--seconds 60] [--kbit 6000] [--target onair-flv-frame] [--rounds 3]
//
// Exit code 1 when they add 2 MB or more, or move the others' p99 delay by more than 50 ms.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { bin, buildTools, root, sourceFile } from './prepare.mjs';
import { rss, run, start } from './processes.mjs';
import { TARGETS } from './servers.mjs';

const { values: flags } = parseArgs({
  options: {
    target: { type: 'string', default: 'onair-flv-frame' },
    stalled: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '60' },
    kbit: { type: 'string', default: '6000' },
    rounds: { type: 'string', default: '3' },
  },
});
process.env.BENCH_NODE_FLAGS ??= '--gc-global';
const GOOD_VIEWERS = 20;
/** Seconds until the stream's caches are full and the heap has found its size. */
const WARM_UP = 45;
/** Seconds in which the viewers of a window come. */
const SETTLE = 2;
/** Most kB that the stalled readers may add, all together. */
const MAX_KB = 2048;
/** Most milliseconds that the others' p99 delay may move. */
const MAX_DELAY_MS = 50;

const target = TARGETS.find((one) => one.id === flags.target);
if (target === undefined)
  throw new Error(`no target ${flags.target}; there are ${TARGETS.map((t) => t.id).join(' ')}`);
const seconds = Number(flags.seconds);

function load(server, count, { stall = false, duration }) {
  const port = target.mode === 'rtmp' ? server.rtmp : server.http;
  return run(join(bin, 'load'), [
    ...['-m', target.mode, '-p', String(port), '-u', target.path, '-n', String(count), '-r', '50', '-k', '1'],
    ...['-d', String(duration), '-w', String(SETTLE), ...(stall ? ['-x'] : [])],
  ]).then((line) => JSON.parse(line));
}

const middle = (list) => list.toSorted((a, b) => a - b)[list.length >> 1];
const show = (kb) => `${kb >= 0 ? '+' : ''}${kb}`;

/** One window of time. */
async function measure(server, stalled) {
  const samples = [];
  const good = load(server, GOOD_VIEWERS, { duration: seconds });
  const bad = stalled > 0 ? load(server, stalled, { stall: true, duration: seconds }) : undefined;
  await sleep((SETTLE + 1) * 1000);
  const timer = setInterval(() => samples.push(rss(server.pid)), 250);
  const [seen, stall] = await Promise.all([good, bad]).finally(() => clearInterval(timer));
  const { delay_ms: delay, frames_missing: missing, max_gap_ms: maxGapMs } = seen;
  const result = { stalled, kb: middle(samples), closed: stall?.closed ?? 0, delay, missing, maxGapMs };
  console.log(
    `${target.id}, ${stalled} stalled: ${result.kb} kB, delay p50/p99/max ${delay.p50}/${delay.p99}/${delay.max} ms, ` +
      `missing ${missing}, longest gap ${maxGapMs} ms, stalled ones closed ${result.closed} times`,
  );
  return result;
}

await buildTools();
const file = await sourceFile(Number(flags.kbit));
const rounds = Number(flags.rounds);
const windows = [];
const server = await target.start();
try {
  const total = WARM_UP + (2 * rounds + 1) * (seconds + SETTLE + 3) + 30;
  const port = target.flv ? server.ingest : server.rtmp;
  const publisher = start(join(bin, 'pub'), [
    ...['-p', String(port), '-f', file, '-t', String(total), '-m', target.flv ? 'flv' : 'rtmp'],
  ]);
  try {
    await sleep(2000);
    await load(server, GOOD_VIEWERS, { duration: WARM_UP });
    for (let at = 0; at <= 2 * rounds; at++) {
      windows.push(await measure(server, at % 2 === 1 ? Number(flags.stalled) : 0));
    }
  } finally {
    await publisher.stop();
  }
} finally {
  await server.stop();
}
/** What the windows with stalled readers have more than their neighbours. */
const more = (figure) =>
  windows.flatMap((window, at) =>
    window.stalled > 0 ? [figure(window) - (figure(windows[at - 1]) + figure(windows[at + 1])) / 2] : [],
  );
const added = more(({ kb }) => kb).map(Math.round);
const addedKb = middle(added);
const movedMs = middle(more(({ delay }) => delay.p99));
const alone = windows.filter(({ stalled }) => stalled === 0).map(({ kb }) => kb);
console.log(
  `added by stalled readers: ${show(addedKb)} kB (limit ${MAX_KB}; each round ${added.map(show).join(', ')}; windows ` +
    `without them differ by ${Math.max(...alone) - Math.min(...alone)}); p99 moved ${movedMs.toFixed(1)} ms (limit ${MAX_DELAY_MS})`,
);
const folder = join(root, 'bench/results');
mkdirSync(folder, { recursive: true });
const out = join(folder, `stalled-${target.id}.json`);
writeFileSync(
  out,
  `${JSON.stringify({ at: new Date().toISOString(), seconds, kbit: Number(flags.kbit), addedKb, movedMs, windows }, null, 2)}\n`,
);
console.log(`written to ${out}`);
if (addedKb >= MAX_KB || movedMs > MAX_DELAY_MS) process.exitCode = 1;
