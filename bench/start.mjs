// How long a server takes from being started to accepting RTMP and HTTP connections, beside peers in turns.
//
//   npm run bench:start -- [--rounds 7] [--only onair,nginx]
//
// Exit code 1 when the median of ours is above the budget.
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { TARGETS } from './servers.mjs';

const { values: flags } = parseArgs({
  options: {
    rounds: { type: 'string', default: '7' },
    only: { type: 'string', default: 'onair,nginx,nms4' },
  },
});
/** Milliseconds to the first accepted connection: what must hold, and what we are after. */
const BUDGET = { floor: 400, goal: 200 };

const groups = flags.only.split(',');
const targets = groups.map((group) => TARGETS.find((target) => target.group === group));
const unknown = groups.filter((_, i) => targets[i] === undefined);
if (unknown.length > 0) throw new Error(`no target ${unknown.join(', ')}`);

const middle = (list) => list.toSorted((a, b) => a - b)[list.length >> 1];
const times = new Map(targets.map(({ group }) => [group, []]));
for (let round = 0; round < Number(flags.rounds); round++) {
  for (const { group, start } of targets) {
    const from = performance.now();
    const server = await start();
    times.get(group).push(server.accepts.map((at) => at - from));
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
  console.log(`${group.padEnd(8)} first port ${first.toFixed(0)} ms, all ports ${all.toFixed(0)} ms`);
}
const own = medians.get('onair');
for (const [group, value] of medians) {
  if (group !== 'onair' && own !== undefined) console.log(`onair ÷ ${group}: ${(own / value).toFixed(2)}`);
}
if (own !== undefined) {
  const verdict = own <= BUDGET.goal ? 'goal holds' : own <= BUDGET.floor ? 'floor holds' : 'missed';
  console.log(
    `start to accept ${own.toFixed(0)} ms (floor ${BUDGET.floor}, goal ${BUDGET.goal}): ${verdict}`,
  );
  if (own > BUDGET.floor) process.exitCode = 1;
}
