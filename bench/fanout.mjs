// Fan-out of one live stream to many viewers: what each server spends per delivered Gbit, how late frames are, how
// soon a new viewer sees a keyframe, how much memory a viewer costs. Servers take turns (A B C, A B C, …), each turn
// with a freshly started server, so that ratios hold although the machine is not quiet.
//
//   npm run bench:fanout -- [--viewers 1000] [--rounds 3] [--seconds 8] [--only onair,nginx,floor] [--match REGEX]
//                           [--kbit 500] [--joins 500] [--no-gate]
//
// SRS takes part when SRS_BIN names its executable. Exit code 1 when a figure is worse than the budget's floor.
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, release } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { CLIENT_CPU_LIMIT, LIMITS, RATIOS } from './budget.mjs';
import { bin, buildTools, root, sourceFile } from './prepare.mjs';
import { run, start } from './processes.mjs';
import { TARGETS } from './servers.mjs';

const { values: flags } = parseArgs({
  options: {
    viewers: { type: 'string', default: '1000' },
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '8' },
    kbit: { type: 'string', default: '500' },
    joins: { type: 'string', default: '500' },
    only: { type: 'string' },
    match: { type: 'string' },
    'no-gate': { type: 'boolean', default: false },
  },
});
const viewers = Number(flags.viewers);
const rounds = Number(flags.rounds);
const seconds = Number(flags.seconds);
/** Seconds of stream before the viewers come: more than one GOP of 2 s, so that caches are full. */
const WARM_UP = 3;
const SETTLE = 3;

/** A server that is not here is named, not passed over in silence. */
function available() {
  const only = flags.only?.split(',');
  return TARGETS.filter((target) => {
    if (only !== undefined && !only.includes(target.group)) return false;
    if (flags.match !== undefined && !new RegExp(flags.match).test(target.id)) return false;
    if (target.group === 'srs' && !process.env.SRS_BIN) {
      console.log(`${target.id}: left out, SRS_BIN is not set`);
      return false;
    }
    if (target.group === 'onair' && !existsSync(join(root, 'packages/server/dist/cli/main.js'))) {
      console.log(`${target.id}: left out, not built (npm run build)`);
      return false;
    }
    return true;
  });
}

async function measure(target, file) {
  const server = await target.start();
  const port = target.flv ? server.ingest : server.rtmp;
  const duration = WARM_UP + SETTLE + seconds + viewers / Number(flags.joins) + 20;
  const source = ['-p', String(port), '-f', file, '-t', String(duration), '-m', target.flv ? 'flv' : 'rtmp'];
  const publisher = start(join(bin, 'pub'), source);
  try {
    await sleep(WARM_UP * 1000);
    if (!publisher.running) throw new Error(`publisher ended: ${publisher.tail()}`);
    const viewerPort = target.mode === 'rtmp' ? server.rtmp : server.http;
    const line = await run(join(bin, 'load'), [
      ...['-m', target.mode, '-p', String(viewerPort), '-u', target.path, '-n', String(viewers)],
      ...['-r', flags.joins, '-d', String(seconds), '-w', String(SETTLE), '-k', '20'],
      ...['-P', String(server.pid), '-l', target.id],
    ]);
    return JSON.parse(line);
  } finally {
    await publisher.stop();
    await server.stop();
  }
}

const median = (list) => {
  const sorted = list.filter((value) => Number.isFinite(value) && value !== -1).sort((a, b) => a - b);
  return sorted.length === 0 ? Number.NaN : sorted[(sorted.length - 1) >> 1];
};
const show = (value, digits = 2) => (Number.isFinite(value) ? value.toFixed(digits) : '–');

function table(head, rows) {
  const widths = head.map((title, at) => Math.max(title.length, ...rows.map((row) => row[at].length)));
  const line = (cells) => `| ${cells.map((cell, at) => cell.padEnd(widths[at])).join(' | ')} |`;
  console.log([line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n'));
}

function summary(runs) {
  const of = (read) => median(runs.map(read));
  return {
    cpuPerGbit: of((r) => r.srv.cpu_s_per_gbit),
    cpuMin: Math.min(...runs.map((r) => r.srv.cpu_s_per_gbit)),
    cpuMax: Math.max(...runs.map((r) => r.srv.cpu_s_per_gbit)),
    delayP50: of((r) => r.delay_ms.p50),
    delayP95: of((r) => r.delay_ms.p95),
    delayP99: of((r) => r.delay_ms.p99),
    rssPerViewer: of((r) => r.srv.rss_kb_per_viewer),
    firstKeyP50: of((r) => r.first_key_ms.p50),
    firstKeyP99: of((r) => r.first_key_ms.p99),
    missing: of((r) => r.frames_missing),
    maxGap: of((r) => r.max_gap_ms),
    alive: of((r) => r.alive),
    clientCpu: of((r) => r.client_cpu_pct),
  };
}

/** 'goal', 'holds' or 'MISSED'. */
const verdict = (value, { floor, goal }) => (value <= goal ? 'goal' : value <= floor ? 'holds' : 'MISSED');

/** Other work on the machine shows in delays first, then in everything. */
function warnOfLoad() {
  const load = loadavg()[0];
  if (load > cpus().length) console.log(`! the machine is busy already (load ${show(load, 1)})`);
}

const targets = available();
if (targets.length === 0) throw new Error('nothing to measure');
await buildTools();
const file = await sourceFile(Number(flags.kbit));
warnOfLoad();
const results = new Map(targets.map((target) => [target.id, []]));
for (let round = 0; round < rounds; round++) {
  for (const target of targets) {
    try {
      const result = { round, ...(await measure(target, file)) };
      results.get(target.id).push(result);
      console.log(
        `round ${round + 1} ${target.id}: ${show(result.srv.cpu_s_per_gbit, 3)} s/Gbit, p50 ${show(result.delay_ms.p50, 1)} ms`,
      );
    } catch (error) {
      console.log(`round ${round + 1} ${target.id}: failed: ${error.message}`);
    }
  }
}

const summaries = new Map(
  [...results].filter(([, runs]) => runs.length > 0).map(([id, runs]) => [id, summary(runs)]),
);
console.log(`\n${viewers} viewers of ${flags.kbit} kbit/s, ${rounds} rounds, medians`);
table(
  [
    ...['server', 'CPU s/Gbit (min..max)', 'delay p50/p95/p99 ms', 'first key p50/p99 ms', 'RSS kB/viewer'],
    ...['missing', 'max gap ms', 'alive', 'client %'],
  ],
  [...summaries].map(([id, m]) => [
    id,
    `${show(m.cpuPerGbit, 3)} (${show(m.cpuMin, 3)}..${show(m.cpuMax, 3)})`,
    [m.delayP50, m.delayP95, m.delayP99].map((value) => show(value, 1)).join('/'),
    [m.firstKeyP50, m.firstKeyP99].map((value) => show(value, 1)).join('/'),
    ...[
      show(m.rssPerViewer, 1),
      show(m.missing, 0),
      show(m.maxGap, 0),
      show(m.alive, 0),
      show(m.clientCpu, 0),
    ],
  ]),
);

const checks = [];
for (const ratio of RATIOS) {
  const ours = results.get(ratio.of) ?? [];
  const theirs = results.get(ratio.to) ?? [];
  const paired = ours.flatMap((a) => {
    const b = theirs.find((other) => other.round === a.round);
    return b === undefined ? [] : [a.srv.cpu_s_per_gbit / b.srv.cpu_s_per_gbit];
  });
  if (paired.length === 0) continue;
  checks.push({ what: `CPU/Gbit ${ratio.of} ÷ ${ratio.to}`, value: median(paired), ...ratio });
}
for (const limit of LIMITS) {
  for (const [id, m] of summaries) {
    if (limit.match.test(id)) checks.push({ ...limit, what: `${limit.name} ${id}`, value: limit.value(m) });
  }
}
if (checks.length > 0) {
  console.log('\nagainst the budget (ratios are medians of pairs of the same round)');
  table(
    ['figure', 'measured', 'floor', 'goal', ''],
    checks.map((check) => [
      check.what,
      show(check.value),
      String(check.floor),
      String(check.goal),
      verdict(check.value, check),
    ]),
  );
}
for (const [id, m] of summaries) {
  if (m.clientCpu > CLIENT_CPU_LIMIT) {
    console.log(
      `! ${id}: the client used ${show(m.clientCpu, 0)} % of a core; its delays are partly its own`,
    );
  }
}

const folder = join(root, 'bench/results');
mkdirSync(folder, { recursive: true });
const out = join(folder, `fanout-${viewers}.json`);
const machine = { cpu: cpus()[0]?.model, cores: cpus().length, kernel: release(), node: process.version };
const settings = { viewers, rounds, seconds, kbit: Number(flags.kbit), joinsPerSecond: Number(flags.joins) };
const tell = ({ what, value, floor, goal }) => ({
  what,
  value,
  floor,
  goal,
  verdict: verdict(value, { floor, goal }),
});
writeFileSync(
  out,
  `${JSON.stringify(
    {
      at: new Date().toISOString(),
      machine,
      settings,
      medians: Object.fromEntries(summaries),
      checks: checks.map(tell),
    },
    null,
    2,
  )}\n`,
);
console.log(`\nwritten to ${out}`);
const missed = checks.filter((check) => !(check.value <= check.floor));
if (missed.length > 0 && !flags['no-gate']) process.exitCode = 1;
