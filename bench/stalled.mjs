// What viewers that take nothing cost the server and the others: pairs of runs on fresh servers with the same stream
// and the same 20 good viewers, one without and one with stalled readers; the difference is theirs, the median of all
// pairs counts. Memory is the middle of the time in which the server holds them, in a process that empties its heap at every
// collection: else what waits to be collected, up to 64 MB of old buffers, hides what is held.
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
const WARM_UP = 15;
/** While stalled readers are there: they are closed after a little more than 10 s, and cannot notice, since they do not read. */
const HOLD_MS = { from: 3_000, to: 11_000 };
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
    ...['-d', String(duration), '-w', '2', ...(stall ? ['-x'] : [])],
  ]).then((line) => JSON.parse(line));
}

const middle = (list) => list.toSorted((a, b) => a - b)[list.length >> 1];

async function measure(stalled, file) {
  const server = await target.start();
  const duration = WARM_UP + seconds + 30;
  const port = target.flv ? server.ingest : server.rtmp;
  const source = ['-p', String(port), '-f', file, '-t', String(duration), '-m', target.flv ? 'flv' : 'rtmp'];
  const publisher = start(join(bin, 'pub'), source);
  const samples = [];
  const timer = setInterval(() => samples.push(rss(server.pid)), 500);
  try {
    await sleep(2000);
    const warm = load(server, GOOD_VIEWERS, { duration: WARM_UP - 6 });
    await warm;
    const good = load(server, GOOD_VIEWERS, { duration: seconds });
    await sleep(2000);
    const bad = stalled > 0 ? load(server, stalled, { stall: true, duration: seconds - 3 }) : undefined;
    await sleep(HOLD_MS.from);
    const first = samples.length;
    await sleep(HOLD_MS.to - HOLD_MS.from);
    const held = samples.slice(first);
    const [seen, stall] = await Promise.all([good, bad]);
    return {
      stalled,
      kb: middle(held),
      peakKb: Math.max(...samples),
      closed: stall?.closed ?? 0,
      delay: seen.delay_ms,
      missing: seen.frames_missing,
      maxGapMs: seen.max_gap_ms,
    };
  } finally {
    clearInterval(timer);
    await publisher.stop();
    await server.stop();
  }
}

await buildTools();
const file = await sourceFile(Number(flags.kbit));
const pairs = [];
for (let round = 0; round < Number(flags.rounds); round++) {
  const pair = { without: await measure(0, file), withThem: await measure(Number(flags.stalled), file) };
  pairs.push(pair);
  for (const result of [pair.without, pair.withThem]) {
    const { delay } = result;
    console.log(
      `${target.id}, ${result.stalled} stalled: ${result.kb} kB (peak ${result.peakKb}), ` +
        `delay p50/p99/max ${delay.p50}/${delay.p99}/${delay.max} ms, missing ${result.missing}, ` +
        `longest gap ${result.maxGapMs} ms, stalled ones closed ${result.closed} times`,
    );
  }
}
const added = pairs.map(({ without, withThem }) => withThem.kb - without.kb);
const addedKb = middle(added);
const movedMs = middle(pairs.map(({ without, withThem }) => withThem.delay.p99 - without.delay.p99));
const alone = pairs.map(({ without }) => without.kb);
console.log(
  `added by stalled readers: ${addedKb} kB (limit ${MAX_KB}; each pair ${added.join(', ')}; runs without them differ by ` +
    `${Math.max(...alone) - Math.min(...alone)}); p99 moved ${movedMs.toFixed(1)} ms (limit ${MAX_DELAY_MS})`,
);
const folder = join(root, 'bench/results');
mkdirSync(folder, { recursive: true });
const out = join(folder, `stalled-${target.id}.json`);
writeFileSync(
  out,
  `${JSON.stringify({ at: new Date().toISOString(), seconds, kbit: Number(flags.kbit), addedKb, movedMs, pairs }, null, 2)}\n`,
);
console.log(`written to ${out}`);
if (addedKb >= MAX_KB || movedMs > MAX_DELAY_MS) process.exitCode = 1;
