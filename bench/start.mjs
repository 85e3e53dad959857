// How long a server takes from being started to accepting RTMP and HTTP connections, and what memory it holds then,
// beside peers in turns.
//
//   npm run bench:start -- [--rounds 7] [--only onair,nginx]
//
// Exit code 1 when a median of ours is above the budget.
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { rss } from './processes.mjs';
import { TARGETS } from './servers.mjs';

const { values: flags } = parseArgs({
  options: {
    rounds: { type: 'string', default: '7' },
    only: { type: 'string', default: 'onair,nginx,nms4' },
  },
});
/** Milliseconds to the first accepted connection: what must hold, and what we are after. */
const START = { floor: 400, goal: 200 };
/** MB of a server that nobody uses. */
const IDLE = { floor: 90, goal: 70 };
/** Milliseconds in which a server that has started comes to rest. */
const REST_MS = 2_000;

const groups = flags.only.split(',');
const targets = groups.map((group) => TARGETS.find((target) => target.group === group));
const unknown = groups.filter((_, i) => targets[i] === undefined);
if (unknown.length > 0) throw new Error(`no target ${unknown.join(', ')}`);

const middle = (list) => list.toSorted((a, b) => a - b)[list.length >> 1];
const times = new Map(targets.map(({ group }) => [group, []]));
const idle = new Map(targets.map(({ group }) => [group, []]));
for (let round = 0; round < Number(flags.rounds); round++) {
  for (const { group, start } of targets) {
    const from = performance.now();
    const server = await start();
    times.get(group).push(server.accepts.map((at) => at - from));
    await sleep(REST_MS);
    idle.get(group).push(rss(server.pid) / 1024);
    await server.stop();
    // What the last one leaves to do is not charged to the next.
    await sleep(200);
  }
}

const medians = new Map();
for (const [group, rounds] of times) {
  const first = middle(rounds.map((list) => Math.min(...list)));
  const all = middle(rounds.map((list) => Math.max(...list)));
  medians.set(group, first);
  console.log(
    `${group.padEnd(8)} first port ${first.toFixed(0)} ms, all ports ${all.toFixed(0)} ms, ` +
      `idle ${middle(idle.get(group)).toFixed(0)} MB`,
  );
}
const own = medians.get('onair');
for (const [group, value] of medians) {
  if (group !== 'onair' && own !== undefined) console.log(`onair ÷ ${group}: ${(own / value).toFixed(2)}`);
}
function judge(what, value, unit, { floor, goal }) {
  const verdict = value <= goal ? 'goal holds' : value <= floor ? 'floor holds' : 'missed';
  console.log(`${what} ${value.toFixed(0)} ${unit} (floor ${floor}, goal ${goal}): ${verdict}`);
  if (value > floor) process.exitCode = 1;
}
if (own !== undefined) {
  judge('start to accept', own, 'ms', START);
  judge('idle process', middle(idle.get('onair')), 'MB', IDLE);
}
