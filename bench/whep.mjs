// CPU per packet of WebRTC viewers, beside Janus' streaming plugin in turns on the same machine with the same pictures.
//
//   npm run bench:whep -- [--viewers 40] [--seconds 10] [--rounds 3] [--kbit 1000] [--only onair]
//
// Janus gets the stream as RTP, the server as RTMP, both by `ffmpeg -c copy`; neither does sound. Needs Debian's
// ffmpeg and janus.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { root, sourceFile } from './prepare.mjs';
import { freePort, listening, start } from './processes.mjs';

const { values: flags } = parseArgs({
  options: {
    viewers: { type: 'string', default: '40' },
    seconds: { type: 'string', default: '10' },
    rounds: { type: 'string', default: '3' },
    kbit: { type: 'string', default: '1000' },
    only: { type: 'string', default: 'onair,janus' },
  },
});
const folder = mkdtempSync(join(tmpdir(), 'onair-whep-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
const PLUGINS = '/usr/lib/x86_64-linux-gnu/janus';
/** Until a server has a key frame and has settled, ms. */
const SETTLE_MS = 3_000;

async function onair() {
  const [http, rtmp, webrtc] = [await freePort(), await freePort(), await freePort()];
  const data = join(folder, 'data');
  mkdirSync(data, { recursive: true });
  const env = {
    ...process.env,
    ONAIR_DATA: data,
    ONAIR_HOST: '127.0.0.1',
    ONAIR_HTTP_PORT: String(http),
    ONAIR_RTMP_PORT: String(rtmp),
    ONAIR_TLS_PORT: '0',
    ONAIR_WEBRTC_PORT: String(webrtc),
    ONAIR_LOG_LEVEL: 'warn',
  };
  const server = start(process.execPath, [join(root, 'packages/server/bin/onair.js'), 'serve'], { env });
  await listening(http, server, 60_000);
  return {
    server,
    kind: 'whep',
    address: `http://127.0.0.1:${http}/live/bench/whep`,
    output: ['-f', 'flv', `rtmp://127.0.0.1:${rtmp}/live/bench`],
  };
}

async function janus() {
  const [http, media] = [await freePort(), await freePort()];
  const configs = join(folder, 'janus');
  mkdirSync(configs, { recursive: true });
  const write = (name, text) => writeFileSync(join(configs, name), text);
  write(
    'janus.jcfg',
    `general: { configs_folder = "${configs}" plugins_folder = "${PLUGINS}/plugins" transports_folder = "${PLUGINS}/transports"
      debug_level = 2 }
     nat: { ice_lite = false }
     plugins: { disable = "${readdirSync(`${PLUGINS}/plugins`)
       .filter((name) => /^libjanus_(?!streaming)\w+\.so$/.test(name))
       .join(',')}" }
     transports: { disable = "${readdirSync(`${PLUGINS}/transports`)
       .filter((name) => /^libjanus_(?!http)\w+\.so$/.test(name))
       .join(',')}" }`,
  );
  write(
    'janus.transport.http.jcfg',
    `general: { json = "compact" base_path = "/janus" http = true port = ${http} ip = "127.0.0.1" https = false } admin: { admin_http = false }`,
  );
  write(
    'janus.plugin.streaming.jcfg',
    `bench: { type = "rtp" id = 1 audio = false video = true videoport = ${media} videopt = 102 videocodec = "h264"
      videofmtp = "profile-level-id=42e01f;packetization-mode=1" videobufferkf = true }`,
  );
  const server = start('janus', ['-F', configs, '-C', join(configs, 'janus.jcfg')]);
  await listening(http, server, 30_000);
  return {
    server,
    kind: 'janus',
    address: `http://127.0.0.1:${http}/janus`,
    output: ['-f', 'rtp', '-payload_type', '102', `rtp://127.0.0.1:${media}?pkt_size=1192`],
  };
}

/** Seconds that a process and its threads have run, by the scheduler's clock. */
function runTime(pid) {
  let total = 0;
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    try {
      total += Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]);
    } catch {
      // It ended meanwhile.
    }
  }
  return total / 1e9;
}

async function measure(make, file) {
  const { server, kind, address, output } = await make();
  const source = start('ffmpeg', [
    ...['-v', 'error', '-re', '-stream_loop', '-1', '-i', file, '-an', '-c:v', 'copy'],
    ...(kind === 'janus' ? ['-bsf:v', 'h264_mp4toannexb,dump_extra=freq=keyframe'] : []),
    ...output,
  ]);
  try {
    await sleep(SETTLE_MS);
    const idleFrom = runTime(server.pid);
    await sleep(2_000);
    const idle = (runTime(server.pid) - idleFrom) / 2;
    const script = join(root, 'bench/whep-viewers.mjs');
    const viewers = start(process.execPath, [script, kind, address, flags.viewers, flags.seconds]);
    while (viewers.running && !viewers.tail().includes('ready')) await sleep(20);
    const from = runTime(server.pid);
    const began = performance.now();
    const left = Number(flags.seconds) * 1000 - 200;
    await sleep(left);
    const cpu = (runTime(server.pid) - from) / ((performance.now() - began) / 1000) - idle;
    if ((await viewers.exited) !== 0) throw new Error(`${kind}: ${viewers.tail()} ${server.tail()}`);
    const seen = JSON.parse(viewers.tail().split('\n').at(-1));
    return { kind, idle, cpu, ...seen };
  } finally {
    await source.stop();
    await server.stop();
  }
}

const file = await sourceFile(Number(flags.kbit));
const targets = { onair, janus };
const results = {};
for (let round = 0; round < Number(flags.rounds); round++) {
  for (const name of flags.only.split(',')) {
    const found = await measure(targets[name], file);
    const rate = found.packets / found.seconds;
    const per = { microseconds: (found.cpu / rate) * 1e6, viewersPerCore: found.viewers / found.cpu };
    results[name] ??= [];
    results[name].push(per);
    console.log(
      `${name}: ${found.viewers} viewers, ${Math.round(rate)} packets/s (${found.fewest} to ${found.most} each), ` +
        `${((found.bytes * 8) / found.seconds / 1e6).toFixed(1)} Mbit/s, ${(found.cpu * 100).toFixed(1)} % of a core, ` +
        `${per.microseconds.toFixed(1)} µs/packet, ${Math.round(per.viewersPerCore)} viewers/core; idle ` +
        `${(found.idle * 100).toFixed(1)} %, the viewers themselves ${(found.load * 100).toFixed(0)} %`,
    );
  }
}
const middle = (list) => list.toSorted((a, b) => a - b)[list.length >> 1];
for (const [name, list] of Object.entries(results)) {
  const [time, viewers] = ['microseconds', 'viewersPerCore'].map((key) =>
    middle(list.map((one) => one[key])),
  );
  console.log(
    `${name}, middle of ${list.length}: ${time.toFixed(1)} µs/packet, ${Math.round(viewers)} viewers per core`,
  );
}
