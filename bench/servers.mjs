// How each server of the comparison is started. `start()` gives ports once it listens; the publisher comes after.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bin, installNodeMediaServer, root } from './prepare.mjs';
import { freePort, listening, start } from './processes.mjs';

const NMS4 = '4.4.3';
const NMS2 = '2.7.4';

/** A started server; `ingest` is for pub, `rtmp` and `http` for viewers, `accepts` when each port took connections. */
async function launch(command, args, ports, { folder, ...options } = {}) {
  const child = start(command, args, options);
  const stop = async () => {
    await child.stop();
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  };
  let accepts;
  try {
    accepts = await Promise.all([...new Set(Object.values(ports))].map((port) => listening(port, child)));
  } catch (error) {
    await stop();
    throw error;
  }
  return { ...ports, accepts, pid: child.pid, child, stop };
}

/** @param mergeMs merge window of the server; 0 writes at each video frame. */
async function onair(mergeMs) {
  const folder = mkdtempSync(join(tmpdir(), 'onair-bench-'));
  const [rtmp, http] = [await freePort(), await freePort()];
  const env = {
    ...process.env,
    ONAIR_DATA: folder,
    ONAIR_RTMP_PORT: String(rtmp),
    ONAIR_HTTP_PORT: String(http),
    ONAIR_LOG: 'json',
    ONAIR__hub__mergeWindowMs: String(mergeMs),
  };
  const cli = join(root, 'packages/server/bin/onair.js');
  // Flags of V8, for measurements that want its memory to be what is held.
  const nodeFlags = process.env.BENCH_NODE_FLAGS?.split(' ') ?? [];
  return launch(process.execPath, [...nodeFlags, cli, 'serve'], { rtmp, http }, { env, folder, cwd: folder });
}

async function nginx(lines) {
  const folder = mkdtempSync(join(tmpdir(), 'onair-bench-'));
  const rtmp = await freePort();
  mkdirSync(join(folder, 'logs'));
  const conf = join(folder, 'nginx.conf');
  writeFileSync(
    conf,
    `load_module /usr/lib/nginx/modules/ngx_rtmp_module.so;
daemon off; master_process off; pid nginx.pid; error_log stderr error; worker_rlimit_nofile 65536;
events { worker_connections 16384; }
rtmp { access_log off; server { listen 127.0.0.1:${rtmp}; chunk_size 4096; application live { live on; ${lines} } } }
`,
  );
  return launch('nginx', ['-p', folder, '-c', conf, '-e', 'stderr'], { rtmp }, { folder });
}

async function nodeMediaServer(version) {
  const folder = await installNodeMediaServer(version);
  const [rtmp, http] = [await freePort(), await freePort()];
  const v4 = version.startsWith('4');
  const config = v4
    ? { rtmp: { port: rtmp }, http: { port: http }, bind: '127.0.0.1', auth: {}, static: {}, record: {} }
    : {
        logType: 1,
        rtmp: { port: rtmp, chunk_size: 60000, gop_cache: true, ping: 30, ping_timeout: 60 },
        http: { port: http },
      };
  const script = join(folder, 'serve.cjs');
  writeFileSync(
    script,
    `const Server = require('node-media-server');\nnew Server(${JSON.stringify(config)}).run();\n`,
  );
  return launch(process.execPath, [script], { rtmp, http }, { cwd: folder });
}

async function floor(mergeMs) {
  const [ingest, http] = [await freePort(), await freePort()];
  const args = ['-i', String(ingest), '-p', String(http), '-w', String(mergeMs)];
  // Its single ingest takes whoever comes first, so only the viewers' port is tried.
  const server = await launch(join(bin, 'floor'), args, { http });
  return { ...server, ingest };
}

async function srs(mergeMs) {
  const folder = mkdtempSync(join(tmpdir(), 'onair-bench-'));
  const [rtmp, http] = [await freePort(), await freePort()];
  const conf = join(folder, 'srs.conf');
  writeFileSync(
    conf,
    `listen ${rtmp}; max_connections 4000; daemon off; srs_log_tank console; srs_log_level error; pid ${folder}/srs.pid;
http_server { enabled on; listen ${http}; dir ${folder}; }
vhost __defaultVhost__ {
  tcp_nodelay on;
  play { gop_cache on; mw_latency ${mergeMs}; mw_msgs 0; queue_length 10; }
  http_remux { enabled on; mount [vhost]/[app]/[stream].flv; }
}
`,
  );
  return launch(process.env.SRS_BIN, ['-c', conf], { rtmp, http }, { folder, cwd: folder });
}

/** Where a viewer of `mode` finds stream live/test. */
const PATHS = {
  rtmp: 'live/test',
  flv: '/live/test.flv',
  wsfmp4: '/live/test.fmp4',
};
const at = (mode) => ({ mode, path: PATHS[mode] });
const own = (name, mode, mergeMs) => ({
  id: `onair-${name}-${mergeMs === 0 ? 'frame' : mergeMs}`,
  group: 'onair',
  start: () => onair(mergeMs),
  ...at(mode),
});

/**
 * Everything that can be measured. `group` chooses with --only; `mode` and `path` are what the load tool is told;
 * `flv` means that the publisher sends a bare FLV byte stream.
 */
export const TARGETS = [
  own('rtmp', 'rtmp', 0),
  own('flv', 'flv', 0),
  own('ws', 'wsfmp4', 0),
  own('rtmp', 'rtmp', 50),
  own('flv', 'flv', 50),
  own('ws', 'wsfmp4', 50),
  { id: 'nginx-rtmp', group: 'nginx', start: () => nginx(''), ...at('rtmp') },
  { id: 'nginx-rtmp-buffer', group: 'nginx', start: () => nginx('buffer 1s;'), ...at('rtmp') },
  { id: 'nms4-rtmp', group: 'nms4', start: () => nodeMediaServer(NMS4), ...at('rtmp') },
  { id: 'nms4-flv', group: 'nms4', start: () => nodeMediaServer(NMS4), ...at('flv') },
  { id: 'nms2-rtmp', group: 'nms2', start: () => nodeMediaServer(NMS2), ...at('rtmp') },
  { id: 'nms2-flv', group: 'nms2', start: () => nodeMediaServer(NMS2), ...at('flv') },
  { id: 'floor-tag', group: 'floor', start: () => floor(0), flv: true, ...at('flv') },
  { id: 'floor-50', group: 'floor', start: () => floor(50), flv: true, ...at('flv') },
  { id: 'srs-rtmp-350', group: 'srs', start: () => srs(350), ...at('rtmp') },
  { id: 'srs-rtmp-50', group: 'srs', start: () => srs(50), ...at('rtmp') },
  { id: 'srs-flv-50', group: 'srs', start: () => srs(50), ...at('flv') },
];
