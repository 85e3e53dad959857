// HLS delivery: what a server spends per delivered Gbit of segments and of parts, beside Debian's nginx with the same
// bytes as files; what 1,000 viewers of LL-HLS cost, playlists included; how soon and how evenly a blocking reload is
// answered. Servers take turns, so that ratios hold although the machine is not quiet.
//
//   npm run bench:hls -- [--rounds 3] [--seconds 6] [--only segments,paced,parts,viewers,herd,release] [--viewers 1000]
//                        [--kbit 500] [--part-ms 200] [--connections 64] [--no-gate]
//
// With BENCH_CPU_PROF=FOLDER our server writes CPU profiles there. Exit code 1 when a figure misses its goal.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, release, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { CLIENT_CPU_LIMIT, HLS_GOALS } from './budget.mjs';
import { floorFiles, listedFiles, nginxFiles, onair, playlistOf, publish, STREAM } from './hls-servers.mjs';
import { bin, buildTools, root, sourceFile } from './prepare.mjs';
import { run } from './processes.mjs';

const { values: flags } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '6' },
    only: { type: 'string' },
    viewers: { type: 'string', default: '1000' },
    kbit: { type: 'string', default: '500' },
    'part-ms': { type: 'string', default: '200' },
    connections: { type: 'string', default: '64' },
    'no-gate': { type: 'boolean', default: false },
  },
});
const rounds = Number(flags.rounds);
const seconds = Number(flags.seconds);
const viewers = Number(flags.viewers);
const PHASES = ['segments', 'paced', 'parts', 'viewers', 'herd', 'release'];
const phases = flags.only === undefined ? PHASES : flags.only.split(',');
const unknown = phases.find((name) => !PHASES.includes(name));
if (unknown !== undefined) throw new Error(`no phase ${unknown}; there are ${PHASES.join(' ')}`);
const wants = (name) => phases.includes(name);

/** Viewers whose parts are read for the publisher's time marks, in the phase about release. */
const RELEASE_VIEWERS = 20;
/** How long a segment lasts: each viewer asks for one in that time. */
const SEGMENT_SECONDS = 2;
/** Joins per second; all are there before the window opens. */
const JOINS = 500;

const show = (value, digits = 2) => (Number.isFinite(value) ? value.toFixed(digits) : '–');
const median = (list) => {
  const sorted = list.filter((value) => Number.isFinite(value) && value !== -1).sort((a, b) => a - b);
  return sorted.length === 0 ? Number.NaN : sorted[(sorted.length - 1) >> 1];
};

function table(head, rows) {
  const widths = head.map((title, at) => Math.max(title.length, ...rows.map((row) => row[at].length)));
  const line = (cells) => `| ${cells.map((cell, at) => cell.padEnd(widths[at])).join(' | ')} |`;
  console.log([line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n'));
}

/** The servers with one set of files: ours stays with its stream, whose publisher has gone. */
async function fileServers(file, lists) {
  const ours = await onair({ hls__partMs: flags['part-ms'], hub__reconnectWindowMs: 1_800_000 });
  const publisher = publish(ours, file, 60);
  await playlistOf(ours, 'video', 7);
  await publisher.stop();
  const { segments, parts } = await listedFiles(ours, await playlistOf(ours, 'video', 7));
  const all = new Map([...segments, ...parts]);
  const theirs = await nginxFiles(all);
  const copying = await nginxFiles(all, false);
  for (const [name, files] of Object.entries({ segments, parts })) {
    writeFileSync(join(lists, name), `${[...files.keys()].join('\n')}\n`);
  }
  const size = (files) => [...files.values()].reduce((sum, bytes) => sum + bytes.length, 0) / files.size;
  console.log(
    `files: ${segments.size} segments of ${show(size(segments) / 1000, 0)} kB, ${parts.size} parts of ${show(size(parts) / 1000, 1)} kB`,
  );
  const [floor, floorNode] = [await floorFiles(all, 'c'), await floorFiles(all, 'node')];
  return { nginx: theirs, 'nginx-copy': copying, floor, 'floor-node': floorNode, onair: ours };
}

/** How each phase of plain files asks: the list, and how often, if not without a pause. */
const GETS = {
  segments: { list: 'segments', more: ['-c', flags.connections] },
  paced: { list: 'segments', more: ['-c', String(viewers), '-r', String(viewers / SEGMENT_SECONDS)] },
  parts: { list: 'parts', more: ['-c', flags.connections] },
};

async function get(server, lists, kind, who) {
  const { list, more } = GETS[kind];
  const line = await run(join(bin, 'get'), [
    ...['-p', String(server.http), '-f', join(lists, list), ...more, '-d', String(seconds), '-w', '1'],
    ...['-P', String(server.pid), '-l', `${kind}-${who}`],
  ]);
  return JSON.parse(line);
}

function load(server, rendition, count, more) {
  return run(join(bin, 'load'), [
    ...[
      '-m',
      'llhls',
      '-p',
      String(server.http),
      '-u',
      `${STREAM}/hls/${rendition}.m3u8`,
      '-n',
      String(count),
    ],
    ...[
      '-r',
      String(JOINS),
      '-d',
      String(seconds),
      '-w',
      '2',
      '-P',
      String(server.pid),
      '-l',
      rendition,
      ...more,
    ],
  ]).then((line) => JSON.parse(line));
}

/** A server with a running stream, for as long as `work` takes. */
async function streaming(file, work) {
  const server = await onair({ hls__partMs: flags['part-ms'] });
  const publisher = publish(server, file, 120 + 4 * seconds);
  try {
    await playlistOf(server, 'video', 1);
    // More than one target duration, so that playlists have the length they keep.
    await sleep(4000);
    return await work(server);
  } finally {
    await publisher.stop();
    await server.stop();
  }
}

const results = new Map();
/** Keeps the figures of one round. */
function keep(name, round, values) {
  const list = results.get(name) ?? [];
  results.set(name, list);
  list.push({ round, ...values });
  const figures = Object.entries(values).map(([key, value]) => `${key} ${show(value, 3)}`);
  console.log(`round ${round + 1} ${name}: ${figures.join(', ')}`);
}

await buildTools();
const file = await sourceFile(Number(flags.kbit));
if (loadavg()[0] > cpus().length)
  console.log(`! the machine is busy already (load ${show(loadavg()[0], 1)})`);
const lists = mkdtempSync(join(tmpdir(), 'onair-bench-'));
const files = ['segments', 'paced', 'parts'].some(wants) ? await fileServers(file, lists) : undefined;
let busiestClient = 0;
try {
  for (let round = 0; round < rounds; round++) {
    for (const kind of Object.keys(GETS)) {
      if (!wants(kind)) continue;
      for (const [who, server] of Object.entries(files)) {
        const seen = await get(server, lists, kind, who);
        keep(`${kind}-${who}`, round, {
          cpuPerGbit: seen.srv.cpu_s_per_gbit,
          usPerRequest: seen.srv.cpu_us_per_request,
          mbit: seen.mbit_s,
          errors: seen.errors,
        });
      }
    }
    if (wants('viewers')) {
      await streaming(file, async (server) => {
        const seen = await load(server, 'video', viewers, ['-k', '50', '-o']);
        busiestClient = Math.max(busiestClient, seen.client_cpu_pct);
        keep('viewers', round, figuresOf(seen));
      });
      await streaming(file, async (server) => {
        const [seen, sound] = await Promise.all([
          load(server, 'video', viewers, ['-k', '50', '-o']),
          load(server, 'audio', viewers, ['-k', '1000', '-o']),
        ]);
        const both = {
          requestsPerS: requestsOf(seen) + requestsOf(sound),
          errors: seen.errors + sound.errors,
        };
        keep('viewers-with-sound', round, { ...figuresOf(seen), ...both });
      });
    }
    if (wants('herd')) {
      await streaming(file, async (server) => {
        const seen = await load(server, 'video', viewers, ['-q', '-o']);
        keep('herd', round, {
          spreadP50: seen.herd_spread_ms.p50,
          spreadMax: seen.herd_spread_ms.max,
          herds: seen.herd_spread_ms.n,
          answers: seen.herd_answers,
          cpuPct: seen.srv.cpu_pct,
          errors: seen.errors,
        });
      });
    }
    if (wants('release')) {
      await streaming(file, async (server) => {
        const seen = await load(server, 'video', RELEASE_VIEWERS, ['-k', '1', '-o']);
        keep('release', round, {
          p50: seen.release_ms.p50,
          p99: seen.release_ms.p99,
          max: seen.release_ms.max,
          count: seen.release_ms.n,
        });
      });
    }
  }
} finally {
  for (const server of Object.values(files ?? {})) await server.stop();
  rmSync(lists, { recursive: true, force: true });
}

function requestsOf(seen) {
  return (seen.playlists + seen.segments) / seen.window_s;
}

function figuresOf(seen) {
  return {
    cpuPct: seen.srv.cpu_pct,
    userPct: seen.srv.user_pct,
    kbitPerViewer: seen.kbit_per_viewer,
    requestsPerS: requestsOf(seen),
    releaseP50: seen.release_ms.p50,
    releaseP99: seen.release_ms.p99,
    delayP95: seen.delay_ms.p95,
    missing: seen.frames_missing,
    errors: seen.errors,
  };
}

/** Median of a figure, or of its quotients by round if it is a ratio. */
function measured({ of, figure, to }) {
  const mine = results.get(of) ?? [];
  if (to === undefined) return median(mine.map((one) => one[figure]));
  const theirs = results.get(to) ?? [];
  return median(
    mine.flatMap((one) => {
      const other = theirs.find(({ round }) => round === one.round);
      return other === undefined ? [] : [one[figure] / other[figure]];
    }),
  );
}

console.log(
  `\n${viewers} viewers of ${flags.kbit} kbit/s, parts of ${flags['part-ms']} ms, ${rounds} rounds, medians`,
);
const names = [...results.keys()];
table(
  ['figure', 'median', 'min..max'],
  names.flatMap((name) =>
    Object.keys(results.get(name)[0])
      .filter((key) => key !== 'round')
      .map((key) => {
        const list = results.get(name).map((one) => one[key]);
        return [
          `${name} ${key}`,
          show(median(list), 3),
          `${show(Math.min(...list), 3)}..${show(Math.max(...list), 3)}`,
        ];
      }),
  ),
);
const goals = HLS_GOALS.filter(({ of }) => results.has(of)).map((goal) => ({
  ...goal,
  value: measured(goal),
}));
console.log('\nagainst the goals (ratios are medians of pairs of the same round)');
table(
  ['figure', 'measured', 'goal', ''],
  goals.map(({ what, value, goal }) => [
    what,
    show(value, 3),
    String(goal),
    value <= goal ? 'holds' : 'MISSED',
  ]),
);
if (busiestClient > CLIENT_CPU_LIMIT) {
  console.log(`! the client used ${show(busiestClient, 0)} % of a core; delays are partly its own`);
}

const folder = join(root, 'bench/results');
mkdirSync(folder, { recursive: true });
const out = join(folder, `hls-${viewers}.json`);
const machine = { cpu: cpus()[0]?.model, cores: cpus().length, kernel: release(), node: process.version };
const settings = { viewers, rounds, seconds, kbit: Number(flags.kbit), partMs: Number(flags['part-ms']) };
const rows = goals.map(({ what, value, goal }) => ({ what, value, goal, holds: value <= goal }));
const document = {
  at: new Date().toISOString(),
  machine,
  settings,
  goals: rows,
  rounds: Object.fromEntries(results),
};
writeFileSync(out, `${JSON.stringify(document, null, 2)}\n`);
console.log(`\nwritten to ${out}`);
if (rows.some(({ holds }) => !holds) && !flags['no-gate']) process.exitCode = 1;
