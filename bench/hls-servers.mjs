// The servers of the HLS benchmark: ours, and Debian's nginx with the same bytes as files.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { bin, root } from './prepare.mjs';
import { freePort, listening, start } from './processes.mjs';

const here = import.meta.dirname;

/** Where the benchmark's stream is found. */
export const STREAM = '/live/test';

/** A started server with its ports; `settings` e.g. `{ hls__partMs: 200 }`. */
export async function onair(settings = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'onair-bench-'));
  const [rtmp, http] = [await freePort(), await freePort()];
  const env = {
    ...process.env,
    ONAIR_DATA: folder,
    ONAIR_RTMP_PORT: String(rtmp),
    ONAIR_HTTP_PORT: String(http),
    ONAIR_LOG: 'json',
  };
  for (const [name, value] of Object.entries(settings)) env[`ONAIR__${name}`] = String(value);
  const cli = join(root, 'packages/server/bin/onair.js');
  const profile = process.env.BENCH_CPU_PROF;
  const flags = profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profile}`];
  const child = start(process.execPath, [...flags, cli, 'serve'], { env, cwd: folder });
  return ready(child, { rtmp, http }, folder);
}

/**
 * nginx as Debian configures it (sendfile, tcp_nopush), one worker, no access log, with `files` by path.
 * @param sendfile false: bytes are copied into the socket, as a server must that has them in memory or encrypts them.
 */
export async function nginxFiles(files, sendfile = true) {
  const folder = mkdtempSync(join(tmpdir(), 'onair-bench-'));
  const http = await freePort();
  for (const [path, bytes] of files) {
    const file = join(folder, 'files', path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, bytes);
  }
  mkdirSync(join(folder, 'logs'));
  const conf = join(folder, 'nginx.conf');
  writeFileSync(
    conf,
    `daemon off; master_process off; pid nginx.pid; error_log stderr error; worker_rlimit_nofile 65536;
events { worker_connections 16384; }
http {
  sendfile ${sendfile ? 'on' : 'off'}; tcp_nopush ${sendfile ? 'on' : 'off'}; access_log off; types { video/mp4 m4s mp4; } keepalive_requests 1000000000;
  client_body_temp_path t1; proxy_temp_path t2; fastcgi_temp_path t3; uwsgi_temp_path t4; scgi_temp_path t5;
  server { listen 127.0.0.1:${http} backlog=4096; root ${join(folder, 'files')}; }
}
`,
  );
  const child = start('nginx', ['-p', folder, '-c', conf, '-e', 'stderr']);
  return ready(child, { http }, folder);
}

/** The least that sending `files` from memory costs: in C, and on a bare socket in Node. */
export async function floorFiles(files, kind) {
  const folder = mkdtempSync(join(tmpdir(), 'onair-bench-'));
  const http = await freePort();
  const list = join(folder, 'list');
  for (const [path, bytes] of files) {
    const file = join(folder, 'files', path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, bytes);
  }
  writeFileSync(list, `${[...files.keys()].join('\n')}\n`);
  const base = join(folder, 'files');
  const child =
    kind === 'c'
      ? start(join(bin, 'serve'), ['-p', String(http), '-r', base, '-f', list])
      : start(process.execPath, [join(here, 'floor-files.mjs'), String(http), base, list]);
  return ready(child, { http }, folder);
}

async function ready(child, ports, folder) {
  const stop = async () => {
    await child.stop();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    for (const port of Object.values(ports)) await listening(port, child);
  } catch (error) {
    await stop();
    throw error;
  }
  return { ...ports, pid: child.pid, stop };
}

/** Publishes `file` for at most `seconds`. */
export function publish(server, file, seconds) {
  return start(join(bin, 'pub'), [
    '-p',
    String(server.rtmp),
    '-f',
    file,
    '-t',
    String(seconds),
    '-m',
    'rtmp',
  ]);
}

/** The playlist of a rendition, once it lists at least `segments` whole ones. */
export async function playlistOf(server, rendition, segments, timeoutMs = 30_000) {
  const url = `http://127.0.0.1:${server.http}${STREAM}/hls/${rendition}.m3u8`;
  const end = performance.now() + timeoutMs;
  for (;;) {
    const answer = await fetch(url);
    const text = await answer.text();
    if (answer.ok && (text.match(/^#EXTINF/gm) ?? []).length >= segments) return text;
    if (performance.now() > end)
      throw new Error(`${url}: ${answer.status}, too few segments: ${text.slice(-300)}`);
    await sleep(200);
  }
}

/** Paths and bytes of everything a playlist lists: `segments` and `parts`. */
export async function listedFiles(server, text) {
  const load = async (uris) => {
    const files = new Map();
    for (const uri of uris) {
      const path = `${STREAM}/hls/${uri}`;
      const answer = await fetch(`http://127.0.0.1:${server.http}${path}`);
      if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
      files.set(path, new Uint8Array(await answer.arrayBuffer()));
    }
    return files;
  };
  const segments = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  const parts = [...text.matchAll(/^#EXT-X-PART:.*URI="([^"]+)"/gm)].map((match) => match[1]);
  return { segments: await load(segments), parts: await load(parts) };
}
