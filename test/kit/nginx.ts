import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Child } from './child.ts';
import { freePort, isListening } from './free-port.ts';
import { lastLines } from './report.ts';
import type { Scope } from './scope.ts';
import { until } from './until.ts';

/** Where Debian puts the RTMP module. */
const MODULE = '/usr/lib/nginx/modules/ngx_rtmp_module.so';
/** Another program may take the chosen port first; so often it is tried again. */
const ATTEMPTS = 3;

/** A running nginx-rtmp of our own, with application `live`. */
export interface NginxRtmp {
  readonly port: number;
  readonly pid: number;
  /** `rtmp://127.0.0.1:PORT/live/NAME`. */
  url(name: string): string;
  stop(): Promise<void>;
}

/** Start nginx-rtmp in its own folder on its own port of loopback. `live` adds lines to the application. */
export async function startNginxRtmp(scope: Scope, live: readonly string[] = []): Promise<NginxRtmp> {
  for (let attempt = 1; ; attempt++) {
    const port = await freePort();
    const prefix = scope.tempDir('onair-nginx-');
    mkdirSync(join(prefix, 'logs'));
    writeFileSync(join(prefix, 'nginx.conf'), configuration(port, live));
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
      port,
      pid: child.pid,
      url: (name) => `rtmp://127.0.0.1:${port}/live/${name}`,
      stop: async () => {
        await child.stop('SIGTERM');
      },
    });
  }
}

function configuration(port: number, live: readonly string[]): string {
  return `load_module ${MODULE};
daemon off;
master_process off;
pid nginx.pid;
error_log stderr error;
events { worker_connections 256; }
rtmp {
  access_log off;
  server {
    listen 127.0.0.1:${port};
    chunk_size 4096;
    application live {
      live on;
      ${live.join('\n      ')}
    }
  }
}
`;
}
