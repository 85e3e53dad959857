// How soon everybody has got a broadcast: a timed event by RTMP and by fMP4 over WebSocket, and a method of a script
// that calls its clients by RTMP and by WebSocket.
//
//   npm run bench:broadcast -- [--viewers 2000] [--rounds 10] [--fps 25]
//
// Half of the viewers come by RTMP, half by WebSocket. They look for the event's id in the bytes that come, since two
// thousand parsers in one process would measure themselves. Exit code 1 when the last one is later than the budget.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { RtmpClientSession } from '../packages/media/dist/rtmp/index.js';
import { root } from './prepare.mjs';
import { freePort, start } from './processes.mjs';

const { values: flags } = parseArgs({
  options: {
    viewers: { type: 'string', default: '2000' },
    rounds: { type: 'string', default: '10' },
    fps: { type: 'string', default: '25' },
  },
});
const half = Math.floor(Number(flags.viewers) / 2);
const rounds = Number(flags.rounds);
/** Milliseconds until the last of all has a broadcast: what must hold. */
const BUDGET_MS = 250;
/** Connections begun at one time. */
const AT_ONCE = 50;

const SCRIPT =
  'export default defineApp({ methods: { go(_client, id) { onair.broadcast("cue", { id }); return true; } } });\n';

/** What is awaited: the bytes to look for, and when each kind of viewer found them. */
let awaited;

/** Looks for the awaited bytes, those that two reads divide included. */
function watch(socket, kind) {
  let tail = Buffer.alloc(0);
  let found;
  socket.on('data', (bytes) => {
    if (awaited === undefined || found === awaited || !awaited.kinds.includes(kind)) return;
    const joined = tail.length === 0 ? bytes : Buffer.concat([tail, bytes]);
    if (joined.indexOf(awaited.id) >= 0) {
      found = awaited;
      awaited.times[kind].push(performance.now() - awaited.at);
      tail = Buffer.alloc(0);
      if (--awaited.left === 0) awaited.done();
    } else tail = joined.subarray(Math.max(0, joined.length - awaited.id.length));
  });
}

function rtmpViewer(port) {
  const session = new RtmpClientSession({
    nowMs: () => performance.now(),
    intent: 'play',
    app: 'live',
    tcUrl: `rtmp://127.0.0.1:${port}/live`,
    name: 'test',
  });
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  return new Promise((resolve, reject) => {
    const flush = () => {
      const bytes = session.takeOutput();
      if (bytes !== undefined) socket.write(bytes);
    };
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('an RTMP viewer was closed')));
    socket.once('connect', () => {
      session.start();
      flush();
    });
    const greet = (bytes) => {
      session.push(bytes);
      let ready = false;
      for (let event = session.next(); event !== undefined; event = session.next()) {
        if (event.kind === 'ready') ready = true;
        if (event.kind === 'refused') reject(new Error(event.reason));
      }
      flush();
      if (!ready) return;
      socket.off('data', greet);
      watch(socket, 'RTMP');
      resolve(socket);
    };
    socket.on('data', greet);
  });
}

function webSocket(port, path, kind, protocol) {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  const head = [
    `GET ${path} HTTP/1.1`,
    `Host: 127.0.0.1:${port}`,
    'Upgrade: websocket',
    'Connection: Upgrade',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    ...(protocol === undefined ? [] : [`Sec-WebSocket-Protocol: ${protocol}`]),
  ];
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('a WebSocket was closed')));
    socket.once('connect', () => socket.write(`${head.join('\r\n')}\r\n\r\n`));
    socket.once('data', (bytes) => {
      if (!bytes.toString('latin1').startsWith('HTTP/1.1 101')) {
        reject(new Error(bytes.toString('latin1', 0, 100)));
        return;
      }
      watch(socket, kind);
      resolve(socket);
    });
  });
}

async function many(count, make) {
  const sockets = [];
  while (sockets.length < count) {
    const some = Math.min(AT_ONCE, count - sockets.length);
    sockets.push(...(await Promise.all(Array.from({ length: some }, make))));
  }
  return sockets;
}

/** Broadcasts again and again. @returns the delays of all rounds by kind of viewer, and the latest of each round. */
async function measure(kinds, fire) {
  const times = Object.fromEntries(kinds.map((kind) => [kind, []]));
  const latest = [];
  for (let round = 0; round < rounds; round++) {
    const id = `bench-${kinds.join('').replaceAll(/\W/g, '')}-${round}-x`;
    let done;
    const all = new Promise((resolve) => {
      done = resolve;
    });
    awaited = { id: Buffer.from(id), at: performance.now(), left: half * kinds.length, kinds, times, done };
    const { at } = awaited;
    await fire(id);
    await Promise.race([
      all,
      sleep(10_000).then(() => {
        throw new Error(`${awaited.left} viewers never got the broadcast`);
      }),
    ]);
    latest.push(performance.now() - at);
    await sleep(200);
  }
  return { times, latest };
}

const share = (sorted, part) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))];

function report(title, { times, latest }) {
  console.log(title);
  for (const [kind, list] of Object.entries(times)) {
    const sorted = list.toSorted((a, b) => a - b);
    const [middle, most] = [share(sorted, 0.5), share(sorted, 0.99)];
    console.log(
      `  ${kind.padEnd(14)} ${half} viewers: median ${middle.toFixed(0)} ms, 99 % ${most.toFixed(0)} ms, last ${sorted.at(-1).toFixed(0)} ms`,
    );
  }
  const middle = share(
    latest.toSorted((a, b) => a - b),
    0.5,
  );
  const verdict = middle <= BUDGET_MS ? 'holds' : 'missed';
  console.log(
    `  the last of all, median of ${rounds} rounds: ${middle.toFixed(0)} ms (limit ${BUDGET_MS}): ${verdict}`,
  );
  if (middle > BUDGET_MS) process.exitCode = 1;
}

console.log(`${cpus().length} cores, load ${loadavg()[0].toFixed(1)}`);
const folder = mkdtempSync(join(tmpdir(), 'onair-broadcast-'));
try {
  writeFileSync(join(folder, 'live.js'), SCRIPT);
  const [http, rtmp] = [await freePort(), await freePort()];
  const args = ['serve', '--host', '127.0.0.1', '--http-port', String(http), '--rtmp-port', String(rtmp)];
  const env = { ...process.env, ONAIR__apps__folder: folder, ONAIR__webrtc__enabled: 'off' };
  const cli = join(root, 'packages/server/bin/onair.js');
  const server = start(process.execPath, [cli, ...args, '--data', join(folder, 'data')], { env });
  const api = `http://127.0.0.1:${http}`;
  const answered = async (path) => (await fetch(api + path).catch(() => undefined))?.ok === true;
  while (!(await answered('/healthz'))) {
    if (!server.running) throw new Error(server.tail());
    await sleep(100);
  }
  const source = ['-f', 'lavfi', '-i', `testsrc2=size=64x36:rate=${flags.fps}`, '-c:v', 'libx264'];
  const coded = ['-preset', 'ultrafast', '-tune', 'zerolatency', '-g', String(2 * flags.fps), '-b:v', '30k'];
  const publisher = start('ffmpeg', [
    ...[
      '-hide_banner',
      '-nostdin',
      '-loglevel',
      'warning',
      '-re',
      ...source,
      ...coded,
      '-pix_fmt',
      'yuv420p',
    ],
    ...['-f', 'flv', `rtmp://127.0.0.1:${rtmp}/live/test`],
  ]);
  while (!(await answered('/live/test/index.m3u8'))) await sleep(100);
  await many(half, () => rtmpViewer(rtmp));
  const media = await many(half, () => webSocket(http, '/live/test.fmp4', 'WS-fMP4', 'onair.fmp4.v1'));
  await sleep(2000);
  const post = async (path, body) => {
    const headers = { 'content-type': 'application/json' };
    const answer = await fetch(api + path, { method: 'POST', headers, body: JSON.stringify(body) });
    if (!answer.ok) throw new Error(await answer.text());
  };
  report(
    'a timed event, from pressing until everybody has it',
    await measure(['RTMP', 'WS-fMP4'], (id) => post('/api/v1/streams/live/test/events', { id, name: 'cue' })),
  );
  for (const socket of media) socket.removeAllListeners('close').destroy();
  await many(half, () => webSocket(http, '/rpc/live', 'WS method'));
  report(
    'a method of a script that calls every client',
    await measure(['RTMP', 'WS method'], (id) => post('/rpc/live', { method: 'go', args: [id] })),
  );
  await publisher.stop();
  await server.stop();
} finally {
  rmSync(folder, { recursive: true, force: true });
}
process.exit();
