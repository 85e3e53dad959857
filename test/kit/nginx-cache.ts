import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Child } from './child.ts';
import { freePort, isListening } from './free-port.ts';
import { lastLines } from './report.ts';
import type { Scope } from './scope.ts';
import { until } from './until.ts';

/** Another program may take the chosen port first; so often it is tried again. */
const ATTEMPTS = 3;

/** One request that went through the cache. */
export interface CachedRequest {
  readonly path: string;
  /** `MISS`, `HIT`, … as nginx calls it. */
  readonly cache: string;
  readonly status: number;
}

/** A running nginx that keeps answers of an origin as their headers allow. */
export interface NginxCache {
  /** `http://127.0.0.1:PORT`, without a slash at the end. */
  readonly http: string;
  /** Every request so far. */
  requests(): CachedRequest[];
  stop(): Promise<void>;
}

/** Start nginx as a cache in front of `origin`, one request at a time for what it does not have. */
export async function startNginxCache(scope: Scope, origin: string): Promise<NginxCache> {
  for (let attempt = 1; ; attempt++) {
    const port = await freePort();
    const prefix = scope.tempDir('onair-cache-');
    for (const folder of ['logs', 'cache', 'tmp']) mkdirSync(join(prefix, folder));
    writeFileSync(join(prefix, 'nginx.conf'), configuration(port, origin));
    const child = new Child('nginx', 'nginx', [
      '-p',
      prefix,
      '-c',
      join(prefix, 'nginx.conf'),
      '-e',
      'stderr',
    ]);
    try {
      await until(() => child.exit !== undefined || isListening(port), { message: 'nginx listens' });
      if (child.exit !== undefined) throw new Error(`nginx ended: ${lastLines(child)}`);
    } catch (error) {
      await child.stop('SIGKILL');
      if (attempt === ATTEMPTS) throw error;
      continue;
    }
    return scope.own({
      http: `http://127.0.0.1:${port}`,
      requests: () => readLog(join(prefix, 'requests.log')),
      stop: async () => {
        await child.stop('SIGTERM');
      },
    });
  }
}

function readLog(file: string): CachedRequest[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [path = '', cache = '', status = ''] = line.split(' ');
      return { path, cache, status: Number(status) };
    });
}

function configuration(port: number, origin: string): string {
  const folders = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `  ${name}_temp_path tmp/${name};`,
  );
  return `daemon off;
master_process off;
pid nginx.pid;
error_log stderr error;
events { worker_connections 1024; }
http {
${folders.join('\n')}
  proxy_cache_path cache keys_zone=hls:10m max_size=200m use_temp_path=off;
  log_format short '$request_uri $upstream_cache_status $status';
  access_log requests.log short;
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass ${origin};
      proxy_http_version 1.1;
      proxy_set_header Connection '';
      proxy_cache hls;
      proxy_cache_lock on;
      proxy_cache_lock_age 30s;
      proxy_cache_lock_timeout 30s;
      proxy_read_timeout 60s;
    }
  }
}
`;
}
